//! The Dockerfile of a hand-written driver container into a draft: what it fetches, makes, installs and loads.

mod bugs;
mod lines;
mod makes;
#[cfg(test)]
mod tests;

use super::draft::{self, Draft, Image, Module, Origin, Output, Project, Source};
use super::shell::Refusal;
use super::tree::git_url;
use crate::text::ids::{Commit, GitRef, KmodName, PackageName, RelPath};
use lines::Instruction;
use std::collections::BTreeMap;

const KERNEL: &str = "\u{e000}";
const KERNEL_DIR: &str = "\u{e001}";
/// The directory that is worked in.
const HERE: &str = "\u{e004}";

/// Names of build arguments that hold the kernel's release.
const KERNELS: [&str; 11] = [
    "KERNEL_VERSION",
    "KERNEL_FULL_VERSION",
    "KERNELVERSION",
    "KVER",
    "KVERSION",
    "KERNEL",
    "KERNEL_RELEASE",
    "KERNEL_UNAME",
    "DRIVER_TOOLKIT_KERNEL",
    "TARGET_KERNEL",
    "KERNEL_VER",
];

/// Packages that drvc installs without being told, and the word that is written twice.
const KNOWN_PACKAGES: [&str; 20] = [
    "bc",
    "binutils",
    "ca-certificates",
    "cpp",
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
    "wget",
    "xz",
];

/// What the instructions say, on the way into a draft.
#[derive(Default)]
struct Found {
    /// Build arguments and variables with their values.
    variables: BTreeMap<String, String>,
    /// The bases, in order.
    bases: Vec<String>,
    git: Option<(String, Option<(&'static str, String)>)>,
    submodules: bool,
    /// Whether it registers with a subscription.
    subscribed: bool,
    /// The directory of the clone, and the one that is worked in.
    clone: String,
    dir: String,
    context: Option<String>,
    /// Each call of make, with the directory that it is called in.
    makes: Vec<(String, String)>,
    others: Vec<(usize, String)>,
    /// The packages, with the number of the stage that they are installed in.
    packages: Vec<(usize, String)>,
    outputs: Vec<String>,
    loads: Vec<String>,
    options: Vec<(String, String)>,
}

/// Makes a draft of a Dockerfile. `file` is its name for messages, `hint` a name for what it builds.
///
/// # Errors
/// A text without a FROM.
pub fn import(text: &str, file: &str, hint: &str) -> Result<Draft, Refusal> {
    let instructions = lines::read(text);
    if !instructions.iter().any(|one| one.keyword == "FROM") {
        return Err(Refusal("it has no FROM, so it is no Dockerfile".into()));
    }
    let mut found = Found::default();
    instructions.iter().for_each(|one| found.take(one));
    let mut draft = Draft { head: vec![format!("Made from {file}.")], ..Draft::default() };
    for note in bugs::find(&instructions) {
        draft.head.push(format!("{file}:{}: {}", note.line, note.text));
        draft.warn(file, note.line, &note.text);
    }
    found.drafted(draft, file, hint)
}

impl Found {
    fn take(&mut self, one: &Instruction) {
        match one.keyword.as_str() {
            "FROM" => {
                self.bases.push(one.rest.clone());
                self.dir = String::new();
            }
            "ARG" | "ENV" => self.define(&one.rest),
            "WORKDIR" => self.enter(&self.value(&one.rest)),
            "RUN" => {
                let dir = self.dir.clone();
                let commands = lines::exec_form(&one.rest)
                    .map_or_else(|| lines::whole_commands(&one.rest), |words| vec![words.join(" ")]);
                commands.iter().for_each(|command| self.command(one.line, command));
                self.dir = dir;
            }
            "COPY" | "ADD" => self.copy(&one.rest),
            "CMD" | "ENTRYPOINT" => {
                let text =
                    lines::exec_form(&one.rest).map_or_else(|| one.rest.clone(), |words| words.join(" "));
                lines::commands(&text).iter().for_each(|(_, command)| self.loads(command));
            }
            _ => {}
        }
    }

    fn define(&mut self, rest: &str) {
        for pair in rest.split_whitespace() {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = self.value(value.trim_matches(['"', '\'']));
            if !value.is_empty() || !self.variables.contains_key(name) {
                self.variables.insert(name.to_owned(), value);
            }
        }
    }

    /// A text with variables put in: the kernel's as such, others by their values; one without a value stays.
    fn value(&self, text: &str) -> String {
        let mut out = String::new();
        let text =
            [("pwd", HERE), ("uname -r", KERNEL)].iter().fold(text.to_owned(), |text, (program, mark)| {
                text.replace(&format!("$({program})"), mark).replace(&format!("`{program}`"), mark)
            });
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let braced = after.strip_prefix('{');
            let inner = braced.unwrap_or(after);
            let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
            let (name, mut tail) = inner.split_at(end);
            if braced.is_some() {
                tail = tail.split_once('}').map_or("", |(_, tail)| tail);
            }
            match self.variables.get(name) {
                _ if KERNELS.contains(&name) => out.push_str(KERNEL),
                _ if name == "PWD" => out.push_str(HERE),
                Some(value) if !value.is_empty() => out.push_str(value),
                _ if name.is_empty() => {
                    out.push('$');
                    rest = after;
                    continue;
                }
                _ => out.extend(["${", name, "}"]),
            }
            rest = tail;
        }
        out.push_str(rest);
        for known in [
            format!("/usr/src/kernels/{KERNEL}"),
            format!("/lib/modules/{KERNEL}/build"),
            format!("/usr/src/linux-headers-{KERNEL}"),
        ] {
            out = out.replace(&known, KERNEL_DIR);
        }
        out
    }

    fn enter(&mut self, dir: &str) {
        self.dir = self.place(dir.trim_matches('"'));
    }

    /// A directory as seen from the one that is worked in.
    fn place(&self, dir: &str) -> String {
        let whole = if dir.starts_with('/') { dir.to_owned() } else { format!("{}/{dir}", self.dir) };
        let parts = whole.split('/').filter(|part| !["", "."].contains(part));
        parts.fold(String::new(), |path, part| path + "/" + part)
    }

    fn command(&mut self, line: usize, command: &str) {
        let mut command = command.trim().trim_start_matches(['(', ' ']);
        while command.ends_with(')') && command.matches(')').count() > command.matches('(').count() {
            command = command.trim_end_matches([' ', ';']).strip_suffix(')').unwrap_or_default();
        }
        let command = self.value(command);
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["cd", dir, ..] => self.enter(dir),
            ["git", "clone", rest @ ..] => self.cloned(rest),
            ["git", .., "checkout", reference] if self.git.is_some() => {
                let reference = reference.trim_matches('"').to_owned();
                if let Some((_, old)) = &mut self.git {
                    let kind = if Commit::parse(&reference).is_ok() { "commit" } else { "branch" };
                    *old = GitRef::parse(&reference).is_ok().then_some((kind, reference));
                }
            }
            [program, ..]
                if ["dnf", "yum", "microdnf", "apt-get", "apt", "zypper", "tdnf"].contains(program) =>
            {
                let mut names = words.iter().skip_while(|word| !["install", "in"].contains(*word)).skip(1);
                while let Some(name) = names.next() {
                    if ["--enablerepo", "-o"].contains(name) {
                        names.next();
                        continue;
                    }
                    let of_the_kernel = name.starts_with("kernel-")
                        || name.starts_with("linux-headers")
                        || name.contains(KERNEL);
                    let plain =
                        PackageName::parse(name).is_ok() && !of_the_kernel && !KNOWN_PACKAGES.contains(name);
                    if plain && !self.packages.iter().any(|(_, known)| known == name) {
                        self.packages.push((self.bases.len(), (*name).to_owned()));
                    }
                }
            }
            ["git", "submodule", ..] if self.git.is_some() => self.submodules = true,
            ["subscription-manager", ..] => self.subscribed = true,
            [first, ..] if first.ends_with("modprobe") => self.loads(&command),
            [first, ..]
                if first.ends_with("depmod")
                    || ["mkdir", "rm", "set", "echo", "export", "true", ":", "ls"].contains(first) => {}
            ["cp" | "install" | "mv", files @ ..] => {
                files.iter().filter(|file| file.ends_with(".ko")).for_each(|file| self.output(file));
            }
            [] => {}
            _ if words.contains(&"make") => self.makes.push((self.dir.clone(), command)),
            _ => self.others.push((line, command)),
        }
    }

    fn cloned(&mut self, words: &[&str]) {
        let mut reference = None;
        let mut plain = Vec::new();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            match *word {
                "-b" | "--branch" => reference = rest.next().map(|name| ("branch", (*name).to_owned())),
                "--depth" => drop(rest.next()),
                "--recursive" | "--recurse-submodules" => self.submodules = true,
                _ if word.starts_with("--branch=") => {
                    reference = word.split_once('=').map(|(_, name)| ("branch", name.to_owned()))
                }
                _ if word.starts_with('-') => {}
                _ => plain.push(word.trim_matches('"')),
            }
        }
        let Some(url) = plain.first().and_then(|url| git_url(url)) else { return };
        let name = url.rsplit('/').next().unwrap_or_default().trim_end_matches(".git").to_owned();
        let target = plain.get(1).map_or(name, |dir| (*dir).to_owned());
        self.clone = self.place(&target);
        self.git = Some((url, reference.filter(|(_, name)| GitRef::parse(name).is_ok())));
    }

    fn copy(&mut self, rest: &str) {
        let of_a_stage = rest.contains("--from");
        let words: Vec<String> = match lines::exec_form(rest) {
            Some(words) => words,
            None => rest
                .split_whitespace()
                .filter(|word| !word.starts_with("--"))
                .map(|word| self.value(word))
                .collect(),
        };
        let Some((target, files)) = words.split_last() else { return };
        for file in files {
            if file.ends_with(".ko") {
                self.output(file);
            } else if !of_a_stage
                && self.context.is_none()
                && RelPath::parse(file.trim_end_matches('/').trim_start_matches("./")).is_ok()
            {
                self.context = Some(file.trim_end_matches('/').trim_start_matches("./").to_owned());
                self.clone = self.place(target);
            } else if !of_a_stage && self.context.is_none() && file == "." {
                self.context = Some(".".to_owned());
                self.clone = self.place(target);
            }
        }
    }

    fn output(&mut self, file: &str) {
        let name = file.rsplit('/').next().unwrap_or(file).trim_matches('"');
        if !name.contains(['$', '\u{e000}']) && !self.outputs.iter().any(|known| known == name) {
            self.outputs.push(name.to_owned());
        }
    }

    fn loads(&mut self, command: &str) {
        let words: Vec<&str> = command.split_whitespace().collect();
        let Some(at) = words.iter().position(|word| word.ends_with("modprobe")) else { return };
        let mut rest = words.iter().skip(at + 1);
        while let Some(word) = rest.next() {
            match *word {
                "-d" | "--dirname" | "-S" | "--set-version" => drop(rest.next()),
                "-r" | "--remove" => return,
                _ if word.starts_with('-') => {}
                _ => match word.split_once('=') {
                    Some((name, value)) => self.options.push((name.to_owned(), value.to_owned())),
                    None if KmodName::parse(word).is_ok()
                        && !self.loads.iter().any(|known| known == word) =>
                    {
                        self.loads.push((*word).to_owned());
                    }
                    None => {}
                },
            }
        }
    }

    fn drafted(mut self, mut draft: Draft, file: &str, hint: &str) -> Result<Draft, Refusal> {
        let first = self
            .loads
            .first()
            .cloned()
            .or_else(|| self.outputs.first().map(|name| name.trim_end_matches(".ko").to_owned()));
        let name = first.filter(|name| !name.contains(['*', '?'])).unwrap_or_else(|| hint.to_owned());
        draft.project = Project { name: draft::name(&name), ..Project::default() };
        let mut source = Source { name: "driver".to_owned(), ..Source::default() };
        match self.git.take() {
            Some((url, reference)) => {
                source.origin = Origin::Git { url, reference, submodules: self.submodules };
            }
            None => {
                let dir = self.context.clone().unwrap_or_else(|| ".".to_owned());
                let ignore = if dir == "." { vec!["drivers.kdl".to_owned()] } else { Vec::new() };
                source.origin = Origin::Path { dir, ignore };
                if self.context.is_none() {
                    let text = "where the sources come from was not found: say `git` or `path` in `source`";
                    source.notes.push(text.to_owned());
                    draft.warn(file, 0, text);
                }
            }
        }
        let mut module =
            Module { name: draft::module_name(&name), source: "driver".to_owned(), ..Module::default() };
        // What the last of several stages installs is there when the driver is loaded.
        let last = self.bases.len();
        let (late, early): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.packages).into_iter().partition(|(stage, _)| last > 1 && *stage == last);
        module.packages = early.into_iter().map(|(_, name)| name).collect();
        match self.made_in() {
            Ok(dir) => module.dir = dir,
            Err(text) => {
                module.notes.push(text.clone());
                draft.warn(file, 0, &text);
            }
        }
        module.build = self.build();
        module.outputs = self
            .outputs
            .iter()
            .map(|file| Output { file: draft::literal(file), when: String::new() })
            .collect();
        for (line, command) in std::mem::take(&mut self.others) {
            let command = shown(&command);
            let text =
                format!("`{command}` is left out: if the build needs it, write it as `run` or `script`");
            module.notes.push(format!("{file}:{line}: {text}"));
            draft.warn(file, line, &text);
        }
        let mut image =
            Image { name: draft::name(&name), modules: vec![module.name.clone()], ..Image::default() };
        image.packages = late.into_iter().map(|(_, name)| name).collect();
        image.load = self.loads.clone();
        if let Some(kmod) = self.loads.first().filter(|_| !self.options.is_empty()) {
            image.options.push((kmod.clone(), self.options.clone()));
        }
        if self.loads.is_empty() {
            image.load = vec![module.name.clone()];
            image.notes.push("No modprobe was found: say here what is loaded.".to_owned());
        }
        if self.bases.iter().any(|base| {
            base.contains("driver-toolkit") || base.contains("DTK") || base.contains("DRIVER_TOOLKIT")
        }) {
            draft.head.push("It was built in OpenShift's Driver Toolkit: `os \"openshift\" \"4.16.3\"` in the matrix does the same.".to_owned());
        }
        if self.subscribed {
            let text = "`subscription-manager` is left out: say `entitlement \"rhsm\"`, where the build has to register";
            draft.head.push(format!("{file}: {text}"));
            draft.warn(file, 0, text);
        }
        draft.sources.push(source);
        draft.modules.push(module);
        draft.images.push(image);
        Ok(draft)
    }
}

fn named(text: &str) -> String {
    text.replace(KERNEL_DIR, "{kernel_dir}").replace(KERNEL, "{kernel}").replace(HERE, "$PWD")
}

fn shown(command: &str) -> String {
    let text = command
        .replace(KERNEL_DIR, "/usr/src/kernels/${KERNEL_VERSION}")
        .replace(KERNEL, "${KERNEL_VERSION}")
        .replace(HERE, "$PWD");
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
