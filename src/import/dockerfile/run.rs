//! The commands of a RUN into sources, packages, calls of make, and what is loaded; each is accounted for.

use super::lines::{self, Instruction};
use super::loops::unrolled;
use super::{Action, Fate, HERE, OF_THE_ENGINE, Reading, left};
use crate::text::ids::{EnvName, KmodName};

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
        commands.iter().for_each(|command| self.kernels_in(command));
        let each = |command: String| unrolled(&self.values.put_in(&command)).unwrap_or_else(|| vec![command]);
        let commands: Vec<String> = commands.into_iter().flat_map(each).collect();
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
                self.makes(line, text)
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
            ["mv", from, to] if self.moved(from, to) => Some(Fate::Taken),
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

    /// A call of make; what it is piped into only shows it.
    fn makes(&mut self, line: usize, text: String) -> Option<Fate> {
        let (make, pipe) = lines::before_pipe(&text);
        let is_first = builds(&lines::words(make).iter().map(String::as_str).collect::<Vec<_>>());
        let Some(pipe) = pipe.filter(|_| is_first) else {
            self.act(line, text, true);
            return None;
        };
        self.act(line, make.to_owned(), true);
        let why = "the build's log has what make says, and a pipe hides that make failed";
        Some(left(&format!("| {pipe}"), why))
    }

    pub(super) fn act(&mut self, line: usize, text: String, is_make: bool) {
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

    /// What `modprobe` or `insmod` of a command loads; whether it does.
    pub(super) fn loads(&mut self, command: &str) -> bool {
        let words = lines::words(command);
        let of_program = |word: &&String| word.ends_with("modprobe") || word.ends_with("insmod");
        let Some(at) = words.iter().position(|word| of_program(&word)) else { return false };
        let mut rest = words.iter().skip(at + 1);
        let (mut loaded, mut whole) = (None::<String>, true);
        while let Some(word) = rest.next() {
            match word.as_str() {
                "-d" | "--dirname" | "-S" | "--set-version" => drop(rest.next()),
                "-r" | "--remove" => return false,
                _ if word.starts_with('-') => {}
                _ => match word.split_once('=') {
                    Some((name, value)) => match &loaded {
                        Some(kmod) => self.option(kmod, name, value),
                        None => whole = false,
                    },
                    None => {
                        let name = word.rsplit('/').next().unwrap_or(word).trim_end_matches(".ko");
                        loaded = KmodName::parse(name).is_ok().then(|| name.to_owned());
                        whole &= loaded.is_some();
                        let new = loaded.clone().filter(|name| !self.loads.contains(name));
                        self.loads.extend(new);
                    }
                },
            }
        }
        whole && loaded.is_some()
    }

    fn option(&mut self, kmod: &str, name: &str, value: &str) {
        let pair = (name.to_owned(), value.to_owned());
        match self.options.iter_mut().find(|(known, _)| known == kmod) {
            Some((_, options)) if options.contains(&pair) => {}
            Some((_, options)) => options.push(pair),
            None => self.options.push((kmod.to_owned(), vec![pair])),
        }
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

/// The directory that `M=` of a call of make names, as it is written.
pub(super) fn tree_of_make(words: &[String]) -> Option<&str> {
    let named =
        words.iter().find_map(|word| word.strip_prefix("M=").or_else(|| word.strip_prefix("SUBDIRS=")))?;
    Some(if named == HERE { "." } else { named })
}
