//! What becomes of each directive.

use super::*;
use crate::import::write;

/// The manifest of a dkms.conf from its module on, and the warnings.
fn imported(text: &str) -> (String, Vec<String>) {
    let text = format!("PACKAGE_NAME=foo\nPACKAGE_VERSION=1.2\n{text}");
    let mut draft = import(&text, "dkms.conf", &RelPath::root(), "d", &|_| false).unwrap();
    draft.matrix = crate::import::matrix::examples().remove(0);
    let manifest = write(&draft);
    let from = manifest.find("source ").unwrap();
    (manifest[from..manifest.find("matrix").unwrap()].to_owned(), draft.warnings)
}

#[test]
fn directives_have_their_words() {
    let cases = [
        ("BUILT_MODULE_NAME=foo", "module \"foo\" {\n    source \"driver\"\n}\n"),
        ("BUILT_MODULE_NAME=bar", "    output \"bar.ko\"\n"),
        ("BUILT_MODULE_NAME=(a b)\nBUILT_MODULE_LOCATION=(x/ ./y)", "    output \"x/a.ko\" \"y/b.ko\"\n"),
        ("BUILT_MODULE_NAME=(a b)", "    load \"a\" \"b\"\n"),
        (
            "MAKE=\"make -C $kernel_source_dir M=$dkms_tree/$PACKAGE_NAME/$PACKAGE_VERSION/build\"",
            "module \"foo\" {\n    source \"driver\"\n}\n",
        ),
        ("MAKE=\"make -C \\${kernel_source_dir} M=x\"", "    script \"\"\"\n"),
        (
            "MAKE=\"make all KVER=$kernelver Y={z}\"",
            "    make \"all\" KVER=\"{kernel}\" Y=\"{{z}}\" KERNELRELEASE=\"{kernel}\"\n",
        ),
        ("MAKE=\"make all\"", "    make \"all\" KERNELRELEASE=\"{kernel}\"\n"),
        ("MAKE=\"'make' all KVER=$kernelver\"", "    make \"all\" KVER=\"{kernel}\"\n}"),
        ("MAKE=\"A=1 make\"", "    env A=\"1\"\n    make\n}"),
        ("MAKE=\"'make' -j$(nproc) all\"", "    make \"all\"\n}"),
        (
            "MAKE=\"make -j`nproc` -C $kernel_source_dir M=$dkms_tree/foo/1.2/build\"",
            "    source \"driver\"\n}",
        ),
        ("MAKE=\"./b.sh $(nproc)\"", "./b.sh $(nproc)"),
        (
            "if grep -q 'CONFIG_Y=y\\|CONFIG_Y=m' $kernel_source_dir/.config; then BUILT_MODULE_NAME=(a b); fi",
            "    // where CONFIG_Y is set:\n",
        ),
        ("MAKE=\" make all\"", "    make \"all\"\n}"),
        ("MAKE=\"\\${MAKEBIN:-make} all\"", "    make \"all\" KERNELRELEASE=\"{kernel}\"\n"),
        (
            "MAKE='make V=$PACKAGE_VERSION K=$kernelver'",
            "    make V=\"1.2\" K=\"{kernel}\" KERNELRELEASE=\"{kernel}\"\n",
        ),
        (
            "MAKE=\"make X=\\\\\\$kernelver\"",
            "        kernelver={kernel}\n        make -j\"$(nproc)\" KERNELRELEASE={kernel} X=$kernelver\n",
        ),
        ("MAKE=\"make a && make b\"", "        make -j\"$(nproc)\" KERNELRELEASE={kernel} a && make b\n"),
        (
            "MAKE=x\nMAKE[1]=\"make old\"\nMAKE_MATCH[1]='^4\\.'",
            "    on kernel=\">=4, <5\" {\n        make \"old\" KERNELRELEASE=\"{kernel}\"\n    }\n",
        ),
        (
            "PRE_BUILD=\"conf.sh $kernelver\"",
            "    run \"./conf.sh\" \"{kernel}\"\n    script \"\"\"\n        make -j\"$(nproc)\" -C {kernel_dir} M=\"$PWD\" modules\n",
        ),
        ("BUILT_MODULE_NAME=q\nBUILT_MODULE_LOCATION=kbuild-$kernelver/", "    output \"kbuild-*/q.ko\"\n"),
        ("PATCH[0]=a.patch", "    patch \"patches/a.patch\"\n"),
        (
            "PATCH[0]=a.patch; PATCH_MATCH[0]='^5\\.1[45]\\.'",
            "    on kernel=\">=5.14, <5.16\" {\n        patch \"patches/a.patch\"\n    }\n",
        ),
        (
            "BUILD_EXCLUSIVE_KERNEL_MIN=5.4 BUILD_EXCLUSIVE_KERNEL_MAX=6.6",
            "    only kernel=\">=5.4, <=6.6\"\n",
        ),
        ("BUILD_EXCLUSIVE_ARCH='^(x86_64|aarch64)$'", "    only arch=\"{x86_64,aarch64}\"\n"),
        (
            "BUILD_EXCLUSIVE_CONFIG='CONFIG_PCI !CONFIG_X'",
            "    requires-config \"!CONFIG_X\" \"CONFIG_PCI\"\n",
        ),
        (
            "if ! grep -q '^CONFIG_Y=[ym]' $kernel_source_dir/.config; then BUILD_EXCLUSIVE_ARCH=none; fi",
            "    requires-config \"CONFIG_Y\"\n",
        ),
        (
            "BUILT_MODULE_NAME=a\nif [ -n \"$CONFIG_Y\" ]; then BUILT_MODULE_NAME[1]=b; fi",
            "    // where CONFIG_Y is set:\n    output \"b.ko\" optional=#true\n",
        ),
        (
            "MAKE=\"make ARCH=$(./arch)\"",
            "        bash -c '. ./dkms.conf >/dev/null; set -e; eval \"${MAKE[0]/#make/make -j$(nproc) KERNELRELEASE=$kernelver}\"'\n",
        ),
    ];
    for (text, expected) in cases {
        let (manifest, _) = imported(text);
        assert!(manifest.contains(expected), "{text}\n{manifest}");
    }
}

#[test]
fn where_a_condition_sets_make_the_build_takes_dkmss_own_otherwise() {
    let (manifest, _) = imported("case $arch in aarch64) MAKE=\"make ARCH=arm64\" ;; esac");
    assert!(
        manifest.contains(": \"${MAKE[0]:=make -C $kernel_source_dir M=$PWD modules}\"; eval "),
        "{manifest}"
    );
}

#[test]
fn what_has_no_word_is_said() {
    let cases = [
        (
            "STRIP=no",
            "dkms.conf:3: STRIP=no is left out: drvc takes debugging information out of every module",
        ),
        (
            "REMAKE_INITRD=yes",
            "dkms.conf:3: REMAKE_INITRD is left out: it is about the host that dkms installs on",
        ),
        (
            "BUILD_DEPENDS=zfs",
            "dkms.conf:3: BUILD_DEPENDS is left out: import zfs too, put it into this manifest, and write `needs` here",
        ),
        (
            "DEST_MODULE_NAME=x BUILT_MODULE_NAME=y",
            "dkms.conf:3: DEST_MODULE_NAME is left out: the module keeps its name, y",
        ),
        (
            "BUILD_EXCLUSIVE_KERNEL='a\\b'",
            "dkms.conf:3: BUILD_EXCLUSIVE_KERNEL=`a\\b` is left out: say it with `only` in the image, or `requires-config` in the module",
        ),
        ("MAKE=\"make $(x)\"", "dkms.conf:3: MAKE[0] could not be read: the build reads dkms.conf itself"),
        ("rm -rf /", "dkms.conf:3: `rm -rf /` was not run"),
        ("PATCH=a.patch PATCH_MATCH='(x+)+'", "dkms.conf:3: PATCH[0] is left out: `a.patch` for (x+)+"),
    ];
    for (text, expected) in cases {
        let (manifest, warnings) = imported(text);
        assert_eq!(warnings, [expected], "{text}");
        assert!(manifest.contains(&format!("// {expected}")), "{text}\n{manifest}");
    }
    let (_, warnings) = imported("PACKAGE_VERSION='#MODULE_VERSION#'");
    assert_eq!(
        warnings,
        [
            "dkms.conf:3: #MODULE_VERSION# is left out: a packager's tool fills it in; put its value where it belongs"
        ]
    );
    let (_, warnings) = imported("PACKAGE_VERSION=$(./version)");
    assert_eq!(warnings, ["dkms.conf: PACKAGE_VERSION is not known here: say `version` in `project`"]);
    for text in ["X=1", "PACKAGE_NAME=\"it's\"", "PACKAGE_NAME=a PACKAGE_VERSION='{kernel}'"] {
        assert!(import(text, "dkms.conf", &RelPath::root(), "d", &|_| false).is_err(), "{text}");
    }
    let unknown =
        import("PACKAGE_NAME=a MAKE=$(x)", "d/debian/dkms.conf", &RelPath::parse("d").unwrap(), "d", &|_| {
            false
        });
    assert!(write(&unknown.unwrap()).contains("bash -c '. ./debian/dkms.conf >/dev/null;"));
    assert!(import("PACKAGE_NAME=((", "dkms.conf", &RelPath::root(), "d", &|_| false).is_err());
}

#[test]
fn an_option_is_required_where_nothing_is_built_without_it() {
    let excluded = |option: &str| format!("[ -n \"${option}\" ] || BUILD_EXCLUSIVE_KERNEL=none");
    let (x, y) = (excluded("CONFIG_X"), excluded("CONFIG_Y"));
    let newer = "{ echo \"$kernelver\"; echo 5.18; } | sort -V -C";
    let neither = "[ -n \"$CONFIG_X\" ] || [ -n \"$CONFIG_Y\" ] || exit 1";
    let cases = [
        (format!("{x}; {y}"), "    requires-config \"CONFIG_X\" \"CONFIG_Y\"\n"),
        (format!("if ! {newer}; then {x}; else {y}; fi"), ""),
        (format!("if [ -e z ]; then {x}; fi"), ""),
        (format!("case $kernelver in 5.*) {x};; *) {y};; esac"), ""),
        (format!("if {newer}; then {x}; {y}; else {y}; fi"), "    requires-config \"CONFIG_Y\"\n"),
        (neither.to_owned(), ""),
        (format!("if true | a -C; then {x}; fi; if false | a -C; then :; else {x}; fi"), ""),
        ("[ -z \"$CONFIG_X\" ] || exit 1".to_owned(), "    requires-config \"!CONFIG_X\"\n"),
    ];
    for (text, required) in cases {
        let (manifest, warnings) = imported(&text);
        let line = manifest.lines().find(|line| line.contains("requires-config \""));
        assert_eq!(line.map(|line| format!("{line}\n")).unwrap_or_default(), required, "{text}\n{manifest}");
        let open = required.is_empty() || text.contains("else");
        assert_eq!(
            warnings.iter().any(|one| one.contains("dkms builds nothing where")),
            open,
            "{text}\n{manifest}"
        );
    }
    let (_, warnings) =
        imported("if [ -e z ]; then [ -n \"$CONFIG_X\" ] || exit 1; else [ -n \"$CONFIG_Y\" ] || exit 1; fi");
    let ways = "where `[ -e z ] and CONFIG_X is not set, or not [ -e z ] and CONFIG_Y is not set`";
    assert!(warnings.iter().any(|one| one.contains(ways)), "{warnings:?}");
}

#[test]
fn what_may_happen_is_optional_and_a_list_is_no_guess() {
    let cases: [(&str, &[&str], &[&str]); 9] = [
        (
            "v=$(uname -m)\nf() { [ \"$v\" = aarch64 ] && return 0; return 1; }\nif f; then BUILT_MODULE_NAME[1]=yes; else BUILT_MODULE_NAME[2]=no; fi",
            &["output \"yes.ko\" optional=#true", "output \"no.ko\" optional=#true"],
            &["load \""],
        ),
        (
            "i=0; [ -e x ] && BUILT_MODULE_NAME[i++]=p; BUILT_MODULE_NAME[i++]=q",
            &["output \"p.ko\" optional=#true", "output \"q.ko\"\n", "load \"q\""],
            &[],
        ),
        (
            "BUILT_MODULE_NAME=p; case $kernelver in 6.*) BUILT_MODULE_NAME=q;; esac",
            &["output \"p.ko\" optional=#true", "output \"q.ko\" optional=#true"],
            &["load \""],
        ),
        (
            "M=(qa qb); for i in \"${!M[@]}\"; do BUILT_MODULE_NAME[i]=\"${M[i]}\"; done",
            &["load \"qa\" \"qb\""],
            &[],
        ),
        ("for m in *.c; do BUILT_MODULE_NAME[i++]=${m%.c}; done", &["could not be read"], &["load \"foo\""]),
        ("BUILT_MODULE_NAME[$(id -u)]=a", &["could not be read"], &["load \""]),
        ("__DKMS_MODULES", &["__DKMS_MODULES is left out"], &["load \""]),
        (
            "[ -e x ] && exit 1; BUILT_MODULE_NAME=a",
            &["load \"a\"", "dkms builds nothing where `[ -e x ]`"],
            &[],
        ),
        (
            "[ -n \"$CONFIG_X\" ] || exit 1; BUILT_MODULE_NAME=a",
            &["load \"a\"", "requires-config \"CONFIG_X\""],
            &[],
        ),
    ];
    for (text, there, absent) in cases {
        let (manifest, _) = imported(text);
        there.iter().for_each(|one| assert!(manifest.contains(one), "{text}: {one}\n{manifest}"));
        absent.iter().for_each(|one| assert!(!manifest.contains(one), "{text}: {one}\n{manifest}"));
    }
}

#[test]
fn placeholders_are_named_once_and_never_used() {
    let marks =
        ["@X_Y@", "#X_Y#", "%X_Y%", "{{X_Y}}", "<X_Y>", "$X_Y$", "__X_Y", "__X_Y__", "%%X_Y%%", "{{ .Y }}"];
    for mark in marks {
        let text = format!("PACKAGE_VERSION=\"{mark}\"\nMAKE=\"make A={mark} -j{mark} B=1\"");
        let (manifest, warnings) = imported(&text);
        let expected = format!(
            "dkms.conf:3: {mark} is left out: a packager's tool fills it in; put its value where it belongs"
        );
        assert_eq!(warnings, [expected], "{mark}");
        assert!(manifest.contains("    make B=\"1\" KERNELRELEASE="), "{mark}\n{manifest}");
    }
    let text = "PACKAGE_NAME=@NAME@\nPACKAGE_VERSION=@VERSION@\nBUILT_MODULE_NAME=a";
    let draft = import(text, "dkms.conf", &RelPath::root(), "dir", &|_| false).unwrap();
    assert_eq!((draft.project.name.as_str(), draft.project.version), ("dir", None));
    assert_eq!(draft.warnings.len(), 3, "{:?}", draft.warnings);
    for text in [
        "A=x; V=\"${A#X}${A%%Y}\"; MAKE=\"make V=$V\"",
        "X_Y=1; MAKE=\"make V=$X_Y\"; BUILD_EXCLUSIVE_KERNEL=\"^$X_Y$\"",
        "__f() { MAKE=\"make V=x1\"; }; __f",
        "# @X_Y@",
    ] {
        assert!(!imported(text).1.iter().any(|warning| warning.contains("packager")), "{text}");
    }
}

#[test]
fn a_package_with_capitals_and_a_version_that_is_filled_in_become_a_manifest() {
    let text = "PACKAGE_NAME=LegionQQ\nPACKAGE_VERSION=DKMS_VERSION\nBUILT_MODULE_NAME=q";
    let draft = import(text, "dkms.conf", &RelPath::root(), "d", &|_| false).unwrap();
    assert_eq!((draft.project.name.as_str(), draft.project.version.as_deref()), ("legionqq", None));
    assert_eq!(
        draft.warnings,
        [
            "dkms.conf: DKMS_VERSION is left out: a packager's tool fills it in; put its value where it belongs"
        ]
    );
    assert_eq!(draft.head, ["Made from dkms.conf of LegionQQ."]);
}

#[test]
fn what_no_manifest_holds_is_left_out() {
    let (manifest, warnings) =
        imported("# caf\u{fffd}\u{202e}\nBUILT_MODULE_NAME=a\u{202e}b\u{7}\r\nREMAKE_INITRD=no");
    assert!(manifest.contains("load \"ab\""), "{manifest}");
    assert_eq!(warnings, ["dkms.conf:4: 2 characters left out: no manifest can hold such"]);
}
