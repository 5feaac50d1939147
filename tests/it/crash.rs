//! Runs that are killed, that meet a full disk, or that run all at once: no file is torn, and the next run heals.
//!
//! `THOROUGH=1 cargo test crash` tries every system call instead of a sample.

use crate::repository;
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output, Stdio};

/// Two manifests, so that going from one to the other writes, overwrites and deletes.
const KERNELS: [&str; 2] =
    [r#"kernel "6.1.0-56-amd64" "6.1.0-56-cloud-amd64""#, r#"kernel "6.1.0-56-amd64" "6.1.0-56-rt-amd64""#];
const STEP: [&str; 2] = ["2", "3"];

struct Project {
    _home: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Project {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(home.path()).unwrap().to_owned();
        copy(&repository("examples/06-build-here/driver"), &root.join("driver"));
        Self { _home: home, root }
    }

    /// Puts one of the two manifests in place.
    fn edit(&self, version: usize) {
        let manifest = fs::read_to_string(repository("examples/06-build-here/drivers.kdl")).unwrap();
        let kernel = manifest.lines().find(|line| line.trim_start().starts_with("kernel ")).unwrap();
        let manifest = manifest.replace(kernel, KERNELS[version]);
        fs::write(
            self.root.join("drivers.kdl"),
            manifest.replace("step=\"2\"", &format!("step={:?}", STEP[version])),
        )
        .unwrap();
    }

    fn drvc(&self) -> Command {
        self.command(env!("CARGO_BIN_EXE_drvc"))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Runs `drvc`, with something injected into the `nth` system call of this name in each thread; and whether there
    /// was such a call.
    fn injected(&self, argument: &str, call: &str, what: &str, nth: usize) -> (Output, bool) {
        let log = tempfile::NamedTempFile::new().unwrap();
        let mut command = self.command("strace");
        command.env("RAYON_NUM_THREADS", "1");
        command.args(["-f", "-qq", "-e", &format!("trace={call}"), "-o"]).arg(log.path());
        command.args(["-e", &format!("inject={call}:{what}:when={nth}")]);
        let output = command.args([env!("CARGO_BIN_EXE_drvc"), argument]).output().unwrap();
        let hit = is_disturbed(&output, &std::fs::read(log.path()).unwrap());
        (output, hit)
    }

    fn compile(&self) {
        let output = self.drvc().arg("compile").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn forget(&self) {
        let _ = fs::remove_dir_all(self.root.join("drivers.out"));
    }

    /// Every file in the output directory but those in `.drvc`.
    fn outputs(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = files(&self.root.join("drivers.out"));
        files.retain(|name, _| !name.starts_with(".drvc/"));
        files
    }

    fn temporaries(&self) -> Vec<String> {
        files(&self.root.join("drivers.out")).into_keys().filter(|name| name.contains(".drvc-tmp-")).collect()
    }
}

fn files(root: &Utf8Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in directory.read_dir_utf8().into_iter().flatten() {
            let path = entry.unwrap().path().to_owned();
            if path.is_dir() {
                directories.push(path);
            } else {
                files.insert(path.strip_prefix(root).unwrap().to_string(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

fn copy(from: &Utf8Path, to: &Utf8Path) {
    for (name, bytes) in files(from) {
        let to = to.join(name);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, bytes).unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "only how long the tests take depends on it")]
fn thorough() -> bool {
    std::env::var("THOROUGH").is_ok()
}

/// Whether anything was injected into a run, as its end or strace's log tells.
pub fn is_disturbed(run: &Output, log: &[u8]) -> bool {
    run.status.code().is_none() || String::from_utf8_lossy(log).contains("(INJECTED)")
}

#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
pub fn strace_is_missing() -> bool {
    let missing = Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_err();
    if missing {
        eprintln!("skipped: strace is not installed");
    }
    missing
}

/// What the two manifests compile to.
fn clean() -> [BTreeMap<String, Vec<u8>>; 2] {
    [0, 1].map(|version| {
        let project = Project::new();
        project.edit(version);
        project.compile();
        project.outputs()
    })
}

/// Injects `what` into each system call of these names, one run each, going back and forth between the manifests,
/// upon the outputs of the run before or upon none; after each, the outputs must be whole, and the next run must make them right.
fn suffer(calls: &[&str], what: &str, judge: impl Fn(&Output, &str)) -> usize {
    let expected = clean();
    let project = Project::new();
    let (mut points, mut version) = (0, 0);
    let (stride, patience) = if thorough() { (1, 8) } else { (7, 2) };
    let begin_anew = [false, true];
    for (call, anew) in calls.iter().flat_map(|call| begin_anew.map(|anew| (call, anew))) {
        // Past the last call of this name, run after run goes undisturbed.
        let (mut nth, mut undisturbed) = (1, 0);
        while undisturbed < patience {
            version = 1 - version;
            if anew {
                project.forget();
            }
            project.edit(version);
            let (output, hit) = project.injected("compile", call, what, nth);
            undisturbed = if output.status.success() { undisturbed + 1 } else { 0 };
            let point = format!("{call} {nth} {what}");
            judge(&output, &point);
            for (name, bytes) in project.outputs() {
                let whole = expected.iter().any(|outputs| outputs.get(&name) == Some(&bytes));
                assert!(whole || name.contains(".drvc-tmp-"), "{point}: `{name}` is torn");
            }
            project.compile();
            assert_eq!(project.outputs(), expected[version], "{point}");
            assert_eq!(project.temporaries(), [""; 0], "{point}");
            (points, nth) = (points + usize::from(hit), nth + stride);
        }
    }
    points
}

#[test]
#[expect(clippy::disallowed_macros, reason = "how much was tried is the test's own output")]
fn a_run_that_is_killed_tears_nothing() {
    if strace_is_missing() {
        return;
    }
    let calls = [
        "openat",
        "openat2",
        "mkdirat",
        "read",
        "write",
        "fstat",
        "newfstatat",
        "getdents64",
        "renameat",
        "unlinkat",
        "flock",
        "close",
    ];
    let points = suffer(&calls, "signal=KILL", |output, point| {
        let code = output.status.code();
        assert!(code.is_none() || code == Some(0), "{point}: {code:?}");
    });
    eprintln!("killed at {points} points");
    assert!(points > 50, "killed at {points} points only");
}

#[test]
#[expect(clippy::disallowed_macros, reason = "how much was tried is the test's own output")]
fn a_disk_that_fails_is_reported_and_tears_nothing() {
    if strace_is_missing() {
        return;
    }
    let mut points = 0;
    for (calls, error, message) in [
        (&["write", "renameat", "mkdirat"][..], "ENOSPC", "No space left on device"),
        (&["write", "renameat", "unlinkat"], "EIO", "Input/output error"),
        (&["renameat", "mkdirat"], "EROFS", "Read-only file system"),
        (&["write"], "EDQUOT", "quota exceeded"),
        (&["openat2", "renameat"], "EACCES", "Permission denied"),
        (&["write"], "EINTR", ""),
    ] {
        points += suffer(calls, &format!("error={error}"), |output, point| {
            let report = String::from_utf8_lossy(&output.stderr);
            // Reports are written too, and one that cannot be written is not there.
            let said = report.contains(message) && report.contains('`') || point.starts_with("write");
            match output.status.code() {
                Some(0) => {}
                Some(1 | 4) => assert!(said, "{point}: {report}"),
                code => panic!("{point}: {code:?} {report}"),
            }
        });
    }
    eprintln!("failed at {points} points");
    assert!(points > 30, "failed at {points} points only");
}

/// Runs `drvc ARGUMENT` upon what `prepare` makes, disturbed at each system call of these names in turn, and lets `judge` look.
fn disturb(
    argument: &str,
    calls: &[&str],
    what: &str,
    prepare: impl Fn(&Project),
    judge: impl Fn(&Project, &str),
) {
    let project = Project::new();
    project.edit(0);
    let (stride, patience) = if thorough() { (1, 8) } else { (3, 2) };
    for call in calls {
        let (mut nth, mut undisturbed) = (1, 0);
        while undisturbed < patience {
            prepare(&project);
            let (output, _) = project.injected(argument, call, what, nth);
            undisturbed = if output.status.success() { undisturbed + 1 } else { 0 };
            judge(&project, &format!("{argument}: {call} {nth} {what}"));
            nth += stride;
        }
    }
}

const DISTURBANCES: [(&[&str], &str); 3] = [
    (&["openat", "openat2", "write", "fsync", "renameat", "unlinkat", "getdents64", "close"], "signal=KILL"),
    (&["write", "renameat", "fsync"], "error=ENOSPC"),
    (&["renameat", "unlinkat", "openat2"], "error=EIO"),
];

#[test]
fn threads_that_cannot_be_had_only_make_it_slower() {
    if strace_is_missing() {
        return;
    }
    let project = Project::new();
    project.edit(0);
    project.compile();
    let clean = project.outputs();
    // None at all; the first; the first two, of eight that are asked for.
    for (when, workers) in [("1+", "8"), ("2+", "8"), ("3+", "8"), ("1+", "1")] {
        for arguments in [&["compile"][..], &["check"], &["plan"], &["compile", "--check"]] {
            if arguments == ["compile"] {
                project.forget();
            }
            let mut command = project.command("strace");
            command.env("RAYON_NUM_THREADS", workers);
            command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=clone,clone3"]);
            for call in ["clone", "clone3"] {
                command.args(["-e", &format!("inject={call}:error=EAGAIN:when={when}")]);
            }
            let output = command.arg(env!("CARGO_BIN_EXE_drvc")).args(arguments).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(matches!(output.status.code(), Some(0 | 3)), "{when} {arguments:?}: {said}");
        }
        assert_eq!(project.outputs(), clean, "{when}");
    }
}

#[test]
fn laying_out_is_all_or_nothing() {
    if strace_is_missing() {
        return;
    }
    let project = Project::new();
    project.edit(0);
    let manifest = fs::read_to_string(project.root.join("drivers.kdl")).unwrap();
    let untidy = manifest.replace("\n    ", "\n  ");
    fs::write(project.root.join("drivers.kdl"), &untidy).unwrap();
    assert!(project.drvc().arg("fmt").output().unwrap().status.success());
    let manifest = fs::read_to_string(project.root.join("drivers.kdl")).unwrap();
    for (calls, what) in DISTURBANCES {
        let prepare = |project: &Project| fs::write(project.root.join("drivers.kdl"), &untidy).unwrap();
        disturb("fmt", calls, what, prepare, |project, point| {
            let text = fs::read_to_string(project.root.join("drivers.kdl")).unwrap();
            assert!(text == untidy || text == manifest, "{point}");
            assert!(project.drvc().arg("fmt").output().unwrap().status.success(), "{point}");
            assert_eq!(fs::read_to_string(project.root.join("drivers.kdl")).unwrap(), manifest, "{point}");
            fs::write(project.root.join("drivers.kdl"), &untidy).unwrap();
            assert!(project.drvc().arg("fmt").output().unwrap().status.success(), "{point}");
            let left: Vec<_> =
                files(&project.root).into_keys().filter(|name| name.contains(".drvc-tmp-")).collect();
            assert_eq!(left, [""; 0], "{point}");
        });
    }
}

#[test]
fn cleaning_that_is_killed_is_finished_by_the_next() {
    if strace_is_missing() {
        return;
    }
    for (calls, what) in DISTURBANCES {
        disturb("clean", calls, what, Project::compile, |project, point| {
            assert!(project.drvc().arg("clean").output().unwrap().status.success(), "{point}");
            assert!(!project.root.join("drivers.out").exists(), "{point}");
            assert!(
                project.root.join("drivers.kdl").exists() && project.root.join("driver").exists(),
                "{point}"
            );
        });
    }
}

#[test]
fn many_runs_at_once_some_of_them_killed_end_as_one() {
    let expected = clean();
    let project = Project::new();
    for round in 0..if thorough() { 200 } else { 4 } {
        let version = round % 2;
        project.edit(version);
        if round % 5 == 0 {
            project.forget();
        }
        let mut runs: Vec<_> = (0..16).map(|_| project.drvc().arg("compile").spawn().unwrap()).collect();
        for (number, run) in runs.iter_mut().enumerate().filter(|(number, _)| number % 4 == 0) {
            std::thread::sleep(std::time::Duration::from_millis((round * 7 + number * 3) as u64 % 23));
            run.kill().unwrap();
        }
        for (number, run) in runs.into_iter().enumerate() {
            let output = run.wait_with_output().unwrap();
            let fine = output.status.success() || (number % 4 == 0 && output.status.code().is_none());
            assert!(fine, "{}", String::from_utf8_lossy(&output.stderr));
        }
        assert_eq!(project.outputs(), expected[version], "round {round}");
        assert_eq!(project.temporaries(), [""; 0]);
    }
}
