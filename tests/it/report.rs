//! `drvc report`: what the page says of builds, what it never loads, and how it stays small.

use crate::build::{failed, project};
use crate::project::{Project, TARGET};
use serde_json::json;

const RECORD: &str = "drivers.out/.drvc/builds.json";

fn page(project: &Project, args: &[&str]) -> String {
    let run = project.run(&[&["report", "-o", "-"], args].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    run.stdout
}

/// Puts a record in place of the one that builds would write.
fn record(project: &Project, of: impl Fn(&str, &str) -> serde_json::Value) {
    let plan: serde_json::Value = serde_json::from_str(&project.read("drivers.out/plan.json")).unwrap();
    let targets = plan["targets"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let records = targets.map(|target| {
        let (id, key) = (text(&target["id"]), text(&target["key"]));
        let record = of(&id, &key);
        (id, record)
    });
    project.write(RECORD, &json!(records.collect::<serde_json::Map<_, _>>()).to_string());
}

#[test]
fn a_build_that_failed_is_told_with_its_error_until_the_target_is_another() {
    let project = project();
    let before = page(&project, &[]);
    assert!(before.contains("No build is on record here") && before.contains(">to compile<"), "{before}");
    failed(&project, "[2/5] STEP 2/2: RUN apt-get install\nE: Unable to locate <package>\n");
    let after = page(&project, &[]);
    assert!(after.contains("E: Unable to locate &lt;package&gt;"), "{after}");
    assert!(after.contains(">failed<") && after.contains("1 of 1 image to build"), "{after}");
    assert_eq!(after, page(&project, &[]));
    project.run(&["plan"]).expect(0, "\n1 target: 1 failed\n", "");
    project.run(&[]).expect(0, "drivers.kdl: 1 target: 1 failed\n\nnext:  drvc build", "");
    project.write("driver/example.c", "#include <linux/module.h>\n");
    project.run(&["plan"]).expect(0, "1 target: 1 to build; 1 Dockerfile to write: run `drvc compile`\n", "");
}

#[test]
fn an_image_is_up_to_date_as_long_as_its_key_is() {
    let project = Project::new();
    project.run(&["compile"]).expect(0, "", "written");
    record(&project, |_, key| {
        json!({
            "build": { "key": key, "is_good": true, "milliseconds": 41_370 },
            "verify": { "key": key, "findings": [{ "level": "warning", "code": "missing-firmware", "message": "no fw.bin" }] },
        })
    });
    let good = page(&project, &[]);
    for text in [">up to date<", "41.3 s", "missing-firmware", "no fw.bin"] {
        assert!(good.contains(text), "{text}: {good}");
    }
    project.run(&["plan"]).expect(0, &format!("{TARGET}  up to date\n\n1 target: 1 up to date\n"), "");
    project.run(&[]).expect(0, "next:  drvc report", "");
    project.write("driver/example.c", "#include <linux/module.h>\n");
    let changed = page(&project, &[]);
    for text in [">changed<", "of another key", "Changed first: file"] {
        assert!(changed.contains(text), "{text}: {changed}");
    }
    project.write(RECORD, "{ not JSON");
    assert!(page(&project, &[]).contains("No build is on record here"));
}

#[test]
fn what_an_earlier_kernel_lent_is_told() {
    let project = Project::new();
    project.run(&["compile"]).expect(0, "", "written");
    record(&project, |_, key| {
        json!({
            "build": { "key": key, "is_good": true, "milliseconds": 9_000, "built_for": "6.1.0-17-amd64" },
            "boot": { "key": key, "findings": [{ "level": "error", "code": "not-loaded", "message": "modprobe failed" }] },
        })
    });
    let good = page(&project, &[]);
    for text in [">reused<", "those of kernel 6.1.0-17-amd64", "modprobe failed"] {
        assert!(good.contains(text), "{text}: {good}");
    }
    project.run(&["plan"]).expect(0, "1 target: 1 reused\n", "");
}

#[test]
fn texts_of_others_stay_texts_and_nothing_is_loaded() {
    let project = Project::new();
    let hostile =
        "</pre><script>alert(1)</script><img src=x onerror=alert(2)>\u{202e}\u{1b}[31m\" onclick=\"x";
    project.edit(
        "drivers.kdl",
        "matrix {",
        "matrix {\n    exclude flavor=\"rt\" reason=\"</small><script>alert(3)</script>\"",
    );
    project.edit("drivers.kdl", "\"6.1.0-18-amd64\"", "\"6.1.0-18-amd64\" \"6.1.0-18-rt-amd64\"");
    project.run(&["compile"]).expect(0, "", "written");
    record(&project, |_, key| {
        let finding = json!({ "level": hostile, "code": hostile, "message": hostile, "help": hostile });
        json!({
            "build": { "key": key, "is_good": false, "error": hostile, "help": hostile, "tail": [hostile] },
            "verify": { "key": hostile, "findings": [finding] },
        })
    });
    let node = json!({
        "metadata": { "name": hostile },
        "status": { "nodeInfo": { "kernelVersion": hostile, "architecture": hostile } },
    });
    project.write("nodes.json", &json!({ "items": [node] }).to_string());
    let page = page(&project, &["--nodes", "nodes.json"]);
    for taboo in [
        "<script",
        "<img",
        "\u{202e}",
        "\u{1b}",
        "\" onclick",
        "src=",
        "@import",
        "url(http",
        "<link rel=\"style",
    ] {
        assert!(!page.contains(taboo), "{taboo:?} is in the page");
    }
    assert!(page.contains("&lt;script&gt;alert(3)") && page.contains("0 of 1 node covered"), "{page}");
    assert!(page.contains("Content-Security-Policy") && page.matches("<svg").count() == 2);
}

#[test]
fn a_selector_makes_a_page_of_a_part() {
    let project = Project::new();
    project.edit("drivers.kdl", "\"6.1.0-18-amd64\"", "\"6.1.0-18-amd64\" \"6.1.0-20-amd64\"");
    let part = page(&project, &["--target", "kernel=6.1.0-20-amd64"]);
    assert!(part.contains("(a part)") && !part.contains("6.1.0-18-amd64"), "{part}");
    project.run(&["report", "--target", "kernel=7"]).expect(2, "", "no target is selected by `kernel=7`");
    project.run(&["report"]).expect(0, "", "drivers.out/.drvc/report.html: 2 targets");
    assert!(project.read("drivers.out/.drvc/report.html").contains("6.1.0-18-amd64"));
}

#[test]
fn many_failures_stay_in_bounds_and_what_is_left_out_is_said() {
    let project = Project::new();
    let kernels: String = (1..=1200).map(|number| format!("6.1.0-{number}-amd64\n")).collect();
    project.write("kernels.txt", &kernels);
    project.edit("drivers.kdl", "kernel \"6.1.0-18-amd64\"", "kernel from=\"kernels.txt\"");
    project.run(&["compile"]).expect(0, "", "written");
    let tail = vec!["x".repeat(500); 60];
    record(
        &project,
        |_, key| json!({ "build": { "key": key, "is_good": false, "error": "E", "tail": tail } }),
    );
    let page = page(&project, &[]);
    assert!(page.contains("400 targets not described here"), "{}", page.len());
    assert!(page.len() < 5_000_000 - 8_800 * 150, "{}", page.len());
    assert_eq!(page.matches(">6.1.0-").count(), 1200);
}

/// The contrast of two colours, by WCAG 2.
fn contrast(one: &str, other: &str) -> f64 {
    let light = |color: &str| {
        let digits = color.trim_start_matches('#');
        let whole =
            if digits.len() == 3 { digits.chars().flat_map(|c| [c, c]).collect() } else { digits.to_owned() };
        let channel = |at: usize| {
            let share = f64::from(u8::from_str_radix(&whole[at..at + 2], 16).unwrap()) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
    };
    let (one, other) = (light(one), light(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Each state in its tag, in a bar and as a text, in both schemes: 4.5, as WCAG's level AA asks of text.
#[test]
fn every_state_can_be_read() {
    let css = include_str!("../../src/cli/report/page.css");
    let (light, dark) = css.split_once("@media (prefers-color-scheme:dark)").unwrap();
    let (dark, _) = dark.split_once("}}").unwrap();
    let colours = |css: &'static str| {
        let pairs = css.split(['{', ';', '\n']).filter_map(|pair| pair.strip_prefix("--")?.split_once(':'));
        pairs.map(|(name, value)| (name, value.trim_end_matches('}'))).collect::<Vec<_>>()
    };
    for scheme in [colours(light), [colours(light), colours(dark)].concat()] {
        let of = |name: &str| scheme.iter().rev().find(|(known, _)| *known == name).unwrap().1;
        for state in ["f", "c", "n", "p", "u", "r"] {
            for behind in [of(&format!("{state}b")), of("card"), of("page")] {
                assert!(contrast(of(state), behind) >= 4.5, "{state} on {behind}");
            }
        }
        for text in ["text", "quiet", "accent"] {
            assert!(contrast(of(text), of("card")) >= 4.5 && contrast(of(text), of("page")) >= 4.5, "{text}");
        }
    }
}
