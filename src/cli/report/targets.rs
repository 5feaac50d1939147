//! Targets to what the page says of each: key, tags, Dockerfile, why, the last build, and what checks found.

use super::facts::{Facts, State, anchor};
use crate::cli::change::sentence;
use crate::compiler::why::{Change, Earlier, why_since};
use crate::images::record::{CheckRecord, Record};
use crate::store::state::HOME;
use crate::system::fs::Tree;
use serde::Serialize;
use std::collections::BTreeSet;

/// So many targets are described; beyond that, those that need nobody are left to `--target`.
const MOST: usize = 800;
/// So much of a log's end is shown: lines, and characters of each.
const LINES: usize = 20;
const CHARACTERS: usize = 160;
/// So much of a log is read, in bytes.
const LOG: u64 = 64 << 20;

/// Everything about a target.
#[derive(Debug, Serialize)]
pub(super) struct Described {
    anchor: String,
    id: String,
    class: &'static str,
    word: &'static str,
    is_calm: bool,
    facts: Vec<Fact>,
    error: Option<String>,
    help: Option<String>,
    log: Option<String>,
    log_path: Option<String>,
    checks: Vec<Checked>,
}

#[derive(Debug, Serialize)]
struct Fact {
    name: &'static str,
    values: Vec<String>,
    is_code: bool,
}

/// What `drvc verify` or `drvc boot` said.
#[derive(Debug, Serialize)]
struct Checked {
    by: &'static str,
    verdict: String,
    findings: Vec<Found>,
}

#[derive(Debug, Serialize)]
struct Found {
    level: String,
    code: String,
    message: String,
    help: Option<String>,
}

/// The targets that are described: all, or of many those that need somebody most.
pub(super) fn described(facts: &Facts<'_>, states: &[State]) -> BTreeSet<usize> {
    if facts.chosen.len() <= MOST {
        return facts.chosen.iter().copied().collect();
    }
    let mut needy: Vec<_> = facts.chosen.iter().filter_map(|at| Some((*states.get(*at)?, *at))).collect();
    needy.retain(|(state, _)| matches!(state, State::Failed | State::Changed));
    needy.sort();
    needy.into_iter().take(MOST).map(|(_, at)| at).collect()
}

/// What is said of each of them, those first that need somebody.
pub(super) fn targets(facts: &Facts<'_>, states: &[State], described: &BTreeSet<usize>) -> Vec<Described> {
    let earlier = Earlier::read(facts.disk, facts.out);
    let mut order: Vec<_> = described.iter().filter_map(|at| Some((*states.get(*at)?, *at))).collect();
    order.sort();
    order.into_iter().filter_map(|(state, at)| target(facts, &earlier, state, at)).collect()
}

fn target(facts: &Facts<'_>, earlier: &Earlier, state: State, at: usize) -> Option<Described> {
    let (target, json) = (facts.compiled.plan.targets.get(at)?, facts.compiled.json().targets.get(at)?);
    let record = facts.builds.as_ref().and_then(|builds| builds.get(&json.id)).cloned().unwrap_or_default();
    let Record { build, verify, boot } = record;
    let why = why_since(earlier, facts.compiled, target, facts.disk, facts.out);
    let mut list = vec![
        Fact { name: "Key", values: vec![json.key.clone()], is_code: true },
        Fact { name: "Tags", values: json.tags.clone(), is_code: true },
        Fact {
            name: "Dockerfile",
            values: vec![format!("{}/{}", facts.out, json.dockerfile)],
            is_code: true,
        },
        Fact { name: "Builder", values: vec![json.builder.clone()], is_code: false },
    ];
    let mut text = |name, value: String| list.push(Fact { name, values: vec![value], is_code: false });
    if why.change != Change::Nothing {
        text("Since compile", sentence(&why.change));
    }
    if let Some(build) = &build {
        if build.key != json.key {
            text("Last build", format!("of another key, {}", build.key.get(..16).unwrap_or(&build.key)));
        } else if let Some(time) = build.milliseconds {
            text("Build time", format!("{}.{} s", time / 1000, time % 1000 / 100));
        }
    }
    if let Some(kernel) =
        build.as_ref().filter(|build| build.key == json.key).and_then(|it| it.built_for.clone())
    {
        text("Modules", format!("those of kernel {kernel}, which serve here"));
    }
    if !json.unverified.is_empty() {
        list.push(Fact { name: "Not known", values: json.unverified.clone(), is_code: false });
    }
    let failed = build.as_ref().filter(|build| !build.is_good && build.key == json.key);
    let path = format!("{}/{HOME}/logs/{}.log", facts.out, json.id);
    let log = match failed {
        Some(build) if !build.tail.is_empty() => Some(last(build.tail.iter().map(String::as_str))),
        _ => build.as_ref().and_then(|_| log_end(facts, &json.id)),
    };
    let checks = [("verify", verify), ("boot", boot)];
    let checks = checks.into_iter().filter_map(|(by, said)| Some(checked(by, &said?, &json.key)));
    Some(Described {
        anchor: anchor(at),
        id: json.id.clone(),
        class: state.class(),
        word: state.word(),
        is_calm: state.is_calm(),
        facts: list,
        error: failed.and_then(|build| build.error.clone()),
        help: failed.and_then(|build| build.help.clone()),
        log_path: log.is_some().then_some(path),
        log,
        checks: checks.collect(),
    })
}

fn checked(by: &'static str, said: &CheckRecord, key: &str) -> Checked {
    let of = if said.key == key { "" } else { " (of an image with another key)" };
    let verdict = if said.findings.is_empty() { "nothing is wrong with it" } else { "found" };
    let found = said.findings.iter().map(|finding| Found {
        level: finding.level.clone(),
        code: finding.code.clone(),
        message: finding.message.clone(),
        help: finding.help.clone(),
    });
    Checked { by, verdict: format!("{verdict}{of}"), findings: found.collect() }
}

fn log_end(facts: &Facts<'_>, id: &str) -> Option<String> {
    let path = facts.out.join(&format!("{HOME}/logs/{id}.log")).ok()?;
    let log = facts.disk.read(&path, LOG).ok()?.value;
    let text = String::from_utf8_lossy(&log);
    (!text.trim().is_empty()).then(|| last(text.lines()))
}

/// The last lines.
fn last<'l>(lines: impl Iterator<Item = &'l str>) -> String {
    let lines: Vec<&str> = lines.collect();
    let short = |line: &&str| line.trim_end().chars().take(CHARACTERS).collect::<String>() + "\n";
    lines.iter().skip(lines.len().saturating_sub(LINES)).map(short).collect()
}
