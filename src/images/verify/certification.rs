//! What Red Hat's certification asks of a container image's labels and files, as the checks `HasRequiredLabel`,
//! `HasNoProhibitedLabels` and `HasLicense` of openshift-preflight read them.

use super::Expected;
use super::finding::{Finding, Kind};
use crate::images::image::Image;

/// The labels, and the edit of a manifest that gives each.
const LABELS: [(&str, &str); 7] = [
    ("name", "`drvc compile` writes it where `project` has a `vendor`"),
    ("vendor", "add `vendor` to `project`"),
    ("version", "add `version` to `project`"),
    ("release", "`drvc compile` writes it where `project` has a `vendor`"),
    ("summary", "add `description` to `project`"),
    ("description", "add `description` to `project`"),
    ("maintainer", "add `maintainer` to `project`"),
];
/// Of these, those that must not claim to be of Red Hat.
const MARKED: [&str; 3] = ["name", "vendor", "maintainer"];

pub(super) fn check(image: &Image, expected: &Expected) -> Vec<Finding> {
    if !expected.certification {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (label, help) in LABELS {
        let value = image.config.labels.get(label).map_or("", String::as_str);
        let is_own = expected.labels.as_ref().is_none_or(|own| own.contains(label));
        let message = if value.is_empty() {
            format!("the label `{label}` is missing")
        } else if !is_own {
            format!("the label `{label}` is the base image's: {value}")
        } else if MARKED.contains(&label) && is_of_red_hat(value) {
            format!("the label `{label}` says that it is of Red Hat: {value}")
        } else {
            continue;
        };
        findings.push(Finding::new(Kind::Certification, message).help(help));
    }
    // Engines leave directories without files out of what they copy.
    if image.root.beneath("licenses").next().is_none() {
        let message = "there is no file in /licenses";
        let help = "add `license-file \"LICENSE\" from=\"SOURCE\"` to `project`";
        findings.push(Finding::new(Kind::Certification, message).help(help));
    }
    findings
}

/// Whether a text names Red Hat other than as what it is "for".
fn is_of_red_hat(text: &str) -> bool {
    let plain: String =
        text.to_ascii_lowercase().chars().filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit()).collect();
    plain.starts_with("redhat") || plain.matches("redhat").count() > usize::from(plain.contains("forredhat"))
}

#[cfg(test)]
#[test]
fn a_name_may_say_what_it_is_for() {
    for bad in ["Red Hat, Inc.", "RED-HAT driver", "my redhat driver", "for Red Hat by Red Hat"] {
        assert!(is_of_red_hat(bad), "{bad}");
    }
    for fine in ["Example", "", "driver for Red Hat Enterprise Linux"] {
        assert!(!is_of_red_hat(fine), "{fine}");
    }
}
