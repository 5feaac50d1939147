//! What a driver's source tree says about itself: version, licence, and where it comes from.

use super::draft::Origin;
use super::files::text;
use super::kbuild::expand;
use crate::system::fs::{Kind, Tree};
use crate::text::ids::{GitRef, GitUrl, RelPath};
use std::collections::BTreeMap;

/// Files that are looked into.
const MAX_FILES: usize = 300;

/// What was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// The package's version; that of `MODULE_VERSION`, where every module has one and all agree.
    pub(super) version: Option<String>,
    /// What could not be told for certain.
    pub(super) notes: Vec<String>,
    /// The `SPDX-License-Identifier` of most source files; else what `MODULE_LICENSE` stands for.
    pub(super) license: Option<String>,
    /// The remote `origin` of git, as drvc takes it.
    pub(super) remote: Option<String>,
    /// The branch of git that is checked out.
    pub(super) branch: Option<String>,
    /// Whether git has submodules in it.
    pub(super) submodules: bool,
    /// Whether a `.gitattributes` names files that Git LFS holds.
    pub(super) lfs: bool,
}

impl Facts {
    /// What was pushed, as the origin of a source.
    pub(super) fn origin(self) -> Option<Origin> {
        let reference = self.branch.map(|branch| ("branch", branch));
        let Self { submodules, lfs, .. } = self;
        self.remote.map(|url| Origin::Git { url, reference, submodules, lfs })
    }
}

/// Looks into the source files of a directory and right beneath it, and into git's files.
pub(super) fn facts(tree: &impl Tree, dir: &RelPath) -> Facts {
    let (mut versions, mut licenses) = (BTreeMap::new(), BTreeMap::new());
    let (mut modules, mut declared) = (0_usize, BTreeMap::new());
    for file in files(tree, dir, &[".c", ".h", ".rs"]) {
        let Ok(text) = text(tree, &file) else { continue };
        let license = text.lines().take(5).find_map(|line| line.split_once("SPDX-License-Identifier:"));
        if let Some((_, license)) = license {
            let license = license.trim().trim_end_matches("*/").trim().to_owned();
            *licenses.entry(license).or_insert(0_usize) += 1;
        }
        if let Some(license) = macro_text(&text, "MODULE_LICENSE").or_else(|| field(&text, "license")) {
            modules += 1;
            *declared.entry(license).or_insert(0_usize) += 1;
        }
        if let Some(version) = macro_text(&text, "MODULE_VERSION") {
            *versions.entry(version).or_insert(0_usize) += 1;
        }
    }
    let of_modules = versions.into_iter().next().filter(|(_, count)| *count >= modules);
    let mut notes = Vec::new();
    let license = licenses.into_iter().max_by_key(|(_, count)| *count).map(|(license, _)| license);
    let license = license.or_else(|| {
        let (written, _) = declared.into_iter().max_by_key(|(_, count)| *count)?;
        let (license, other) = spdx(&written)?;
        notes.push(match other {
            Some(other) => {
                format!("MODULE_LICENSE(\"{written}\") also allows {other}, without saying which.")
            }
            None => format!("The licence is what the kernel reads MODULE_LICENSE(\"{written}\") as."),
        });
        Some(license.to_owned())
    });
    // What lies deeper is not what that remote has at its top.
    let (remote, branch) = if dir.is_root() { git(tree) } else { (None, None) };
    Facts {
        version: package_version(tree, dir).or(of_modules.map(|(version, _)| version)),
        notes,
        license,
        remote,
        branch,
        submodules: RelPath::parse(".gitmodules").is_ok_and(|file| text(tree, &file).is_ok()),
        lfs: held_by_lfs(tree, dir),
    }
}

/// The text of `NAME("TEXT")`.
fn macro_text(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(name)?;
    let rest = rest.trim_start().strip_prefix('(')?.trim_start().strip_prefix('"')?;
    rest.split_once('"').map(|(text, _)| text.to_owned()).filter(|text| text.len() <= 100)
}

/// `license: "GPL",` of a module in Rust.
fn field(text: &str, name: &str) -> Option<String> {
    let (_, body) = text.split_once("module!")?;
    let (_, rest) = body.split_once(&format!("{name}:"))?;
    rest.trim_start()
        .trim_start_matches('b')
        .strip_prefix('"')?
        .split_once('"')
        .map(|(text, _)| text.to_owned())
}

/// What the kernel's table of `MODULE_LICENSE` stands for, and another choice of which it does not say the text.
fn spdx(written: &str) -> Option<(&'static str, Option<&'static str>)> {
    Some(match written {
        "GPL" | "GPL v2" | "GPL and additional rights" => ("GPL-2.0-only", None),
        "Dual MIT/GPL" => ("GPL-2.0-only OR MIT", None),
        "Dual BSD/GPL" => ("GPL-2.0-only", Some("a licence of BSD")),
        "Dual MPL/GPL" => ("GPL-2.0-only", Some("a licence of Mozilla")),
        _ => return None,
    })
}

/// The version that the package as a whole says: in a file of its own, to dkms, to autoconf, or in its Makefile.
fn package_version(tree: &impl Tree, dir: &RelPath) -> Option<String> {
    let read = |name: &str| dir.join(name).ok().and_then(|file| text(tree, &file).ok());
    let plain = |text: &str| {
        let text = text.trim().trim_matches(['"', '\'', '[', ']']).trim_start_matches('v').to_owned();
        let fits = text.starts_with(|c: char| c.is_ascii_digit()) && text.len() <= 40;
        Some(text)
            .filter(|text| fits && text.chars().all(|c| c.is_ascii_alphanumeric() || ".+~_-".contains(c)))
    };
    let own = ["VERSION", "version", "VERSION.txt", ".version"].iter().find_map(|name| plain(&read(name)?));
    let assigned = |file: &str, names: &[&str]| {
        let text = read(file)?;
        let lines = text.lines().filter_map(|line| line.split_once('='));
        let mut found = lines.filter(|(name, _)| {
            let name = name.trim_start_matches("export ").trim_end_matches([':', '?', ' ', '\t']);
            names.contains(&name.trim())
        });
        found.find_map(|(_, value)| plain(value))
    };
    let autoconf = || {
        let text = read("configure.ac").or_else(|| read("configure.in"))?;
        plain(
            text.split_once("AC_INIT(")?
                .1
                .split(',')
                .nth(1)?
                .trim_end_matches([')', '\n'])
                .split(')')
                .next()?,
        )
    };
    own.or_else(|| {
        ["dkms.conf", "debian/dkms.conf"].iter().find_map(|file| assigned(file, &["PACKAGE_VERSION"]))
    })
    .or_else(autoconf)
    .or_else(|| packaged(tree, dir).and_then(|version| plain(&version)))
    .or_else(|| {
        let names = [
            "PACKAGE_VERSION",
            "DRIVER_VERSION",
            "MODULE_VERSION",
            "DRV_VERSION",
            "RELEASE_VERSION",
            "VERSION",
        ];
        ["Makefile", "Kbuild"].iter().find_map(|file| {
            let text = read(file)?;
            // `VERSION = 6` beside a PATCHLEVEL is no version by itself.
            let names = names.iter().filter(|name| **name != "VERSION" || !text.contains("PATCHLEVEL"));
            names.filter_map(|name| expand::value_of(&text, name)).find_map(|value| plain(&value))
        })
    })
}

/// The version that a package of rpm or of Debian has.
fn packaged(tree: &impl Tree, dir: &RelPath) -> Option<String> {
    let read = |name: &str| dir.join(name).ok().and_then(|file| text(tree, &file).ok());
    let entries = tree.list(dir).map(|found| found.value).unwrap_or_default();
    let spec = entries.iter().find(|entry| entry.name.ends_with(".spec"));
    let of_rpm = spec.and_then(|entry| {
        read(&entry.name)?.lines().find_map(|line| line.strip_prefix("Version:")).map(str::to_owned)
    });
    of_rpm.or_else(|| {
        let text = read("debian/changelog")?;
        let version = text.lines().next()?.split_once('(')?.1.split(')').next()?;
        let version = version.split_once(':').map_or(version, |(_, version)| version);
        Some(version.rsplit_once('-').map_or(version, |(upstream, _)| upstream).to_owned())
    })
}

/// Whether git fetches some files from elsewhere.
fn held_by_lfs(tree: &impl Tree, dir: &RelPath) -> bool {
    let mut found = files(tree, dir, &[".gitattributes"]).into_iter();
    found.any(|file| text(tree, &file).is_ok_and(|text| text.contains("filter=lfs")))
}

/// Files whose names end so, of a directory and of those right beneath it.
fn files(tree: &impl Tree, dir: &RelPath, ends: &[&str]) -> Vec<RelPath> {
    let mut found = Vec::new();
    let mut open = vec![(dir.clone(), 0)];
    while let Some((at, depth)) = open.pop() {
        for entry in tree.list(&at).map(|found| found.value).unwrap_or_default() {
            let Ok(path) = at.join(&entry.name) else { continue };
            match entry.kind {
                Kind::File if ends.iter().any(|end| entry.name.ends_with(end)) => found.push(path),
                Kind::Directory
                    if depth < 2 && !entry.name.starts_with('.') && entry.name != "drivers.out" =>
                {
                    open.push((path, depth + 1));
                }
                _ => {}
            }
            if found.len() >= MAX_FILES {
                return found;
            }
        }
    }
    found.sort();
    found
}

/// The remote and the branch that git's own files name.
fn git(tree: &impl Tree) -> (Option<String>, Option<String>) {
    let read = |path: &str| RelPath::parse(path).ok().and_then(|path| text(tree, &path).ok());
    let config = read(".git/config").unwrap_or_default();
    let section = config
        .split_once("[remote \"origin\"]")
        .map(|(_, rest)| rest.split("\n[").next().unwrap_or_default());
    let url = section.and_then(|section| {
        section
            .lines()
            .find_map(|line| line.trim().strip_prefix("url")?.trim().strip_prefix('=').map(str::trim))
    });
    let head = read(".git/HEAD").unwrap_or_default();
    let branch = head.trim().strip_prefix("ref: refs/heads/").filter(|branch| GitRef::parse(branch).is_ok());
    (url.and_then(git_url), branch.map(str::to_owned))
}

/// An address of git as drvc takes it; that of ssh without a scheme is given one.
pub(super) fn git_url(url: &str) -> Option<String> {
    if GitUrl::parse(url).is_ok() {
        return Some(url.to_owned());
    }
    let (host, path) =
        url.split_once(':').filter(|(host, path)| host.contains('@') && !path.starts_with("//"))?;
    let url = format!("ssh://{host}/{}", path.trim_start_matches('/'));
    GitUrl::parse(&url).is_ok().then_some(url)
}
