//! Downloads, files of other stages and signing: what of the manifest and the lock ends in which Dockerfile.

use drvc::compiler::compile::{Compilation, compile};
use drvc::system::fs::{Memory, Reader};
use drvc::text::diag::Code;
use drvc::text::ids::RelPath;

const CERTIFICATE: &str = include_str!("../../examples/05-module-chain/keys/module-signing.pem");

/// Compiles a manifest of these nodes for one kernel of Debian, with this lock.
fn compiled(nodes: &str, lock: &str) -> Compilation {
    let path = |path: &str| RelPath::parse(path).unwrap();
    let mut tree = Memory::new();
    let manifest = format!(
        "drvc edition=1\nproject \"p\" {{ version \"1.5\"; }}\n{nodes}\n\
         matrix {{ os \"debian\" \"12\" {{ kernel \"6.1.0-18-amd64\"; }}; }}\n"
    );
    tree.insert(path("drivers.kdl"), manifest.as_bytes());
    tree.insert(path("drivers.lock"), format!("version = 1\n{lock}").as_bytes());
    tree.insert(path("driver/Kbuild"), &b"obj-m := a.o\n"[..]);
    tree.insert(path("cert.pem"), CERTIFICATE.as_bytes());
    compile(&Reader::new(&tree), &crate::request())
}

/// The Dockerfile of the only target.
fn dockerfile(compilation: &Compilation) -> String {
    let plan = compilation.plan.as_ref().unwrap_or_else(|| panic!("{:?}", compilation.diagnostics));
    let is_dockerfile = |path: &RelPath| path.as_path().file_name() == Some("Dockerfile");
    let mut files = plan.outputs().iter().filter(|(path, _)| is_dockerfile(path));
    files.next().map(|(_, output)| output.text()).unwrap()
}

fn has(compilation: &Compilation, code: Code) -> bool {
    compilation.diagnostics.iter().any(|one| one.code == code)
}

const DRIVER: &str = "source \"driver\" { path \"driver\"; }\nmodule \"a\" { source \"driver\"; }\n";
const SUM: &str = "0123456789012345678901234567890123456789012345678901234567890123";

#[test]
fn a_checksum_comes_from_the_manifest_or_from_the_lock() {
    let nodes = |sum: &str| {
        format!(
            "source \"s\" {{ archive \"https://example.com/a-{{version}}.tar.gz\"{sum}; }}\n\
             module \"a\" {{ source \"s\"; }}\nimage \"i\" {{ module \"a\"; }}"
        )
    };
    let lock = format!("[[archive]]\nurl = \"https://example.com/a-1.5.tar.gz\"\nsha256 = \"{SUM}\"\n");
    let unpinned = compiled(&nodes(""), "");
    assert!(has(&unpinned, Code::UnpinnedSource));
    assert!(!dockerfile(&unpinned).contains("sha256sum"));
    let locked = compiled(&nodes(""), &lock);
    assert!(!has(&locked, Code::UnpinnedSource) && !has(&locked, Code::UnusedLockEntry));
    assert!(dockerfile(&locked).contains(SUM) && dockerfile(&locked).contains("a-1.5.tar.gz"));
    let written = nodes(&format!(" sha256=\"{SUM}\""));
    assert!(dockerfile(&compiled(&written, "")).contains(SUM));
    assert!(has(&compiled(&written, &lock), Code::UnusedLockEntry));
}

#[test]
fn a_url_must_be_one_when_its_variables_are_replaced() {
    for url in
        ["http://example.com/a.tar.gz", "https://me:secret@example.com/a", "https://example.com/{image}"]
    {
        let nodes = format!(
            "source \"s\" {{ file \"{url}\"; }}\nmodule \"a\" {{ source \"s\"; }}\nimage \"i\" {{ module \"a\"; }}"
        );
        assert!(compiled(&nodes, "").plan.is_none(), "{url}");
    }
}

#[test]
fn files_come_from_a_built_tree_a_source_or_an_image() {
    let image = |extra: &str| format!("{DRIVER}image \"i\" {{ module \"a\"; load \"a\"; {extra}; }}");
    for (extra, copy) in [
        ("firmware \"*.bin\" from=\"a\"", "COPY --from=module-a /usr/src/drvc/a/*.bin /opt/lib/firmware/"),
        (
            "firmware \"x.bin\" from=\"driver\" to=\"vendor\"",
            "COPY --from=source-driver /usr/src/drvc/driver/x.bin /opt/lib/firmware/vendor/",
        ),
        (
            "file \"etc/*.{arch}\" from=\"quay.io/example/files:{kernel}\" to=\"/etc/driver\"",
            "COPY --from=quay.io/example/files:6.1.0-18-amd64 /etc/*.x86_64 /etc/driver/",
        ),
    ] {
        let text = dockerfile(&compiled(&image(extra), ""));
        assert!(text.lines().any(|line| line == copy), "{copy}\n{text}");
        assert_eq!(
            text.contains("CMD [\"/opt/bin/drvc-load\", \"--firmware\""),
            extra.starts_with("firmware")
        );
    }
    for (extra, code) in [
        ("firmware \"../x\" from=\"a\"", Code::MalformedValue),
        ("firmware \"**/x\" from=\"a\"", Code::MalformedValue),
        ("firmware \"x\" from=\"a\" to=\"/lib/firmware\"", Code::MalformedValue),
        ("file \"x\" from=\"a\" to=\"etc\"", Code::MalformedValue),
        ("file \"x\" from=\"drivers\" to=\"/etc\"", Code::UnknownSource),
    ] {
        assert!(has(&compiled(&image(extra), ""), code), "{extra}");
    }
    let elsewhere = format!(
        "{DRIVER}module \"b\" {{ source \"driver\"; }}\nimage \"i\" {{ module \"a\"; firmware \"x\" from=\"b\"; }}\n\
         image \"j\" {{ module \"b\"; }}"
    );
    assert!(has(&compiled(&elsewhere, ""), Code::UnknownModule));
}

#[test]
fn what_certification_asks_for_comes_from_the_project() {
    let project = crate::project::Project::new();
    let certified = "project \"example\" {\n    vendor \"Example\"\n    version \"1.5\"\n    description \"A driver\"\n    \
                     maintainer \"me\"\n    license-file \"LICENSE\" from=\"driver\"";
    project.edit("drivers.kdl", "project \"example\" {", certified);
    project.write("driver/LICENSE", "GPL\n");
    project.run(&["compile"]).expect(0, "", "files written");
    let text = project.read("drivers.out/example/debian-12-x86_64/6.1.0-18-amd64/Dockerfile");
    let (_, runtime) = text.rsplit_once("\nFROM ").unwrap();
    for label in [
        "name='example'",
        "vendor='Example'",
        "version='1.5'",
        "release='6.1.0-18-amd64'",
        "summary='A driver'",
        "description='A driver'",
        "maintainer='me'",
    ] {
        assert!(runtime.contains(&format!(" {label}")), "{label}\n{runtime}");
    }
    assert!(
        runtime.contains("COPY --from=source-driver /usr/src/drvc/driver/LICENSE /licenses/\n"),
        "{runtime}"
    );
}

#[test]
fn a_base_of_ones_own_gets_what_is_asked_for() {
    let image = |extra: &str| {
        format!("{DRIVER}image \"i\" {{ module \"a\"; base \"quay.io/example/own:1\"; {extra} }}")
    };
    let text = dockerfile(&compiled(&image(""), ""));
    let (_, runtime) = text.split_once("FROM quay.io/example/own:1\n").unwrap();
    assert!(!runtime.contains("apt-get") && runtime.starts_with("RUN command -v modprobe"), "{runtime}");
    assert!(runtime.contains("org.opencontainers.image.base.name='quay.io/example/own:1'"), "{runtime}");
    let text = dockerfile(&compiled(&image("packages \"kmod\";"), ""));
    assert!(text.contains("FROM quay.io/example/own:1\nRUN apt-get"), "{text}");
}

#[test]
fn a_key_is_a_secret_or_a_token() {
    let nodes = |key: &str| {
        format!("{DRIVER}image \"i\" {{ module \"a\"; }}\nsigning {{ key {key}; certificate \"cert.pem\"; }}")
    };
    let secrets = |compilation: &Compilation| {
        let target = &compilation.plan.as_ref().unwrap().json().targets[0];
        target.secrets.iter().map(|secret| secret.id.clone()).collect::<Vec<_>>().join(" ")
    };
    let secret = compiled(&nodes("secret=\"mok\""), "");
    assert_eq!(secrets(&secret), "mok");
    assert!(dockerfile(&secret).contains("RUN --mount=type=secret,id=mok,required=true \\\n"));
    assert!(dockerfile(&secret).contains("--secret id=mok,src=$S/mok"));
    let token = compiled(&nodes("\"pkcs11:token=a;object=b\" pin=\"pin\""), "");
    assert_eq!(secrets(&token), "pin");
    assert!(dockerfile(&token).contains("sh /drvc/bin/sign 'pkcs11:token=a;object=b'"));
    assert!(has(&compiled(&nodes("\"pkcs11:object=a?pin-value=1234\""), ""), Code::SecretInManifest));
    assert!(has(&compiled(&nodes("\"file:/key.pem\""), ""), Code::MalformedValue));
    let unsigned = compiled(&format!("{DRIVER}image \"i\" {{ module \"a\"; }}"), "");
    assert!(!dockerfile(&unsigned).contains("signed") && secrets(&unsigned).is_empty());
}

#[test]
fn finished_modules_are_not_stripped() {
    let nodes = format!("{DRIVER}image \"i\" {{ module \"a\"; }}");
    let finished =
        nodes.replace("source \"driver\"; }\nimage", "source \"driver\"; build \"none\"; }\nimage");
    assert!(dockerfile(&compiled(&nodes, "")).contains("sh /drvc/bin/install-module a a.ko"));
    assert!(dockerfile(&compiled(&finished, "")).contains("sh /drvc/bin/install-module --finished a a.ko"));
    let packed = finished.replace("build \"none\"", "build \"none\"; output \"a.ko.xz\"");
    assert!(packed != finished, "{finished}");
    let packed = packed.replacen("image \"i\" {", "image \"i\" { load \"a\";", 1);
    assert!(dockerfile(&compiled(&packed, "")).contains("install-module --finished a a.ko.xz"));
}

#[test]
fn a_repository_is_enabled_only_where_the_package_manager_can() {
    let project = crate::project::Project::new();
    let debian = "os \"debian\" \"12\" {\n        kernel \"6.1.0-18-amd64\"";
    let sles = "os \"sles\" \"15.5\" {\n        repository enable=\"extra\"\n        kernel \"5.14.21-150500.55.19-default\"";
    project.edit("drivers.kdl", debian, sles);
    let run = project.run(&["check"]);
    assert!(run.stderr.contains("zypper cannot enable a repository for one installation"), "{}", run.stderr);
    assert_eq!(run.code, Some(1));
}
