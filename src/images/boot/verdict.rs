//! What a machine said -> a verdict: which modules were loaded, and what went wrong.

use super::console::{Command, Observed, Seen, message};
use super::qemu::Said;
use super::report::{By, ModuleReport, Outcome, Problem, Trouble};
use crate::system::process::Ended;
use std::collections::BTreeMap;

/// So many lines of a console are shown.
const SHOWN: usize = 24;
/// What stands at the beginning of a kernel's message when it has crashed.
const CRASHES: [&str; 10] = [
    "BUG:",
    "Oops",
    "general protection fault",
    "kernel BUG at",
    "Kernel panic",
    "Unable to handle kernel",
    "Internal error:",
    "invalid opcode:",
    "divide error:",
    "stack segment:",
];
/// The letters of the kernel's taint, by their bits (`kernel/panic.c`, `taint_flags`).
const TAINTS: &str = "PFSRMBUDAWCIOELKXTN";
/// What every module from outside of the tree does to a kernel that does not know its signer.
const EXPECTED: &str = "OE";

/// What is known of the image.
pub(super) struct Booted<'a> {
    /// The modules that were built, each after those that it needs.
    pub modules: &'a [String],
    /// The values that the image gives to parameters, by module.
    pub parameters: &'a BTreeMap<String, BTreeMap<String, String>>,
    /// Letters of taint that are taken for granted beside `OE`.
    pub allowed: &'a str,
    /// Whether there is a command at all.
    pub has_command: bool,
}

/// What became of each module, the letters of taint that are new, and what is wrong.
pub(super) fn verdict(
    booted: &Booted<'_>,
    said: &Said,
    observed: &Observed,
) -> (Vec<ModuleReport>, String, Vec<Problem>) {
    let mut problems = crashes(said);
    let crashed = !problems.is_empty();
    problems.extend(refusals(&observed.messages));
    let modules: Vec<_> =
        booted.modules.iter().map(|name| module(name, observed.modules.get(name), observed)).collect();
    for report in &modules {
        problems.extend(of_module(report, observed, &problems, crashed));
        if let (Some(wanted), Outcome::Loaded) = (booted.parameters.get(&report.name), report.outcome) {
            problems.extend(parameters(report, wanted));
        }
    }
    problems.extend(ending(booted, said, observed, crashed));
    problems.extend(command(booted, observed, &modules, &problems));
    let letters = taint(observed);
    let beyond: String = letters
        .chars()
        .filter(|letter| !EXPECTED.contains(*letter) && !booted.allowed.contains(*letter))
        .filter(|letter| !(crashed && "DW".contains(*letter)))
        .collect();
    if !beyond.is_empty() {
        let message = format!(
            "the kernel is tainted with {beyond}, beyond what a driver from outside its tree does ({EXPECTED})"
        );
        let help = "the kernel's messages say by what; `--allow-taint` takes letters for granted";
        problems.push(Problem::new(Trouble::Tainted, message).help(help));
    }
    problems.sort();
    problems.dedup();
    (modules, letters, problems)
}

/// What the kernel says of itself when it crashes or finds itself in disorder.
fn crashes(said: &Said) -> Vec<Problem> {
    let at = |is: &dyn Fn(&str) -> bool| said.lines.iter().position(|line| is(message(line)));
    let shown = |at: usize| said.lines.iter().skip(at).take(SHOWN).cloned();
    let crash = at(&|text| CRASHES.iter().any(|crash| text.starts_with(crash)));
    let warning = at(&|text| text.starts_with("WARNING: "));
    let what = |at: usize| said.lines.get(at).map_or("", |line| message(line)).to_owned();
    let crash = crash.map(|at| {
        Problem::new(Trouble::KernelCrash, format!("the kernel crashed: {}", what(at))).lines(shown(at))
    });
    let warning = warning.map(|at| {
        Problem::new(Trouble::KernelWarning, format!("the kernel warned: {}", what(at))).lines(shown(at))
    });
    crash.into_iter().chain(warning).collect()
}

/// Modules that the kernel refuses, and why.
fn refusals(messages: &[String]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for text in messages {
        let problem = if let Some((module, symbol)) = text.split_once(": Unknown symbol ") {
            let symbol = symbol.split(' ').next().unwrap_or(symbol);
            let message = format!("`{module}` uses `{symbol}`, which the kernel does not export");
            let help = "pack and load the module that exports it, or build against a kernel that does";
            Problem::new(Trouble::MissingSymbol, message).of(module).help(help)
        } else if let Some((module, symbol)) = text.split_once(": disagrees about version of symbol ") {
            let message = format!("the kernel has another version of `{symbol}`, which `{module}` uses");
            let help = "build it again with this kernel's own headers";
            Problem::new(Trouble::ChangedSymbol, message).of(module).help(help)
        } else if let Some((module, magic)) = text.split_once(": version magic ") {
            let message = format!("`{module}` was built for another kernel: {magic}");
            let help = "pass the kernel's build directory to make, and never `uname -r`";
            Problem::new(Trouble::WrongKernel, message).of(module).help(help)
        } else if let Some((module, name)) = text.split_once(": unknown parameter ") {
            let name = name.split(' ').next().unwrap_or(name).replace('\'', "`");
            let message = format!("`{module}` has no parameter {name}");
            Problem::new(Trouble::UnknownParameter, message).of(module).help("correct its `option`")
        } else if text.contains("Key was rejected") || text.contains("unavailable key is rejected") {
            Problem::new(Trouble::RejectedSignature, "the kernel refuses the signature of a module")
        } else if let Some((_, rest)) = text.split_once("Direct firmware load for ") {
            let name = rest.split(' ').next().unwrap_or(rest);
            Problem::new(Trouble::MissingFirmware, format!("the kernel did not find the firmware `{name}`"))
        } else {
            continue;
        };
        problems.push(problem.lines([text.clone()]));
    }
    problems
}

fn module(name: &str, seen: Option<&Seen>, observed: &Observed) -> ModuleReport {
    let none = Seen::default();
    let seen = seen.unwrap_or(&none);
    let live = seen.is_live("command") || seen.is_live("load");
    let said = |output: &[String]| output.iter().any(|line| line.contains("No such device"));
    let no_device =
        said(&seen.output) || (seen.output.is_empty() && seen.code.is_none() && said(&observed.output));
    ModuleReport {
        name: name.to_owned(),
        outcome: match (live, no_device) {
            (true, _) => Outcome::Loaded,
            (false, true) => Outcome::NoDevice,
            (false, false) => Outcome::Failed,
        },
        by: if seen.code.is_some() { By::Modprobe } else { By::Command },
        parameters: seen.parameters.clone(),
        unloaded: seen.states.get("unload").filter(|_| live).map(String::is_empty),
    }
}

/// What is to be said of a module that nothing else was said of.
fn of_module(report: &ModuleReport, observed: &Observed, known: &[Problem], crashed: bool) -> Vec<Problem> {
    let name = &report.name;
    let seen = observed.modules.get(name);
    let mut problems = Vec::new();
    let explained = known.iter().any(|problem| problem.module.as_ref() == Some(name));
    match report.outcome {
        Outcome::Loaded => {}
        Outcome::NoDevice => {
            let message = format!("the kernel links `{name}`, which then finds no device of its own");
            problems.push(Problem::new(Trouble::NoDevice, message).of(name));
        }
        // What happened to it is told with how the machine ended.
        Outcome::Failed
            if explained || crashed || seen.is_none_or(|seen| !seen.states.contains_key("load")) => {}
        Outcome::Failed => {
            let lines = seen.map(|seen| seen.output.clone()).unwrap_or_default();
            let message = format!("`{name}` was not loaded");
            problems.push(Problem::new(Trouble::NotLoaded, message).of(name).lines(lines));
        }
    }
    if report.unloaded == Some(false) {
        let problem = if seen.is_some_and(|seen| seen.permanent) {
            Problem::new(Trouble::Permanent, format!("`{name}` has no way to be unloaded"))
        } else {
            Problem::new(Trouble::NotUnloaded, format!("`{name}` could not be unloaded"))
                .help("on a node, an update of the driver would need a restart")
        };
        problems.push(problem.of(name));
    }
    problems
}

/// Parameters that do not have the values that the image gives them. One that the kernel does not show is not judged.
fn parameters(report: &ModuleReport, wanted: &BTreeMap<String, String>) -> Vec<Problem> {
    let name = &report.name;
    let shown = |(parameter, value): (&String, &String)| {
        let found = report.parameters.get(&parameter.replace('-', "_"))?;
        let message =
            format!("the parameter `{parameter}` of `{name}` is `{found}`, and should be `{value}`");
        let problem = Problem::new(Trouble::ParameterNotApplied, message).of(name);
        (!is_same(value, found)).then_some(problem)
    };
    wanted.iter().filter_map(shown).collect()
}

/// Whether a value as it was given is the one that the kernel shows: `1` is `Y` and `0x10` is `16`.
fn is_same(given: &str, shown: &str) -> bool {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(hex) => i128::from_str_radix(hex, 16).ok(),
        None => text.parse::<i128>().ok(),
    };
    let one = |given: &str, shown: &str| match shown {
        "Y" => ["1", "y", "Y", "on", "yes", ""].contains(&given),
        "N" => ["0", "n", "N", "off", "no"].contains(&given),
        _ => given == shown || number(given).is_some_and(|given| Some(given) == number(shown)),
    };
    // A list may have room for more values than were given.
    one(given, shown) || given.split(',').zip(shown.split(',')).all(|(given, shown)| one(given, shown))
}

/// What is wrong with how the machine ended.
fn ending(booted: &Booted<'_>, said: &Said, observed: &Observed, crashed: bool) -> Option<Problem> {
    if observed.ended {
        return None;
    }
    let tail = said.lines.iter().skip(said.lines.len().saturating_sub(SHOWN)).cloned();
    let complaint = said.complaint.lines().map(str::to_owned);
    let seconds = said.time.as_secs();
    match said.ended {
        Ended::TimedOut => {
            let absent = booted.modules.iter().filter(|name| {
                observed
                    .modules
                    .get(*name)
                    .is_none_or(|seen| !seen.is_live("command") && !seen.is_live("load"))
            });
            let absent: Vec<_> = absent.map(|name| format!("`{name}`")).collect();
            let message = if !observed.begun {
                format!("the kernel had not come to the image after {seconds} s")
            } else if observed.unloading {
                format!("unloading the modules had not ended after {seconds} s")
            } else if let Some(module) = &observed.trying {
                format!("loading `{module}` had not ended after {seconds} s")
            } else {
                format!("the image's command had not loaded {} after {seconds} s", absent.join(", "))
            };
            let help = "give a slow machine more time with `--boot-timeout`";
            Some(Problem::new(Trouble::Hang, message).help(help).lines(tail))
        }
        Ended::TooMuch => Some(Problem::new(Trouble::Hang, "the machine does not stop talking").lines(tail)),
        Ended::Code(_) | Ended::Interrupted if crashed => None,
        Ended::Code(_) | Ended::Interrupted => {
            let message = if observed.begun {
                "the machine ended before the image's command was through"
            } else {
                "the machine ended before the kernel had come to the image"
            };
            Some(Problem::new(Trouble::NoBoot, message).lines(complaint.chain(tail)))
        }
    }
}

fn command(
    booted: &Booted<'_>,
    observed: &Observed,
    modules: &[ModuleReport],
    known: &[Problem],
) -> Option<Problem> {
    match observed.command {
        Some(Command::Ended(code)) if code != 0 => {
            // Why it failed is known where a module's device is missing.
            let only_devices = modules.iter().any(|module| module.outcome == Outcome::NoDevice)
                && modules.iter().all(|module| module.outcome != Outcome::Failed)
                && known.iter().all(|problem| problem.code != Trouble::NotLoaded);
            let message = format!("the image's command ended with code {code}");
            let problem = Problem::new(Trouble::CommandFailed, message).lines(observed.output.clone());
            (!only_devices).then_some(problem)
        }
        Some(Command::Stays) => {
            Some(Problem::new(Trouble::Hang, "the image's command does not end when it is told to (TERM)"))
        }
        Some(Command::Ended(_) | Command::Runs) | None if booted.has_command || !observed.begun => None,
        _ => Some(Problem::new(Trouble::CommandFailed, "the image has no command")),
    }
}

/// The letters of taint that are there at the end, and were not before.
fn taint(observed: &Observed) -> String {
    let bits = |when: &str| observed.taint.get(when).copied().unwrap_or_default();
    let new = (bits("loaded") | bits("end")) & !bits("before");
    let letters = TAINTS.chars().enumerate().filter(|(bit, _)| new >> bit & 1 == 1);
    letters.map(|(_, letter)| letter).collect()
}

#[cfg(test)]
mod tests {
    use super::super::qemu::Accelerator;
    use super::*;
    use std::time::Duration;

    fn judged(lines: &[&str], ended: Ended) -> (Vec<ModuleReport>, String, Vec<Trouble>) {
        let lines: Vec<String> = lines.iter().map(|line| format!("[    1.0] {line}")).collect();
        let said = Said {
            ended,
            time: Duration::from_secs(9),
            accelerator: Accelerator::Tcg,
            aside: None,
            complaint: String::new(),
            lines,
        };
        let parameters =
            BTreeMap::from([("one".to_owned(), BTreeMap::from([("level".to_owned(), "0x10".to_owned())]))]);
        let modules = ["one".to_owned()];
        let booted = Booted { modules: &modules, parameters: &parameters, allowed: "", has_command: true };
        let (modules, taint, problems) = verdict(&booted, &said, &Observed::of(&said.lines));
        (modules, taint, problems.into_iter().map(|problem| problem.code).collect())
    }

    const BEGIN: [&str; 2] = ["drvc taint before 0", "drvc begin"];
    const GOOD: [&str; 7] = [
        "drvc command 0",
        "drvc state command one Live -",
        "drvc state load one Live -",
        "drvc parameter one level 16",
        "drvc state unload one - -",
        "drvc taint end 12288",
        "drvc end",
    ];

    #[test]
    fn a_driver_that_loads_has_no_problem() {
        let (modules, taint, problems) = judged(&[&BEGIN[..], &GOOD].concat(), Ended::Code(0));
        assert_eq!((taint.as_str(), problems), ("OE", vec![]));
        let one = &modules[0];
        assert_eq!((one.outcome, one.by, one.unloaded), (Outcome::Loaded, By::Command, Some(true)));
    }

    #[test]
    fn each_way_to_fail_has_its_name() {
        use Trouble::*;
        let refused = |text| -> Vec<&str> {
            let states = [
                "drvc command 1",
                "drvc try one",
                text,
                "drvc tried one 1",
                "drvc state load one - -",
                "drvc end",
            ];
            [&BEGIN[..], &[text], &states].concat()
        };
        let (done, late) = (Ended::Code(0), Ended::TimedOut);
        let good = |text| [&BEGIN[..], &[text], &GOOD].concat();
        for (lines, ended, expected) in [
            (refused("one: Unknown symbol gone (err -2)"), done, vec![CommandFailed, MissingSymbol]),
            (refused("one: disagrees about version of symbol x"), done, vec![ChangedSymbol, CommandFailed]),
            (refused("one: version magic '6' should be '7'"), done, vec![CommandFailed, WrongKernel]),
            (refused("anything"), done, vec![CommandFailed, NotLoaded]),
            (
                refused("drvc out modprobe: ERROR: could not insert 'one': No such device"),
                done,
                vec![NoDevice],
            ),
            (good("one: unknown parameter 'x' ignored"), done, vec![UnknownParameter]),
            (good("drvc taint loaded 12289"), done, vec![Tainted]),
            (good("WARNING: CPU: 0 PID: 7 at x.c:1"), done, vec![KernelWarning]),
            (good("x: Direct firmware load for a.bin failed with error -2"), done, vec![MissingFirmware]),
            ([&BEGIN[..], &["BUG: kernel NULL pointer dereference"]].concat(), done, vec![KernelCrash]),
            (BEGIN.to_vec(), late, vec![Hang]),
            (vec!["Linux"], late, vec![Hang]),
            (vec![], Ended::Code(1), vec![NoBoot]),
        ] {
            let (_, _, problems) = judged(&lines, ended);
            assert_eq!(problems.len(), expected.len(), "{lines:?} {problems:?}");
            assert!(expected.iter().all(|code| problems.contains(code)), "{lines:?} {problems:?}");
        }
        let applied: Vec<_> = GOOD.iter().map(|line| line.replace("level 16", "level 17")).collect();
        let lines = [&BEGIN[..], &applied.iter().map(String::as_str).collect::<Vec<_>>()].concat();
        assert_eq!(judged(&lines, done).2, [ParameterNotApplied]);
        assert!(is_same("1,2", "1,2,0") && is_same("1", "Y") && !is_same("2", "Y") && !is_same("a", "b"));
    }
}
