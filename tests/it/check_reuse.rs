//! The script `check-reuse`: of two kernels that differ in one thing, whether the modules of the first serve the second.

use crate::scripts::Builder;

/// The kernel that modules were built for, and the one that they are tried on.
const KERNELS: [&str; 2] = ["6.1.0-1-amd64", "6.1.0-2-amd64"];
/// A file of a kernel's build directory, a text in it, and what the second kernel has in place of it.
type Edit = (&'static str, &'static str, &'static str);

/// Programs of binutils and kmod, for files whose lines begin with the name of the program that prints the rest.
fn programs(builder: &Builder) {
    builder.program("nm", "sed -n 's/^nm //p' \"$1\"");
    builder.program("modprobe", "sed -n 's/^modprobe //p' \"$2\"");
    builder.program("readelf", "exit 0");
}

fn kernel(builder: &Builder, kernel: &str) {
    let symvers = "0x00000001\tmodule_layout\tvmlinux\tEXPORT_SYMBOL\t\n\
                   0x00000002\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n\
                   0x00000003\tregister\tdrivers/base/bus\tEXPORT_SYMBOL_GPL\tVENDOR\n\
                   0x00000004\tunused\tvmlinux\tEXPORT_SYMBOL\t\n";
    let files = [
        ("Makefile", "VERSION = 6\n"),
        ("include/linux/module.h", "struct module { int state; };\n"),
        ("include/linux/vermagic.h", "#define VERMAGIC_STRING UTS_RELEASE \" SMP\"\n"),
        (
            "include/vendor.h",
            "/* A field. */\nstruct vendor { int field; };\ninline int value(void) { return 1; }\n",
        ),
        ("include/config/auto.conf", "CONFIG_BUILD_SALT=\"@\"\nCONFIG_MODVERSIONS=y\nCONFIG_ZRAM=m\n"),
        ("include/generated/utsrelease.h", "#define UTS_RELEASE \"@\"\n"),
        ("include/generated/autoconf.h", "#define CONFIG_BUILD_SALT \"@\"\n#define CONFIG_MODVERSIONS 1\n"),
        ("include/named.h", "// of linux-headers-@\n"),
        ("Module.symvers", symvers),
    ];
    for (path, text) in files {
        builder.write(&format!("lib/modules/{kernel}/build/{path}"), text.replace('@', kernel));
    }
}

/// Two modules of the first kernel: one exports what the other uses.
fn modules(builder: &Builder, updates: &str) {
    let module = |name: &str, symbols: &str| {
        let text = format!("vermagic={} SMP\n{symbols}", KERNELS[0]);
        builder.write(&format!("{updates}/{name}.ko"), text);
    };
    let layout = "modprobe 0x00000001\tmodule_layout\n";
    module(
        "bus",
        &format!("nm                  U printk\nnm 0 r __ksymtab_own\n{layout}modprobe 0x00000002\tprintk\n"),
    );
    module(
        "user",
        &format!(
            "nm                  U own\nnm                  U register\n{layout}modprobe 0x00000003\tregister\nmodprobe 0x00000005\town\n"
        ),
    );
}

/// A builder with both kernels, after these edits in both, and the first one's modules with their record.
fn recorded(edits: &[Edit]) -> Builder {
    let builder = Builder::new();
    programs(&builder);
    KERNELS.iter().for_each(|name| kernel(&builder, name));
    KERNELS.iter().for_each(|name| edit(&builder, name, edits));
    let updates = format!("drvc/out/lib/modules/{}/updates", KERNELS[0]);
    modules(&builder, &updates);
    builder.run_for(KERNELS[0], "check-reuse", &["record"]).expect(0, "");
    std::fs::rename(builder.path(&updates), builder.path("drvc/first")).unwrap();
    builder
}

fn edit(builder: &Builder, kernel: &str, edits: &[Edit]) {
    for (path, from, to) in edits {
        replace(builder, &format!("lib/modules/{kernel}/build/{path}"), from, to);
    }
}

fn replace(builder: &Builder, path: &str, from: &str, to: &str) {
    let text = builder.read(path);
    assert!(text.contains(from), "{path} has no {from}");
    builder.write(path, text.replace(from, to));
}

/// Tries the modules on the second kernel: whether they serve, and what is said.
fn tried(builder: &Builder, level: &str) -> (bool, String) {
    let run = builder.run_for(KERNELS[1], "check-reuse", &[level]);
    let mark = builder.path("drvc/reused");
    let reused = mark.exists();
    run.expect(0, if reused { "drvc reuse: yes: 6.1.0-1-amd64\n" } else { "drvc reuse: no: " });
    let updates = builder.path(&format!("drvc/out/lib/modules/{}/updates", KERNELS[1]));
    assert_eq!(updates.join("user.ko").exists(), reused, "modules and mark go together");
    if reused {
        std::fs::remove_file(mark).unwrap();
        std::fs::remove_dir_all(updates).unwrap();
    }
    (reused, run.said().to_owned())
}

const AUTO: &str = "include/config/auto.conf";
const VENDOR: &str = "include/vendor.h";
const SYMBOLS: &str = "Module.symvers";

#[test]
fn each_level_sees_what_it_has_to_see() {
    // What differs, and whether the modules serve by `headers` and by `abi`.
    let rows: &[(&[Edit], bool, bool)] = &[
        (&[], true, true),
        (&[(AUTO, "CONFIG_BUILD_SALT=\"", "CONFIG_BUILD_SALT=\"other")], true, true),
        (&[("include/generated/utsrelease.h", "UTS_RELEASE", "UTS_OTHER")], true, true),
        (&[(SYMBOLS, "0x00000004\tunused", "0x00000005\tunused")], true, true),
        // A comment, an inline function, a field that is hidden from the versions: what `abi` does not see.
        (&[(VENDOR, "A field", "One field")], false, true),
        (&[(VENDOR, "return 1", "return 2")], false, true),
        (&[(VENDOR, "int field;", "int field; RH_KABI_EXTEND(int more)")], false, true),
        (&[("include/named.h", "6.1.0-2-amd64", "6.1.0-1-amd64")], false, true),
        (&[("Makefile", "VERSION = 6", "VERSION = 7")], false, true),
        // Version, class, namespace and owner of what is used, and a symbol that is gone or has no version.
        (&[(SYMBOLS, "0x00000002\tprintk", "0x00000009\tprintk")], false, false),
        (&[(SYMBOLS, "EXPORT_SYMBOL_GPL\tVENDOR", "EXPORT_SYMBOL\tVENDOR")], false, false),
        (&[(SYMBOLS, "\tVENDOR", "\tOTHER")], false, false),
        (&[(SYMBOLS, "\tVENDOR", "\t")], false, false),
        (&[(SYMBOLS, "drivers/base/bus", "vmlinux")], false, false),
        (&[(SYMBOLS, "\tregister\t", "\tregistered\t")], false, false),
        (&[(SYMBOLS, "0x00000002\tprintk", "0x00000000\tprintk")], false, false),
        (&[(SYMBOLS, "0x00000001\tmodule_layout", "0x00000009\tmodule_layout")], false, false),
        // Options, and the words of `vermagic`.
        (&[(AUTO, "CONFIG_ZRAM=m", "CONFIG_ZRAM=y")], false, false),
        (&[(AUTO, "CONFIG_MODVERSIONS=y\n", "")], false, false),
        (&[("include/linux/vermagic.h", " SMP", " SMP preempt")], false, false),
    ];
    for (edits, headers, abi) in rows {
        let builder = recorded(&[]);
        edit(&builder, KERNELS[1], edits);
        for (level, serves) in [("headers", headers), ("abi", abi)] {
            let (reused, said) = tried(&builder, level);
            assert_eq!(reused, *serves, "{level}, {edits:?}: {said}");
        }
    }
    // Structures that are laid out at random have other layouts with equal versions.
    let builder = recorded(&[(AUTO, "CONFIG_ZRAM=m", "CONFIG_RANDSTRUCT=y")]);
    assert!(!tried(&builder, "abi").0);
    builder.run_for(KERNELS[1], "check-reuse", &["abi", "--strict"]).expect(1, "drvc: reuse is strict, and ");
}

#[test]
fn what_cannot_be_told_is_a_difference() {
    let rows = [
        ("drvc-reuse", "kernel ", "kernels ", "has no record"),
        ("drvc-reuse", "kernel 6.1.0-1-amd64", "kernel 6.1.0-3-amd64", "bus.ko is of 6.1.0-1-amd64, and"),
        ("drvc-reuse", "options ", "options 0", "the options of"),
        ("drvc-reuse", "register\t", "other\t", "class, namespace or owner of: register"),
        // A module that was not built with what the record says.
        ("user.ko", "0x00000003\tregister", "0x00000009\tregister", "user.ko was built with: register"),
        ("bus.ko", "0x00000001\tmodule_layout", "", "bus.ko was built with: module_layout"),
    ];
    for (file, from, to, why) in rows {
        let builder = recorded(&[]);
        replace(&builder, &format!("drvc/first/{file}"), from, to);
        let (reused, said) = tried(&builder, "headers");
        assert!(!reused && said.contains(why), "{said}");
    }
    let builder = recorded(&[]);
    for name in ["bus", "user"] {
        std::fs::remove_file(builder.path(&format!("drvc/first/{name}.ko"))).unwrap();
    }
    assert!(tried(&builder, "abi").1.contains("has no modules"));
}
