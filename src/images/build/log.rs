//! What an engine says while it builds, line by line, to where it is, what went wrong first, and the last lines.

use regex::Regex;
use std::collections::{BTreeMap, VecDeque};
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
#[derive(Debug)]
pub struct Progress {
    /// The stages of the Dockerfile, in order.
    stages: Vec<String>,
    /// What runs now; BuildKit runs several, by number.
    running: BTreeMap<u32, Vertex>,
    /// The number of what was spoken of last.
    last: u32,
    failed: Option<u32>,
}

#[derive(Debug, Default)]
struct Vertex {
    step: Step,
    tail: VecDeque<String>,
    /// The first error and how much it tells, smallest first.
    error: Option<(u8, String)>,
}

static CLASSIC: LazyLock<Option<Regex>> =
    LazyLock::new(|| regex(r"^(?:\[(\d+)/\d+\] )?STEP (\d+)/(\d+): (.*)$"));
static VERTEX: LazyLock<Option<Regex>> =
    LazyLock::new(|| regex(r"^#(\d+) \[(?:\S+ )?(\S+) (\d+)/(\d+)\] (.*)$"));
static NUMBERED: LazyLock<Option<Regex>> = LazyLock::new(|| regex(r"^#(\d+) (?:(\d+\.\d+) )?(.*)$"));

/// What errors look like, by how much they tell: the compiler's first.
static ERRORS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let kinds = [
        r"^(?:\S*/)?(?P<text>[^\s:]+:\d+(?::\d+)?: (?:fatal )?error: .+)$",
        r"(?P<text>ERROR: modpost: .+|(?:undefined reference to|multiple definition of) .+)$",
        r"^(?P<text>drvc: .+)$",
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
        Self { stages, running: BTreeMap::new(), last: 0, failed: None }
    }

    /// Takes in a line. What comes back is the step that it begins, if it begins one.
    pub fn line(&mut self, line: &[u8]) -> Option<&Step> {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end();
        if let Some(step) = self.classic(line) {
            // Podman and buildah take one step after the other.
            self.running = BTreeMap::from([(0, Vertex { step, ..Vertex::default() })]);
            self.last = 0;
            return self.running.get(&0).map(|vertex| &vertex.step);
        }
        if let Some((number, step)) = self.vertex(line) {
            let vertex = self.running.entry(number).or_default();
            vertex.step = step;
            self.last = number;
            return Some(&vertex.step);
        }
        let (number, text) = match numbered(line) {
            Some((number, text)) => (number, text),
            None => (0, line),
        };
        if number > 0 && text.starts_with("ERROR") && self.failed.is_none() && !text.contains("canceled") {
            self.failed = Some(number);
        }
        self.last = number;
        self.running.entry(number).or_default().take(text);
        None
    }

    fn classic(&self, line: &str) -> Option<Step> {
        let found = CLASSIC.as_ref()?.captures(line)?;
        let number = |at: usize| found.get(at).and_then(|text| text.as_str().parse::<u32>().ok());
        let stage = number(1).unwrap_or(1);
        let stage = self.stages.get(usize::try_from(stage.checked_sub(1)?).ok()?);
        Some(Step {
            stage: stage.cloned().unwrap_or_default(),
            at: number(2)?,
            of: number(3)?,
            instruction: found.get(4)?.as_str().to_owned(),
        })
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

    /// Where it was when it failed, what went wrong first, and the last lines that were said there.
    #[must_use]
    pub fn failure(&self) -> (Option<Step>, Option<String>, Vec<String>) {
        let vertex = self.running.get(&self.failed.unwrap_or(self.last));
        let vertex = vertex.or_else(|| self.running.values().next_back());
        let Some(vertex) = vertex else { return (None, None, Vec::new()) };
        let step = (!vertex.step.instruction.is_empty()).then(|| vertex.step.clone());
        let error = vertex.error.as_ref().map(|(_, text)| text.clone());
        (step, error, vertex.tail.iter().cloned().collect())
    }
}

impl Vertex {
    fn take(&mut self, text: &str) {
        let text: String = text.chars().take(LONGEST).collect();
        if text.trim().is_empty() || text.starts_with("sha256:") {
            return;
        }
        for (class, pattern) in (0u8..).zip(ERRORS.iter()) {
            let told = self.error.as_ref().is_none_or(|(known, _)| class < *known);
            if let Some(found) = pattern.captures(&text).and_then(|found| found.name("text")).filter(|_| told)
            {
                self.error = Some((class, found.as_str().to_owned()));
                break;
            }
        }
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(text);
    }
}

fn numbered(line: &str) -> Option<(u32, &str)> {
    let found = NUMBERED.as_ref()?.captures(line)?;
    Some((found.get(1)?.as_str().parse().ok()?, found.get(3)?.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Progress {
        let stages = ["tools", "source-x", "kernel", "module-a", "image-i"];
        let mut progress = Progress::new(stages.map(str::to_owned).to_vec());
        for line in text.lines() {
            let _ = progress.line(line.as_bytes());
        }
        progress
    }

    #[test]
    fn both_families_of_engines_say_where_they_fail() {
        let buildah = "[1/5] STEP 1/2: FROM debian AS tools\n[1/5] STEP 2/2: RUN echo tools\ntools\n\
            [4/5] STEP 3/3: RUN make\nmake: Entering directory\n\
            /usr/src/drvc/a/foo.c:10:3: error: nope\n/usr/src/drvc/a/foo.c:11:3: error: nor this\n\
            make: *** [Makefile:1: all] Error 2\nsubprocess exited with status 2\n\
            Error: building at STEP \"RUN make\": exit status 2\n";
        let buildkit = "#6 [tools 1/2] FROM debian\n#6 CACHED\n#7 [tools 2/2] RUN echo tools\n#7 0.144 tools\n\
            #7 DONE 0.2s\n#12 [module-a 3/3] RUN make\n#12 sha256:dff1\n#12 0.086 make: Entering directory\n\
            #13 [stage-4 2/2] RUN other\n#13 CANCELED\n#12 0.1 /usr/src/drvc/a/foo.c:10:3: error: nope\n\
            #12 0.2 make: *** [Makefile:1: all] Error 2\n#12 ERROR: executor failed running: exit code: 2\n------\n\
            > [module-a 3/3] RUN make:\n------\nexecutor failed running [/bin/sh -c make]: exit code: 2\n";
        for text in [buildah, buildkit] {
            let (step, error, tail) = read(text).failure();
            let expected = Step { stage: "module-a".into(), at: 3, of: 3, instruction: "RUN make".into() };
            assert_eq!(step, Some(expected));
            assert_eq!(error.as_deref(), Some("foo.c:10:3: error: nope"));
            assert_eq!(tail[0], "make: Entering directory");
        }
    }

    #[test]
    fn what_tells_most_is_the_error() {
        for (text, error) in [
            (
                "make: *** no\nERROR: modpost: \"f\" [x.ko] undefined!\n",
                "ERROR: modpost: \"f\" [x.ko] undefined!",
            ),
            ("drvc: no x.ko\nError: building at STEP \"RUN x\": exit status 1\n", "drvc: no x.ko"),
            (
                "E: Unable to locate package linux-headers-1\nError: building",
                "E: Unable to locate package linux-headers-1",
            ),
            ("write /x: No space left on device\n", "No space left on device"),
            ("Error: it is late\n", "Error: it is late"),
        ] {
            assert_eq!(read(text).failure().1.as_deref(), Some(error));
        }
        assert_eq!(read("hello\n").failure().1, None);
    }
}
