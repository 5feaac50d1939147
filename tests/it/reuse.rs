//! `reuse`: which kernels are tried on which, by what the lock says of their headers.

use drvc::compiler::compile::{Compiled, compile};
use drvc::compiler::outputs::PlanTarget;
use drvc::compiler::outputs::handover;
use drvc::knowledge::lock::{Entry, HeaderDigests, HeadersPin, Lock, to_text};
use drvc::system::fs::{Memory, Reader};
use drvc::text::ids::{Arch, KernelText, OsName, RelPath, Release, Sha256};
use drvc::text::source::Span;

/// An image of two modules, one of which needs the other, with this in it, for these kernels.
fn manifest(image: &str, kernels: &[&str]) -> String {
    let kernels: Vec<_> = kernels.iter().map(|kernel| format!("\"6.1.0-{kernel}-amd64\"")).collect();
    format!(
        r#"drvc edition=1
project "p" {{
    registry "quay.io/p"
}}
source "driver" {{
    path "driver"
}}
module "a" {{
    source "driver"
}}
module "b" {{
    source "driver"
    make "modules" KDIR="{{kernel_dir}}"
    needs "a"
}}
image "i" {{
    module "b"
    load "b"
    {image}
}}
matrix {{
    os "debian" "12" {{
        kernel {}
    }}
}}
"#,
        kernels.join(" ")
    )
}

/// A kernel and the first digits of what its headers, options, symbols and layout are; `None` where nobody can tell.
pub type Known<'a> = (&'a str, Option<[u8; 4]>);

fn lock(kernels: &[Known<'_>]) -> Lock {
    let digest = |digit: u8| Sha256::parse(&digit.to_string().repeat(64)).unwrap();
    let mut lock = Lock::default();
    for (kernel, known) in kernels {
        let key = (
            OsName::parse("debian").unwrap(),
            Release::parse("12").unwrap(),
            KernelText::parse(&format!("6.1.0-{kernel}-amd64")).unwrap(),
            Arch::X86_64,
        );
        let value = known.map_or_else(
            || HeadersPin::Unknown("nobody offers it".into()),
            |[headers, options, symbols, layout]| {
                HeadersPin::Known(HeaderDigests {
                    headers: digest(headers),
                    options: digest(options),
                    symbols: digest(symbols),
                    layout: (layout > 0).then(|| format!("0x{layout}")),
                    packages: Vec::new(),
                })
            },
        );
        lock.headers.insert(key, Entry { value, span: Span::default() });
    }
    lock
}

/// The entries of a lock file that say this.
pub fn headers_in_lock(kernels: &[Known<'_>]) -> String {
    to_text(&lock(kernels)).replace("version = 1\n", "")
}

fn compiled_of(manifest: &str, lock: &Lock, source: &str) -> Compiled {
    let path = |text: &str| RelPath::parse(text).unwrap();
    let mut tree = Memory::new();
    tree.insert(path("drivers.kdl"), manifest.as_bytes());
    tree.insert(path("drivers.lock"), to_text(lock).as_bytes());
    tree.insert(path("driver/Kbuild"), b"obj-m := a.o\n");
    tree.insert(path("driver/a.c"), source.as_bytes());
    let compilation = compile(&Reader::new(&tree), &crate::request());
    assert!(!compilation.diagnostics.has_errors(), "{:?}", compilation.diagnostics);
    compilation.plan.unwrap()
}

fn kernel_of(id: &str) -> String {
    id.rsplit('/').next().unwrap().trim_start_matches("6.1.0-").trim_end_matches("-amd64").to_owned()
}

/// `KERNEL<FIRST` for each target that is tried on another one, and `KERNEL` for the others.
fn chains(image: &str, kernels: &[Known<'_>]) -> Vec<String> {
    let names: Vec<_> = kernels.iter().map(|(kernel, _)| *kernel).collect();
    let compiled = compiled_of(&manifest(image, &names), &lock(kernels), "");
    let told = |target: &PlanTarget| {
        let first = target.reuse.as_ref().and_then(|reuse| reuse.first.as_deref()).map(kernel_of);
        kernel_of(&target.id) + &first.map(|first| format!("<{first}")).unwrap_or_default()
    };
    compiled.json().targets.iter().map(told).collect()
}

#[test]
fn kernels_that_cannot_be_told_apart_are_tried_on_the_first_of_them() {
    let alike = Some([1, 1, 1, 1]);
    let headers = |kernels: &[Known<'_>]| chains("reuse \"headers\"", kernels);
    let abi = |kernels: &[Known<'_>]| chains("reuse \"abi\"", kernels);
    assert_eq!(headers(&[("10", alike), ("11", alike), ("12", alike)]), ["10", "11<10", "12<10"]);
    // Versions are compared as numbers, and only an earlier kernel is tried.
    assert_eq!(headers(&[("10", alike), ("9", alike)]), ["10<9", "9"]);
    let other = Some([2, 1, 2, 1]);
    assert_eq!(headers(&[("10", alike), ("11", other), ("12", other)]), ["10", "11", "12<11"]);
    assert_eq!(abi(&[("10", alike), ("11", other), ("12", other)]), ["10", "11<10", "12<11"]);
    assert_eq!(abi(&[("10", alike), ("11", other), ("12", alike)]), ["10", "11<10", "12<10"]);
    for differs in [[1, 2, 1, 1], [1, 1, 2, 2], [1, 1, 2, 0]] {
        assert_eq!(abi(&[("10", alike), ("11", Some(differs))]), ["10", "11"], "{differs:?}");
    }
    // Where nobody can tell, the build does.
    assert_eq!(headers(&[("10", None), ("11", None), ("12", None)]), ["10", "11<10", "12<10"]);
    assert_eq!(
        headers(&[("10", alike), ("11", None), ("12", other), ("13", None)]),
        ["10", "11<10", "12<11", "13<11"]
    );
    assert_eq!(headers(&[("10", None), ("11", alike), ("12", alike)]), ["10", "11<10", "12<11"]);
    assert_eq!(chains("", &[("10", alike), ("11", alike)]), ["10", "11"]);
}

#[test]
fn what_is_not_built_alike_is_not_tried() {
    let alike = [("10", Some([1, 1, 1, 1])), ("11", Some([1, 1, 1, 1]))];
    let reasons = |image: &str, from: &str, to: &str| {
        let text = manifest(image, &["10", "11"]).replace(from, to);
        let compiled = compiled_of(&text, &lock(&alike), "");
        let reuse = compiled.json().targets[1].reuse.clone().unwrap();
        (reuse.first.is_some(), reuse.reason.unwrap_or_default())
    };
    let reuse = "reuse \"headers\"";
    assert!(reasons(reuse, "", "").0);
    let (tried, why) =
        reasons(reuse, "needs \"a\"", "needs \"a\"\n    on kernel=\"6.1.0-11-amd64\" { env X=\"1\"; }");
    assert_eq!((tried, why.as_str()), (false, "it is not built as 6.1.0-10-amd64 is"));
    let (tried, why) = reasons(reuse, "KDIR=\"{kernel_dir}\"", "PREFIX=\"{out}\"");
    assert_eq!((tried, why.as_str()), (false, "module `b` brings more than modules"));
    let (tried, why) = reasons(&format!("{reuse}\n    file \"x\" from=\"b\" to=\"/x\""), "", "");
    assert!(!tried && why.contains("comes from the build of a module"), "{why}");
}

#[test]
fn a_trial_names_its_image_by_its_key() {
    let alike = [("10", Some([1, 1, 1, 1])), ("11", Some([1, 1, 1, 1]))];
    let text = manifest("reuse \"headers\" strict=#true", &["10", "11"]);
    let compiled = compiled_of(&text, &lock(&alike), "");
    let [first, tried] = compiled.json().targets.as_slice() else { panic!() };
    let reference = format!("quay.io/p/i:6.1.0-10-amd64-{}", &first.key[..16]);
    assert_eq!(first.tags, ["quay.io/p/i:6.1.0-10-amd64", &*reference]);
    assert_eq!(tried.tags, ["quay.io/p/i:6.1.0-11-amd64"]);
    assert_eq!(tried.reuse.as_ref().unwrap().reference.as_deref(), Some(&*reference));
    let path = RelPath::parse(&tried.dockerfile).unwrap();
    let dockerfile = compiled.outputs().get(&path).unwrap().text();
    for line in [
        &*format!("\nFROM {reference} AS first\nFROM kernel AS reuse\n"),
        "\nCOPY --from=first /opt/lib/modules/6.1.0-10-amd64/updates /drvc/first\n",
        "\nRUN sh /drvc/bin/check-reuse headers --strict\n",
        "\nFROM reuse AS module-a\n",
        "\nRUN sh /drvc/bin/unless-reused \\\n        make -j",
    ] {
        assert!(dockerfile.contains(line), "{line}\n{dockerfile}");
    }
    // Both are built by one machine, whatever their kernels.
    let wanted = compiled.json().ids();
    let jobs = handover::jobs(compiled.json(), &wanted, 100);
    assert_eq!(jobs.images.len(), 1);
    assert_eq!(jobs.images[0].targets.len(), 2);

    // A source's edit reaches the key of both, and a key is another one where a trial is.
    let edited = compiled_of(&text, &lock(&alike), "/* */");
    for (before, after) in compiled.json().targets.iter().zip(&edited.json().targets) {
        assert_ne!(before.key, after.key);
    }
    let alone = compiled_of(&manifest("reuse \"headers\" strict=#true", &["11"]), &lock(&alike[1..]), "");
    assert_ne!(alone.json().targets[0].key, tried.key);
    // An image without `reuse` has the same Dockerfile, whatever the lock holds.
    let plain = compiled_of(&manifest("", &["10", "11"]), &Lock::default(), "");
    let path = RelPath::parse(&plain.json().targets[1].dockerfile).unwrap();
    let plain = plain.outputs().get(&path).unwrap().text();
    assert!(!plain.contains("reuse") && !plain.contains("first"), "{plain}");
}

#[test]
fn a_cluster_compiles_and_knows_each_kernel_by_its_own_image() {
    let alike = [("10", Some([1, 1, 1, 1])), ("11", Some([1, 1, 1, 1]))];
    let outputs = "output {\n    buildconfig\n    kmm {\n        selector \"x\"=\"\"\n    }\n}\nmatrix {";
    let git = format!("git \"https://git.example/driver\" commit=\"{}\"", "a".repeat(40));
    let text = manifest("reuse \"headers\"", &["10", "11"])
        .replace("matrix {", outputs)
        .replace("path \"driver\"", &git);
    let compiled = compiled_of(&text, &lock(&alike), "");
    let [_, tried] = compiled.json().targets.as_slice() else { panic!() };
    let first = tried.reuse.as_ref().unwrap().first.as_ref().unwrap();
    assert_eq!(kernel_of(first), "10");
    let output = |path: &str| {
        let found = compiled.outputs().iter().find(|(name, _)| name.as_str().ends_with(path));
        found.unwrap_or_else(|| panic!("no {path}")).1.text()
    };
    let own = output("i/debian-12-x86_64/6.1.0-11-amd64.yaml");
    assert!(own.contains("make -j") && !own.contains(" AS first"), "{own}");
    let module = output("kmm/i.yaml");
    for kernel in ["6.1.0-10-amd64", "6.1.0-11-amd64"] {
        let mapping = format!("literal: \"{kernel}\"");
        assert!(module.contains(&mapping) && module.contains(&format!("i:{kernel}")), "{module}");
    }
}
