//! Profiles of the user's own: new distributions from one file, extensions, and what is wrong with a file.

use super::{get, table};
use crate::knowledge::profile::Profiles;
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::ids::OsName;
use crate::text::session::Session;
use crate::text::source::Sources;

/// Adds a profile; gives what is wrong with it.
fn add(profiles: &mut Profiles, name: &str, text: &str) -> (Sources, Diagnostics) {
    let mut session = Session::default();
    let file = session.sources.add(format!("{name}.kdl"), text);
    profiles.add_user(&OsName::parse(name).unwrap(), file, &mut session);
    (session.sources, session.found)
}

#[test]
fn an_extension_overrides_and_appends() {
    let mut profiles = Profiles::builtin();
    let text = r#"
        profile edition=1 extends="debian"
        base "registry.example/mirror/debian:{release}"
        line "12" {
            release "12" {
                series "6.6"
            }
        }
        line "15" {
            release "15" {
                series "deb15"
            }
        }
    "#;
    let (_, found) = add(&mut profiles, "debian", text);
    assert_eq!(found, Diagnostics::default());
    let debian = get(&profiles, "debian");
    let belongs = |kernel: &str, release: &str| {
        debian.belongs(&debian.kernel(kernel).unwrap(), &debian.release(release).unwrap())
    };
    assert!(
        belongs("6.6.0-1-amd64", "12")
            && belongs("6.1.0-18-amd64", "12")
            && belongs("7.2.1+deb15-amd64", "15")
    );
    let facts = debian.release("15").unwrap();
    assert_eq!(facts.platforms[0].base.as_str(), "registry.example/mirror/debian:15");
    assert_eq!(facts.platforms[0].minimal.as_str(), "docker.io/library/debian:15-slim");
}

#[test]
fn a_new_minor_of_rhel_reaches_openshift() {
    let mut profiles = Profiles::builtin();
    let known =
        |profiles: &Profiles| get(profiles, "openshift").kernel("5.14.0-750.1.1.el9_9.x86_64").unwrap();
    assert!(known(&profiles).unknown.is_some());
    let text = r#"
        profile edition=1 extends="rhel"
        line "9" {
            release "9.9" {
                series "5.14.0-750"
                suffix "el9_9"
            }
        }
    "#;
    assert_eq!(add(&mut profiles, "rhel", text).1, Diagnostics::default());
    let kernel = get(&profiles, "openshift").kernel("5.14.0-750.1.1.el9_9.x86_64").unwrap();
    assert_eq!(kernel.el.unwrap().to_string(), "9.9");
    let text = r#"
        profile edition=1 runs="rhel"
        title "Lab"
        line "1" {
            runs "9.9"
            release "1.{n}"
        }
    "#;
    assert_eq!(add(&mut profiles, "lab", text).1, Diagnostics::default());
    let lab = get(&profiles, "lab");
    assert!(lab.belongs(&kernel, &lab.release("1.7").unwrap()));
    assert_eq!(lab.kernels_of.as_ref().unwrap().as_str(), "rhel");
}

const MISTAKES: &str = include_str!("../../../../tests/data/profiles/mistakes.tsv");

/// A profile that is right, to put one mistake into.
const RIGHT: &str = r#"profile edition=1
title "Test"
order "dpkg"
manager "apt"
arch "x86_64" name="amd64"
example "1.0-1-amd64"
kernel "(?<abi>(?<base>[0-9.]+)-[0-9]+)(-(?<arch>amd64))?" series="{base}" complete="{abi}-{arch_name}"
base "example.org/test:{release}"
minimal "example.org/test:{release}-slim"
build "headers-{kernel}"
kernel-dir "/usr/src/headers-{kernel}"
line "1" {
    release "1" {
        series "1.0"
    }
}
"#;

#[test]
fn mistakes_are_explained() {
    assert_eq!(add(&mut Profiles::builtin(), "test", RIGHT).1, Diagnostics::default());
    for [from, to, code, place, message, help] in table(MISTAKES) {
        let (from, to) = (from.replace("\\n", "\n"), to.replace("\\n", "\n"));
        assert!(RIGHT.contains(&from), "{from}");
        let mut profiles = Profiles::builtin();
        let (sources, found) = add(&mut profiles, "test", &RIGHT.replacen(&from, &to, 1));
        let found: Vec<&Diagnostic> = found.iter().collect();
        assert_eq!(found.len(), 1, "{to}: {found:?}");
        let seen = (found[0].code.name(), sources.slice(found[0].labels[0].span), found[0].message.as_str());
        assert_eq!(seen, (code, place, message));
        assert_eq!(found[0].help.as_deref(), Some(help));
        assert!(profiles.get("test").is_none() && profiles.is_broken("test"));
    }
}

#[test]
fn one_report_serves_all_releases() {
    let text = "profile edition=1 extends=\"rhel\"\ntools \"gcc; reboot\"\nfetch \"git{rlease}\"\n";
    let found = add(&mut Profiles::builtin(), "rhel", text).1.sorted();
    let codes: Vec<Code> = found.iter().map(|one| one.code).collect();
    assert_eq!(codes, [Code::MalformedProfileValue, Code::UnknownHole]);
    let text = text.replace("{rlease}", "");
    let found = add(&mut Profiles::builtin(), "rhel", &text).1;
    assert_eq!(found.iter().map(|one| one.code).collect::<Vec<_>>(), [Code::MalformedProfileValue]);
}

#[test]
fn an_unknown_release_to_run_is_explained() {
    let text =
        "profile edition=1 runs=\"rhel\"\ntitle \"Lab\"\nline \"1\" {\n runs \"9.99\"\n release \"1\"\n}\n";
    let (_, found) = add(&mut Profiles::builtin(), "lab", text);
    let found: Vec<&Diagnostic> = found.iter().collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].message, "RHEL has no release `9.99`");
    assert_eq!(found[0].help.as_deref(), Some("RHEL has 8.0 to 8.10, 9.0 to 9.8 and 10.0 to 10.2"));
}

#[test]
fn hostile_patterns_cost_nothing() {
    let huge = RIGHT.replacen("[0-9.]+)", "([0-9]{1,1000}){1,1000})", 1);
    let (_, found) = add(&mut Profiles::builtin(), "test", &huge);
    assert_eq!(found.iter().next().unwrap().labels[0].text, "it takes too much memory");
    let nested = RIGHT.replacen("[0-9.]+)", "(((0+)+)+)+)", 1);
    let mut profiles = Profiles::builtin();
    assert_eq!(add(&mut profiles, "test", &nested).1, Diagnostics::default());
    assert!(get(&profiles, "test").kernel(&format!("{}x", "0".repeat(127))).is_err());
}

#[test]
fn a_profile_is_bounded() {
    let lines = |number: usize| "line \"1\"\n".repeat(number);
    let tools = |number: usize| format!("tools{}\n", " gcc".repeat(number));
    let patterns = |number: usize| "foreign \"a\" of=\"b\"\n".repeat(number);
    let runs = |number: usize| format!("line \"1\" {{\n{}}}\n", "runs \"1\"\n".repeat(number));
    let found = |text: &str| add(&mut Profiles::builtin(), "test", &format!("profile edition=1\n{text}")).1;
    // The first node of the file counts as well.
    let cases = [
        (lines(999), lines(1_001), "a profile has at most 1000 nodes"),
        (tools(2_000), tools(2_001), "a profile has at most 2000 arguments"),
        (patterns(64), patterns(65), "a profile has at most 64 patterns"),
        (runs(16), runs(17), "a line has at most 16 systems"),
    ];
    for (fits, beyond, label) in cases {
        let fits = found(&fits);
        assert!(fits.iter().all(|one| one.code != Code::ExceededLimit), "{label}: {fits:?}");
        let beyond = found(&beyond);
        let beyond: Vec<&Diagnostic> = beyond.iter().collect();
        assert_eq!(beyond.len(), 1, "{label}: {beyond:?}");
        assert_eq!((beyond[0].code, beyond[0].labels[0].text.as_str()), (Code::ExceededLimit, label));
    }
}

/// Every profile in the manual is right.
#[test]
fn the_manual_is_right() {
    let manual = include_str!("../../../../docs/profiles.md");
    let blocks = manual.split("```kdl\n").skip(1).filter_map(|rest| rest.split("```").next());
    let profiles: Vec<&str> = blocks.filter(|block| block.starts_with("profile edition")).collect();
    assert!(profiles.len() >= 3);
    for text in profiles {
        assert_eq!(add(&mut Profiles::builtin(), "test", text).1, Diagnostics::default(), "{text}");
    }
}
