//! What becomes of each directive.

use super::*;
use crate::import::write;

/// The manifest of a dkms.conf from its module on, and the warnings.
fn imported(text: &str) -> (String, Vec<String>) {
    let text = format!("PACKAGE_NAME=foo\nPACKAGE_VERSION=1.2\n{text}");
    let mut draft = import(&text, "dkms.conf", &RelPath::root()).unwrap();
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
            "MAKE=\"make all KVER=$kernelver X='a b' Y={z}\"",
            "    make \"all\" KVER=\"{kernel}\" X=\"a b\" Y=\"{{z}}\" KERNELRELEASE=\"{kernel}\"\n",
        ),
        ("MAKE=\"'make' all\"", "    make \"all\" KERNELRELEASE=\"{kernel}\"\n"),
        ("MAKE=\"A=1 make\"", "    env A=\"1\"\n    make KERNELRELEASE=\"{kernel}\"\n"),
        ("MAKE=\"make a && make b\"", "        make -j\"$(nproc)\" KERNELRELEASE={kernel} a && make b\n"),
        (
            "MAKE=x\nMAKE[1]=\"make old\"\nMAKE_MATCH[1]='^4\\.'",
            "    on kernel=\">=4, <5\" {\n        make \"old\" KERNELRELEASE=\"{kernel}\"\n    }\n",
        ),
        (
            "PRE_BUILD=\"conf.sh $kernelver\"",
            "    run \"./conf.sh\" \"{kernel}\"\n    script \"\"\"\n        make -j\"$(nproc)\" -C {kernel_dir} M={source_dir} modules\n",
        ),
        ("PATCH[0]=a.patch", "    patch \"patches/a.patch\"\n"),
        (
            "PATCH[0]=a.patch; PATCH_MATCH[0]='^5\\.1[45]\\.'",
            "    on kernel=\">=5.14, <5.16\" {\n        patch \"patches/a.patch\"\n    }\n",
        ),
        (
            "BUILD_EXCLUSIVE_KERNEL_MIN=5.4 BUILD_EXCLUSIVE_KERNEL_MAX=6.6",
            "    only kernel=\">=5.4, <=6.6\"\n",
        ),
        (
            "BUILD_EXCLUSIVE_ARCH='^(x86_64|aarch64)$'",
            "    only arch=\"x86_64\"\n    only arch=\"aarch64\"\n",
        ),
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
            "MAKE=\"make ARCH=$(uname -m)\"",
            "        bash -c '. ./dkms.conf >/dev/null; set -e; eval \"${MAKE[0]/#make/make -j$(nproc) KERNELRELEASE=$kernelver}\"'\n",
        ),
    ];
    for (text, expected) in cases {
        let (manifest, _) = imported(text);
        assert!(manifest.contains(expected), "{text}\n{manifest}");
    }
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
    assert_eq!(warnings, ["dkms.conf: PACKAGE_VERSION is not known here: say `version` in `project`"]);
    for text in
        ["X=1", "PACKAGE_NAME=a\r", "PACKAGE_NAME=\"it's\"", "PACKAGE_NAME=a PACKAGE_VERSION='{kernel}'"]
    {
        assert!(import(text, "dkms.conf", &RelPath::root()).is_err(), "{text}");
    }
    let unknown = import("PACKAGE_NAME=a MAKE=$(x)", "d/debian/dkms.conf", &RelPath::parse("d").unwrap());
    assert!(write(&unknown.unwrap()).contains("bash -c '. ./debian/dkms.conf >/dev/null;"));
    assert!(import("PACKAGE_NAME=((", "dkms.conf", &RelPath::root()).is_err());
}
