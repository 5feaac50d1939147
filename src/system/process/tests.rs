//! Programs that end, that do not, that say too much, and that are told to stop.

use super::*;

fn shell(script: &str) -> Program {
    Program::new("sh", &Environment::of_this_process()).args(["-c", script])
}

#[test]
fn what_it_says_and_its_code_come_back() {
    let finished = shell("cat; echo two >&2; exit 3").input("one\n").output().unwrap();
    assert_eq!(
        (finished.ended, finished.stdout, finished.stderr),
        (Ended::Code(3), b"one\n".to_vec(), b"two\n".to_vec())
    );
}

#[test]
fn what_it_says_is_bounded() {
    let said = |bytes: usize| shell(&format!("head -c {bytes} /dev/zero")).output().unwrap().ended;
    assert_eq!(said(8 << 20), Ended::Code(0));
    assert_eq!(shell("head -c 9000000 /dev/zero; sleep 60").output().unwrap().ended, Ended::TooMuch);
}

#[test]
fn the_environment_is_what_was_named() {
    let environment = Environment::of(&[("PATH", "/usr/bin:/bin"), ("A_1", "x"), ("B", "y")]);
    let program = Program::new("env", &environment).inherit(&environment, &["A_*"]).env("C", "z");
    let said = String::from_utf8(program.output().unwrap().stdout).unwrap();
    assert!(said.contains("A_1=x\n") && said.contains("C=z\n") && !said.contains("B="), "{said}");
}

#[test]
fn it_is_ended_with_its_children() {
    for (program, ended) in [
        (shell("sleep 60 & sleep 60").timeout(Duration::from_millis(100)), Ended::TimedOut),
        (shell("yes").limit(1000), Ended::TooMuch),
        (
            shell("trap '' TERM; while :; do sleep 1; done").timeout(Duration::from_millis(100)),
            Ended::TimedOut,
        ),
    ] {
        let start = Instant::now();
        assert_eq!(program.output().unwrap().ended, ended);
        assert!(start.elapsed() < Duration::from_secs(20));
    }
    let interrupt = Interrupt::default();
    interrupt.halt();
    assert_eq!(shell("sleep 60").interrupt(&interrupt).output().unwrap().ended, Ended::Interrupted);
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let error = Program::new("no-such-program", &Environment::of_this_process()).output().unwrap_err();
    assert!(error.to_string().contains("no-such-program"));
    assert!(error.next_step().is_some_and(|help| help.contains("PATH")));
}
