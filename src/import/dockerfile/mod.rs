//! The Dockerfile of a hand-written driver container into a draft: what it fetches, makes, installs and loads.
//!
//! 1. [`lines`] reads the instructions, and [`Reading::take`] goes over them; [`run`] does so with the commands of a RUN.
//! 2. Each instruction is accounted for by [`Fate`]s: what it says is in the draft, or done by drvc itself, or left out
//!    and named with its line. What becomes of sources and commands is known at the end: [`makes`] decides.

mod bugs;
mod clones;
mod copies;
mod groups;
mod installs;
mod kernels;
mod lines;
mod loops;
mod makes;
mod run;
#[cfg(test)]
mod tests;
mod values;

pub(super) use makes::{NO_MODPROBE, unloaded};

use super::bases;
use super::draft::{Draft, Image, Origin, Project};
use super::shell::Refusal;
use crate::text::ids::EnvName;
use lines::Instruction;
use values::Values;

const KERNEL: &str = "\u{e000}";
const KERNEL_DIR: &str = "\u{e001}";
/// The directory that is worked in.
const HERE: &str = "\u{e004}";
/// The top of the source that make is called in.
const SOURCE: &str = "\u{e005}";

/// Variables of the engine, of programs that install, and of shells, which no driver is built by.
const OF_THE_ENGINE: [&str; 14] = [
    "DEBIAN_FRONTEND",
    "HOME",
    "LANG",
    "LC_ALL",
    "PATH",
    "TZ",
    "BUILDPLATFORM",
    "TARGETPLATFORM",
    "TARGETARCH",
    "TARGETOS",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SMDEV_CONTAINER_OFF",
];

const FOREIGN_KERNEL: &str =
    "it is the kernel of no system that drvc knows: put those of your nodes into the matrix";

/// What became of an instruction, or of a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    /// The draft says it.
    Taken,
    /// drvc does it without being told.
    Replaced,
    /// It is in no draft: what it was, and what to do.
    Left(String),
}

/// Files that came into a stage.
struct Tree {
    origin: Origin,
    at: String,
    line: usize,
    shown: String,
    notes: Vec<String>,
    made: bool,
}

impl Tree {
    /// Whether another tree is a directory of this one, in its place.
    fn holds(&self, other: &Tree) -> bool {
        let (Origin::Path { dir, .. }, Origin::Path { dir: inner, .. }) = (&self.origin, &other.origin)
        else {
            return false;
        };
        let below = if dir == "." { Some(inner.trim_start_matches('.')) } else { beneath(inner, dir) };
        below.is_some_and(|below| beneath(&other.at, &self.at) == Some(below))
    }
}

/// One stage, as far as it was read.
#[derive(Clone, Default)]
struct Stage {
    name: String,
    /// The image or stage that it is from.
    base: String,
    dir: String,
    /// Where the trees are in it.
    places: Vec<(String, usize)>,
    /// Variables that commands see.
    env: Vec<(String, String)>,
}

/// A command that may be a step of a build.
struct Action {
    line: usize,
    stage: usize,
    dir: String,
    text: String,
    is_make: bool,
    env: Vec<(String, String)>,
}

/// What the instructions say, on the way into a draft.
#[derive(Default)]
struct Reading {
    values: Values,
    /// How many stages there are in all.
    last: usize,
    stages: Vec<Stage>,
    before: Stage,
    trees: Vec<Tree>,
    actions: Vec<Action>,
    /// Variables of ENV and of ARG that commands see.
    set: Vec<(String, String, usize)>,
    /// Files that were downloaded: their place, their URL, the line.
    downloads: Vec<(String, String, usize)>,
    subscribed: bool,
    /// The packages, with the number of the stage that they are installed in.
    packages: Vec<(usize, String)>,
    /// The `.ko` files that are copied or installed, as they are named.
    outputs: Vec<(String, usize)>,
    loads: Vec<String>,
    /// What modules are loaded with, each with the module's name.
    options: Vec<(String, Vec<(String, String)>)>,
    fates: Vec<(usize, Fate)>,
    /// Directories of sources that were renamed: to what, and what they were.
    moves: Vec<(String, String)>,
}

/// Makes a draft of a Dockerfile. `file` is its name for messages, `hint` a name for what it builds.
///
/// # Errors
/// A text without a FROM.
pub fn import(text: &str, file: &str, hint: &str) -> Result<Draft, Refusal> {
    let instructions = lines::read(text);
    let stages = instructions.iter().filter(|one| one.keyword == "FROM").count();
    if stages == 0 {
        return Err(Refusal("it has no FROM, so it is no Dockerfile".into()));
    }
    let mut reading = Reading { last: stages, ..Reading::default() };
    instructions.iter().for_each(|one| reading.take(one, text));
    let mut draft = Draft { head: vec![format!("Made from {file}.")], ..Draft::default() };
    for note in bugs::find(&instructions) {
        draft.head.push(format!("{file}:{}: {}", note.line, note.text));
        draft.warn(file, note.line, &note.text);
    }
    reading.drafted(&mut draft, file, hint);
    reading.accounted(&mut draft, file);
    Ok(draft)
}

impl Reading {
    fn take(&mut self, one: &Instruction, text: &str) {
        for changed in self.values.changed(&one.rest) {
            let text = format!(
                "`${changed}` is another text than the variable's own value: it is worked out by a shell"
            );
            self.fates.push((one.line, Fate::Left(text)));
        }
        match one.keyword.as_str() {
            "FROM" => self.from(one),
            "ARG" => self.argument(one, text),
            "ENV" => self.environment(one),
            "WORKDIR" => {
                self.enter(&self.values.put_in(&one.rest));
                self.fates.push((one.line, Fate::Taken));
            }
            "RUN" => self.run(one),
            "COPY" | "ADD" => self.copy(one),
            "CMD" | "ENTRYPOINT" => {
                let text =
                    lines::exec_form(&one.rest).map_or_else(|| one.rest.clone(), |words| words.join(" "));
                let text = self.values.put_in(&text);
                let loaded = lines::commands(&text).iter().filter(|(_, command)| self.loads(command)).count();
                let fate = if loaded > 0 {
                    Fate::Taken
                } else {
                    left(
                        &format!("{} {}", one.keyword, one.rest),
                        "the image runs what loads its modules: name them in `load`",
                    )
                };
                self.fates.push((one.line, fate));
            }
            keyword => self
                .fates
                .push((one.line, left(&format!("{keyword} {}", one.rest), "drvc has no word for it"))),
        }
    }

    /// The stage that is read; what stands before the first FROM has one of its own that is dropped.
    fn stage(&mut self) -> &mut Stage {
        self.stages.last_mut().unwrap_or(&mut self.before)
    }

    /// Whether this is the stage that is run, and not the one that is built in.
    fn is_run(&self) -> bool {
        self.last > 1 && self.stages.len() == self.last
    }

    fn from(&mut self, one: &Instruction) {
        let words: Vec<&str> = one.rest.split_whitespace().filter(|word| !word.starts_with("--")).collect();
        let base = self.values.put_in(words.first().copied().unwrap_or_default());
        let name = words.get(2).map_or(String::new(), |name| (*name).to_owned());
        let parent = self.stage_named(&base).and_then(|at| self.stages.get(at)).cloned();
        self.stages.push(Stage { name, base, ..parent.unwrap_or_default() });
        self.fates.push((one.line, Fate::Replaced));
    }

    /// The stage that a FROM or a `--from` names.
    fn stage_named(&self, name: &str) -> Option<usize> {
        let named = self
            .stages
            .iter()
            .rposition(|stage| !stage.name.is_empty() && stage.name.eq_ignore_ascii_case(name));
        named.or_else(|| name.parse().ok().filter(|at| *at < self.stages.len()))
    }

    /// The image that a stage is from in the end.
    fn image_of(&self, stage: usize) -> Option<&str> {
        let mut base = self.stages.get(stage)?.base.as_str();
        for _ in 0..self.stages.len() {
            match self.stages.iter().take(stage).find(|one| !one.name.is_empty() && one.name == base) {
                Some(parent) => base = parent.base.as_str(),
                None => break,
            }
        }
        Some(base)
    }

    fn argument(&mut self, one: &Instruction, text: &str) {
        for word in lines::words(&one.rest) {
            let (name, value) = word.split_once('=').unwrap_or((word.as_str(), ""));
            let value = self.values.put_in(value);
            if self.names_kernel(&value) {
                self.values.set(name, KERNEL.to_owned());
            } else {
                self.values.set(name, value.clone());
            }
            if self.is_foreign_kernel(name, &value) {
                self.fates.push((one.line, left(&format!("ARG {word}"), FOREIGN_KERNEL)));
                continue;
            }
            let is_used = text.contains(&format!("${name}")) || text.contains(&format!("${{{name}"));
            let fate = if is_used || OF_THE_ENGINE.contains(&name) {
                Fate::Taken
            } else if self.stages.is_empty() || bugs::is_secret(name) || EnvName::parse(name).is_err() {
                left(&format!("ARG {word}"), "nothing in the file uses it")
            } else if let Some(value) = self.values.get(name).map(str::to_owned) {
                // Commands see it as a variable of their environment.
                self.seen(name, value, one.line);
                continue;
            } else {
                left(&format!("ARG {word}"), "nothing in the file uses it, and it has no value")
            };
            self.fates.push((one.line, fate));
        }
    }

    fn environment(&mut self, one: &Instruction) {
        let words = lines::words(&one.rest);
        let pairs: Vec<(String, String)> = match words.first() {
            Some(first) if !first.contains('=') => {
                vec![(first.clone(), words.get(1..).unwrap_or_default().join(" "))]
            }
            _ => words
                .iter()
                .filter_map(|word| word.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        };
        if pairs.is_empty() {
            self.fates.push((one.line, left(&format!("ENV {}", one.rest), "it sets nothing")));
        }
        for (name, value) in pairs {
            let value = self.values.put_in(&value);
            let value = if self.names_kernel(&value) { KERNEL.to_owned() } else { value };
            self.values.set(&name, value.clone());
            if OF_THE_ENGINE.contains(&name.as_str()) {
                self.fates.push((one.line, Fate::Replaced));
            } else if EnvName::parse(&name).is_ok() && !bugs::is_secret(&name) && !value.contains(['$', '`'])
            {
                self.seen(&name, value, one.line);
            } else {
                self.fates.push((
                    one.line,
                    left(&format!("ENV {name}={value}"), "say it with `env`, or leave it out"),
                ));
            }
        }
    }

    /// A variable that the commands to come see; what becomes of it is known at the end.
    fn seen(&mut self, name: &str, value: String, line: usize) {
        self.set.push((name.to_owned(), value.clone(), line));
        let stage = self.stage();
        stage.env.retain(|(known, _)| known != name);
        stage.env.push((name.to_owned(), value));
    }

    fn enter(&mut self, dir: &str) {
        let dir = self.place(dir);
        self.stage().dir = dir;
    }

    /// A directory as seen from the one that is worked in.
    fn place(&self, dir: &str) -> String {
        let here = self.stages.last().map_or("", |stage| stage.dir.as_str());
        let dir = dir.trim_matches(['"', '\'']).replace(HERE, here);
        self.before_moves(absolute(here, &dir))
    }

    /// Puts what was not taken over into the draft's comments and warnings.
    fn accounted(&mut self, draft: &mut Draft, file: &str) {
        self.fates.sort_by_key(|(line, _)| *line);
        self.fates.dedup();
        let mut replaced: Vec<String> = Vec::new();
        for (line, fate) in &self.fates {
            match fate {
                Fate::Taken => {}
                Fate::Replaced => replaced.push(line.to_string()),
                Fate::Left(text) => {
                    draft.head.push(format!("{file}:{line}: {text}"));
                    draft.warn(file, *line, text);
                }
            }
        }
        replaced.dedup();
        if !replaced.is_empty() {
            draft
                .head
                .push(format!("drvc does by itself what these lines of {file} do: {}.", replaced.join(", ")));
        }
    }
}

/// A path, from `/` on, without `.` and `..`.
fn absolute(here: &str, dir: &str) -> String {
    let whole = if dir.starts_with('/') { dir.to_owned() } else { format!("{here}/{dir}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.iter().fold(String::new(), |path, part| path + "/" + part)
}

/// What lies beneath a directory, as seen from it.
fn beneath<'p>(path: &'p str, dir: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(dir)?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_matches('/'))
}

fn left(what: &str, advice: &str) -> Fate {
    Fate::Left(format!("`{}` is left out: {advice}", shown(what)))
}

fn named(text: &str) -> String {
    text.replace(KERNEL_DIR, "{kernel_dir}")
        .replace(KERNEL, "{kernel}")
        .replace(HERE, "$PWD")
        .replace(SOURCE, "{source_dir}")
}

fn shown(command: &str) -> String {
    let text = command
        .replace(KERNEL_DIR, "/usr/src/kernels/${KERNEL_VERSION}")
        .replace(KERNEL, "${KERNEL_VERSION}")
        .replace(HERE, "$PWD")
        .replace(['\n', '\t'], " ");
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}
