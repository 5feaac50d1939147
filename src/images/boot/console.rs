//! The lines of a machine's console -> what its script told, and what its kernel said beside that.

use std::collections::BTreeMap;

/// What begins the script's own lines.
const OWN: &str = "drvc ";

/// What was seen of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Observed {
    /// Whether the script was reached.
    pub begun: bool,
    /// Whether the script came to its end.
    pub ended: bool,
    /// Whether it came to unloading.
    pub unloading: bool,
    /// The kernel's taint: `before`, `loaded`, `end`.
    pub taint: BTreeMap<String, u64>,
    /// What became of the image's command.
    pub command: Option<Command>,
    /// The module that was last tried beside the command, while it is.
    pub trying: Option<String>,
    /// What was seen of each module.
    pub modules: BTreeMap<String, Seen>,
    /// What the command, and modprobe, said.
    pub output: Vec<String>,
    /// What the kernel said since the script began.
    pub messages: Vec<String>,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// It ended with this code.
    Ended(i32),
    /// It went on running, as it may.
    Runs,
    /// It went on running when it was told to end.
    Stays,
}

/// What was seen of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Its state after the command, after modprobe and after unloading: `Live`, `Loading`, `Unloading`, or nothing.
    pub states: BTreeMap<String, String>,
    /// Whether the kernel will not let it go.
    pub permanent: bool,
    /// How modprobe ended, where the command did not load it.
    pub code: Option<i32>,
    /// What modprobe said then.
    pub output: Vec<String>,
    pub parameters: BTreeMap<String, String>,
}

impl Seen {
    /// Whether it was loaded at one of these times.
    pub(super) fn is_live(&self, when: &str) -> bool {
        self.states.get(when).is_some_and(|state| state == "Live")
    }
}

impl Observed {
    /// Reads a console.
    pub(super) fn of(lines: &[String]) -> Self {
        let mut observed = Self::default();
        lines.iter().for_each(|line| observed.line(line));
        observed
    }

    fn line(&mut self, line: &str) {
        let text = message(line);
        let Some(own) = text.strip_prefix(OWN) else {
            if self.begun && !self.ended {
                self.messages.push(text.to_owned());
            }
            return;
        };
        let (word, rest) = own.split_once(' ').unwrap_or((own, ""));
        let (first, more) = rest.split_once(' ').unwrap_or((rest, ""));
        match word {
            "begin" => self.begun = true,
            "end" => self.ended = true,
            "unload" => self.unloading = true,
            "taint" => drop(self.taint.insert(first.to_owned(), more.parse().unwrap_or_default())),
            "command" => {
                self.command = match first {
                    "runs" => Some(Command::Runs),
                    "stays" => Some(Command::Stays),
                    code => code.parse().ok().map(Command::Ended),
                };
            }
            "out" => {
                if let Some(module) = &self.trying {
                    self.modules.entry(module.clone()).or_default().output.push(rest.to_owned());
                }
                self.output.push(rest.to_owned());
            }
            "try" => self.trying = Some(first.to_owned()),
            "tried" => {
                self.trying = None;
                self.seen(first).code = more.parse().ok();
            }
            "state" => {
                let mut words = more.split(' ');
                let (module, state, users) = (words.next(), words.next(), words.next());
                let seen = self.seen(module.unwrap_or_default());
                seen.permanent |= users.is_some_and(|users| users.contains("[permanent]"));
                let state = state.filter(|state| *state != "-").unwrap_or_default();
                seen.states.insert(first.to_owned(), state.to_owned());
            }
            "parameter" => {
                let (name, value) = more.split_once(' ').unwrap_or((more, ""));
                let known = &mut self.seen(first).parameters;
                known.insert(name.to_owned(), value.to_owned());
            }
            _ => {}
        }
    }

    fn seen(&mut self, module: &str) -> &mut Seen {
        self.modules.entry(module.to_owned()).or_default()
    }
}

/// A line of the kernel without its time and whatever else stands in brackets before it.
pub(super) fn message(line: &str) -> &str {
    let mut rest = line.trim_start();
    while let Some((inside, behind)) = rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        let is_mark = inside.bytes().all(|b| b.is_ascii_digit() || b" .TC".contains(&b));
        if !is_mark {
            break;
        }
        rest = behind.trim_start_matches(' ');
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_and_the_kernel_are_told_apart() {
        let lines = [
            "[    0.1] Linux version",
            "[    5.0] drvc taint before 0",
            "[    5.0] drvc begin",
            "[    5.1][    T9] ticker: loading out-of-tree module taints kernel.",
            "[    5.2] drvc out hello  you",
            "[    5.2] drvc command 0",
            "[    5.2] drvc state command ticker Live -",
            "[    5.2] drvc state command counter - -",
            "[    5.2] drvc try counter",
            "[    5.2] drvc out modprobe: ERROR: could not insert",
            "[    5.2] drvc tried counter 1",
            "[    5.3] drvc state load ticker Live [permanent],",
            "[    5.3] drvc parameter ticker name left bank",
            "[    5.3] drvc taint loaded 12288",
            "[    5.4] drvc end",
        ];
        let observed = Observed::of(&lines.map(ToOwned::to_owned));
        assert!(observed.begun && observed.ended && !observed.unloading);
        assert_eq!(observed.messages, ["ticker: loading out-of-tree module taints kernel."]);
        assert_eq!(observed.command, Some(Command::Ended(0)));
        assert_eq!(observed.output, ["hello  you", "modprobe: ERROR: could not insert"]);
        assert_eq!(observed.taint["loaded"], 12288);
        let (ticker, counter) = (&observed.modules["ticker"], &observed.modules["counter"]);
        assert!(ticker.is_live("command") && ticker.permanent && !counter.is_live("command"));
        assert_eq!(ticker.parameters["name"], "left bank");
        assert_eq!((counter.code, counter.output.len()), (Some(1), 1));
    }
}
