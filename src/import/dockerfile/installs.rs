//! What a RUN installs, downloads and unpacks, into packages and sources.

use super::{Fate, KERNEL, KERNEL_DIR, Reading, left, lines};
use crate::import::draft::Origin;
use crate::text::ids::{FileUrl, PackageName};

/// Packages that drvc installs without being told, and the word that is written twice.
const KNOWN_PACKAGES: [&str; 24] = [
    "bc",
    "binutils",
    "build-essential",
    "ca-certificates",
    "cpp",
    "curl",
    "diffutils",
    "elfutils-libelf-devel",
    "gcc",
    "git",
    "git-core",
    "install",
    "kmod",
    "libelf-dev",
    "make",
    "patch",
    "perl",
    "rpm-build",
    "subscription-manager",
    "sudo",
    "tar",
    "unzip",
    "wget",
    "xz",
];
/// Where drvc, or the engine, keeps what such programs tidy.
const TIDIED: [&str; 9] = [
    "/lib/modules",
    "/opt",
    "/usr/src",
    "/usr/lib/modules",
    "/var/cache",
    "/var/lib/apt",
    "/tmp",
    "/var/tmp",
    "/var/log",
];

impl Reading {
    pub(super) fn installed(&mut self, words: &[&str], text: &str) -> Fate {
        if let [manager, words @ ..] = words
            && manager.ends_with("apk")
        {
            return of_alpine(words);
        }
        let mut names = words
            .iter()
            .skip_while(|word| !["install", "in", "add", "localinstall", "reinstall"].contains(*word))
            .skip(1);
        let (mut some, mut unknown) = (false, Vec::new());
        while let Some(name) = names.next() {
            some = true;
            if ["--enablerepo", "-o", "--repo", "--disablerepo", "--releasever", "-t", "--setopt"]
                .contains(name)
            {
                names.next();
                continue;
            }
            if name.starts_with('-') || KNOWN_PACKAGES.contains(name) {
                continue;
            }
            for stem in ["linux-headers-", "linux-image-", "kernel-devel-", "kernel-headers-", "kernel-core-"]
            {
                if let Some(kernel) = name.strip_prefix(stem) {
                    self.names_kernel(kernel);
                }
            }
            let of_the_kernel = ["kernel-", "linux-headers", "linux-image", "linux-modules"]
                .iter()
                .any(|stem| name.starts_with(stem))
                || name.contains(KERNEL)
                || *name == "kernel";
            if of_the_kernel {
                continue;
            }
            if PackageName::parse(name).is_err() {
                unknown.push(*name);
            } else if !self.packages.iter().any(|(_, known)| known == name) {
                self.packages.push((self.stages.len(), (*name).to_owned()));
            }
        }
        if !unknown.is_empty() {
            return left(
                &unknown.join(" "),
                "it is not the name of a package: say `packages`, with the distribution's name for it",
            );
        }
        if some {
            return Fate::Taken;
        }
        let quiet = [
            "update",
            "clean",
            "upgrade",
            "makecache",
            "autoremove",
            "remove",
            "purge",
            "refresh",
            "ref",
            "autoclean",
            "check-update",
            "up",
            "dup",
        ];
        if words.iter().any(|word| quiet.contains(word)) {
            Fate::Replaced
        } else {
            left(text, "say `repository` in the matrix, where packages come from another one")
        }
    }

    pub(super) fn downloaded(&mut self, line: usize, words: &[&str], text: &str) -> Fate {
        let url =
            words.iter().find(|word| word.contains("://")).copied().unwrap_or_default().trim_end_matches('|');
        let name = url
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        if FileUrl::parse(url).is_err() {
            return left(text, "say `archive` or `file` in `source`");
        }
        let after = |names: &[&str]| {
            let at = words.iter().position(|word| names.contains(word))?;
            words.get(at + 1).copied()
        };
        if let Some((_, pipe)) = text.split_once('|').filter(|(_, pipe)| pipe.contains("tar ")) {
            let pipe = lines::words(pipe);
            let pipe: Vec<&str> = pipe.iter().map(String::as_str).collect();
            self.archive(line, text, url, &pipe);
            return Fate::Taken;
        }
        if text.contains('|') {
            return left(text, "say `archive` or `file` in `source`");
        }
        let file = after(&["-o", "--output", "-O"])
            .filter(|name| !name.starts_with('-') && !name.contains("://"))
            .unwrap_or(&name);
        let file = text.split_once('>').map_or(file, |(_, file)| file.trim());
        let at = self.place(file);
        self.downloads.push((at, url.to_owned(), line));
        Fate::Taken
    }

    pub(super) fn archive(&mut self, line: usize, what: &str, url: &str, tar: &[&str]) {
        let dir = tar
            .iter()
            .position(|word| *word == "-C" || *word == "--directory")
            .and_then(|at| tar.get(at + 1));
        let at = self.place(dir.copied().unwrap_or("."));
        let names = ["--strip-components", "--strip"];
        let strip = tar.iter().enumerate().find_map(|(at, word)| match word.split_once('=') {
            Some((name, number)) => names.contains(&name).then_some(number),
            None => names.contains(word).then(|| tar.get(at + 1).copied()).flatten(),
        });
        let strip = strip.and_then(|number| number.parse().ok()).unwrap_or(0);
        self.tree(line, what, at, Origin::Archive { url: url.to_owned(), strip });
    }

    pub(super) fn unpacked(&mut self, line: usize, words: &[&str], text: String) -> Option<Fate> {
        let places: Vec<String> = words.iter().skip(1).map(|word| self.place(word)).collect();
        let found = self.downloads.iter().position(|(at, ..)| places.contains(at));
        match found {
            Some(index) => {
                let (_, url, from) = self.downloads.remove(index);
                self.archive(from, &url.to_string(), &url, words);
                Some(Fate::Taken)
            }
            None => {
                self.act(line, text, false);
                None
            }
        }
    }

    /// A program that moves files: a step where they are those of a source, of no matter where drvc keeps its own.
    pub(super) fn files(&mut self, line: usize, words: &[&str], text: String) -> Option<Fate> {
        let paths = words.iter().skip(1).filter(|word| !word.starts_with('-'));
        let tidied = paths.clone().all(|path| {
            let own = path.starts_with(KERNEL_DIR) || path.contains(KERNEL);
            own || (path.starts_with('/') && TIDIED.iter().any(|dir| path.starts_with(dir)))
        });
        let makes_dir = words.first() == Some(&"mkdir") && paths.clone().any(|path| path.starts_with('/'));
        if tidied || makes_dir {
            let in_tree = |path: &&&str| {
                self.stages.last().is_some_and(|stage| {
                    stage.places.iter().any(|(at, _)| !at.is_empty() && super::beneath(path, at).is_some())
                })
            };
            if makes_dir
                || ["rm", "strip", "chmod", "xz"].contains(&words.first().copied().unwrap_or_default())
                || !paths.clone().any(|path| in_tree(&path))
            {
                return Some(Fate::Replaced);
            }
        }
        self.act(line, text, false);
        None
    }
}

/// What Alpine's `apk` installs: no profile knows its names, and other systems have others.
fn of_alpine(words: &[&str]) -> Fate {
    const WITH_VALUE: [&str; 6] = ["-t", "--virtual", "-X", "--repository", "-p", "--root"];
    const TOOLS: [&str; 4] = ["elfutils-dev", "linux-headers", "musl-dev", "libc-dev"];
    let mut words = words.iter().copied();
    let mut names = Vec::new();
    let adds = words.by_ref().any(|word| word == "add");
    while let Some(word) = words.next().filter(|_| adds) {
        let known = KNOWN_PACKAGES.contains(&word) || TOOLS.contains(&word);
        if WITH_VALUE.contains(&word) {
            words.next();
        } else if !(word.starts_with('-') || known || word == "build-base" || word.starts_with("linux-")) {
            names.push(word);
        }
    }
    if names.is_empty() {
        return Fate::Replaced;
    }
    left(
        &names.join(" "),
        "Alpine calls its packages so: say `packages`, with the names that the system of the matrix has",
    )
}
