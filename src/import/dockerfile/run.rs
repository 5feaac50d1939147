//! The commands of a RUN into sources, packages, calls of make, and what is loaded; each is accounted for.

use super::lines::{self, Instruction};
use super::{Action, Fate, HERE, KERNEL, KERNEL_DIR, OF_THE_ENGINE, Reading, left};
use crate::import::draft::Origin;
use crate::import::tree::git_url;
use crate::text::ids::{Commit, EnvName, FileUrl, GitRef, KmodName, PackageName};

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
const MANAGERS: [&str; 10] =
    ["dnf", "yum", "microdnf", "apt-get", "apt", "zypper", "tdnf", "yum-config-manager", "dnf5", "apk"];
/// Programs that only look, or set up the shell.
const HARMLESS: [&str; 22] = [
    ":", "true", "set", "echo", "printf", "ls", "pwd", "date", "uname", "cat", "depmod", "ldconfig", "sync",
    "exit", "test", "[", "modinfo", "lsmod", "file", "du", "nproc", "which",
];
/// Programs that move and tidy files: as a step where they do so in a source.
const FILES: [&str; 14] = [
    "mkdir", "rm", "rmdir", "ln", "chmod", "chown", "strip", "xz", "gzip", "zstd", "touch", "cp", "mv",
    "install",
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
    pub(super) fn run(&mut self, one: &Instruction) {
        let before = self.stage().clone();
        self.mounted(one);
        let commands = lines::exec_form(&one.rest)
            .map_or_else(|| lines::whole_commands(&one.rest), |words| vec![words.join(" ")]);
        if commands.is_empty() {
            self.fates.push((one.line, left(&format!("RUN {}", one.rest), "it runs nothing")));
        }
        let mut outer: Vec<String> = Vec::new();
        for command in &commands {
            let mut command = command.trim();
            while let Some(inner) = command.strip_prefix('(').filter(|inner| !inner.starts_with('(')) {
                outer.push(self.stage().dir.clone());
                command = inner.trim_start();
            }
            let mut closed = 0;
            while command.ends_with(')') && command.matches(')').count() > command.matches('(').count() {
                command = command.strip_suffix(')').unwrap_or_default().trim_end_matches([' ', ';']);
                closed += 1;
            }
            let command = command.strip_prefix("{ ").unwrap_or(command);
            if !command.is_empty() && command != "}" {
                let fate = self.command(one.line, command, &mut outer);
                self.fates.extend(fate.map(|fate| (one.line, fate)));
            }
            for _ in 0..closed {
                if let Some(dir) = outer.pop() {
                    self.stage().dir = dir;
                }
            }
        }
        // What a RUN exports, mounts and enters ends with it; what it cloned stays.
        let places = std::mem::take(&mut self.stage().places);
        let mounts: Vec<usize> = places
            .iter()
            .filter(|(_, tree)| self.trees.get(*tree).is_some_and(|tree| tree.shown.starts_with("--mount")))
            .map(|(_, tree)| *tree)
            .collect();
        let places = places.into_iter().filter(|(_, tree)| !mounts.contains(tree)).collect();
        *self.stage() = super::Stage { places, ..before };
    }

    /// What becomes of one command; nothing, where the end decides.
    fn command(&mut self, line: usize, raw: &str, outer: &mut Vec<String>) -> Option<Fate> {
        let text = self.values.put_in(raw);
        let mut words = lines::words(&text);
        let skipped = words
            .iter()
            .take_while(|word| ["sudo", "exec", "time", "command", "-E"].contains(&word.as_str()))
            .count();
        words.drain(..skipped);
        let refs: Vec<&str> = words.iter().map(String::as_str).collect();
        let assigned =
            |word: &&str| word.split_once('=').is_some_and(|(name, _)| EnvName::parse(name).is_ok());
        let writes = text.contains('>') && !text.contains("/dev/null") && !text.contains(">&2");
        let first = refs.iter().find(|word| !assigned(word)).copied().unwrap_or_default();
        let program = first.rsplit('/').next().unwrap_or(first);
        let loop_or_condition = ["if", "for", "while", "until", "case"].contains(&program);
        match refs.as_slice() {
            [] => None,
            _ if first.is_empty() => self.assigned(line, &refs),
            ["export", pairs @ ..] if pairs.iter().all(assigned) => self.exported(pairs),
            _ if !loop_or_condition && !MANAGERS.contains(&program) && builds(&refs) => {
                self.act(line, text, true);
                None
            }
            _ if loop_or_condition => {
                let makes = text.split(|c: char| c.is_whitespace() || c == ';').any(|word| word == "make");
                self.act(line, text, makes);
                None
            }
            ["cd", rest @ ..] => {
                self.enter(rest.iter().find(|word| !word.starts_with('-')).copied().unwrap_or("/root"));
                Some(Fate::Taken)
            }
            ["pushd", dir, ..] => {
                outer.push(self.stage().dir.clone());
                self.enter(dir);
                Some(Fate::Taken)
            }
            ["popd", ..] => {
                if let Some(dir) = outer.pop() {
                    self.stage().dir = dir;
                }
                Some(Fate::Taken)
            }
            ["git", rest @ ..] => self.git(line, rest, &text),
            _ if MANAGERS.contains(&program) => Some(self.installed(&refs, &text)),
            _ if text.contains("://") && (program == "curl" || program == "wget") => {
                Some(self.downloaded(line, &refs, &text))
            }
            ["tar" | "bsdtar", ..] => self.unpacked(line, &refs, text.clone()),
            _ if program == "subscription-manager" => {
                self.subscribed = true;
                Some(Fate::Replaced)
            }
            _ if program == "modprobe" || program == "insmod" => {
                Some(if self.loads(&text) { Fate::Taken } else { left(&text, "say `load` in the image") })
            }
            _ if text.contains("sign-file") || program == "kmodsign" => {
                Some(left(&text, "say `signing`, with the key as a build secret"))
            }
            _ if program == "dkms" => {
                Some(left(&text, "`drvc init --from` with its dkms.conf reads what dkms builds"))
            }
            _ if HARMLESS.contains(&program) && !writes => Some(Fate::Replaced),
            ["cp" | "install" | "mv", files @ ..]
                if files.iter().any(|file| file.ends_with(".ko") || file.ends_with(".ko.xz")) =>
            {
                files.iter().filter(|file| file.contains(".ko")).for_each(|file| {
                    let file = self.place(file);
                    self.output(line, &file);
                });
                Some(Fate::Taken)
            }
            _ if FILES.contains(&program) && !writes => self.files(line, &refs, text.clone()),
            _ => {
                self.act(line, text, false);
                None
            }
        }
    }

    fn act(&mut self, line: usize, text: String, is_make: bool) {
        let stage = self.stages.len().saturating_sub(1);
        let found = self.stage();
        let env = found.env.clone();
        let dir = found.dir.clone();
        self.actions.push(Action { line, stage, dir, text, is_make, env });
    }

    /// `A=b C=d`: variables of the shell.
    fn assigned(&mut self, line: usize, pairs: &[&str]) -> Option<Fate> {
        let known = pairs.iter().all(|pair| !pair.contains(['$', '`']));
        for (name, value) in pairs.iter().filter_map(|pair| pair.split_once('=')) {
            self.values.set(name, value.to_owned());
        }
        if known {
            return Some(Fate::Taken);
        }
        self.act(line, pairs.join(" "), false);
        None
    }

    fn exported(&mut self, pairs: &[&str]) -> Option<Fate> {
        for (name, value) in pairs.iter().filter_map(|pair| pair.split_once('=')) {
            if OF_THE_ENGINE.contains(&name) {
                continue;
            }
            if value.contains(['$', '`']) {
                return Some(left(&format!("export {}", pairs.join(" ")), "say it with `env`"));
            }
            self.values.set(name, value.to_owned());
            let stage = self.stage();
            stage.env.retain(|(known, _)| known != name);
            stage.env.push((name.to_owned(), value.to_owned()));
        }
        Some(Fate::Taken)
    }

    fn git(&mut self, line: usize, words: &[&str], text: &str) -> Option<Fate> {
        let (mut rest, mut dir) = (words, self.stage().dir.clone());
        while let [option, value, after @ ..] = rest {
            match *option {
                "-C" => dir = self.place(value),
                "-c" => {}
                _ => break,
            }
            rest = after;
        }
        let tree = self.stages.last().and_then(|stage| {
            let fits = stage.places.iter().filter(|(at, _)| super::beneath(&dir, at).is_some());
            fits.max_by_key(|(at, _)| at.len()).or_else(|| stage.places.last()).map(|(_, tree)| *tree)
        });
        match rest {
            ["clone", rest @ ..] => Some(self.cloned(line, rest, text)),
            ["remote", "add", _, url] => match git_url(url) {
                Some(url) => {
                    self.tree(line, text, dir, Origin::Git { url, reference: None, submodules: false });
                    None
                }
                None => Some(left(text, "say `git` in `source`")),
            },
            ["checkout" | "switch" | "reset", .., name]
                if !rest.contains(&"--") && !name.starts_with('-') =>
            {
                Some(self.checked_out(tree, name, text))
            }
            ["fetch" | "pull", .., name] if !name.starts_with('-') && *name != "origin" => {
                Some(self.checked_out(tree, name, text))
            }
            ["submodule", ..] => {
                if let Some(Origin::Git { submodules, .. }) =
                    tree.and_then(|tree| self.trees.get_mut(tree)).map(|tree| &mut tree.origin)
                {
                    *submodules = true;
                }
                Some(Fate::Taken)
            }
            [
                "init" | "fetch" | "config" | "log" | "status" | "describe" | "rev-parse" | "lfs" | "pull"
                | "--version" | "show" | "branch",
                ..,
            ] => Some(Fate::Replaced),
            _ => {
                self.act(line, text.to_owned(), false);
                None
            }
        }
    }

    fn checked_out(&mut self, tree: Option<usize>, name: &str, text: &str) -> Fate {
        if name == "FETCH_HEAD" || name == "HEAD" {
            return Fate::Replaced;
        }
        let Some(tree) = tree.and_then(|tree| self.trees.get_mut(tree)) else {
            return left(text, "say `ref=` behind `git`");
        };
        let Origin::Git { reference, .. } = &mut tree.origin else {
            return left(text, "say `git` in `source`");
        };
        match reference_of(name) {
            Some(found) => {
                *reference = Some(found);
                Fate::Taken
            }
            None => {
                *reference = None;
                let note = format!(
                    "`{}` names what the file does not say: say `ref=` or `commit=` behind `git`",
                    super::shown(text)
                );
                tree.notes.push(note.clone());
                Fate::Left(note)
            }
        }
    }

    fn cloned(&mut self, line: usize, words: &[&str], text: &str) -> Fate {
        let (mut reference, mut submodules) = (None, false);
        let mut plain = Vec::new();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            match *word {
                "-b" | "--branch" => reference = rest.next().copied(),
                "--depth" | "-o" | "--origin" | "-c" | "--config" | "-j" | "--jobs" | "--filter" => {
                    rest.next();
                }
                "--recursive" | "--recurse-submodules" => submodules = true,
                _ if word.starts_with("--branch=") => reference = word.split_once('=').map(|(_, name)| name),
                _ if word.starts_with("--recurse-submodules") => submodules = true,
                _ if word.starts_with('-') => {}
                _ => plain.push(*word),
            }
        }
        let Some(url) = plain.first().and_then(|url| git_url(url)) else {
            return left(text, "its address is none that drvc takes: say `git` in `source`");
        };
        let name = url.rsplit('/').next().unwrap_or_default().trim_end_matches(".git").to_owned();
        let at = self.place(plain.get(1).copied().unwrap_or(&name));
        let known = reference.map(reference_of);
        self.tree(line, text, at, Origin::Git { url, reference: known.clone().flatten(), submodules });
        match (known, reference) {
            (Some(None), Some(name)) => {
                let note = format!(
                    "`--branch {}` names what the file does not say: say `ref=` behind `git`",
                    super::shown(name)
                );
                if let Some(tree) = self.trees.last_mut() {
                    tree.notes.push(note.clone());
                }
                Fate::Left(note)
            }
            _ => Fate::Taken,
        }
    }

    fn installed(&mut self, words: &[&str], text: &str) -> Fate {
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

    fn downloaded(&mut self, line: usize, words: &[&str], text: &str) -> Fate {
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

    fn archive(&mut self, line: usize, what: &str, url: &str, tar: &[&str]) {
        let dir = tar
            .iter()
            .position(|word| *word == "-C" || *word == "--directory")
            .and_then(|at| tar.get(at + 1));
        let at = self.place(dir.copied().unwrap_or("."));
        let strip = tar.iter().find_map(|word| {
            word.strip_prefix("--strip-components=").or_else(|| word.strip_prefix("--strip="))
        });
        let strip = strip.and_then(|number| number.parse().ok()).unwrap_or(0);
        self.tree(line, what, at, Origin::Archive { url: url.to_owned(), strip });
    }

    fn unpacked(&mut self, line: usize, words: &[&str], text: String) -> Option<Fate> {
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
    fn files(&mut self, line: usize, words: &[&str], text: String) -> Option<Fate> {
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

    /// What `modprobe` or `insmod` of a command loads; whether it does.
    pub(super) fn loads(&mut self, command: &str) -> bool {
        let words = lines::words(command);
        let of_program = |word: &&String| word.ends_with("modprobe") || word.ends_with("insmod");
        let Some(at) = words.iter().position(|word| of_program(&word)) else { return false };
        let mut rest = words.iter().skip(at + 1);
        while let Some(word) = rest.next() {
            match word.as_str() {
                "-d" | "--dirname" | "-S" | "--set-version" => drop(rest.next()),
                "-r" | "--remove" => return false,
                _ if word.starts_with('-') => {}
                _ => match word.split_once('=') {
                    Some((name, value)) => self.options.push((name.to_owned(), value.to_owned())),
                    None => {
                        let name = word.rsplit('/').next().unwrap_or(word).trim_end_matches(".ko");
                        if KmodName::parse(name).is_ok() && !self.loads.iter().any(|known| known == name) {
                            self.loads.push(name.to_owned());
                        }
                    }
                },
            }
        }
        true
    }
}

/// Whether a command is one that builds: make, or a script that is named after it.
fn builds(words: &[&str]) -> bool {
    let base = |word: &&str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let made = words.iter().any(|word| ["make", "gmake", "ninja"].contains(&base(word).as_str()));
    let script = match words {
        ["sh" | "bash", script, ..] => Some(script),
        [script, ..] if script.contains('/') => Some(script),
        _ => None,
    };
    made || script.map(base).is_some_and(|name| name.contains("build") || name.starts_with("make"))
}

/// A name that git is given, as the manifest has it. A name alone may be a branch or a tag.
fn reference_of(name: &str) -> Option<(&'static str, String)> {
    let name = name.trim_start_matches("refs/");
    let known = |kind: &'static str, name: &str| GitRef::parse(name).is_ok().then(|| (kind, name.to_owned()));
    if Commit::parse(name).is_ok() {
        return Some(("commit", name.to_owned()));
    }
    if let Some(branch) = name.strip_prefix("origin/").or_else(|| name.strip_prefix("heads/")) {
        return known("branch", branch);
    }
    match name.strip_prefix("tags/") {
        Some(tag) => known("tag", tag),
        None => known("ref", name),
    }
}

/// The directory that `M=` of a call of make names, as it is written.
pub(super) fn tree_of_make(words: &[String]) -> Option<&str> {
    let named =
        words.iter().find_map(|word| word.strip_prefix("M=").or_else(|| word.strip_prefix("SUBDIRS=")))?;
    Some(if named == HERE { "." } else { named })
}
