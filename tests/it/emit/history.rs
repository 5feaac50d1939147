//! After any history of edits, tampering and rollbacks, the outputs are those of a clean compilation.

use super::{Compile, MANIFEST, Project, path, same, toy};
use camino::Utf8Path;
use drvc::compiler::compile::{Request, compile};
use drvc::compiler::outputs::{Outputs, Rope};
use drvc::store::emit::{self, Compiled, Job, Run};
use drvc::system::fs::Reader;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// One thing that happens to a project between two runs; numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Event {
    Edit { input: usize, text: usize },
    Delete { input: usize },
    Touch { input: usize },
    Executable { input: usize },
    Tamper { output: usize, how: usize },
    Stray { sealed: bool, name: usize },
    Remember,
    Rollback { state_only: bool },
    Damage { byte: usize },
    Run { verify: bool },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..9usize, 0..3usize).prop_map(|(input, text)| Event::Edit { input, text }),
        2 => (0..9usize).prop_map(|input| Event::Delete { input }),
        1 => (0..9usize).prop_map(|input| Event::Touch { input }),
        1 => (0..9usize).prop_map(|input| Event::Executable { input }),
        3 => (0..9usize, 0..5usize).prop_map(|(output, how)| Event::Tamper { output, how }),
        2 => (any::<bool>(), 0..3usize).prop_map(|(sealed, name)| Event::Stray { sealed, name }),
        1 => Just(Event::Remember),
        1 => any::<bool>().prop_map(|state_only| Event::Rollback { state_only }),
        1 => (0..400usize).prop_map(|byte| Event::Damage { byte }),
        6 => prop::bool::weighted(0.1).prop_map(|verify| Event::Run { verify }),
    ]
}

/// What the property needs to know of a compiler: inputs, and texts that each may have.
struct Subject {
    inputs: &'static [(&'static str, [&'static str; 3])],
    compile: Compile,
}

const TOY: Subject = Subject {
    inputs: &[
        (MANIFEST, ["one two", "two tri", "one"]),
        ("src/one/a.c", ["a", "b", "cc"]),
        ("src/one/deep/b.c", ["a", "b", "cc"]),
        ("src/one/.gitignore", ["deep", "a.c", "*.c"]),
        (".gitignore", ["", "a.c", "b.c"]),
        ("src/two/a.c", ["a", "b", "cc"]),
        ("src/tri/x.o", ["a", "b", "cc"]),
    ],
    compile: toy,
};

/// The real compiler, on a manifest that can also be wrong.
const REAL: Subject = Subject {
    inputs: &[
        (MANIFEST, [include_str!("one.kdl"), include_str!("two.kdl"), include_str!("wrong.kdl")]),
        ("driver/Makefile", ["obj-m := ticker.o\n", "obj-m += ticker.o\n", "# nothing\n"]),
        ("driver/ticker.c", ["int a;\n", "int b;\n", "long c;\n"]),
        ("driver/.gitignore", ["*.o\n", "", "*.c\n"]),
        ("driver/old.o", ["1", "2", "34"]),
        ("fix.patch", ["--- a\n+++ b\n", "--- a\n+++ c\n", ""]),
    ],
    compile: real,
};

fn real(reader: &Reader) -> Compiled<()> {
    let request =
        Request { manifest: path(MANIFEST), out: path("out"), max_targets: 100, settings: Vec::new() };
    let outputs = compile(reader, &request).plan.map(|compiled| compiled.into_outputs());
    Compiled { outputs, memo: String::new(), rest: () }
}

/// A project with a history, and what an observer has to remember of it.
struct History {
    subject: Subject,
    project: Project,
    mine: BTreeSet<String>,
    remembered: bool,
}

impl History {
    fn happen(&mut self, event: &Event) {
        let project = &self.project;
        let input = |number: usize| self.subject.inputs[number % self.subject.inputs.len()];
        match *event {
            Event::Edit { input: number, text } => project.write(input(number).0, input(number).1[text]),
            Event::Delete { input: number } => drop(fs::remove_file(project.at(input(number).0))),
            Event::Touch { input: number } => {
                if let Ok(bytes) = fs::read(project.at(input(number).0)) {
                    fs::write(project.at(input(number).0), bytes).unwrap();
                }
            }
            Event::Executable { input: number } => {
                let mode = fs::Permissions::from_mode(0o755);
                let _ = fs::set_permissions(project.at(input(number).0), mode);
            }
            Event::Tamper { output, how } => self.tamper(output, how),
            Event::Stray { sealed, name } => {
                let name = ["stray", "one/stray", "new/deep/stray"][name];
                let mut outputs = Outputs::new();
                outputs.insert(path(name), Rope::from("old"));
                let text = outputs.get(&path(name)).unwrap().text().to_string();
                project.write(&format!("out/{name}"), if sealed { &text } else { "mine" });
                if sealed {
                    self.mine.remove(name)
                } else {
                    self.mine.insert(name.to_owned())
                };
            }
            Event::Remember => {
                let _ = fs::remove_dir_all(project.at("remembered"));
                if project.at("out").exists() {
                    copy(&project.at("out"), &project.at("remembered"));
                    self.remembered = true;
                }
            }
            Event::Rollback { state_only } if self.remembered => self.roll_back(state_only),
            Event::Rollback { .. } => {}
            Event::Damage { byte } => {
                if let Ok(mut bytes) = fs::read(project.at("out/.drvc/state")) {
                    let at = byte % bytes.len();
                    bytes[at] ^= 1;
                    fs::write(project.at("out/.drvc/state"), bytes).unwrap();
                }
            }
            Event::Run { verify } => self.run_and_look(verify),
        }
    }

    /// Changes an output behind drvc's back.
    fn tamper(&self, output: usize, how: usize) {
        let files = self.project.outputs();
        let Some((name, (mut bytes, _))) =
            files.into_iter().filter(|(name, _)| !self.mine.contains(name)).nth(output)
        else {
            return;
        };
        let at = self.project.at("out").join(name);
        match how {
            0 => return fs::remove_file(at).unwrap(),
            1 => bytes.push(b'\n'),
            2 => *bytes.last_mut().unwrap() ^= 1,
            3 => bytes.truncate(bytes.len() / 2),
            _ => {}
        }
        fs::write(at, bytes).unwrap();
    }

    /// Restores what was remembered: the state alone, or the whole output directory.
    fn roll_back(&mut self, state_only: bool) {
        let (from, to) = (self.project.at("remembered"), self.project.at("out"));
        if state_only {
            if from.join(".drvc/state").exists() && to.join(".drvc").exists() {
                fs::copy(from.join(".drvc/state"), to.join(".drvc/state")).unwrap();
            }
            return;
        }
        let _ = fs::remove_dir_all(&to);
        copy(&from, &to);
        let mine = self.project.outputs().into_iter().filter(|(_, (bytes, _))| bytes == b"mine");
        self.mine = mine.map(|(name, _)| name).collect();
    }

    /// Runs, and holds the output directory against a clean compilation and against what was there before.
    fn run_and_look(&self, verify: bool) {
        let (project, compile) = (&self.project, self.subject.compile);
        let before = project.outputs();
        let run = |force| project.job(force, |job| emit::run(&Job { verify, ..*job }, compile)).unwrap();
        let first = run(false);
        let Some(expected) = project.expected(compile) else {
            assert!(matches!(first, Run::Refused(())), "{first:?}");
            assert_eq!(project.outputs(), before);
            return;
        };
        if let Run::Done { report, .. } = &first {
            for name in report.kept.iter().map(|kept| &kept.path) {
                assert_eq!(project.outputs()[name], before[name], "{name} was not kept as it was");
            }
        }
        let _ = run(true);
        let edited: BTreeSet<String> = edited(&before, &expected).collect();
        let others: BTreeSet<String> = self.mine.union(&edited).cloned().collect();
        same(project, &expected, &others);
        for (name, (bytes, identity)) in project.outputs() {
            let differed = before.get(&name).is_none_or(|(before, _)| *before != bytes);
            let rewritten = before.get(&name).is_none_or(|(_, before)| *before != identity);
            assert_eq!(differed, rewritten, "{name}: {first:?}");
        }
        let again = project.run(compile);
        assert!(matches!(again, Run::Fresh(_)), "{again:?}");
    }
}

/// Outputs of removed targets that were edited: nobody's business but the user's.
fn edited<'a>(
    before: &'a BTreeMap<String, (Vec<u8>, [i64; 3])>,
    expected: &'a Outputs,
) -> impl Iterator<Item = String> + 'a {
    let form = |name: &str| drvc::compiler::seal::Form::of(name);
    before
        .iter()
        .filter(move |(name, (bytes, _))| {
            expected.get(&path(name)).is_none() && drvc::compiler::seal::verify(form(name), bytes).is_none()
        })
        .map(|(name, _)| name.clone())
}

fn copy(from: &Utf8Path, to: &Utf8Path) {
    fs::create_dir_all(to).unwrap();
    for entry in from.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn live(subject: Subject, events: &[Event]) {
    let mut history =
        History { subject, project: Project::new(&[]), mine: BTreeSet::new(), remembered: false };
    events.iter().for_each(|event| history.happen(event));
    history.happen(&Event::Run { verify: false });
}

proptest! {
    #![proptest_config(crate::trials(48))]

    #[test]
    fn of_a_small_compiler(events in prop::collection::vec(event(), 1..40)) {
        live(TOY, &events);
    }

    #[test]
    fn of_the_real_compiler(events in prop::collection::vec(event(), 1..40)) {
        live(REAL, &events);
    }
}
