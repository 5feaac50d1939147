//! What kmod's depmod says of sets of modules that are made at random from a fixed seed, beside what [`verify`] says.

use super::*;
use crate::system::fs::{Dir, read_user_file};
use camino::Utf8Path;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Command, Stdio};

const SETS: usize = 12;

/// A module: the symbol that it exports, and the modules whose symbols it uses.
struct Made {
    name: String,
    inner: String,
    uses: Vec<usize>,
}

/// Modules that use those before them; where one lies, and how it is spelled, is as chance has it.
fn modules(random: &mut dyn FnMut(usize) -> usize) -> Vec<Made> {
    let mut modules: Vec<Made> = Vec::new();
    for at in 0..2 + random(18) {
        let (name, file) = [("mod_", "mod_"), ("mod_", "mod-"), ("x", "x")][random(3)];
        let directory = ["updates", "kernel/drivers/net", "extra/deep"][random(3)];
        let mut uses: Vec<usize> = (0..at).filter(|_| random(4) == 0).collect();
        let turn = random(uses.len().max(1));
        uses.rotate_left(turn);
        modules.push(Made { name: format!("{name}{at}"), inner: format!("{directory}/{file}{at}.ko"), uses });
    }
    modules
}

/// The modules as files, put together by the assembler: `.modinfo`, exported symbols, and those that are left open.
fn assemble(root: &Utf8Path, modules: &[Made]) -> bool {
    modules.iter().all(|made| {
        let names: Vec<_> = made.uses.iter().map(|&at| modules[at].name.as_str()).collect();
        let mut text = format!(
            ".section .modinfo,\"a\"\n.asciz \"name={0}\"\n.asciz \"vermagic=6.1.0 SMP\"\n.asciz \"depends={1}\"\n\
             .section __ksymtab_strings,\"a\"\n.asciz \"of_{0}\"\n.section __ksymtab,\"a\"\n.globl __ksymtab_of_{0}\n\
             __ksymtab_of_{0}: .quad of_{0}\n.globl __crc_of_{0}\n.set __crc_of_{0}, 0x1234\n.text\n.globl of_{0}\nof_{0}: .quad 0\n",
            made.name,
            names.join(","),
        );
        for name in names {
            let _ = writeln!(text, ".quad of_{name}");
        }
        let path = root.join("lib/modules/6.1.0").join(&made.inner);
        Dir::make_private(path.parent().unwrap().as_str()).unwrap();
        let mut command = Command::new("as");
        let Ok(mut child) = command.arg("--64").arg("-o").arg(&path).stdin(Stdio::piped()).spawn() else { return false };
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
        child.wait().unwrap().success()
    })
}

/// The `modules.dep` that depmod writes for them.
fn depmod(root: &Utf8Path) -> Option<String> {
    let directory = Dir::make_private(root.join("lib/modules/6.1.0").as_str()).unwrap();
    for name in ["modules.builtin", "modules.order"] {
        directory.replace(name, b"").unwrap();
    }
    let mut command = Command::new("depmod");
    command.arg("-b").arg(root).arg("6.1.0").env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin");
    let output = command.output().ok()?;
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(file(root, "modules.dep")).unwrap())
}

/// A file beneath the directory of the kernel's modules.
fn file(root: &Utf8Path, inner: &str) -> Vec<u8> {
    read_user_file(&root.join("lib/modules/6.1.0").join(inner), 1 << 20).unwrap().unwrap()
}

/// What `verify` says of these modules with this `modules.dep`.
fn said(root: &Utf8Path, modules: &[Made], dep: &str) -> Vec<String> {
    let mut tar = tar::Builder::new(Vec::new());
    let place = |inner: &str| format!("opt/lib/modules/6.1.0/{inner}");
    let mut add = |path: String, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, path, bytes).unwrap();
    };
    for made in modules {
        add(place(&made.inner), &file(root, &made.inner));
    }
    add(place("modules.dep"), dep.as_bytes());
    add(place("modules.dep.bin"), b"");
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_size(0);
    tar.append_data(&mut header, "opt/lib/modules/6.1.0", &[][..]).unwrap();
    let image = load(&[tar.into_inner().unwrap()]);
    let driver = Driver::read(&image, None);
    assert_eq!(driver.modules.len(), modules.len(), "{:?}", driver.findings);
    let report = verify(&image, &driver, &Expected::default());
    let stale = report.findings.into_iter().filter(|finding| finding.code == Kind::StaleModulesDep);
    stale.map(|finding| finding.message).collect()
}

#[test]
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
fn modules_dep_is_what_depmod_writes() {
    let mut state = 7_u64;
    let mut random = move |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % limit
    };
    let mut all = 0;
    for _ in 0..SETS {
        let home = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(home.path()).unwrap();
        let modules = modules(&mut random);
        let dep = assemble(home, &modules).then(|| depmod(home)).flatten();
        let Some(dep) = dep else {
            eprintln!("skipped: `as` or `depmod` is not installed");
            return;
        };
        assert_eq!(said(home, &modules, &dep), [""; 0], "{dep}");
        // Of each line alone, all that depmod says is taken away: verify has to miss exactly that.
        let names: BTreeMap<&str, &str> =
            modules.iter().map(|made| (made.inner.as_str(), made.name.as_str())).collect();
        for line in dep.lines() {
            let (module, needed) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
            let without = dep.replace(&format!("{line}\n"), &format!("{module}:\n"));
            let mut needed: Vec<_> = needed.split_whitespace().map(|path| names[path]).collect();
            needed.sort_unstable();
            let missed = format!("modules.dep loads `{}` without `{}`", names[module], needed.join("`, `"));
            let expected = if needed.is_empty() { vec![] } else { vec![missed] };
            assert_eq!(said(home, &modules, &without), expected, "{dep}");
            all += 1;
        }
    }
    assert!(all > 50, "{all} modules");
}
