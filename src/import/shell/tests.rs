//! What is evaluated, what stays open, and what is noted, by example.

use super::*;

const KERNEL: &str = "\u{e000}";

fn run(text: &str) -> Evaluated {
    evaluate(text, &[("kernelver", KERNEL), ("dir", "\u{e001}")]).unwrap()
}

/// The elements of `X`, `?` where unknown, each with the conditions that it stands under.
fn x(text: &str) -> String {
    let found = run(text);
    let mut all: Vec<(usize, String, Vec<Condition>)> = Vec::new();
    for world in found.worlds.iter().filter(|world| world.exit.is_none()) {
        for (index, value) in world.variables.elements("X") {
            let is = |at: usize| {
                found.worlds[at].variables.get("X", index).is_some_and(|one| one.text == value.text)
            };
            let text = value.text.as_deref().unwrap_or("?");
            let text = text.replace(KERNEL, "K").replace('\u{e001}', "D");
            let one = (index, text, found.when(is).unwrap());
            if !all.contains(&one) {
                all.push(one);
            }
        }
    }
    all.sort();
    let show = |(index, text, when): &(usize, String, Vec<Condition>)| {
        let when: Vec<_> = when.iter().map(ToString::to_string).collect();
        let when = if when.is_empty() { String::new() } else { format!(" if {}", when.join(", ")) };
        format!("{index}={text}{when}")
    };
    all.iter().map(show).collect::<Vec<_>>().join("; ")
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
        ("M=(qa qb); for i in \"${!M[@]}\"; do X[i]=\"${M[i]}\"; done", "0=qa; 1=qb"),
        ("IFS=. read a b <<< 6.1; X=$a-$b", "0=6-1"),
        ("IFS=, read -ra M <<< p,q; X=(\"${M[@]/%/.ko}\")", "0=p.ko; 1=q.ko"),
        ("M=(p q); IFS=,; X=\"${M[*]}\"; set -- r s; X[1]=\"$*\"; X[2]=\"${M[@]}\"", "0=p,q; 1=r,s; 2=p q"),
        ("M=(p q); X=$(IFS=+; echo \"${M[*]/%/z}\")", "0=pz+qz"),
        ("X=$'q\\x31\\t\\061\\u0032'", "0=q1\t12"),
        ("mapfile -t X <<< $'p\\nq'", "0=p; 1=q"),
        ("read -r -d '' L <<E\np\nq\nE\nfor m in $L; do X+=($m); done", "0=p; 1=q"),
        ("IFS=, read -rd ';' a b <<< 'p,q;r'; X=($b $a)", "0=q; 1=p"),
        ("read -ra X -d '' <<< $'p\\nq'", "0=p; 1=q"),
        ("printf -v X %s-%02d a 3", "0=a-03"),
        ("A=a-b-c; X=${A//-/_}/${A/-/}/${A^^}/${A:2}/${A:0:1}/${A: -1}", "0=a_b_c/ab-c/A-B-C/b-c/a/c"),
        ("if [[ 6.1.0-5 =~ ^([0-9]+)\\.([0-9]+) ]]; then X=${BASH_REMATCH[2]}; fi", "0=1"),
        (
            "X=$(basename /a/b.c .c)$(dirname /a/b)$(echo a.b | cut -d. -f2)$(echo A-b | tr A-Z a-z)",
            "0=b/aba-b",
        ),
        ("X=($(echo p q | sed 's/p/r/'))", "0=r; 1=q"),
        ("for m in x{a,b}{1..2}; do X+=($m); done", "0=xa1; 1=xa2; 2=xb1; 3=xb2"),
        ("while read -r a b; do X+=($b); done <<< $'1 p\\n2 q'", "0=p; 1=q"),
        ("while read m; do X+=($m); done <<E\np\nq\nE\n", "0=p; 1=q"),
        ("while read m; do X+=($m); done < <(printf '%s\\n' p q)", "0=p; 1=q"),
        ("i=0; while [ $i -lt 2 ]; do X[i++]=m$i; done", "0=m0; 1=m1"),
        ("f() { local X=9 m=$1; shift; Y=$m$#$2; }; f a b c; X=$Y", "0=a2c"),
        ("set -- p q; for m; do X+=($m); done; X+=($2)", "0=p; 1=q; 2=q"),
        ("declare -A M=([k]=v); M[l]=w; for k in \"${!M[@]}\"; do X+=($k${M[$k]}); done", "0=kv; 1=lw"),
        ("n=X; eval \"$n[1]=a\"; Y=X[1]; X=${!Y}", "0=a; 1=a"),
        ("X=(a b c); unset 'X[1]'; X+=(d); X[-1]=e", "0=a; 2=c; 3=e"),
        ("for i in 1 2 3; do [ $i = 2 ] && continue; X+=($i); [ $i = 3 ] && break; done", "0=1; 1=3"),
        ("case ab in a[a-c]) X=1;; esac; case x in y|@(x|z)) X+=2;; esac", "0=12"),
        (": ${X:=d}; : \"${Y:=$X}\"; X=$Y", "0=d"),
        ("let i=2+1; X=$i; (X=9); echo 1 | read X", "0=3"),
    ];
    for (text, expected) in cases {
        assert_eq!(x(text), expected, "{text}");
        assert_eq!(run(text).notes, [], "{text}");
    }
}

#[test]
fn what_depends_on_the_kernel_stays_open() {
    let cases = [
        ("X=$(make kernelversion)", "0=?"),
        ("X=$(uname -r)", "0=K"),
        ("X=`echo $kernelver`", "0=K"),
        ("X=$(echo -e 'q\\061')", "0=?"),
        ("X=$(echo 'q\\061')", "0=q\\061"),
        ("IFS=-; set -- $kernelver; X=$1", "0=?"),
        ("X=$CONFIG_A", "0=?"),
        (
            "X=1; if [ \"$kernelver\" = 5 ]; then X=2; fi",
            "0=1 if not `[ \"$kernelver\" = 5 ]`; 0=2 if `[ \"$kernelver\" = 5 ]`",
        ),
        ("if [ -n \"$CONFIG_A\" ]; then X=1; fi", "0=1 if CONFIG_A is set"),
        ("if [ \"${CONFIG_A:-n}\" = n ]; then X=1; fi", "0=1 if CONFIG_A is not set"),
        ("if ! grep -q \"^CONFIG_A=[ym]$\" $dir/.config; then X=1; fi", "0=1 if CONFIG_A is not set"),
        ("if [ -f $dir/.config ]; then . $dir/.config; X=1; fi", "0=1"),
        (
            "if [ -n \"$CONFIG_A\" ] && [ -z \"$CONFIG_B\" ]; then X=1; fi",
            "0=1 if CONFIG_A is set, CONFIG_B is not set",
        ),
        (
            "if [ -n \"$CONFIG_A\" ]; then X=1; else X=2; fi",
            "0=1 if CONFIG_A is set; 0=2 if CONFIG_A is not set",
        ),
        (
            "i=0; if [ -n \"$CONFIG_A\" ]; then X[$i]=a; i=$((i+1)); fi; X[$i]=b",
            "0=a if CONFIG_A is set; 0=b if CONFIG_A is not set; 1=b if CONFIG_A is set",
        ),
        ("case $kernelver in 2.*) X=1;; *) X=1;; esac", "0=1"),
        (
            "case $kernelver in 2.*) X=1;; *) X=2;; esac",
            "0=1 if `$kernelver is 2.*`; 0=2 if not `$kernelver is 2.*`",
        ),
        ("if [ -n \"$CONFIG_A\" ]; then exit; fi; X=1", "0=1 if CONFIG_A is not set"),
        (
            "f() { [ \"$kernelver\" = 5 ] && return 0; return 1; }; if f; then X[1]=yes; else X[2]=no; fi",
            "1=yes if `[ \"$kernelver\" = 5 ]`; 2=no if not `[ \"$kernelver\" = 5 ]`",
        ),
        ("[ -e x ] || return; X=1", "0=1 if `[ -e x ]`"),
        ("[ -e x ] && [ -e y ] && X=1", "0=1 if `[ -e x ]`, `[ -e y ]`"),
        ("{ [ -e x ] || [ -e y ]; } && X=1", "0=1 if `[ -e x ] or [ -e y ]`"),
        (
            "for m in a b; do [ -e $m.c ] || continue; X+=($m); done",
            "0=a if `[ -e \"a.c\" ]`; 0=b if not `[ -e \"a.c\" ]`, `[ -e \"b.c\" ]`; 1=b if `[ -e \"a.c\" ]`, `[ -e \"b.c\" ]`",
        ),
        ("X=1; [ -e x ] && unset X", "0=1 if not `[ -e x ]`"),
        ("! grep -q X file || X=1", "0=1 if `grep -q X file`"),
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
        ("while cmd; do X[i++]=1; done", "1: `while cmd; do X[i++]=1 done` was not followed"),
        ("for f in *.c; do X=$f; done", "1: `for f in …` was not followed"),
        ("X[$(id -u)]=1", "1: `X[$(id -u)]=1` has an index or words that are not known"),
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
    assert_eq!(x("X=1; while read l; do X=$l; done"), "0=1 if not `read l`; 0=? if `read l`");
}

#[test]
fn hostile_text_ends() {
    for text in ["(".repeat(100_000), "$(".repeat(50_000), "if ".repeat(50_000), "{ ".repeat(50_000)] {
        assert!(evaluate(&text, &[]).is_err());
    }
    run("for ((i=0;1;i++)); do X=1; done");
    run("X=aaaaaaaaaa; for ((i=0;i<100;i++)); do X=$X$X; done");
    run("f() { f; f; }; f");
    run("A=x; while :; do A=$A$A; X+=($A); done");
    run("while cmd; do while cmd; do X=1; done; done");
    run(&(0..60).map(|n| format!("[ -e f{n} ] && X[{n}]=1\n")).collect::<String>());
    run("X=({1..9}{1..9}{1..9}{1..9}{1..9}{1..9})");
}

#[test]
fn each_limit_is_met_from_both_sides() {
    let notes = |commands: usize| run(&"X=1\n".repeat(commands)).notes;
    let last = |text: &str| run(text).notes.last().map(|note| note.text.clone()).unwrap_or_default();
    assert_eq!(notes(20_000), []);
    assert!(last(&"X=1\n".repeat(20_001)).contains("goes on for too long"));
    let nested = |depth: usize| "{ ".repeat(depth) + "X=1;" + &" };".repeat(depth);
    assert_eq!(x(&nested(60)), "0=1");
    assert!(evaluate(&nested(61), &[]).unwrap_err().0.contains("60 deep"));
    let calls = |depth: usize| {
        let functions = (1..depth).map(|n| format!("f{n}() {{ f{}; }}\n", n - 1)).collect::<String>();
        format!("f0() {{ X=1; }}\n{functions}f{}", depth - 1)
    };
    assert_eq!(x(&calls(20)), "0=1");
    assert_ne!(x(&calls(21)), "0=1");
}

#[test]
fn values_and_texts_of_a_shell_are_bounded() {
    let padded = |bytes: usize| evaluate(&format!("X=1\n#{}\n", "x".repeat(bytes - 6)), &[]);
    assert!(padded(256 << 10).is_ok());
    assert!(padded((256 << 10) + 1).is_err());
    let counted = |elements: usize| x(&format!("A=({{1..{elements}}}); X=${{#A[@]}}"));
    assert_eq!(counted(4096), "0=4096");
    assert_ne!(counted(4097), "0=4097");
    assert_eq!(x("A[4095]=1; X=${A[4095]}"), "0=1");
    assert_ne!(x("A[4096]=1; X=${A[4096]}"), "0=1");
    let nested = |depth: usize| x(&format!("X=$(({}1{}))", "(".repeat(depth), ")".repeat(depth)));
    assert_eq!(nested(40), "0=1");
    assert_eq!(nested(55), "0=?");
}
