//! What a Makefile asks for, or does, that a build of drvc does not have or do unless it is said.

use super::calls::only_by_subdirs;
use super::lines::{assignment, logical_lines};
use crate::import::draft;
use crate::system::fs::{Kind, Tree};
use crate::text::ids::RelPath;

/// What the Makefile at the top of a source names above it.
pub(super) fn above(text: &str) -> Option<String> {
    let tops = ["$(src)", "$(srctree)/$(src)", "$(M)", "$(PWD)", "$(CURDIR)", "$(KBUILD_EXTMOD)", "-I"];
    let lines = logical_lines(text);
    let mut words = lines.iter().filter(|line| line.contains('=')).flat_map(|line| line.split_whitespace());
    let word = words.find(|word| {
        word.match_indices("..").any(|(at, _)| {
            let before = word.get(..at).unwrap_or_default();
            before == "-I"
                || tops.iter().any(|top| before.strip_suffix('/').is_some_and(|way| way.ends_with(top)))
        })
    })?;
    Some(format!(
        "`{}` is above the source: import the directory that holds both, with `--from`",
        draft::literal(word)
    ))
}

/// What a Makefile asks for that a build does not have unless it is said.
pub(super) fn tools(tree: &impl Tree, dir: &RelPath, makefile: &str) -> Vec<String> {
    let mut wants = Vec::new();
    let lines = logical_lines(makefile);
    if only_by_subdirs(&lines) {
        wants.push(
            "make names the sources by `SUBDIRS=`, which kernels from 5.4 on do not know: the kernel's build system is called with `M=` instead".to_owned(),
        );
    } else if lines
        .iter()
        .any(|line| line.contains("SUBDIRS=") && !line.contains(" M=") && line.contains(" -C "))
    {
        wants.push(
            "make names the sources by `SUBDIRS=`, which kernels from 5.4 on do not know: have a `patch` write `M=`".to_owned(),
        );
    }
    wants.extend(for_another_machine(&lines));
    wants.extend(installed(&lines));
    wants.extend(of_the_machine(&lines));
    // The kernel's backports project, and those that took over its build system.
    let defconfigs = dir.join("defconfigs").ok().and_then(|dir| tree.list(&dir).ok());
    if let Some(one) = defconfigs.iter().flat_map(|found| &found.value).find(|one| one.kind == Kind::File) {
        wants.push(format!(
            "a configuration is made before: say which with `run` before `make`, for example `run \"make\" \"defconfig-{}\"`",
            draft::literal(&one.name)
        ));
    }
    if ["git describe", "git rev-parse", "git log", "git show"].iter().any(|call| makefile.contains(call)) {
        wants.push(
            "make asks git, and a source has neither `.git` nor git in the build: give make what it asks for as a variable".to_owned(),
        );
    }
    let entries = tree.list(dir).map(|found| found.value).unwrap_or_default();
    let is_cpp = |name: &str| [".cpp", ".cc", ".cxx"].iter().any(|end| name.ends_with(end));
    if makefile.contains("$(CXX)") || makefile.contains("g++") || entries.iter().any(|one| is_cpp(&one.name))
    {
        wants.push(
            "it has C++: `packages \"g++\"` of Debian and its kin, `\"gcc-c++\"` of RHEL's and SUSE's"
                .to_owned(),
        );
    }
    wants
}

/// An architecture or a cross compiler that the file sets: each image is built on its own architecture.
fn for_another_machine(lines: &[String]) -> Option<String> {
    let set: Vec<String> = lines
        .iter()
        .filter_map(|line| assignment(line))
        .filter(|(name, value, _)| {
            ["ARCH", "CROSS_COMPILE"].contains(name) && !value.is_empty() && !value.contains(['$', '`'])
        })
        .map(|(name, value, _)| format!("`{name}={}`", draft::literal(value)))
        .collect();
    let text = "each image is built on a machine of its own architecture: give make others, an empty `CROSS_COMPILE` for one";
    (!set.is_empty()).then(|| format!("it sets {}: {text}", set.join(" and ")))
}

/// What its `install` puts beside the modules, which no build of drvc runs.
fn installed(lines: &[String]) -> Vec<String> {
    let places = [
        ("/firmware", "say `firmware` in the image"),
        ("modprobe.d", "say `option`, `softdep` or `blacklist` in the image"),
        ("modules-load.d", "say `load` in the image"),
        ("udev/rules.d", "if the image needs it, say `file` with `from=` and `to=`"),
    ];
    let recipes = || lines.iter().filter(|line| line.starts_with('\t'));
    let mut said = Vec::new();
    for (place, advice) in places {
        let writes = |line: &&String| {
            line.contains(place) && ["install ", "cp ", "echo ", "> "].iter().any(|word| line.contains(word))
        };
        if let Some(line) = recipes().find(writes) {
            said.push(format!(
                "`{}` is not run: {advice}",
                draft::literal(line.trim().trim_start_matches('@'))
            ));
        }
    }
    said
}

/// Files of another driver that the machine is to have: no build has them.
fn of_the_machine(lines: &[String]) -> Vec<String> {
    let of_kernel =
        ["/lib/modules", "/usr/src/linux", "/usr/src/kernels", "/usr/include", "/proc", "/etc", "/boot"];
    let outside = |value: &str| value.starts_with('/') && !of_kernel.iter().any(|dir| value.starts_with(dir));
    let uses = |name: &str| {
        let words = [format!("-I$({name})"), format!("-I${{{name}}}")];
        lines.iter().any(|line| words.iter().any(|word| line.contains(word)))
    };
    let mut said = Vec::new();
    for (name, value, _) in
        lines.iter().filter_map(|line| assignment(line)).filter(|(_, value, _)| outside(value))
    {
        let advice = match name {
            "KBUILD_EXTRA_SYMBOLS" => "put what exports them into this manifest, and say `needs`",
            _ if uses(name) => "say `packages` that bring it, or a `source` of its own",
            _ => continue,
        };
        said.push(format!(
            "`{name}={}` is of the machine, which no build has: {advice}",
            draft::literal(value)
        ));
    }
    said
}
