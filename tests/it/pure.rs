//! `compile` is a function of the files in the project, and of nothing else.

use crate::project::{Project, ended};
use std::io::Write as _;
use std::process::Command;

/// What drvc must not do while it compiles.
const CALLS: &str = "execve,execveat,fork,vfork,clone,clone3,socket,socketpair,connect,bind";

#[test]
fn no_process_is_started_and_no_socket_opened() {
    let probe = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        // Said aloud, so that nobody takes the test for passed.
        let _ = writeln!(std::io::stderr(), "skipped: there is no strace, or it may not trace here");
        return;
    }
    let project = Project::example("06-build-here");
    let target = "ticker/debian-12-x86_64/6.1.0-56-amd64";
    let runs: [&[&str]; 5] = [&["check"], &["compile"], &["compile", "--check"], &["plan"], &["why", target]];
    for args in runs {
        let log = project.path("strace.log");
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-e", &format!("trace={CALLS}"), "-o", log.as_str()]);
        strace.arg(env!("CARGO_BIN_EXE_drvc")).args(args).env_clear().current_dir(project.path(""));
        let run = ended(&mut strace);
        assert!(matches!(run.code, Some(0 | 3)), "{args:?}: {run:?}");
        let calls = std::fs::read_to_string(&log).unwrap();
        std::fs::remove_file(&log).unwrap();
        // Threads share everything with the process that they are of. Of one that ends as strace lets go of it, strace
        // does not know the call: `7455 ???( <detached ...>`.
        let told =
            |line: &&str| ["CLONE_THREAD", "resumed>", "???( <detached"].iter().all(|no| !line.contains(no));
        let mut calls = calls.lines().filter(told);
        assert!(calls.next().is_some_and(|start| start.contains("execve(")), "{args:?}: strace saw nothing");
        let others: Vec<_> = calls.collect();
        assert!(others.is_empty(), "{args:?}: {}", others.join("\n"));
    }
}

#[test]
fn the_same_files_give_the_same_bytes_everywhere() {
    let surroundings: [(&str, &[(&str, &str)]); 4] = [
        ("022", &[]),
        ("077", &[("TZ", "Asia/Tokyo"), ("LANG", "tr_TR.UTF-8"), ("RAYON_NUM_THREADS", "1")]),
        (
            "000",
            &[("TZ", "America/St_Johns"), ("LC_ALL", "C"), ("HOME", "/nowhere"), ("RAYON_NUM_THREADS", "2")],
        ),
        (
            "027",
            &[("USER", "nobody"), ("LANG", "ja_JP.eucJP"), ("RAYON_NUM_THREADS", "8"), ("COLUMNS", "20")],
        ),
    ];
    for example in ["01-one-module", "02-rhel-matrix", "03-driver-toolkit", "06-build-here"] {
        let outputs = surroundings.map(|(umask, variables)| {
            let project = Project::example(example);
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", &format!("umask {umask}; exec \"$0\" compile"), env!("CARGO_BIN_EXE_drvc")]);
            shell.env_clear().envs(variables.iter().copied()).current_dir(project.path(""));
            assert_eq!(ended(&mut shell).code, Some(0));
            project.outputs()
        });
        assert!(outputs.iter().all(|one| one.len() > 2 && *one == outputs[0]), "{example}");
    }
}
