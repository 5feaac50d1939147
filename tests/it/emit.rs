//! The output directory after any history is what a clean compilation makes, and nothing else was touched.

use camino::{Utf8Path, Utf8PathBuf};
use drvc::emit::{self, Compiled, DriftKind, Job, Report, Run, Why};
use drvc::fs::{Disk, Reader, Rules, walk};
use drvc::ids::RelPath;
use drvc::outputs::{Outputs, Rope};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::time::Duration;

fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

/// A directory with a manifest, files, and outputs in `out`.
struct Project {
    _home: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Project {
    fn new(files: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(home.path()).unwrap().join("project");
        fs::create_dir(&root).unwrap();
        let project = Self { _home: home, root };
        files.iter().for_each(|(file, text)| project.write(file, text));
        project
    }

    fn at(&self, file: &str) -> Utf8PathBuf {
        self.root.join(file)
    }

    fn write(&self, file: &str, text: &str) {
        fs::create_dir_all(self.at(file).parent().unwrap()).unwrap();
        fs::write(self.at(file), text).unwrap();
    }

    fn job<T>(&self, force: bool, then: impl FnOnce(&Job) -> T) -> T {
        let (root, out) = (Disk::open(&self.root).unwrap(), path("out"));
        let (request, patience) = ([0; 32], Duration::from_secs(60));
        then(&Job { root: &root, out: &out, request, force, verify: false, patience, waiting: &|| {} })
    }

    fn run(&self, compile: Compile) -> Run<()> {
        self.job(false, |job| emit::run(job, compile)).unwrap()
    }

    fn report(&self, force: bool, compile: Compile) -> Report {
        match self.job(force, |job| emit::run(job, compile)).unwrap() {
            Run::Done { report, .. } => report,
            Run::Fresh(_) => Report::default(),
            Run::Refused(()) => panic!("no outputs"),
        }
    }

    fn expected(&self, compile: Compile) -> Outputs {
        let disk = Disk::open(&self.root).unwrap();
        compile(&Reader::new(&disk).hide(path("out"))).outputs.unwrap()
    }

    /// Every file in the output directory but `.drvc`, with inode and times.
    fn outputs(&self) -> BTreeMap<String, (Vec<u8>, [i64; 3])> {
        let mut files = BTreeMap::new();
        let mut directories = vec![self.at("out")];
        while let Some(directory) = directories.pop() {
            for entry in directory.read_dir_utf8().into_iter().flatten() {
                let entry = entry.unwrap();
                let (path, meta) = (entry.path(), entry.path().symlink_metadata().unwrap());
                let name = path.strip_prefix(self.at("out")).unwrap();
                if meta.is_dir() && name != ".drvc" {
                    directories.push(path.to_owned());
                } else if meta.is_file() {
                    let identity = [meta.ino() as i64, meta.mtime_nsec(), meta.ctime_nsec()];
                    files.insert(name.to_string(), (fs::read(path).unwrap(), identity));
                }
            }
        }
        files
    }
}

type Compile = fn(&Reader) -> Compiled<()>;

const MANIFEST: &str = "drivers.kdl";

/// A small compiler: each line of the manifest names an image, whose Dockerfile holds the files in `src/IMAGE`.
fn toy(reader: &Reader) -> Compiled<()> {
    let manifest = reader.read(&path(MANIFEST), 1 << 10).unwrap_or_default();
    let shared: std::sync::Arc<str> = "FROM scratch AS tools\n".into();
    let mut outputs = Outputs::new();
    let mut plan = String::from("{\n\"targets\": [");
    for image in String::from_utf8_lossy(&manifest).split_whitespace() {
        let walked = walk(reader, &path(&format!("src/{image}")), &Rules::new(&[], &["*.o"]).unwrap());
        let mut text = Rope::from(shared.clone());
        for (file, digest) in walked.files {
            text.push(format!("COPY {file} {} {:?}\n", digest.executable, digest.digest));
        }
        text.push(format!("# {} refused\n", walked.refused.len()));
        outputs.insert(path(&format!("{image}/el9/Dockerfile")), &text);
        outputs.insert(path(&format!("{image}/el9/Dockerfile.dockerignore")), &Rope::from("*\n"));
        plan.push_str(&format!("\n\"{image}\","));
    }
    outputs.insert(path("plan.json"), &Rope::from(plan + "\"\"]}\n"));
    Compiled { outputs: Some(outputs), memo: "note".to_owned(), rest: () }
}

const FILES: &[(&str, &str)] = &[(MANIFEST, "one two"), ("src/one/a.c", "a"), ("src/two/b.c", "b")];

#[test]
fn a_second_run_does_nothing_until_something_changes() {
    let project = Project::new(FILES);
    assert_eq!(project.report(false, toy).written, 5);
    let before = project.outputs();
    let fresh = |what: &str| match project.run(toy) {
        Run::Fresh(memo) => assert_eq!(memo, "note"),
        run => panic!("{what}: {run:?}"),
    };
    fresh("nothing");
    project.write("src/one/a.c", "a");
    fresh("same bytes again");
    project.write("drivers.lock", "not read");
    fresh("a file that is no input");
    project.write("src/one/x.o", "ignored, but its directory has changed");
    assert_eq!(project.report(false, toy), Report { unchanged: 5, ..Report::default() });
    assert_eq!(project.outputs(), before);
    project.write("src/one/a.c", "A");
    assert_eq!(project.report(false, toy), Report { written: 1, unchanged: 4, ..Report::default() });
    fs::write(project.at("src/two/new.c"), "").unwrap();
    assert_eq!(project.report(false, toy).written, 1);
    fresh("after all that");
}

#[test]
fn what_drvc_did_not_write_is_kept_and_named() {
    let project = Project::new(FILES);
    project.write("out/one/el9/Dockerfile", "FROM mine\n");
    project.write("out/notes.txt", "mine");
    let report = project.report(false, toy);
    assert_eq!(report.written, 4);
    let kept: Vec<_> = report.kept.iter().map(|kept| (kept.path.as_str(), kept.why)).collect();
    assert_eq!(kept, [("one/el9/Dockerfile", Why::Foreign)]);
    assert_eq!(fs::read(project.at("out/one/el9/Dockerfile")).unwrap(), b"FROM mine\n");
    assert_eq!(project.report(false, toy).kept.len(), 1, "it is named until it is gone");
    assert_eq!(project.report(true, toy).written, 1);
    project.write(MANIFEST, "two");
    assert_eq!(project.report(false, toy).deleted, 2);
    assert!(!project.at("out/one").exists());
    assert_eq!(fs::read(project.at("out/notes.txt")).unwrap(), b"mine");
    assert!(matches!(project.run(toy), Run::Fresh(_)));
    let cleaned = project.job(false, emit::clean).unwrap();
    assert_eq!((cleaned.deleted, cleaned.kept.as_slice()), (3, &["notes.txt".to_owned()][..]));
    fs::remove_file(project.at("out/notes.txt")).unwrap();
    let _ = project.job(false, emit::clean).unwrap();
    assert!(!project.at("out").exists());
}

#[test]
fn nothing_is_written_through_what_stands_in_the_way() {
    for (at, make) in [
        ("out/one/el9/Dockerfile", (|at| symlink("../../../victim", at).unwrap()) as fn(&Utf8Path)),
        ("out/one/el9", |at| symlink("../../elsewhere", at).unwrap()),
        ("out/one", |at| fs::write(at, "a file").unwrap()),
        ("out/one/el9/Dockerfile", |at| fs::create_dir(at).unwrap()),
        ("out/one/el9/Dockerfile", |at| {
            rustix::fs::mkfifoat(rustix::fs::CWD, at.as_str(), rustix::fs::Mode::RWXU).unwrap();
        }),
    ] {
        let project = Project::new(FILES);
        project.write("victim", "victim");
        fs::create_dir(project.at("elsewhere")).unwrap();
        fs::create_dir_all(project.at(at).parent().unwrap()).unwrap();
        make(&project.at(at));
        let before = project.at(at).symlink_metadata().unwrap();
        for force in [false, true] {
            let report = project.report(force, toy);
            let kept: Vec<_> =
                report.kept.iter().map(|kept| (format!("out/{}", kept.path), kept.why)).collect();
            assert_eq!(kept, [(at.to_owned(), Why::InTheWay)]);
        }
        let after = project.at(at).symlink_metadata().unwrap();
        assert_eq!((before.ino(), before.mode()), (after.ino(), after.mode()), "{at}");
        assert_eq!(fs::read(project.at("victim")).unwrap(), b"victim");
        assert_eq!(fs::read_dir(project.at("elsewhere")).unwrap().count(), 0);
    }
    for at in ["out", "out/.drvc"] {
        let project = Project::new(FILES);
        fs::create_dir(project.at("elsewhere")).unwrap();
        fs::create_dir_all(project.at(at).parent().unwrap()).unwrap();
        symlink(project.at("elsewhere"), project.at(at)).unwrap();
        let error = project.job(false, |job| emit::run(job, toy)).unwrap_err().to_string();
        assert!(error.contains("`out`"), "{error}");
        assert_eq!(fs::read_dir(project.at("elsewhere")).unwrap().count(), 0);
    }
}

#[test]
fn another_name_of_an_output_keeps_what_it_had() {
    let project = Project::new(FILES);
    let _ = project.run(toy);
    let backup = project.at("backup");
    fs::hard_link(project.at("out/one/el9/Dockerfile"), &backup).unwrap();
    let before = fs::read(&backup).unwrap();
    project.write("src/one/a.c", "A");
    assert_eq!(project.report(false, toy).written, 1);
    assert_eq!(fs::read(&backup).unwrap(), before);
}

#[test]
fn check_lists_what_a_run_would_change_and_changes_nothing() {
    let project = Project::new(FILES);
    let check = || {
        let outputs = project.expected(toy);
        project.job(false, |job| {
            let all = emit::check(job.root, job.out, &outputs).unwrap();
            let diff = |drift| emit::diff(job.root, job.out, &outputs, drift).unwrap();
            all.iter().map(|drift| (drift.path.clone(), drift.kind, diff(drift))).collect::<Vec<_>>()
        })
    };
    assert_eq!(check().len(), 5);
    assert!(!project.at("out").exists());
    let _ = project.run(toy);
    assert_eq!(check(), []);
    project.write(MANIFEST, "two three");
    project.write("out/two/el9/Dockerfile", "FROM mine\n");
    let found = check();
    let kinds: Vec<_> = found.iter().map(|(path, kind, _)| (path.as_str(), *kind)).collect();
    let expected = [
        ("one/el9/Dockerfile", DriftKind::Leftover),
        ("one/el9/Dockerfile.dockerignore", DriftKind::Leftover),
        ("plan.json", DriftKind::Stale),
        ("three/el9/Dockerfile", DriftKind::Missing),
        ("three/el9/Dockerfile.dockerignore", DriftKind::Missing),
        ("two/el9/Dockerfile", DriftKind::Foreign),
    ];
    assert_eq!(kinds, expected);
    let diff = &found[5].2;
    assert!(diff.starts_with("--- a/out/two/el9/Dockerfile\n+++ b/out/two/el9/Dockerfile\n"), "{diff}");
    assert!(diff.contains("\n-FROM mine\n+"), "{diff}");
    assert!(found[3].2.starts_with("--- /dev/null\n"));
}

#[test]
fn a_state_from_elsewhere_is_not_believed() {
    let project = Project::new(FILES);
    let _ = project.run(toy);
    // A copy of the project in which an output was replaced by another sealed one, and the state knows its seal.
    let other = Project::new(&[(MANIFEST, "one"), ("src/one/a.c", "evil")]);
    let _ = other.run(toy);
    fs::remove_dir_all(project.at("out")).unwrap();
    let copied =
        std::process::Command::new("cp").args(["-a"]).arg(other.at("out")).arg(project.at("out")).status();
    assert!(copied.unwrap().success());
    project.write(MANIFEST, "one");
    other.write("src/one/a.c", "a");
    assert_eq!(project.report(false, toy).written, 1);
}

#[test]
fn runs_in_one_directory_take_turns() {
    let project = Project::new(FILES);
    let expected = project.expected(toy);
    std::thread::scope(|scope| {
        let run = || (0..20).for_each(|_| assert_eq!(project.report(false, toy).kept, []));
        let spoil = || {
            for round in 0..50 {
                let _ = fs::remove_file(project.at("out/one/el9/Dockerfile"));
                let _ = fs::remove_file(project.at("out/plan.json"));
                if round % 10 == 0 {
                    let _ = fs::remove_file(project.at("out/.drvc/state"));
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        };
        let runs: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
        scope.spawn(spoil).join().unwrap();
        runs.into_iter().for_each(|run| run.join().unwrap());
    });
    assert_eq!(project.report(false, toy).kept, []);
    same(&project, &expected, &BTreeSet::new());
}

/// Asserts that the output directory holds these outputs, and besides only `others`.
fn same(project: &Project, expected: &Outputs, others: &BTreeSet<String>) {
    let mut found = project.outputs();
    for (path, output) in expected.iter() {
        let (bytes, _) = found.remove(path.as_str()).unwrap_or_else(|| panic!("{path} is missing"));
        assert_eq!(String::from_utf8_lossy(&bytes), output.text().to_string(), "{path}");
    }
    assert_eq!(found.into_keys().collect::<BTreeSet<_>>(), *others);
}

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
                let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
                let _ = fs::set_permissions(project.at(input(number).0), mode);
            }
            Event::Tamper { output, how } => self.tamper(output, how),
            Event::Stray { sealed, name } => {
                let name = ["stray", "one/stray", "new/deep/stray"][name];
                let mut outputs = Outputs::new();
                outputs.insert(path(name), &Rope::from("old"));
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
        let expected = project.expected(compile);
        let before = project.outputs();
        let run = |force| project.job(force, |job| emit::run(&Job { verify, ..*job }, compile)).unwrap();
        let first = run(false);
        let kept: Vec<String> = match &first {
            Run::Done { report, .. } => report.kept.iter().map(|kept| kept.path.clone()).collect(),
            Run::Fresh(_) | Run::Refused(()) => Vec::new(),
        };
        for name in &kept {
            assert_eq!(project.outputs()[name], before[name], "{name} was not kept as it was");
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
    let form = |name: &str| drvc::seal::Form::of(name);
    before
        .iter()
        .filter(move |(name, (bytes, _))| {
            expected.get(&path(name)).is_none() && drvc::seal::verify(form(name), bytes).is_none()
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_any_history_the_outputs_are_those_of_a_clean_compilation(
        events in prop::collection::vec(event(), 1..40),
    ) {
        let project = Project::new(&[]);
        let mut history = History { subject: TOY, project, mine: BTreeSet::new(), remembered: false };
        for event in &events {
            history.happen(event);
        }
        history.happen(&Event::Run { verify: false });
    }
}
