//! Real output of engines, and what is read out of it.

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
fn with_several_stages_at_a_time_the_last_line_names_the_right_one() {
    let run = "RUN --mount=type=secret,id=k set -eu; make";
    let said = "RUN set -eu; make";
    let text = format!(
        "[2/5] STEP 2/3: RUN make x\n[4/5] STEP 3/4: {run}\n[2/5] STEP 3/3: RUN other\na.c:1:2: error: nope\n  1 | x\n\
         [5/5] STEP 2/2: RUN pack\nsubprocess exited with status 2\n\
         Error: building at STEP \"{said}\": while running runtime: exit status 2\n"
    );
    let (step, error, lines) = read(&text).failure();
    assert_eq!(step.map(|step| (step.stage, step.at)), Some(("module-a".into(), 3)));
    assert_eq!(error.as_deref(), Some("a.c:1:2: error: nope"));
    assert_eq!(lines, ["a.c:1:2: error: nope", "  1 | x"]);
    let text = "STEP 2/2: COPY a b\nError: error building at STEP \"COPY a b\": no such file: a\n";
    assert_eq!(read(text).failure().2, ["no such file: a"]);
}

#[test]
fn the_last_line_names_a_script_of_several_lines_too() {
    let step = |at: u32, text: &str| format!("[{at}/5] STEP 4/5: RUN [\"/bin/sh\", \"-euc\", {text:?}]\n");
    let text = format!(
        "{}{}{}a.c:1:2: error: nope\nsubprocess exited with status 2\nfour is here\n\
         Error: building at STEP \"RUN /bin/sh -euc echo \"a\": b\nmake -C x M=\"$PWD\" modules\": while running runtime: exit status 2\n",
        step(2, "one\nmake"),
        step(3, "echo \"a\": b\nmake -C x M=\"$PWD\" modules"),
        step(4, "four\nmake")
    );
    let (step, error, lines) = read(&text).failure();
    assert_eq!(step.map(|step| step.stage).as_deref(), Some("kernel"));
    assert_eq!(error.as_deref(), Some("a.c:1:2: error: nope"));
    assert!(!lines.concat().contains("building at STEP"), "{lines:?}");
}

#[test]
fn the_compilers_error_is_shown_however_much_is_said_behind_it() {
    let noise: String = (0..50).map(|at| format!("CC [M] {at}.o\n")).collect();
    let text = format!("STEP 1/2: RUN make\nx.c:1:2: error: nope\n  here\n{noise}make: *** [x] Error 2\n");
    let (_, error, lines) = read(&text).failure();
    assert_eq!(error.as_deref(), Some("x.c:1:2: error: nope"));
    assert_eq!(lines[..2], ["x.c:1:2: error: nope", "  here"]);
    assert_eq!((lines.len(), lines[21 - 1].as_str()), (TAIL + 1, "make: *** [x] Error 2"));
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
        ("drvc: warning: x fails with an error\ndrvc: no x.ko\n", "drvc: no x.ko"),
    ] {
        assert_eq!(read(text).failure().1.as_deref(), Some(error));
    }
    assert_eq!(read("hello\n").failure().1, None);
}

#[test]
fn warnings_of_the_scripts_are_kept() {
    let buildah =
        "STEP 2/2: RUN echo 'drvc: warning: no'\ndrvc: warning: x\ndrvc: warning: x\nSTEP 2/3: RUN y\n";
    let buildkit = "#12 [pack 2/2] RUN pack\n#12 0.144 drvc: warning: x\n#12 DONE 0.2s\n";
    for text in [buildah, buildkit] {
        assert_eq!(read(text).warnings().collect::<Vec<_>>(), ["x"]);
    }
}

#[test]
fn what_came_of_a_trial_is_kept() {
    let buildah = "STEP 2/2: RUN sh check-reuse\ndrvc reuse: yes: 6.1.0-1\nSTEP 2/3: RUN y\n";
    assert_eq!(read(buildah).trial(), Some(&Trial::Reused("6.1.0-1".to_owned())));
    let buildkit = "#12 [reuse 2/2] RUN x\n#12 0.144 drvc reuse: no: the headers differ\n#12 DONE 0.2s\n";
    assert_eq!(read(buildkit).trial(), Some(&Trial::Compiled("the headers differ".to_owned())));
    assert_eq!(read("STEP 1/2: RUN echo 'drvc reuse: yes: x'\n").trial(), None);
}
