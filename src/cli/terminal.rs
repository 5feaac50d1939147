//! From texts to the two streams: the only place that prints, and the only one that looks at the environment.

use super::{Exit, Failure};
use crate::text::diag::human::{self, Look};
use crate::text::diag::{Clean, Report, count, listed};
use crate::text::error::Error;
use clap::ValueEnum;
use serde::Serialize;
use std::io::{ErrorKind, IsTerminal, Read, Write};

/// When reports are coloured: `Auto` is on a terminal that is not dumb, unless NO_COLOR is set.
// The variants have no description of their own: clap would give each a paragraph of every command's help.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorWhen {
    #[default]
    Auto,
    Always,
    Never,
}

/// Standard output and standard error.
#[derive(Debug)]
pub(super) struct Terminal {
    when: ColorWhen,
}

impl Terminal {
    pub(super) fn new(when: ColorWhen) -> Self {
        Self { when }
    }

    /// How reports are drawn on standard error. Lines are ASCII only on a terminal whose locale is not UTF-8.
    pub(super) fn look(&self) -> Look {
        let terminal = std::io::stderr().is_terminal();
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable).unwrap_or_default().to_lowercase();
        Look {
            color: self.color(terminal),
            ascii: terminal && !locale.contains("utf-8") && !locale.contains("utf8"),
        }
    }

    /// Whether progress can be drawn over itself.
    #[expect(clippy::unused_self, reason = "whoever prints holds the terminal")]
    pub(super) fn is_live(&self) -> bool {
        std::io::stderr().is_terminal() && variable("TERM").is_none_or(|term| term != "dumb")
    }

    /// How many columns standard output has; elsewhere than on a terminal, as many as fit a page.
    #[expect(clippy::unused_self, reason = "whoever prints holds the terminal")]
    pub(super) fn columns(&self) -> usize {
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
        size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(100)
    }

    fn color(&self, terminal: bool) -> bool {
        match self.when {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => {
                terminal
                    && variable("NO_COLOR").is_none()
                    && variable("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }

    /// Prints a product for people to read.
    pub(super) fn product(&self, text: &Clean) -> Result<(), Error> {
        self.raw(text.as_str())
    }

    /// Prints a product as JSON.
    pub(super) fn json(&self, value: &impl Serialize) -> Result<(), Error> {
        let json = serde_json::to_string_pretty(value);
        let json = json.map_err(|cause| Error::new("write", "standard output", cause))?;
        self.raw(&(crate::text::diag::clean::escape_json(&json) + "\n"))
    }

    /// Prints a product for programs, whose format has itself made it harmless. A reader that has gone is no error.
    #[expect(clippy::unused_self, reason = "whoever prints holds the terminal")]
    pub(super) fn raw(&self, text: &str) -> Result<(), Error> {
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Error::new("write", "standard output", error)
                    .help("free some space, or send the output elsewhere"))
            }
            _ => Ok(()),
        }
    }

    /// Prints a report. What cannot be told is lost: there is nobody to tell.
    #[expect(clippy::unused_self, reason = "whoever prints holds the terminal")]
    pub(super) fn report(&self, text: &Clean) {
        let _ = std::io::stderr().lock().write_all(text.as_str().as_bytes());
    }

    /// Prints one line of a report.
    pub(super) fn say(&self, line: &str) {
        self.report(&Clean::text(&format!("{line}\n")));
    }

    /// Prints diagnostics for people; what the lock lacks is one line.
    pub(super) fn diagnostics(&self, report: &Report<'_>) {
        self.some_diagnostics(report, false);
    }

    /// Prints diagnostics for people, and with `drift` each entry that the lock lacks. At the end stands how many they are,
    /// and where more is said of the worst.
    pub(super) fn some_diagnostics(&self, report: &Report<'_>, drift: bool) {
        let (shown, counted) = report.for_people(drift);
        if counted > 0 {
            let what = match report.has_read("drivers.lock") {
                true => format!("drivers.lock and the manifest differ in {}", count(counted, "place")),
                false => "nothing is pinned yet".to_owned(),
            };
            self.say(&format!("drift: {what}: run `drvc lock`; `drvc check --drift` shows more"));
        }
        if !shown.is_empty() {
            self.report(&human::render(&shown, self.look()));
            self.say("");
        }
        let more = match shown.worst().as_slice() {
            [] => return,
            [code] => format!("`drvc explain {code}` tells more"),
            codes => {
                format!("`drvc explain CODE` tells more of {}", listed(codes.iter().copied().take(5), "and"))
            }
        };
        self.say(&format!("{}; {more}", human::count(&shown).as_str()));
    }

    /// Tells why a command did not get to its end.
    pub(super) fn failure(&self, failure: &Failure) -> Exit {
        let (message, help, exit) = match failure {
            Failure::Usage { message, help } => (message.clone(), Some(help.as_str()), Exit::Usage),
            Failure::Refused => return Exit::Diagnostics,
            Failure::World(error) => (error.to_string(), error.next_step(), Exit::World),
        };
        let help = help.map(|help| format!("  help: {help}\n")).unwrap_or_default();
        self.report(&Clean::text(&format!("error: {message}\n{help}")));
        exit
    }

    /// Tells what clap has to say: help and version are products, everything else is a report of wrong usage.
    pub(super) fn clap(&self, message: &clap::Error) -> Exit {
        if message.use_stderr() {
            self.report(&Clean::text(&message.render().to_string()));
            return Exit::Usage;
        }
        let text = message.render();
        let color = self.color(std::io::stdout().is_terminal());
        let shown = if color { self.raw(&text.ansi().to_string()) } else { self.raw(&text.to_string()) };
        shown.map_or_else(|error| self.failure(&error.into()), |()| Exit::Fine)
    }
}

/// What standard input holds, at most `limit` bytes of it.
pub(super) fn standard_input(limit: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(limit).read_to_end(&mut bytes);
    read.map_err(|error| Error::new("read", "standard input", error))?;
    Ok(bytes)
}

/// An environment variable that is set and not empty.
#[expect(clippy::disallowed_methods, reason = "the one reader of the environment; it decides on looks alone")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
