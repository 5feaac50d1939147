//! Every reader of what others wrote, on inputs that were changed at random: none ends the process, none takes long, and
//! what is accepted means what it says. `DRVC_FUZZ_SECONDS` says how long each is tried; without it a few dozen inputs.

use crate::differential::Random;
use crate::{files, repository};
use drvc::compiler::compile::{Compilation, compile};
use drvc::images::verify::{Module, Symvers};
use drvc::import::{dkms, dockerfile, kmm, write};
use drvc::knowledge::certificate::Certificate;
use drvc::knowledge::lock;
use drvc::knowledge::profile::Profiles;
use drvc::language::layout::format;
use drvc::resolve::repository::{Fetch, Layout, Repository, packages};
use drvc::system::fs::{FileDigest, Memory, Reader};
use drvc::system::oci::{Manifest, read_file};
use drvc::text::error::Error;
use drvc::text::ids::{Arch, OsName, RelPath};
use drvc::text::session::Session;
use drvc::text::source::Sources;
use std::time::{Duration, Instant};

/// How many inputs are tried where no time is given.
const INPUTS: usize = 60;
/// No input of these sizes may take longer, on a machine that does other things too.
const LONGEST: Duration = Duration::from_secs(30);
/// What is put into inputs: what the formats here have in common, and what readers stumble over.
const PIECES: &[&str] = &[
    "\0",
    "\n",
    "\\",
    "\\\n",
    "\"",
    "\"\"\"",
    "'",
    "{",
    "}",
    "{{",
    "}}",
    "[",
    "]",
    "(",
    ")",
    "/*",
    "*/",
    "/-",
    "//",
    "#",
    "$",
    "${",
    "$(",
    "`",
    "=",
    ";",
    ":",
    "- ",
    "&a",
    "*a",
    "<",
    ">",
    "<!--",
    "]]>",
    "&amp;",
    "../",
    "/",
    "%",
    "\u{202e}",
    "é",
    "\u{85}",
    "\r\n",
    "18446744073709551616",
    "-1",
    "0x",
    "1e999",
    "#true",
    "{kernel}",
    "FROM ",
    "RUN ",
    "on ",
    "source ",
    "if ",
    "fi\n",
];

fn rel(path: &str) -> RelPath {
    RelPath::parse(path).unwrap()
}

fn seeds(paths: &[&str]) -> Vec<Vec<u8>> {
    let paths = paths.iter().flat_map(|path| {
        let path = repository(path);
        if path.is_dir() { files(&path) } else { vec![path] }
    });
    let seeds: Vec<_> =
        paths.map(|path| std::fs::read(path).unwrap()).filter(|seed| seed.len() < 1 << 18).collect();
    assert!(!seeds.is_empty());
    seeds
}

/// Another input, made from one or two.
fn changed(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(6) {
        let at = random.below(input.len() + 1);
        let end = (at + random.below(32)).min(input.len());
        match random.below(7) {
            0 => drop(input.drain(at..end)),
            1 => input.truncate(at),
            2 if at < input.len() => input[at] ^= 1 << random.below(8),
            3 => {
                let again = input[at..end].to_vec();
                drop(input.splice(at..at, again));
            }
            4 => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len() + 1);
                let to = (from + random.below(200)).min(other.len());
                drop(input.splice(at..end, other[from..to].iter().copied()));
            }
            5 => {
                let piece = PIECES[random.below(PIECES.len())].repeat(1 + random.below(3) * random.below(40));
                drop(input.splice(at..at, piece.into_bytes()));
            }
            _ => drop(input.splice(at..end, PIECES[random.below(PIECES.len())].bytes())),
        }
    }
    input
}

/// Tries a reader: on what is known as it is, and on what is made of it.
#[expect(clippy::disallowed_methods, reason = "only how long the tests take depends on it")]
#[expect(clippy::disallowed_macros, reason = "how much was tried is the test's own output")]
fn fuzz(name: &str, known: &[&str], read: impl Fn(&[u8]) + std::panic::RefUnwindSafe) {
    let seeds = seeds(known);
    let time = std::env::var("DRVC_FUZZ_SECONDS").ok().map(|text| Duration::from_secs(text.parse().unwrap()));
    let (start, mut random) =
        (Instant::now(), Random::new(if time.is_some() { u64::from(std::process::id()) } else { 1 }));
    let (mut tried, mut slowest) = (0_usize, Duration::ZERO);
    while time.map_or(tried < INPUTS, |time| start.elapsed() < time) {
        let input = seeds.get(tried).cloned().unwrap_or_else(|| changed(&seeds, &mut random));
        let began = Instant::now();
        if let Err(panic) = std::panic::catch_unwind(|| read(&input)) {
            let path = std::env::temp_dir().join(format!("drvc-fuzz-{name}"));
            std::fs::write(&path, &input).unwrap();
            eprintln!("{name}: the input is in {}", path.display());
            std::panic::resume_unwind(panic);
        }
        if began.elapsed() > slowest && time.is_some() {
            std::fs::write(std::env::temp_dir().join(format!("drvc-fuzz-{name}-slowest")), &input).unwrap();
        }
        slowest = slowest.max(began.elapsed());
        assert!(began.elapsed() < LONGEST, "{name} takes {:?} for {} bytes", began.elapsed(), input.len());
        tried += 1;
    }
    eprintln!("{name}: {tried} inputs, the slowest in {slowest:?}");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const DRIVER: &str = "drvc edition=1\nproject \"p\"\nsource \"s\" { path \"s\"; }\nmodule \"m\" { source \"s\"; }\n\
                      image \"i\" { module \"m\"; load \"m\"; }\nmatrix { os \"debian\" \"12\" { kernel \"6.1.0-18-amd64\"; }; }\n";

fn compiled(manifest: &str, others: &[(&str, &[u8])]) -> Compilation {
    let mut tree = Memory::new();
    tree.insert(rel("drivers.kdl"), manifest.as_bytes());
    tree.insert(rel("s/Kbuild"), &b"obj-m := m.o\n"[..]);
    others.iter().for_each(|(path, bytes)| tree.insert(rel(path), *bytes));
    compile(&Reader::new(&tree), &crate::request())
}

/// The keys of what a manifest describes.
fn keys(manifest: &str) -> Option<Vec<String>> {
    let plan = compiled(manifest, &[]).plan?;
    Some(plan.json().targets.iter().map(|target| target.key.clone()).collect())
}

#[test]
fn manifests() {
    fuzz(
        "manifests",
        &["tests/ui", "examples/06-build-here/drivers.kdl", "examples/08-everywhere/drivers.kdl"],
        |bytes| {
            let manifest = text(bytes);
            let keys = keys(&manifest);
            // The same in canonical layout is the same.
            if let Ok(laid_out) = format(&manifest) {
                assert_eq!(format(&laid_out).ok().as_ref(), Some(&laid_out), "{manifest}");
                assert_eq!(self::keys(&laid_out), keys, "{manifest}");
            }
        },
    );
}

#[test]
fn locks() {
    fuzz(
        "locks",
        &[
            "tests/ui/drivers.lock",
            "tests/ui/unpinned-packages/drivers.lock",
            "tests/ui/unverified-kernel/drivers.lock",
        ],
        |bytes| {
            compiled(DRIVER, &[("drivers.lock", bytes)]);
            let mut sources = Sources::default();
            let file = sources.add("drivers.lock", text(bytes));
            let (found, reports) = lock::parse(file, &sources);
            if !reports.has_errors() {
                let written = lock::to_text(&found);
                let again = sources.add("again", written.clone());
                assert_eq!(lock::to_text(&lock::parse(again, &sources).0), written);
            }
        },
    );
}

#[test]
fn profiles() {
    fuzz("profiles", &["src/knowledge/profile/data"], |bytes| {
        let mut session = Session::default();
        let file = session.sources.add("os.kdl", text(bytes));
        Profiles::builtin().add_user(&OsName::parse("mine").unwrap(), file, &mut session);
    });
}

#[test]
fn templates() {
    let manifest = format!("{DRIVER}template \"image\" \"image.hbs\"\n");
    fuzz("templates", &["src/compiler/render/templates"], |bytes| {
        compiled(&manifest, &[("image.hbs", bytes)]);
    });
}

#[test]
fn certificates() {
    fuzz(
        "certificates",
        &["examples/05-module-chain/keys/module-signing.pem", "tests/data/p384.pem"],
        |bytes| {
            let _ = Certificate::read(&rel("cert.pem"), bytes, FileDigest::of(bytes, 0o644));
        },
    );
}

/// What an importer makes is a manifest: it is read, and laid out as it is.
fn is_manifest(draft: &drvc::import::Draft) {
    let manifest = write(draft);
    assert!(format(&manifest).is_ok(), "{manifest}");
}

#[test]
fn dkms_files() {
    fuzz("dkms", &["tests/data/dkms"], |bytes| {
        if let Ok(draft) =
            dkms::import(&text(bytes), "dkms.conf", &rel("driver"), "driver", &|_| bytes.len() % 2 == 0)
        {
            is_manifest(&draft);
        }
    });
}

#[test]
fn dockerfiles() {
    let examples = [
        "examples/05-module-chain/drivers.out",
        "examples/08-everywhere/drivers.out/pt-char-dev",
        "Containerfile",
        "tests/data/fuzz/dockerfiles",
    ];
    fuzz("dockerfiles", &examples, |bytes| {
        if let Ok(draft) = dockerfile::import(&text(bytes), "Dockerfile", "driver") {
            is_manifest(&draft);
        }
    });
}

#[test]
fn kmm_modules() {
    fuzz("kmm", &["examples/08-everywhere/drivers.out/kmm"], |bytes| {
        if let Ok(draft) = kmm::import(&text(bytes), "module.yaml") {
            is_manifest(&draft);
        }
    });
}

#[test]
fn modules() {
    fuzz("modules", &["tests/data/fuzz/seeds/hello.ko"], |bytes| {
        if let Ok(module) = Module::parse("hello.ko", bytes) {
            assert!(module.depends.len() <= 1_000);
        }
    });
}

#[test]
fn symbols_and_packages() {
    fuzz("packages", &["tests/data/fuzz/seeds/headers.deb", "tests/data/fuzz/seeds/headers.rpm"], |bytes| {
        for name in ["headers.deb", "headers.rpm"] {
            let _ = Symvers::of_package(name, bytes);
        }
        let _ = Symvers::parse(&text(bytes));
    });
}

#[test]
fn layers() {
    fuzz("layers", &["tests/data/fuzz/seeds/layer.tar"], |bytes| {
        let _ = read_file(&mut &bytes[..], "deb/usr/src/linux-headers-6.1.0/Module.symvers", 1 << 20);
    });
}

/// A server that answers everything with the same bytes.
struct Same<'a>(&'a [u8]);

impl Fetch for Same<'_> {
    fn get(&self, _: &str, _: u64) -> Result<Option<Vec<u8>>, Error> {
        Ok(Some(self.0.to_vec()))
    }

    fn now(&self) -> u64 {
        1_795_321_879
    }
}

#[test]
fn servers() {
    fuzz("servers", &["tests/data/fuzz/answers"], |bytes| {
        let _ = Manifest::parse(bytes.to_vec(), "application/vnd.oci.image.manifest.v1+json");
        let _ = Manifest::parse(bytes.to_vec(), "");
        for layout in [Layout::Dnf, Layout::Apt { suite: "bookworm".into(), components: vec!["main".into()] }]
        {
            let repository = Repository { url: "https://example.com/repo".into(), layout };
            let _ = packages(&Same(bytes), None, &repository, Arch::X86_64, &|_| true);
        }
    });
}
