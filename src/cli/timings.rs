//! `--timings`: where the time of a command went, by phase, as text or JSON.

use super::terminal::Terminal;
use crate::text::error::Error;
use camino::Utf8PathBuf;
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// The option.
#[derive(Debug, Args)]
pub(super) struct Timings {
    /// Say where the time went; with FILE, write it there as JSON (`drvc schema timings`)
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[arg(value_hint = clap::ValueHint::FilePath)]
    timings: Option<Option<Utf8PathBuf>>,
}

/// Phases of a command, in the order in which they began.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "drvc --timings")]
pub(super) struct TimingsJson {
    /// Version of this shape; a change that could break a reader makes it greater.
    version: u32,
    /// Every phase; one that came again is added up.
    phases: Vec<PhaseTime>,
}

/// A phase.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PhaseTime {
    /// What was done.
    phase: String,
    /// How long it took.
    seconds: f64,
}

/// Reads the clock whenever a phase begins.
#[derive(Debug, Default)]
pub(super) struct Clock(Mutex<Vec<(&'static str, Instant)>>);

impl Clock {
    /// Ends the phase that runs, and begins this one; the same again goes on.
    pub(super) fn begin(&self, phase: &'static str) {
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if marks.last().is_none_or(|(last, _)| *last != phase) {
            marks.push((phase, Instant::now()));
        }
    }

    fn times(&self, end: Instant) -> TimingsJson {
        let marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = marks.iter().skip(1).map(|(_, at)| *at).chain([end]);
        let mut phases: Vec<PhaseTime> = Vec::new();
        for ((phase, start), end) in marks.iter().zip(ends) {
            let seconds = end.duration_since(*start).as_secs_f64();
            match phases.iter_mut().find(|known| known.phase == *phase) {
                Some(known) => known.seconds += seconds,
                None => phases.push(PhaseTime { phase: (*phase).to_owned(), seconds }),
            }
        }
        TimingsJson { version: 1, phases }
    }

    /// Tells it, where it was asked for.
    pub(super) fn tell(&self, asked: &Timings, terminal: &Terminal) -> Result<(), Error> {
        let Some(file) = &asked.timings else { return Ok(()) };
        let times = self.times(Instant::now());
        let Some(path) = file else {
            let all: f64 = times.phases.iter().map(|phase| phase.seconds).sum();
            let lines =
                times.phases.iter().map(|phase| (phase.phase.as_str(), phase.seconds)).chain([("all", all)]);
            lines.for_each(|(phase, seconds)| {
                terminal.say(&format!("{:>10.1} ms  {phase}", seconds * 1000.0))
            });
            return Ok(());
        };
        let text = serde_json::to_string_pretty(&times).unwrap_or_default() + "\n";
        crate::system::fs::write(path, text.as_bytes())
            .map_err(|cause| Error::new("write", path.as_str(), cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_that_come_again_are_added_up() {
        let clock = Clock::default();
        ["read", "write", "write", "read"].into_iter().for_each(|phase| clock.begin(phase));
        let times = clock.times(Instant::now());
        let names: Vec<_> = times.phases.iter().map(|phase| phase.phase.as_str()).collect();
        assert_eq!(names, ["read", "write"]);
        assert!(times.phases.iter().all(|phase| phase.seconds >= 0.0));
    }
}
