//! From what a compilation found to what is told of it, and to how the run ends.

use super::project::{Compiling, Project};
use super::terminal::Terminal;
use super::{Exit, Failure};
use crate::compiler::compile::{Compilation, Compiled, Request, compile_known};
use crate::system::fs::{Disk, Reader};
use crate::text::diag::{Diagnostics, Report, Severity, count};
use crate::text::source::Sources;
use serde::{Deserialize, Serialize};

/// Compiles in memory: no state is asked, and nothing is written.
pub(super) fn compile(disk: &Disk, request: &Request) -> Compilation {
    crate::compiler::compile::compile(&Reader::new(disk).hide(request.out.clone()), request)
}

impl Project {
    /// What the manifest becomes, for commands that need all of it. Errors are reported here.
    pub(super) fn compiled(&self, compiling: &Compiling, terminal: &Terminal) -> Result<Compiled, Failure> {
        self.told(compile(&self.open()?, &self.request(compiling)), terminal)
    }

    /// As [`Project::compiled`], for commands that show what is known: what waits for the lock is told in a line each.
    pub(super) fn known(
        &self,
        compiling: &Compiling,
        terminal: &Terminal,
    ) -> Result<(Compiled, Vec<String>), Failure> {
        let disk = self.open()?;
        let request = self.request(compiling);
        let compilation = compile_known(&Reader::new(&disk).hide(request.out.clone()), &request);
        let open = compilation.diagnostics.iter().filter(|one| one.code.is_open());
        let open = open.map(|one| one.message.clone()).collect();
        Ok((self.told(compilation, terminal)?, open))
    }

    /// As [`Project::known`], and tells what waits beside what the command shows.
    pub(super) fn in_part(&self, compiling: &Compiling, terminal: &Terminal) -> Result<Compiled, Failure> {
        let (compiled, open) = self.known(compiling, terminal)?;
        open.iter().for_each(|what| terminal.say(&format!("open: {what}")));
        Ok(compiled)
    }

    fn told(&self, compilation: Compilation, terminal: &Terminal) -> Result<Compiled, Failure> {
        let verdict = Verdict::of(&compilation.diagnostics);
        match compilation.plan {
            Some(compiled) => {
                let aside = verdict.aside();
                if !aside.is_empty() {
                    terminal.say(&format!("{}{aside}; `drvc check` tells more", self.path()));
                }
                Ok(compiled)
            }
            None => {
                terminal.diagnostics(&self.report(&compilation.sources, compilation.diagnostics));
                Err(Failure::Refused)
            }
        }
    }

    /// The diagnostics of a compilation of this project.
    pub(super) fn report<'a>(&'a self, sources: &'a Sources, diagnostics: Diagnostics) -> Report<'a> {
        Report::new(sources, diagnostics, &self.root)
    }
}

/// How bad it is, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Verdict {
    /// Errors that only a change of the user's files settles.
    pub(super) errors: usize,
    /// What resolving the lock again would settle; errors too.
    pub(super) drift: usize,
    pub(super) warnings: usize,
    /// Whether nothing came out.
    pub(super) refused: bool,
}

impl Verdict {
    /// Counts diagnostics.
    pub(super) fn of(diagnostics: &Diagnostics) -> Self {
        let mut verdict = Self { refused: diagnostics.has_errors(), ..Self::default() };
        for diagnostic in diagnostics.iter() {
            match diagnostic.severity() {
                _ if diagnostic.code.is_drift() => verdict.drift += 1,
                Severity::Error => verdict.errors += 1,
                _ => verdict.warnings += 1,
            }
        }
        verdict
    }

    /// The exit code. Under `--check` and `--locked` drift counts, and is told apart from other errors.
    pub(super) const fn exit(&self, strict: bool) -> Exit {
        match self {
            Self { errors: 0, drift: 1.., .. } if strict => Exit::OutOfDate,
            Self { refused: true, .. } => Exit::Diagnostics,
            _ => Exit::Fine,
        }
    }

    /// What is to be said behind a count of targets: ` (1 drift, 2 warnings)`; nothing where there is nothing.
    pub(super) fn aside(&self) -> String {
        let drift = (self.drift > 0).then(|| format!("{} drift", self.drift));
        let warnings = (self.warnings > 0).then(|| count(self.warnings, "warning"));
        let parts: Vec<_> = drift.into_iter().chain(warnings).collect();
        if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
    }
}
