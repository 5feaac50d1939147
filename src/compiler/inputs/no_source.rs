//! What is no source: the one list of files beneath a path source that no image is made of, unless `include` names them.

use super::found::Why;
use crate::system::fs::Kind;

/// drvc's own by name, wherever it stands; what a manifest names is left out by its path.
const DRVC: &[&str] = &["*.kdl", "drivers.lock"];

/// Version control, wherever it stands.
const VERSION_CONTROL: &[&str] = &[
    ".git",
    ".gitattributes",
    ".gitignore",
    ".gitmodules",
    ".mailmap",
    ".hg",
    ".hgignore",
    ".hgtags",
    ".svn",
    ".bzr",
    "CVS",
];

/// CI and the tools around a repository, at a source's root alone: deeper down they are somebody's files.
const AT_ROOT: &[&str] = &[
    ".appveyor.yml",
    ".azure-pipelines",
    ".build.yml",
    ".buildkite",
    ".ci",
    ".circleci",
    ".cirrus.yml",
    ".clang-format",
    ".clang-tidy",
    ".containerignore",
    ".devcontainer",
    ".dockerignore",
    ".drone.yml",
    ".editorconfig",
    ".forgejo",
    ".git-blame-ignore-revs",
    ".gitea",
    ".github",
    ".gitlab",
    ".gitlab-ci.yml",
    ".gitreview",
    ".idea",
    ".packit.yaml",
    ".packit.yml",
    ".pre-commit-config.yaml",
    ".pre-commit-hooks.yaml",
    ".semaphore",
    ".tekton",
    ".travis.yml",
    ".vscode",
    ".woodpecker",
    ".woodpecker.yml",
    ".zuul.yaml",
    "CODEOWNERS",
    "Jenkinsfile",
    "appveyor.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "renovate.json",
];

/// What people read.
const DOCUMENTATION: &[&str] = &["*.md"];

/// Those that the manifest names are copied by themselves.
const PATCHES: &[&str] = &["*.patch", "*.diff"];

/// What kbuild writes beside the sources, and editors while they are open.
const LEFTOVERS: &[&str] = &[
    "*.o",
    "*.ko",
    "*.mod",
    "*.mod.c",
    ".*.cmd",
    ".*.d",
    "*.o.d",
    "*.dwo",
    "*.symtypes",
    "Module.symvers",
    "Module.markers",
    "modules.order",
    "modules.builtin",
    "built-in.a",
    ".tmp_*",
    ".cache.mk",
    "compile_commands.json",
    "*~",
    ".*.swp",
    ".DS_Store",
];

/// The kinds of it, each with its names. In a name one `*` stands for any text, also none.
const KINDS: &[(Why, &[&str])] = &[
    (Why::Drvc, DRVC),
    (Why::VersionControl, VERSION_CONTROL),
    (Why::Documentation, DOCUMENTATION),
    (Why::Patch, PATCHES),
    (Why::Leftover, LEFTOVERS),
];

/// Why a file or directory of this name is no source, if so.
pub(super) fn why(name: &str, kind: Kind, at_root: bool) -> Option<Why> {
    let of = |names: &[&str]| names.iter().any(|pattern| matches(pattern, name));
    if at_root && of(AT_ROOT) {
        return Some(Why::Ci);
    }
    let found = KINDS.iter().find(|(_, names)| of(names)).map(|(why, _)| *why);
    // A directory may be called `driver.md` or `x.mod`; only those of tools are always directories.
    found.filter(|_| kind != Kind::Directory || !name.contains('.') || name.starts_with('.'))
}

/// The names that are no source at any depth, for ignore files.
pub fn everywhere() -> impl Iterator<Item = &'static str> {
    KINDS.iter().flat_map(|(_, names)| names.iter().copied())
}

/// Whether a name is this one, in which one `*` stands for any text.
pub fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
    }
}

/// Whether an object shows that it was built: kbuild's record of it or what it is made of stands beside it.
pub(super) fn was_built(name: &str, beside: impl Fn(&str) -> bool) -> bool {
    let Some((stem, _)) = name.rsplit_once('.') else { return true };
    let made_of = ["c", "S", "s", "rs", "cpp", "cc", "cxx", "mod", "mod.c", "o"];
    beside(&format!(".{name}.cmd"))
        || made_of.iter().map(|end| format!("{stem}.{end}")).any(|other| other != name && beside(&other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_name_place_and_kind() {
        for (name, kind, at_root, expected) in [
            ("README.md", Kind::File, false, Some(Why::Documentation)),
            ("driver.md", Kind::Directory, false, None),
            (".github", Kind::Directory, true, Some(Why::Ci)),
            (".github", Kind::Directory, false, None),
            (".git", Kind::File, false, Some(Why::VersionControl)),
            (".tmp_versions", Kind::Directory, false, Some(Why::Leftover)),
            (".main.o.cmd", Kind::File, false, Some(Why::Leftover)),
            ("main.mod.c", Kind::File, false, Some(Why::Leftover)),
            ("main.o_shipped", Kind::File, false, None),
            ("main.c", Kind::File, true, None),
            ("fix.patch", Kind::File, false, Some(Why::Patch)),
        ] {
            assert_eq!(why(name, kind, at_root), expected, "{name}");
        }
        assert!(!matches("*.mod.c", "mod.c") && matches(".*.cmd", "..cmd") && !matches(".*.cmd", ".cmd"));
    }

    #[test]
    fn objects_that_nothing_here_makes_are_told_apart() {
        let beside = |name: &str| ["main.c", ".set.o.cmd", "set.o"].contains(&name);
        let built = ["main.o", "main.ko", "set.o", "set.ko"].map(|name| was_built(name, beside));
        assert_eq!(built, [true; 4]);
        assert!(!was_built("blob.o", beside));
    }
}
