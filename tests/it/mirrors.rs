//! Mirrors and authorities of a site: what they change in a Dockerfile, and what not.

use crate::scripts::Builder;
use drvc::compiler::compile::{Compilation, Request, compile};
use drvc::system::fs::{Memory, Reader};
use drvc::text::ids::RelPath;

const MIRROR: &str = r#"mirror {
    images "docker.io" "m.example.com/hub"
    images "registry.access.redhat.com" "m.example.com/rh"
    packages "http://debian.example.org/debian" "https://m.example.com/debian"
    packages "https://cdn-ubi.redhat.com/content/public/ubi/dist" "https://packages.m.example.com/ubi/dist"
    packages "http://security.example.org" "https://m.example.com/security"
    packages "https://a.example.org" "https://m.example.com/a"
    git "https://git.example.org" "https://m.example.com/git"
    files "https://files.example.org" "https://m.example.com/files"
    ca "ca.pem"
}
"#;

const MANIFEST: &str = r#"drvc edition=1
project "p" { registry "quay.io/p"; }
MIRROR
source "a" { git "https://git.example.org/a.git" branch="main" { secret "token"; }; }
source "b" { archive "https://files.example.org/b.tar.gz"; }
source "c" { image "docker.io/library/busybox:1"; }
module "a" { source "a"; }
image "p" {
    module "a"
    load "a"
    file "bin/busybox" from="c" to="/opt/bin"
    file "*.conf" from="b" to="/etc/p"
    on os="rhel" { base "micro"; }
}
matrix {
    os "debian" "12" { kernel "6.1.0-18-amd64"; }
    os "rhel" "9.4" { kernel "5.14.0-427.13.1.el9_4.x86_64"; entitlement "rhsm"; }
}
"#;

fn compiled(mirror: &str) -> Compilation {
    let path = |text: &str| RelPath::parse(text).unwrap();
    let mut tree = Memory::new();
    tree.insert(path("drivers.kdl"), MANIFEST.replace("MIRROR", mirror).as_bytes());
    tree.insert(path("ca.pem"), &include_bytes!("../data/p384.pem")[..]);
    let request = Request {
        manifest: path("drivers.kdl"),
        out: path("drivers.out"),
        max_targets: 100,
        settings: Vec::new(),
    };
    compile(&Reader::new(&tree), &request)
}

/// The text of the only target of an OS.
fn dockerfile(compilation: &Compilation, os: &str) -> String {
    let plan = compilation.plan.as_ref().unwrap();
    let id = plan.plan.targets.iter().find(|target| target.at.os.as_str() == os).unwrap();
    let output = plan.outputs().get(&id.id.join("Dockerfile").unwrap()).unwrap();
    output.text()
}

#[test]
fn a_site_changes_addresses_and_no_key() {
    let (plain, site) = (compiled(""), compiled(MIRROR));
    let keys = |one: &Compilation| {
        let targets = one.plan.as_ref().unwrap().json().targets.clone();
        targets.into_iter().map(|target| (target.id, target.key)).collect::<Vec<_>>()
    };
    assert_eq!(keys(&plain), keys(&site));
    for os in ["debian", "rhel"] {
        let text = dockerfile(&site, os);
        for public in
            ["FROM docker.io", "FROM registry.access", "--from=docker.io", "'https://files.example.org"]
        {
            assert!(!text.contains(public), "{public}\n{text}");
        }
        let before = dockerfile(&plain, os);
        let mut added = text.lines().filter(|line| !line.starts_with('#') && !before.contains(line));
        assert!(added.all(|line| line.len() <= 100), "{text}");
        // What a builder trusts is in no layer of the image that is shipped.
        let last = text.split("\n# image \"p\"\nFROM").last().unwrap();
        assert!(!last.contains("COPY drivers.out") && !last.contains("ca.pem"), "{last}");
    }
    let debian = dockerfile(&site, "debian");
    for part in [
        "COPY ca.pem /drvc/mirrors/ca.pem\nCOPY drivers.out/build/use-mirrors /drvc/bin/\n",
        "RUN git config --system 'url.https://m.example.com/git/.insteadOf'",
        "'https://git.example.org/a.git'",
        "with-login token token 'https://m.example.com'",
        "RUN --mount=type=bind,from=kernel,source=/drvc,target=/drvc \\\n    sh /drvc/bin/use-mirrors again && \\\n",
        "    sh /drvc/bin/use-mirrors undo\n",
    ] {
        assert!(debian.contains(part), "{part}\n{debian}");
    }
    let rhel = dockerfile(&site, "rhel");
    assert!(rhel.contains("    sh /drvc/bin/use-mirrors again /drvc/root && \\\n"), "{rhel}");
}

/// The lines of Debian's, UBI's and Rocky's files, and of one with a list of mirrors alone.
const ROCKY: &str = "[baseos]\nname=Rocky\nmirrorlist=https://mirrors.rockylinux.org/mirrorlist?repo=BaseOS\n\
    #baseurl=http://dl.rockylinux.org/$contentdir/BaseOS/os/\ngpgcheck=1\n\n[other]\nmetalink=https://x.org/list\n";

#[test]
fn mirrors_take_the_place_of_repositories_and_go_again() {
    let builder = Builder::new();
    let files = [
        ("etc/apt/sources.list", "deb [trusted=yes] http://debian.example.org/debian bookworm main\n"),
        ("etc/apt/sources.list.d/a.sources", "URIs: http://debian.example.org/debian-security\n"),
        ("etc/yum.repos.d/ubi.repo", "[ubi]\nbaseurl = https://cdn.redhat.com/ubi/$basearch/os\n"),
        ("etc/yum.repos.d/rocky.repo", ROCKY),
    ];
    files.iter().for_each(|(path, text)| builder.write(path, text));
    builder.write("drvc/mirrors/ca.pem", "SITE\n");
    builder.write("etc/ssl/certs/ca-certificates.crt", "PUBLIC\n");
    std::fs::create_dir_all(builder.path("var/tmp")).unwrap();
    let words = [
        "http://debian.example.org/debian",
        "https://m.example.com/debian&",
        "https://cdn.redhat.com",
        "https://m.example.com/rh",
        "http://dl.rockylinux.org",
        "https://m.example.com/rocky",
    ];
    let led = || {
        assert_eq!(
            builder.read(files[0].0),
            "deb [trusted=yes] https://m.example.com/debian& bookworm main\n"
        );
        assert_eq!(builder.read(files[1].0), files[1].1);
        assert_eq!(builder.read(files[2].0), "[ubi]\nbaseurl = https://m.example.com/rh/ubi/$basearch/os\n");
        let rocky = "[baseos]\nname=Rocky\nbaseurl=https://m.example.com/rocky/$contentdir/BaseOS/os/\ngpgcheck=1\n\n\
            [other]\nmetalink=https://x.org/list\n";
        assert_eq!(builder.read(files[3].0), rocky);
        let bundle = "PUBLIC\n# drvc: begin\nSITE\n# drvc: end\n";
        assert_eq!(builder.read("etc/ssl/certs/ca-certificates.crt"), bundle);
    };
    builder.run("use-mirrors", &words).expect(0, "");
    led();
    builder.run("use-mirrors", &words).expect(0, "");
    led();
    // Another image, with what the first one kept.
    files.iter().for_each(|(path, text)| builder.write(path, text));
    builder.write("etc/ssl/certs/ca-certificates.crt", "PUBLIC\n");
    builder.run("use-mirrors", &["again"]).expect(0, "");
    led();
    builder.write("var/log/dnf.librepo.log", "asked https://m.example.com/rh/ubi\ndone\n");
    builder.run("use-mirrors", &["undo"]).expect(0, "");
    assert_eq!(builder.read("var/log/dnf.librepo.log"), "done\n");
    files.iter().for_each(|(path, text)| assert_eq!(builder.read(path), *text));
    assert_eq!(builder.read("etc/ssl/certs/ca-certificates.crt"), "PUBLIC\n");
    assert!(!builder.path("var/tmp/drvc-mirrors").exists());
    // One without certificates, as Debian's is.
    std::fs::remove_dir_all(builder.path("etc/ssl")).unwrap();
    builder.run("use-mirrors", &["again"]).expect(0, "");
    assert_eq!(builder.read("etc/ssl/certs/ca-certificates.crt"), "# drvc: begin\nSITE\n# drvc: end\n");
    builder.run("use-mirrors", &["undo"]).expect(0, "");
    assert!(!builder.path("etc/ssl").exists());
}
