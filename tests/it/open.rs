//! What drvc does not know, from the manifest to the plan and the Dockerfile.

use crate::project::{MANIFEST, Project};

const OS: &str = "    os \"debian\" \"12\" {\n        kernel \"6.1.0-18-amd64\"\n    }\n";

/// The plan, and the Dockerfile of the only target, of a project for this `os`; standard error where there is none.
fn planned(os: &str) -> (serde_json::Value, String, String) {
    let project = Project::new();
    assert!(MANIFEST.contains(OS));
    project.write("drivers.kdl", &MANIFEST.replace(OS, os));
    let compiled = project.run(&["compile"]);
    let plan = project.run(&["plan", "--format", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap_or_default();
    let file =
        plan["targets"][0]["dockerfile"].as_str().map(|file| project.read(&format!("drivers.out/{file}")));
    (plan, file.unwrap_or_default(), compiled.stderr)
}

#[test]
fn three_lines_describe_a_system() {
    let (plan, dockerfile, told) = planned(
        "os \"photon\" \"5.0\" {\n base \"docker.io/library/photon:5.0\"\n manager \"tdnf\"\n headers \"linux-devel-{kernel}\"\n \
         kernel \"6.1.83-2.ph5\"\n}\n",
    );
    assert_eq!(plan["targets"][0]["id"], "example/photon-5.0-x86_64/6.1.83-2.ph5", "{told}");
    assert!(dockerfile.contains("linux-devel-6.1.83-2.ph5") && dockerfile.contains("tdnf"), "{dockerfile}");
    assert!(dockerfile.contains("photon:5.0") && !told.contains("unverified-"), "{told}");
}

#[test]
fn a_description_is_whole_and_of_a_system_that_is_not_known() {
    let (_, _, told) =
        planned("os \"photon\" \"5.0\" {\n headers \"linux-devel-{kernel}\"\n kernel \"6.1.83-2.ph5\"\n}\n");
    assert!(told.contains("missing-node") && told.contains("`base` and `manager`"), "{told}");
    let (_, _, told) = planned(
        "os \"debian\" \"12\" {\n base \"a.example/b:c\"\n manager \"apt\"\n headers \"x-{kernel}\"\n kernel \"6.1.0-18-amd64\"\n}\n",
    );
    assert!(told.contains("conflicting-nodes"), "{told}");
}

#[test]
fn what_is_not_known_is_built_and_marked() {
    let (plan, dockerfile, told) =
        planned("os \"rhel\" \"9.9\" {\n kernel \"5.14.0-750.1.1.el9_9.x86_64\"\n}\n");
    assert!(told.contains("warning[unverified-release]") && !told.contains("error["), "{told}");
    assert!(dockerfile.contains("kernel-devel-5.14.0-750.1.1.el9_9.x86_64"), "{dockerfile}");
    assert!(dockerfile.contains("ubi9/ubi:9.9"), "{dockerfile}");
    assert_eq!(plan["targets"][0]["unverified"][0], "taken after RHEL 9.8", "{plan}");
}

#[test]
fn one_word_lifts_what_a_profile_knows() {
    for (os, release, kernel) in [
        ("rhel", "9.4", "5.14.0-284.11.1.el9_2.x86_64"),
        ("rhel", "9.4", "5.14.0-427.13.1.el9_2.x86_64"),
        ("rhel", "9.4", "5.15.0-91-generic"),
        ("openshift", "4.18.3", "5.14.0-427.59.1.el9_4.x86_64"),
    ] {
        let node = |word: &str| format!("os \"{os}\" \"{release}\" {{\n kernel \"{kernel}\"{word}\n}}\n");
        let (_, _, told) = planned(&node(""));
        assert!(told.contains("error[") && told.contains("unchecked=#true"), "{told}");
        let (plan, _, told) = planned(&node(" unchecked=#true"));
        let marks = plan["targets"][0]["unverified"].as_array().cloned().unwrap_or_default();
        assert!(marks.contains(&"unchecked".into()), "{kernel}: {told}");
    }
}

#[test]
fn repositories_are_those_of_the_subscription() {
    let of = |entitlement: &str| {
        let kernel = "kernel \"5.14.0-427.13.1.el9_4.x86_64\"";
        planned(&format!("os \"rhel\" \"9.4\" {{\n {kernel}\n {entitlement}\n}}\n")).1
    };
    assert!(of("").contains("rhel-9-for-x86_64-appstream-eus-rpms"));
    assert!(of("entitlement \"host\" stream=\"e4s\"").contains("rhel-9-for-x86_64-appstream-e4s-rpms"));
    assert!(of("entitlement \"host\" stream=\"base\"").contains("rhel-9-for-x86_64-appstream-rpms"));
    assert!(!of("entitlement \"none\"").contains("--enablerepo"));
}

/// What left the repositories that an image knows is given to the builder.
#[test]
fn archives_stand_in_the_dockerfile() {
    let (_, dockerfile, _) = planned("os \"rocky\" \"8.6\" {\n kernel \"4.18.0-372.9.1.el8.x86_64\"\n}\n");
    assert!(
        dockerfile.contains("https://dl.rockylinux.org/vault/rocky/8.6/BaseOS/x86_64/os"),
        "{dockerfile}"
    );
}
