//! The output directory after any history is what a clean compilation makes, and nothing else was touched.

mod history;
mod hostile;

use camino::{Utf8Path, Utf8PathBuf};
use drvc::compiler::inputs::{Rules, walk};
use drvc::compiler::outputs::{Outputs, Rope};
use drvc::store::emit::{self, Compiled, DriftKind, Job, Report, Run, Why};
use drvc::system::fs::{Disk, Reader};
use drvc::text::ids::RelPath;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
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
        then(&Job {
            root: &root,
            out: &out,
            request,
            force,
            verify: false,
            patience,
            waiting: &|| {},
            phase: &|_| {},
        })
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

    /// What a clean compilation makes, unless it refuses.
    fn expected(&self, compile: Compile) -> Option<Outputs> {
        let disk = Disk::open(&self.root).unwrap();
        compile(&Reader::new(&disk).hide(path("out"))).outputs
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
        let walked =
            walk(reader, &path(&format!("src/{image}")), &Rules::new(&[], &["*.o".to_owned()]).unwrap());
        let mut text = Rope::from(shared.clone());
        for (file, digest) in walked.files {
            text.push(format!("COPY {file} {} {:?}\n", digest.executable, digest.digest));
        }
        text.push(format!("# {} refused\n", walked.refused.len()));
        outputs.insert(path(&format!("{image}/el9/Dockerfile")), text);
        outputs.insert(path(&format!("{image}/el9/Dockerfile.dockerignore")), Rope::from("*\n"));
        plan.push_str(&format!("\n\"{image}\","));
    }
    outputs.insert(path("plan.json"), Rope::from(plan + "\"\"]}\n"));
    Compiled { outputs: Some(outputs), memo: "note".to_owned(), rest: () }
}

const FILES: &[(&str, &str)] = &[(MANIFEST, "one two"), ("src/one/a.c", "a"), ("src/two/b.c", "b")];

/// Asserts that the output directory holds these outputs, and besides only `others`.
fn same(project: &Project, expected: &Outputs, others: &BTreeSet<String>) {
    let mut found = project.outputs();
    for (path, output) in expected.iter() {
        let (bytes, _) = found.remove(path.as_str()).unwrap_or_else(|| panic!("{path} is missing"));
        assert_eq!(String::from_utf8_lossy(&bytes), output.text(), "{path}");
    }
    assert_eq!(found.into_keys().collect::<BTreeSet<_>>(), *others);
}

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
fn check_lists_what_a_run_would_change_and_changes_nothing() {
    let project = Project::new(FILES);
    let check = || {
        let outputs = project.expected(toy).unwrap();
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
    let expected = project.expected(toy).unwrap();
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
