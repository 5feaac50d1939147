//! From what running jobs tell to a line for each on a terminal, or plain lines elsewhere.

use super::terminal::Terminal;
use super::timings::Clock;
use crate::images::build::{Done, Outcome, Step, Trial, Watch};
use crate::text::diag::Clean;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often a terminal's lines are redrawn.
const TICK: Duration = Duration::from_millis(100);

/// Tells of running jobs.
pub(super) struct Progress<'t> {
    terminal: &'t Terminal,
    clock: &'t Clock,
    lines: Option<MultiProgress>,
    running: Mutex<BTreeMap<usize, ProgressBar>>,
    /// What was warned of, and of which jobs.
    warnings: Mutex<BTreeMap<String, BTreeSet<String>>>,
}

impl<'t> Progress<'t> {
    pub(super) fn new(terminal: &'t Terminal, clock: &'t Clock) -> Self {
        let lines = std::io::stderr().is_terminal().then(MultiProgress::new);
        Self { terminal, clock, lines, running: Mutex::default(), warnings: Mutex::default() }
    }

    /// Prints a line above those of running jobs.
    pub(super) fn say(&self, line: &str) {
        match &self.lines {
            Some(lines) => lines.suspend(|| self.terminal.say(line)),
            None => self.terminal.say(line),
        }
    }
}

impl Progress<'_> {
    /// Prints what was warned of, each once, with the names of those that it was said of.
    pub(super) fn say_warnings(&self) {
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        for (text, names) in &*warnings {
            self.say(&format!("\nwarning: {text}"));
            names.iter().for_each(|name| self.say(&format!("  {name}")));
        }
    }
}

impl Watch for Progress<'_> {
    fn started(&self, job: usize, name: &str) {
        self.clock.begin("build, push and name images");
        let Some(lines) = &self.lines else {
            return self.terminal.say(&format!("building {name}"));
        };
        let bar = lines.add(ProgressBar::new_spinner().with_style(style()));
        bar.set_prefix(clean(name));
        bar.enable_steady_tick(TICK);
        self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(job, bar);
    }

    fn step(&self, job: usize, step: &Step) {
        if let Some(bar) = self.running.lock().unwrap_or_else(PoisonError::into_inner).get(&job) {
            bar.set_message(clean(&format!("{} {}/{}", step.stage, step.at, step.of)));
        }
    }

    fn again(&self, _: usize, name: &str) {
        self.say(&format!("building {name} again: the engine lost a race with itself"));
    }

    fn ended(&self, job: usize, name: &str, outcome: &Outcome) {
        let bar = self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&job);
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        match outcome {
            Outcome::Done(done, time) => {
                let (did, how) = match done {
                    Done::Built => ("built", String::new()),
                    Done::Tried(Trial::Reused(kernel)) => ("reused", format!(": the modules of {kernel}")),
                    Done::Tried(Trial::Compiled(why)) => ("tried and built", format!(": {}", clean(why))),
                    Done::Pushed => ("pushed", String::new()),
                    Done::Named => ("named", String::new()),
                };
                self.say(&format!("{did} {name} in {:.1} s{how}", time.as_secs_f64()));
            }
            Outcome::Failed(_) => self.say(&format!("failed {name}")),
            Outcome::Interrupted => self.say(&format!("ended {name}")),
        }
    }

    fn warned(&self, name: &str, text: &str) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.entry(text.to_owned()).or_default().insert(name.to_owned());
    }

    fn aside(&self, line: &str) {
        self.say(line);
    }
}

fn style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{spinner} {prefix}  {wide_msg} {elapsed}");
    style.unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn clean(text: &str) -> String {
    Clean::text(text).as_str().to_owned()
}
