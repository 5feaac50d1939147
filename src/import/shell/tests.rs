//! What is evaluated, what stays open, and what is noted, by example.

use super::*;

const KERNEL: &str = "\u{e000}";

fn run(text: &str) -> Evaluated {
    evaluate(text, &[("kernelver", KERNEL), ("dir", "\u{e001}")]).unwrap()
}

/// The elements of `X`, `?` where unknown, each with the conditions that it stands under.
fn x(text: &str) -> String {
    let found = run(text);
    let show = |(index, value): (usize, &Value)| {
        let when: Vec<_> = value.when.iter().map(ToString::to_string).collect();
        let when = if when.is_empty() { String::new() } else { format!(" if {}", when.join(", ")) };
        format!(
            "{index}={}{when}",
            value.text.as_deref().unwrap_or("?").replace(KERNEL, "K").replace('\u{e001}', "D")
        )
    };
    found.variables.elements("X").map(show).collect::<Vec<_>>().join("; ")
}

#[test]
fn values_are_evaluated() {
    let cases = [
        ("X=a", "0=a"),
        ("X='a b'\"c $X\"d", "0=a bc d"),
        ("A=1; X=\"${A}2$kernelver/$dir\"", "0=12K/D"),
        ("X=\"find {} -exec mv \\; \\\"q\\\" \\$Y\"", "0=find {} -exec mv \\; \"q\" $Y"),
        ("X=\"a \\\n   b\"", "0=a    b"),
        ("X[0]=a\nX[1]=b", "0=a; 1=b"),
        ("X=(a \"b c\" [5]=d); X+=(e)", "0=a; 1=b c; 5=d; 6=e"),
        ("i=0; X[$i]=a; i=$((i+1)); X[i]=b; ((i++)); X[$i]=c", "0=a; 1=b; 2=c"),
        ("for m in a b; do X[${#X[@]}]=$m; done", "0=a; 1=b"),
        ("A=(p q); for m in \"${A[@]}\"; do X+=(\"$m.ko\"); done", "0=p.ko; 1=q.ko"),
        ("for ((i=0; i<3; i++)); do X[$i]=m$i; done", "0=m0; 1=m1; 2=m2"),
        ("X=${Y:-d}${Z-e}${X:+f}", "0=de"),
        ("A=foo-1.2.ko; X=${A%.ko}/${A##*-}/${A#*-}/${#A}", "0=foo-1.2/1.2.ko/1.2.ko/10"),
        ("if [ a = a ]; then X=1; else X=2; fi", "0=1"),
        ("if [ -z \"$Y\" ] && [ 3 -lt 10 ]; then X=1; fi", "0=1"),
        ("if [[ abc == a* && ! abc =~ ^b ]]; then X=1; fi", "0=1"),
        ("case a.c in *.h) X=1;; *.c|d) X=2;; *) X=3;; esac", "0=2"),
        ("f() { X=1; }; f; export X+=2", "0=12"),
        ("eval \"X=1\"; [ $X = 1 ] && X=2 || X=3", "0=2"),
        ("X=a; X+=b; unset X", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(x(text), expected, "{text}");
        assert_eq!(run(text).notes, [], "{text}");
    }
}

#[test]
fn what_depends_on_the_kernel_stays_open() {
    let cases = [
        ("X=$(uname -r)", "0=?"),
        ("X=`echo $kernelver`", "0=?"),
        ("X=$CONFIG_A", "0=?"),
        ("X=1; if [ \"$kernelver\" = 5 ]; then X=2; fi", "0=2 if `[ \"$kernelver\" = 5 ]`"),
        ("if [ -n \"$CONFIG_A\" ]; then X=1; fi", "0=1 if CONFIG_A is set"),
        ("if [ \"${CONFIG_A:-n}\" = n ]; then X=1; fi", "0=1 if CONFIG_A is not set"),
        ("if ! grep -q \"^CONFIG_A=[ym]$\" $dir/.config; then X=1; fi", "0=1 if CONFIG_A is not set"),
        ("if [ -f $dir/.config ]; then . $dir/.config; X=1; fi", "0=1"),
        (
            "if [ -n \"$CONFIG_A\" ] && [ -z \"$CONFIG_B\" ]; then X=1; fi",
            "0=1 if CONFIG_A is set, CONFIG_B is not set",
        ),
        ("if [ -n \"$CONFIG_A\" ]; then X=1; else X=2; fi", "0=?"),
        (
            "i=0; if [ -n \"$CONFIG_A\" ]; then X[$i]=a; i=$((i+1)); fi; X[$i]=b",
            "0=a if CONFIG_A is set; 1=b",
        ),
        ("case $kernelver in 2.*) X=1;; *) X=1;; esac", "0=1"),
        ("case $kernelver in 2.*) X=1;; *) X=2;; esac", "0=?"),
        ("if [ -n \"$CONFIG_A\" ]; then exit; fi; X=1", "0=1"),
    ];
    for (text, expected) in cases {
        assert_eq!(x(text), expected, "{text}");
    }
}

#[test]
fn what_is_passed_over_is_noted() {
    let cases = [
        ("rm -rf /", "1: `rm -rf /` was not run"),
        ("A=1\n./configure --x", "2: `./configure --x` was not run"),
        (". /etc/os-release", "1: `. /etc/os-release` was not read"),
        ("while read l; do X=$l; done", "1: `while read l; do X=$l done` was not followed"),
        ("for f in *.c; do X=$f; done", "1: `for f in …` was not followed"),
        ("X[$(id -u)]=1", "1: `X[$(id -u)]=1` has an index that is not known"),
        ("f() { f; }; f", "0: `f` calls itself too often"),
    ];
    for (text, expected) in cases {
        let notes = run(text).notes;
        let notes: Vec<_> = notes.iter().map(|note| format!("{}: {}", note.line, note.text)).collect();
        assert!(
            notes.iter().any(|note| note.trim_start_matches(|c: char| c.is_ascii_digit())
                == expected.trim_start_matches(|c: char| c.is_ascii_digit())),
            "{text}: {notes:?}"
        );
    }
    assert_eq!(x("X=1; while read l; do X=$l; done"), "0=?");
}

#[test]
fn hostile_text_ends() {
    for text in ["(".repeat(100_000), "$(".repeat(50_000), "if ".repeat(50_000), "{ ".repeat(50_000)] {
        assert!(evaluate(&text, &[]).is_err());
    }
    assert!(evaluate("X=\u{e000}", &[]).is_err());
    run("for ((i=0;1;i++)); do X=1; done");
    run("X=aaaaaaaaaa; for ((i=0;i<100;i++)); do X=$X$X; done");
    run("f() { f; f; }; f");
}
