//! The scripts that stages run, each alone in a directory that stands for the builder, with good and bad input.

use camino::{Utf8Path, Utf8PathBuf};
use drvc::compiler::render::Script;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

const KERNEL: &str = "6.1.0-1-amd64";

/// Prints `field=value` lines of a file that stands for a module.
const MODINFO: &str = "field=$2; shift 2; for file; do sed -n \"s/^$field=//p\" \"$file\"; done";

/// A builder: a directory with what scripts look at, and programs that stand for those of kmod and binutils.
pub struct Builder {
    directory: tempfile::TempDir,
}

/// What a script said and how it ended.
pub struct Run {
    code: i32,
    said: String,
}

impl Run {
    pub fn said(&self) -> &str {
        &self.said
    }

    #[track_caller]
    pub fn expect(&self, code: i32, part: &str) {
        assert!(self.code == code && self.said.contains(part), "ends with {}:\n{}", self.code, self.said);
    }
}

impl Builder {
    pub fn new() -> Self {
        let builder = Self { directory: tempfile::tempdir().unwrap() };
        for directory in ["drvc/bin", "usr/src", "usr/local/bin", "bin", "source"] {
            std::fs::create_dir_all(builder.path(directory)).unwrap();
        }
        let build = format!("lib/modules/{KERNEL}/build");
        builder
            .write(&format!("{build}/include/config/auto.conf"), "CONFIG_A=y\nCONFIG_GCC_VERSION=120200\n");
        builder.write(
            &format!("{build}/include/generated/utsrelease.h"),
            format!("#define UTS_RELEASE \"{KERNEL}\"\n"),
        );
        builder.program("modinfo", MODINFO);
        builder.program("strip", "exit 0");
        builder
    }

    fn root(&self) -> &Utf8Path {
        self.directory.path().try_into().unwrap()
    }

    pub fn path(&self, path: &str) -> Utf8PathBuf {
        self.root().join(path)
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    pub fn program(&self, name: &str, text: &str) {
        let path = format!("bin/{name}");
        self.write(&path, format!("#!/bin/sh\n{text}\n"));
        std::fs::set_permissions(self.path(&path), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A module as `modinfo` of this builder reads it.
    fn module(&self, path: &str, depends: &str) {
        self.write(path, format!("vermagic={KERNEL} SMP\nGCC: (Debian) 12.2.0\ndepends={depends}\n"));
    }

    /// Runs a script in `source`, with the absolute paths in it moved into this directory.
    pub fn run(&self, name: &str, words: &[&str]) -> Run {
        self.run_for(KERNEL, name, words)
    }

    /// The same, for this kernel.
    pub fn run_for(&self, kernel: &str, name: &str, words: &[&str]) -> Run {
        let script = Script::all().find(|script| script.name == name).unwrap();
        self.write(&format!("drvc/bin/{name}"), moved(script.text, self.root()));
        #[expect(
            clippy::disallowed_methods,
            reason = "the scripts find their programs as a builder's shell does"
        )]
        let path = format!("{}:{}", self.path("bin"), std::env::var("PATH").unwrap());
        let output = Command::new("sh")
            .arg(self.path(&format!("drvc/bin/{name}")))
            .args(words)
            .current_dir(self.path("source"))
            .env("PATH", path)
            .env("DRVC_KERNEL", kernel)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        Run { code: output.status.code().unwrap(), said: String::from_utf8(said).unwrap() }
    }
}

/// The text with its absolute paths beneath `root`.
fn moved(text: &str, root: &Utf8Path) -> String {
    let mut text = text.to_owned();
    for top in [
        "/drvc/",
        "/lib/modules/",
        "/usr/src/",
        "/usr/local/",
        "/sys/",
        "/proc/",
        "/opt/",
        "/etc/",
        "/run/",
        "/var/",
    ] {
        for before in [' ', '"', '=', '<', '>'] {
            text = text.replace(&format!("{before}{top}"), &format!("{before}{root}{top}"));
        }
    }
    text
}

#[test]
fn scripts_say_what_they_are_and_fit_everywhere() {
    for script in Script::all() {
        let first = script.text.lines().next().unwrap();
        assert!(
            first.starts_with("# ") && script.text.contains("\n# shellcheck shell=sh\nset -eu\n"),
            "{first}"
        );
        assert!(script.text.contains(&format!("\n# {} ", script.name)), "{}: how is it called?", script.name);
        assert!(!script.text.contains("<<") && !script.text.contains("\\\\\n"), "{}", script.name);
        assert!(script.text.lines().all(|line| line.len() <= 100), "{}", script.name);
    }
}

#[test]
fn a_login_is_handed_on_and_shown_to_nobody() {
    let builder = Builder::new();
    let words = r#"echo "$0 $*" >>words; "#;
    builder.program("git", &format!("{words} cat -"));
    builder.program("curl", &format!("{words} cat -"));
    let login = |words: &[&str]| builder.run("with-login", words);
    login(&["bearer", "t", "--", "curl", "-f"]).expect(1, "drvc: the secret t was not given to this build");
    builder.write("run/secrets/t", "a\"b\\c-canary\r\n");
    login(&["bearer", "t", "--", "curl", "-f"])
        .expect(0, "header = \"Authorization: Bearer a\\\"b\\\\c-canary\"\n");
    login(&["basic", "t", "me", "--", "curl", "-f"]).expect(0, "user = \"me:a\\\"b\\\\c-canary\"\n");
    login(&["token", "t", "https://git.lan", "me", "--", "git", "fetch"]).expect(0, "");
    login(&["answer", "t", "me", "get"]).expect(0, "username=me\npassword=a\"b\\c-canary\n");
    login(&["answer", "t", "me", "store"]).expect(0, "");
    let words = builder.read("source/words");
    assert!(words.contains("curl --config - -f\n") && words.contains(" fetch\n"), "{words}");
    assert!(words.contains("-c credential.https://git.lan.helper=!sh "), "{words}");
    assert!(!words.contains("canary"), "{words}");
}

#[test]
fn a_token_gets_its_pin_by_the_way_that_sign_file_asks() {
    let builder = Builder::new();
    // Stands for sign-file: says what it was given, and signs by a line of text.
    let sign_file = |comment: &str| {
        let text = format!(
            "# {comment}\necho \"$2 ${{OPENSSL_CONF:+configured}} $KBUILD_SIGN_PIN\" >given\nprintf 'sig_key=01\\nsig_hashalgo=%s\\n' \"$1\" >>\"$4\""
        );
        builder.program("sign-file", &text);
        let scripts = builder.path(&format!("lib/modules/{KERNEL}/build/scripts"));
        std::fs::create_dir_all(&scripts).unwrap();
        std::fs::copy(builder.path("bin/sign-file"), scripts.join("sign-file")).unwrap();
    };
    builder.write("run/secrets/pin", "4711\n");
    let pin = builder.path("run/secrets/pin");
    let given = |uri: &str| {
        builder.module("drvc/out/lib/q.ko", "");
        builder.run("sign", &[uri, "01", "--hash", "sha256", "--pin", pin.as_str()]).expect(0, "");
        builder.read("source/given")
    };
    sign_file("ENGINE_by_id");
    assert_eq!(given("pkcs11:object=k"), "pkcs11:object=k  4711\n");
    sign_file("OSSL_PROVIDER_try_load");
    assert_eq!(given("pkcs11:object=k"), format!("pkcs11:object=k?pin-source=file:{pin} configured 4711\n"));
    assert_eq!(
        given("pkcs11:object=k?a=b"),
        format!("pkcs11:object=k?a=b&pin-source=file:{pin} configured 4711\n")
    );
    assert_eq!(given(pin.as_str()), format!("{pin}  4711\n"));
    let configuration = builder.read("drvc/openssl.cnf");
    assert!(configuration.contains("[providers]\ndefault = on\npkcs11 = on\n"), "{configuration}");
    builder.write("etc/pki/tls/openssl.d/pkcs11-provider.conf", "[pkcs11_sect]\nactivate = 1\n");
    assert_eq!(given("pkcs11:object=k"), format!("pkcs11:object=k?pin-source=file:{pin}  4711\n"));
}

#[test]
fn the_builder_has_to_hold_the_kernel() {
    let builder = Builder::new();
    builder.program("uname", "echo x86_64");
    let directory = builder.path(&format!("lib/modules/{KERNEL}/build"));
    let directory = directory.as_str();
    builder
        .run("check-kernel", &["aarch64", directory])
        .expect(1, "is x86_64, not aarch64: change --platform");
    builder
        .run("check-kernel", &["x86_64", "/nothing"])
        .expect(1, "no kernel in /nothing: change kernel, or builder");
    builder
        .write("usr/src/headers/include/generated/utsrelease.h", "#define UTS_RELEASE \"6.1.0-2-amd64\"\n");
    let other = builder.path("usr/src/headers");
    let other = other.as_str();
    builder
        .run("check-kernel", &["x86_64", other])
        .expect(1, &format!("is of kernel \"6.1.0-2-amd64\", not {KERNEL}"));
    builder.write(
        "usr/src/headers/include/generated/utsrelease.h",
        format!("#define UTS_RELEASE \"{KERNEL}\"\n"),
    );
    std::fs::remove_dir_all(directory).unwrap();
    builder.run("check-kernel", &["x86_64", other]).expect(0, "");
    for usual in
        ["lib/modules/K/build", "lib/modules/K/source", "usr/src/kernels/K", "usr/src/linux-headers-K"]
    {
        let usual = builder.path(&usual.replace('K', KERNEL)).join("include/generated/utsrelease.h");
        assert!(usual.exists(), "{usual}");
    }
    assert!(builder.read("usr/local/bin/uname").contains(KERNEL));
}

#[test]
fn a_kernel_that_clang_compiled_gets_modules_that_clang_compiles() {
    let builder = Builder::new();
    builder.program("uname", "echo x86_64");
    let directory = builder.path(&format!("lib/modules/{KERNEL}/build"));
    let check = || builder.run("check-kernel", &["x86_64", directory.as_str()]).expect(0, "");
    let configuration = format!("lib/modules/{KERNEL}/build/include/config/auto.conf");
    let make = builder.path("usr/local/bin/make");
    check();
    assert!(!make.exists());
    let clang = "CONFIG_CC_IS_CLANG=y\nCONFIG_GCC_VERSION=0\nCONFIG_CLANG_VERSION=140006\n";
    builder.write("source/Makefile", "$(info CC=$(CC) LLVM=$(LLVM))\nshow:\n");
    let run = |lines: &str, path: &str| {
        builder.write(&configuration, format!("{clang}{lines}"));
        check();
        let output = Command::new("/bin/sh")
            .args([make.as_str(), "-C", builder.path("source").as_str(), "-s", "show"])
            .env("PATH", path)
            .output()
            .unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let missing = "clang 14 compiled this kernel: add packages \"clang\" \"lld\" \"llvm\"";
    let programs = builder.path("bin");
    assert!(run("", "/nowhere").contains(missing));
    builder.program("clang", "exit 0");
    assert!(run("", programs.as_str()).contains("CC=clang LLVM=\n"));
    assert!(run("CONFIG_LD_IS_LLD=y\n", programs.as_str()).contains("LLVM=1\n"));
    builder.program("clang-14", "exit 0");
    assert!(run("", programs.as_str()).contains("CC=clang-14 LLVM=\n"));
    assert!(run("CONFIG_LD_IS_LLD=y\n", programs.as_str()).contains("LLVM=-14\n"));

    builder.write("source/gcc.ko", format!("vermagic={KERNEL} SMP\nGCC: (Debian) 12.2.0\n"));
    builder.run("install-module", &["m", "gcc.ko"]).expect(1, "gcc.ko is not of clang 14, as the kernel is");
    builder.write("source/clang.ko", format!("vermagic={KERNEL} SMP\nDebian clang version 14.0.6\n"));
    builder.run("install-module", &["m", "clang.ko"]).expect(0, "");
}

#[test]
fn a_kernel_is_configured_as_asked_for() {
    let builder = Builder::new();
    builder.run("check-config", &["m", "CONFIG_A", "--without", "CONFIG_B"]).expect(0, "");
    let change = "change requires-config or the matrix";
    builder
        .run("check-config", &["m", "CONFIG_B"])
        .expect(1, &format!("module m: this kernel lacks CONFIG_B, {change}"));
    builder.run("check-config", &["m", "--without", "CONFIG_A"]).expect(1, "this kernel sets CONFIG_A");
}

#[test]
fn modules_are_checked_before_they_are_installed() {
    let builder = Builder::new();
    let updates = format!("drvc/out/lib/modules/{KERNEL}/updates");
    builder.module("source/a.ko", "");
    builder.run("install-module", &["m", "a.ko", "--optional", "b.ko"]).expect(0, "");
    assert!(builder.path(&format!("{updates}/a.ko")).exists());
    builder
        .run("install-module", &["m", "c.ko"])
        .expect(1, "module m: no c.ko: change output, or dir of source; there is: ./a.ko");
    builder
        .run("install-module", &["m", "--optional", "b.ko", "d.ko"])
        .expect(0, "drvc: warning: module m: its build made none of its files (b.ko d.ko), all optional");
    builder.write("source/old.ko", "vermagic=5.10.0 SMP\nGCC: (Debian) 12.2.0\n");
    builder.run("install-module", &["m", "old.ko"]).expect(1, "old.ko is of kernel 5.10.0, not");
    builder.write("source/gcc.ko", format!("vermagic={KERNEL} SMP\nGCC: (Debian) 11.2.0\n"));
    builder
        .run("install-module", &["m", "gcc.ko"])
        .expect(1, "gcc.ko is not of gcc 12, as the kernel is: change CC");
    builder.run("install-module", &["--finished", "m", "gcc.ko"]).expect(0, "");
    let gzip = Command::new("gzip").arg(builder.path("source/a.ko")).status().unwrap();
    assert!(gzip.success());
    std::fs::remove_file(builder.path(&format!("{updates}/a.ko"))).unwrap();
    builder.run("install-module", &["--finished", "m", "a.ko.gz"]).expect(0, "");
    assert!(builder.read(&format!("{updates}/a.ko")).starts_with("vermagic="));
    builder.write("source/bad.ko.gz", "not compressed");
    builder
        .run("install-module", &["--finished", "m", "bad.ko.gz"])
        .expect(1, "bad.ko.gz cannot be decompressed");
    builder.run("install-module", &["--finished", "m", "old.ko"]).expect(1, "take a file of this kernel");
}

#[test]
fn what_is_needed_of_the_kernel_is_found_with_all_that_it_needs() {
    let builder = Builder::new();
    let kernel = format!("lib/modules/{KERNEL}");
    builder.run("find-in-tree", &[]).expect(1, "the image has no module");
    builder.module(&format!("drvc/out/{kernel}/updates/my-core.ko"), "");
    builder.module(&format!("drvc/out/{kernel}/updates/my_user.ko"), "my-core,crc-itu-t,built");
    builder.write(&format!("{kernel}/modules.builtin"), "kernel/lib/built.ko\n");
    builder.run("find-in-tree", &["my_user"]).expect(1, "");
    assert_eq!(builder.read("drvc/missing"), "crc_itu_t\n");
    builder.module(&format!("{kernel}/kernel/lib/crc-itu-t.ko.xz"), "deeper");
    builder.run("find-in-tree", &["my_user", "soft-dep"]).expect(1, "");
    assert_eq!(builder.read("drvc/in-tree"), "crc_itu_t\nbuilt\nsoft_dep\n");
    assert_eq!(builder.read("drvc/missing"), "soft_dep\ndeeper\n");
    builder.module(&format!("{kernel}/kernel/deeper.ko"), "");
    builder.run("find-in-tree", &["my_user"]).expect(0, "");
    assert_eq!(builder.read("drvc/missing"), "");
}

#[test]
fn what_is_loaded_is_what_the_image_holds() {
    let builder = Builder::new();
    let module = format!("opt/lib/modules/{KERNEL}/updates/my-chip.ko");
    let note =
        [&[4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0][..], b"GNU\0", &[7, 10, 0, 39, 255].repeat(4)].concat();
    builder.write(&module, [b"ELF text \n", &note[..], b"more"].concat());
    builder.program("modprobe", "echo modprobe \"$@\"");
    builder.program("uname", &format!("echo {KERNEL}"));
    // The script waits in a child of its own: this one ends the wait as Kubernetes does.
    builder.program("sleep", "kill -TERM $PPID");
    let load = || builder.run("drvc-load", &["my_chip"]);
    load().expect(1, "my_chip is not loaded: the kernel of this node has it built in");
    builder.write("sys/module/my_chip/initstate", "live\n");
    load().expect(0, "cannot be told");
    builder.write("sys/module/my_chip/notes/.note.gnu.build-id", &note);
    load().expect(0, "modprobe -d /opt -r my_chip");
    builder.write("sys/module/my_chip/notes/.note.gnu.build-id", [&note[..35], b"x"].concat());
    load()
        .expect(1, "my_chip that is loaded is not that of this image: have it unloaded first, with replaces");
    builder.program("modprobe", "exit 3");
    load().expect(3, "exports duplicate symbol");
}

#[test]
fn a_subscription_is_given_back_whatever_happens() {
    let builder = Builder::new();
    let calls = builder.path("calls");
    builder.program(
        "subscription-manager",
        &format!("echo \"$@\" >>{calls}; [ \"$1 $3\" != \"repos --enable=none\" ]"),
    );
    builder.write("run/secrets/org", "acme");
    builder.write("etc/yum.repos.d/redhat.repo", "[a]");
    builder.write("var/log/rhsm/rhsm.log", "acme");
    let rhsm = ["rhsm", "org", "key"];
    builder
        .run("with-subscription", &rhsm)
        .expect(1, "the secret key was not given to this build (entitlement \"rhsm\")");
    assert!(!calls.exists());
    builder.write("run/secrets/key", "word");
    builder
        .run("with-subscription", &[&rhsm[..], &["one", "two", "--", "echo", "a b"]].concat())
        .expect(0, "a b\n");
    let all =
        "register --org=acme --activationkey=word\nrepos --disable=* --enable=one --enable=two\nunregister\n";
    assert_eq!(builder.read("calls"), all);
    assert!(
        !builder.path("etc/yum.repos.d/redhat.repo").exists()
            && !builder.path("var/log/rhsm/rhsm.log").exists()
    );
    for (words, message) in [
        (&["none", "--", "true"][..], "the subscription of org lacks a repository"),
        (
            &["one", "--", "false"][..],
            "packages are missing: does org have this release? (entitlement \"rhsm\")",
        ),
    ] {
        builder.run("with-subscription", &[&rhsm[..], words].concat()).expect(1, message);
        assert!(builder.read("calls").ends_with("unregister\n"));
    }
    builder.program("subscription-manager", "[ \"$1\" != register ]");
    builder
        .run("with-subscription", &[&rhsm[..], &["--", "true"]].concat())
        .expect(1, "the system cannot be registered: see org and key");
    builder.write("etc/pki/consumer/cert.pem", "");
    builder.program("subscription-manager", "[ \"$1\" != unregister ]");
    builder
        .run("with-subscription", &[&rhsm[..], &["--", "true"]].concat())
        .expect(1, "could not be unregistered");
}

#[test]
fn certificates_of_an_entitlement_do_not_stay() {
    let builder = Builder::new();
    let repository = builder.path("etc/yum.repos.d/redhat.repo");
    builder.write("run/secrets/certificate", "c");
    builder.write("run/secrets/key", "k");
    builder.write("etc/yum.repos.d/other.repo", "");
    builder.program("dnf", "exit 0");
    let words = ["certs", "certificate", "key", "--", "true"];
    builder.run("with-subscription", &words).expect(1, "no repositories could be made of certificate");
    builder.program("dnf", &format!("echo '[a]' >{repository}"));
    builder.run("with-subscription", &words).expect(0, "");
    assert!(!repository.exists() && !builder.path("etc/pki/entitlement/drvc-key.pem").is_symlink());
}

#[test]
fn a_toolkit_has_the_compiler_of_its_kernel() {
    let builder = Builder::new();
    let config = |text: &str| builder.write("kernel/.config", text);
    let directory = builder.path("kernel");
    let directory = directory.as_str();
    config("CONFIG_CC_VERSION_TEXT=\"gcc (GCC) 8.5.0 20210514 (Red Hat 8.5.0-3)\"\n");
    builder
        .run("kernel-compiler", &[directory, "install", "echo", "installs"])
        .expect(0, "installs gcc-8.5.0\n");
    builder
        .run("kernel-compiler", &[directory, "install", "false"])
        .expect(1, "gcc 8.5.0, which compiled the kernel, is missing: change kernel, or repository");
    builder.program("gcc", "echo 8.4.1");
    builder
        .run("kernel-compiler", &[directory, "check", "gcc"])
        .expect(1, "gcc 8.5.0 compiled the kernel, and gcc is 8.4.1: change kernel, or packages of toolkit");
    builder.run("kernel-compiler", &[directory, "check", "gcc", "major"]).expect(0, "");
    config("");
    builder
        .run("kernel-compiler", &[directory, "check", "gcc"])
        .expect(1, "gcc of no known version compiled");

    config("CONFIG_CC_VERSION_TEXT=\"clang version 17.0.6 (Fedora 17.0.6-2.fc39)\"\nCONFIG_CC_IS_CLANG=y\n");
    builder
        .run("kernel-compiler", &[directory, "install", "echo", "installs"])
        .expect(0, "installs lld llvm clang-17.0.6\n");
    builder.program("clang", "echo 16.0.1");
    builder
        .run("kernel-compiler", &[directory, "check", "gcc"])
        .expect(1, "clang 17.0.6 compiled the kernel, and clang is 16.0.1");
    builder.program("clang", "echo 17.0.2");
    builder.run("kernel-compiler", &[directory, "check", "gcc", "major"]).expect(0, "");
}
