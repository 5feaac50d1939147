//! `init` and `build` that are killed, or that meet a disk that fails, at one system call after the other: what is left is
//! whole, is never in the way, and the next run ends as if nothing had been.

use crate::crash::{is_disturbed, strace_is_missing};
use crate::project::{Project, ended};
use std::process::{Command, Output};

/// What happens, and at which calls.
const DISTURBANCES: [(&str, &[&str]); 2] = [
    ("signal=KILL", &["openat2", "mkdirat", "write", "fsync", "renameat", "renameat2", "unlinkat", "close"]),
    ("error=ENOSPC", &["mkdirat", "write", "fsync", "renameat", "renameat2"]),
];

/// Runs drvc once for each of a sample of its calls, and lets `judge` look at what is left, and put it back.
fn at_each_call(project: &Project, arguments: &[&str], judge: impl Fn(&Output, &str)) -> usize {
    let mut points = 0;
    for (what, calls) in DISTURBANCES {
        for call in calls {
            for nth in [1, 2, 4, 8, 16] {
                let plain = project.command(arguments);
                let log = tempfile::NamedTempFile::new().unwrap();
                let mut command = Command::new("strace");
                command.args(["-f", "-qq", "-e", &format!("trace={call}"), "-o"]).arg(log.path());
                command.args(["-e", &format!("inject={call}:{what}:when={nth}")]);
                command.arg(plain.get_program()).args(plain.get_args());
                command.current_dir(project.path("")).env_clear();
                command.env("RAYON_NUM_THREADS", "1").env("HOME", project.path(""));
                command.env("PATH", format!("{}:/usr/bin:/bin", project.path("bin")));
                let output = command.output().unwrap();
                judge(&output, &format!("{arguments:?}: {call} {nth} {what}"));
                points += usize::from(is_disturbed(&output, &std::fs::read(log.path()).unwrap()));
            }
        }
    }
    points
}

/// Files that drvc has written aside and never named.
fn left_aside(project: &Project) -> Vec<String> {
    let all = crate::files(&project.path("")).into_iter().map(|path| path.to_string());
    all.filter(|name| name.contains("drvc-tmp")).collect()
}

#[test]
#[expect(clippy::disallowed_macros, reason = "how much was tried is the test's own output")]
fn a_tree_is_taken_over_whole_or_not_at_all() {
    if strace_is_missing() {
        return;
    }
    let project = Project::new();
    for gone in ["drivers.kdl", "drivers.lock"] {
        std::fs::remove_file(project.path(gone)).unwrap();
    }
    std::fs::rename(project.path("driver"), project.path("foo")).unwrap();
    project.write("foo/chip/chip.c", "#include <linux/module.h>\nMODULE_LICENSE(\"GPL\");\n");
    std::fs::create_dir(project.path("new")).unwrap();
    let init = ["init", "-C", "new", "--from", "foo"];
    project.run(&init).expect(0, "", "drivers.kdl written");
    let whole = project.read("new/drivers.kdl");
    let again = || {
        std::fs::remove_dir_all(project.path("new")).unwrap();
        std::fs::create_dir(project.path("new")).unwrap();
    };
    again();
    let points = at_each_call(&project, &init, |output, point| {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 4) | None), "{point}: {said}");
        let manifest = project.path("new/drivers.kdl");
        if !manifest.exists() {
            // What the copy is called when it is there: whole, and taken up by its name.
            if project.path("new/driver").exists() {
                project.run(&["init", "-C", "new", "--from", "new/driver"]).expect(
                    0,
                    "",
                    "drivers.kdl written",
                );
            } else {
                project.run(&init).expect(0, "", "drivers.kdl written");
            }
        }
        assert_eq!(project.read("new/drivers.kdl"), whole, "{point}");
        for file in ["Kbuild", "example.c", "chip/chip.c"] {
            assert_eq!(
                project.read(&format!("new/driver/{file}")),
                project.read(&format!("foo/{file}")),
                "{point}"
            );
        }
        project.run(&["fmt", "-C", "new"]).expect(0, "", "1 file in layout");
        assert_eq!(left_aside(&project), [""; 0], "{point}");
        again();
    });
    eprintln!("disturbed at {points} points");
    assert!(points > 25, "disturbed at {points} points only");
}

/// A project whose engine, a mock, fails to build its only target.
fn unbuildable() -> Project {
    let project = crate::build::project();
    let mock =
        "#!/bin/sh\ncase $1 in build) echo 'example.c:1: error: no'; exit 2;; images) ;; *) echo []; esac\n";
    project.write("bin/podman", mock);
    project
}

/// Nobody's user, whose threads and processes can be counted.
const NOBODY: &str = "64123";

/// `drvc build` as that user, with at most so many threads and processes.
fn with_tasks(project: &Project, most: usize) -> Output {
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups"]);
    command.args(["prlimit", &format!("--nproc={most}"), project.path("bin/drvc").as_str()]);
    command.args(["build", "--offline", "--keep-going"]).current_dir(project.path("")).env_clear();
    command.env("HOME", project.path("")).env("PATH", format!("{}:/usr/bin:/bin", project.path("bin")));
    command.output().unwrap()
}

#[test]
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
fn a_build_that_gets_few_threads_ends_as_ever_or_says_what_it_lacks() {
    let project = unbuildable();
    std::fs::copy(env!("CARGO_BIN_EXE_drvc"), project.path("bin/drvc")).unwrap();
    let chown = Command::new("chown").args(["-R", NOBODY, project.path("").as_str()]).output();
    let readable =
        chown.is_ok_and(|done| done.status.success()) && with_tasks(&project, 100).status.code() == Some(4);
    if !readable {
        eprintln!("skipped: only root may start drvc as another user, where temporary files are open to it");
        return;
    }
    let mut as_ever = 0;
    for most in 1..=24 {
        let output = with_tasks(&project, most);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{most}: {said}");
        assert!(!said.contains("panicked"), "{most}: {said}");
        let ended = said.contains("1 target: 1 failed");
        assert!(ended || said.contains("help: "), "{most}: {said}");
        assert!(ended || as_ever == 0, "{most}: fewer were enough, but {said}");
        as_ever += usize::from(ended);
    }
    assert!(as_ever > 8, "{as_ever}");
}

#[test]
#[expect(clippy::disallowed_macros, reason = "how much was tried is the test's own output")]
fn what_a_build_remembers_is_whole() {
    if strace_is_missing() {
        return;
    }
    let project = unbuildable();
    let build = ["build", "--offline", "--keep-going"];
    let undisturbed = |point: &str| {
        let path = format!("{}:/usr/bin:/bin", project.path("bin"));
        let run = ended(project.command(&build).env("PATH", path).env("HOME", project.path("")));
        assert_eq!(run.code, Some(4), "{point}: {}", run.stderr);
        assert!(run.stderr.contains("1 target: 1 failed"), "{point}: {}", run.stderr);
    };
    undisturbed("at first");
    let points = at_each_call(&project, &build, |output, point| {
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(4) | None), "{point}: {said}");
        project.run(&["plan"]).expect(0, "1 target: 1 failed", "");
        undisturbed(point);
        assert_eq!(left_aside(&project), [""; 0], "{point}");
        let keyed = std::fs::read_dir(project.path("drivers.out/.drvc/build")).unwrap();
        assert_eq!(keyed.count(), 0, "{point}: a file with a key is left");
    });
    eprintln!("disturbed at {points} points");
    assert!(points > 25, "disturbed at {points} points only");
}
