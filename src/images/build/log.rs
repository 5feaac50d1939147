//! What an engine says while it builds, line by line, to where it is, what went wrong first, and the last lines.

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::LazyLock;

/// How many lines are kept to be shown.
const TAIL: usize = 20;
/// The longest line that is kept, in bytes.
const LONGEST: usize = 2000;

/// One instruction of a Dockerfile, while it is carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The stage's name; empty where it cannot be told.
    pub stage: String,
    /// Which instruction of the stage it is, from 1.
    pub at: u32,
    /// How many the stage has.
    pub of: u32,
    /// The instruction, on one line.
    pub instruction: String,
}

/// Reads the output of one build.
///
/// BuildKit numbers its lines. Podman and buildah do not: with several stages at a time (`--jobs`) a line is of any that runs,
/// so each of them takes it, and the last line, which repeats the instruction, says which one has failed.
#[derive(Debug, Default)]
pub struct Progress {
    /// The stages of the Dockerfile, in order.
    stages: Vec<String>,
    /// What runs now: of podman and buildah by the stage's number, of BuildKit by its own.
    running: BTreeMap<u32, Vertex>,
    /// The number of what was spoken of last.
    last: u32,
    failed: Option<u32>,
    is_classic: bool,
    started: usize,
    warnings: BTreeSet<String>,
    trial: Option<Trial>,
    /// What podman or buildah says last, as far as it has come: its instruction may go over several lines.
    ending: Option<String>,
}

/// What came of an earlier kernel's modules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trial {
    /// They serve: they were built for this kernel.
    Reused(String),
    /// They do not, and why.
    Compiled(String),
}

#[derive(Debug, Default)]
struct Vertex {
    step: Step,
    /// The how manieth it was to start.
    started: usize,
    tail: VecDeque<String>,
    /// The first error and how much it tells, smallest first; with the lines from there on, as many as are shown.
    error: Option<(u8, String, Vec<String>)>,
}

static CLASSIC: LazyLock<Option<Regex>> =
    LazyLock::new(|| regex(r"^(?:\[(\d+)/\d+\] )?STEP (\d+)/(\d+): (.*)$"));
static VERTEX: LazyLock<Option<Regex>> =
    LazyLock::new(|| regex(r"^#(\d+) \[(?:\S+ )?(\S+) (\d+)/(\d+)\] (.*)$"));
static NUMBERED: LazyLock<Option<Regex>> = LazyLock::new(|| regex(r"^#(\d+) (?:(\d+\.\d+) )?(.*)$"));

/// How the last line of podman and buildah begins, and how much of its instruction is read.
const ENDING: &str = "building at STEP \"";
const MOST_OF_ENDING: usize = 64 << 10;

static FAILED_STEP: LazyLock<Option<Regex>> =
    LazyLock::new(|| regex(r#"^(?:\S+: )?(?:\S+ )?building at STEP "(.*)": (.*)$"#));
/// What engines say of a program's exit code, most with the whole instruction.
static EXIT_CODE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let ends = [
        "subprocess exited with status",
        "(?:while running runtime: )?exit status",
        "error building at STEP .* exit status",
        "ERROR: executor failed running .* exit code:",
        "ERROR: process .* did not complete successfully: exit code:",
    ];
    regex(&format!(r#"^(?:time=\S+ level=\S+ msg=")?(?:{}) \d+"?$"#, ends.join("|")))
});

/// How the scripts of the stages begin a warning.
const WARNING: &str = "drvc: warning: ";

/// How the script that tries an earlier kernel's modules begins what it found.
const TRIAL: &str = "drvc reuse: ";

/// What errors look like, by how much they tell: the compiler's first.
static ERRORS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let kinds = [
        r"^(?:\S*/)?(?P<text>[^\s:]+:\d+(?::\d+)?: (?:fatal )?error: .+)$",
        r"(?P<text>ERROR: modpost: .+|(?:undefined reference to|multiple definition of) .+)$",
        r"^(?P<text>drvc: .+|[^:]+:version https://git-lfs\S*)$",
        r"^(?P<text>E: .+|Error: Unable to find .+|No match for argument.+|error: unable to .+)$",
        r"(?P<text>No space left on device)",
        r"^(?P<text>make(?:\[\d+\])?: \*\*\* .+)$",
        r"^(?P<text>.*(?:error|Error|fatal|cannot|not found).*)$",
    ];
    kinds.into_iter().filter_map(regex).collect()
});

fn regex(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

impl Progress {
    /// Of a build of a Dockerfile with these stages.
    #[must_use]
    pub fn new(stages: Vec<String>) -> Self {
        Self { stages, ..Self::default() }
    }

    /// Takes in a line. What comes back is the step that it begins, if it begins one.
    pub fn line(&mut self, line: &[u8]) -> Option<&Step> {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end();
        if let Some((number, step)) = self.classic(line) {
            self.is_classic = true;
            return Some(self.begin(number, step));
        }
        if let Some((number, step)) = self.vertex(line) {
            return Some(self.begin(number, step));
        }
        let (number, text) = numbered(line).filter(|_| !self.is_classic).unwrap_or((0, line));
        self.warnings.extend(text.strip_prefix(WARNING).map(str::to_owned));
        if let Some(found) = text.strip_prefix(TRIAL).and_then(|rest| rest.split_once(": ")) {
            self.trial = match found {
                ("yes", kernel) => Some(Trial::Reused(kernel.to_owned())),
                ("no", why) => Some(Trial::Compiled(why.to_owned())),
                _ => None,
            };
        }
        if self.is_classic {
            self.of_any(line);
            return None;
        }
        if number > 0 && text.starts_with("ERROR") && self.failed.is_none() && !text.contains("canceled") {
            self.failed = Some(number);
        }
        self.last = number;
        if let Some(line) = Line::of(text) {
            self.running.entry(number).or_default().take(&line);
        }
        None
    }

    fn begin(&mut self, number: u32, step: Step) -> &Step {
        self.started += 1;
        self.last = number;
        let started = self.started;
        let vertex = self.running.entry(number).or_default();
        if self.is_classic {
            *vertex = Vertex::default();
        }
        vertex.started = started;
        vertex.step = step;
        &vertex.step
    }

    /// A line of podman or buildah.
    fn of_any(&mut self, line: &str) {
        let begun = self.ending.take().filter(|begun| begun.len() < MOST_OF_ENDING);
        let whole = begun.map_or_else(|| line.to_owned(), |begun| format!("{begun} {line}"));
        let begins = whole.contains(ENDING);
        if let Some(found) = FAILED_STEP.as_ref().and_then(|pattern| pattern.captures(&whole)) {
            let text = |at: usize| found.get(at).map_or("", |text| text.as_str());
            let same = |vertex: &Vertex| same_instruction(&vertex.step.instruction, text(1));
            let named = self.running.iter().filter(|(_, vertex)| same(vertex));
            let named = named.max_by_key(|(_, vertex)| vertex.started).map(|(&number, _)| number);
            self.failed = self.failed.or(named);
            self.ending = Some(whole.clone()).filter(|_| named.is_none());
            let cause = Line::of(text(2));
            let vertex = self.running.get_mut(&named.unwrap_or(self.last));
            vertex.into_iter().zip(cause).for_each(|(vertex, cause)| vertex.take(&cause));
            return;
        }
        if begins {
            self.ending = Some(whole);
            return;
        }
        if let Some(line) = Line::of(line) {
            self.running.values_mut().for_each(|vertex| vertex.take(&line));
        }
    }

    fn classic(&self, line: &str) -> Option<(u32, Step)> {
        let found = CLASSIC.as_ref()?.captures(line)?;
        let number = |at: usize| found.get(at).and_then(|text| text.as_str().parse::<u32>().ok());
        let at = number(1).unwrap_or(1);
        let stage = self.stages.get(usize::try_from(at.checked_sub(1)?).ok()?);
        let step = Step {
            stage: stage.cloned().unwrap_or_default(),
            at: number(2)?,
            of: number(3)?,
            instruction: found.get(4)?.as_str().to_owned(),
        };
        Some((at, step))
    }

    fn vertex(&self, line: &str) -> Option<(u32, Step)> {
        let found = VERTEX.as_ref()?.captures(line)?;
        let number = |at: usize| found.get(at).and_then(|text| text.as_str().parse::<u32>().ok());
        let name = found.get(2)?.as_str();
        // A stage without a name is called by its place.
        let unnamed = name.strip_prefix("stage-").and_then(|at| self.stages.get(at.parse::<usize>().ok()?));
        Some((
            number(1)?,
            Step {
                stage: unnamed.map_or(name, String::as_str).to_owned(),
                at: number(3)?,
                of: number(4)?,
                instruction: found.get(5)?.as_str().to_owned(),
            },
        ))
    }

    /// What came of an earlier kernel's modules, where they were tried.
    pub const fn trial(&self) -> Option<&Trial> {
        self.trial.as_ref()
    }

    /// What the scripts of the stages have warned of.
    pub fn warnings(&self) -> impl Iterator<Item = &str> {
        self.warnings.iter().map(String::as_str)
    }

    /// Where it was when it failed, what went wrong first, and the lines that tell it: those behind the first error, and the
    /// last ones.
    #[must_use]
    pub fn failure(&self) -> (Option<Step>, Option<String>, Vec<String>) {
        let vertex = self.running.get(&self.failed.unwrap_or(self.last));
        let vertex = vertex.or_else(|| self.running.values().next_back());
        let Some(vertex) = vertex else { return (None, None, Vec::new()) };
        let step = (!vertex.step.instruction.is_empty()).then(|| vertex.step.clone());
        let error = vertex.error.as_ref().map(|(_, text, _)| text.clone());
        (step, error, vertex.lines())
    }
}

/// Whether two texts are one instruction: engines leave out options, join lines, and print exec form without its signs, in
/// one of them.
fn same_instruction(one: &str, other: &str) -> bool {
    let plain = |text: &str| -> Option<String> {
        let (head, list) = text.split_at(text.find('[')?);
        let words: Vec<String> = serde_json::from_str(list).ok()?;
        Some(format!("{head}{}", words.join(" ")))
    };
    let words = |text: &str| -> Vec<String> {
        plain(text)
            .unwrap_or_else(|| text.to_owned())
            .split_whitespace()
            .filter(|word| !word.starts_with("--") && *word != "\\")
            .map(str::to_owned)
            .collect()
    };
    words(one) == words(other)
}

/// A line that says something, and the error in it.
struct Line {
    text: String,
    /// How much it tells, smallest first, and what.
    error: Option<(u8, String)>,
}

impl Line {
    fn of(text: &str) -> Option<Self> {
        let text: String = text.chars().take(LONGEST).collect();
        let says_nothing = EXIT_CODE.as_ref().is_some_and(|pattern| pattern.is_match(&text));
        if says_nothing || text.trim().is_empty() || text.starts_with("sha256:") {
            return None;
        }
        let mut kinds = (0u8..).zip(ERRORS.iter()).filter(|_| !text.starts_with(WARNING));
        let error = kinds.find_map(|(class, pattern)| {
            Some((class, pattern.captures(&text)?.name("text")?.as_str().to_owned()))
        });
        Some(Self { text, error })
    }
}

impl Vertex {
    fn take(&mut self, line: &Line) {
        match (&mut self.error, &line.error) {
            (known, Some((class, error))) if known.as_ref().is_none_or(|(known, ..)| class < known) => {
                *known = Some((*class, error.clone(), vec![line.text.clone()]));
            }
            (Some((.., behind)), _) if behind.len() < TAIL / 2 => behind.push(line.text.clone()),
            _ => {}
        }
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line.text.clone());
    }

    /// The last lines; where the first error is not among them, it and what is behind it, and fewer of the last ones.
    fn lines(&self) -> Vec<String> {
        let last = self.tail.iter();
        match &self.error {
            Some((_, _, behind)) if behind.first().is_some_and(|first| !self.tail.contains(first)) => {
                let dots = "…".to_owned();
                behind.iter().cloned().chain([dots]).chain(last.skip(TAIL / 2).cloned()).collect()
            }
            _ => last.cloned().collect(),
        }
    }
}

fn numbered(line: &str) -> Option<(u32, &str)> {
    let found = NUMBERED.as_ref()?.captures(line)?;
    Some((found.get(1)?.as_str().parse().ok()?, found.get(3)?.as_str()))
}

#[cfg(test)]
mod tests;
