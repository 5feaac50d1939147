//! What is told of a run at its end: the failures by their causes, and the sum.

use super::Build;
use crate::cli::project::Project;
use crate::cli::terminal::Terminal;
use crate::cli::{Failure, Format};
use crate::compiler::compile::Compiled;
use crate::images::build::report::{BuildJson, place, position};
use crate::images::build::{Failures, Group, Item, Trial, Verdict, Verdicts};
use crate::text::diag::count;
use crate::text::error::Error;
use crate::text::source::Sources;
use std::time::Duration;

/// How much of an instruction is shown, in characters.
const INSTRUCTION: usize = 160;

/// What is to be told of a run.
pub(super) struct BuildSummary<'a> {
    pub project: &'a Project,
    pub sources: &'a Sources,
    pub compiled: &'a Compiled,
    pub verdicts: &'a Verdicts,
}

impl BuildSummary<'_> {
    pub(super) fn everything(
        &self,
        args: &Build,
        engine: Option<String>,
        time: Duration,
        terminal: &Terminal,
    ) -> Result<(), Failure> {
        let failed: Vec<_> = self
            .verdicts
            .iter()
            .filter_map(|(&item, verdict)| match verdict {
                Verdict::Failed(failure) => Some((item, &**failure)),
                _ => None,
            })
            .collect();
        let good = |item: Item| self.verdicts.get(&item).is_some_and(Verdict::is_good);
        let failures = Failures::of(&self.compiled.plan.targets, &failed, good);
        for (item, verdict) in self.verdicts {
            if let Verdict::Would(reason) = verdict {
                terminal.say(&format!("would build {}: {reason}", item.id(self.compiled)));
            }
        }
        failures.iter().for_each(|group| self.group(group, terminal));
        terminal.say(&self.summary(time));
        let json = BuildJson::new(self.compiled, self.sources, engine, self.verdicts, &failures);
        if let Some(path) = &args.junit {
            crate::system::fs::write(path, json.junit()?.as_bytes())
                .map_err(|cause| Error::new("write", path.as_str(), cause))?;
        }
        if args.format == Format::Json {
            terminal.json(&json)?;
        }
        Ok(())
    }

    /// Everything about failures with one cause: what, which targets, where in the manifest, and the last lines.
    fn group(&self, group: &Group, terminal: &Terminal) {
        let Some(&first) = group.items.first() else { return };
        let Some(Verdict::Failed(failure)) = self.verdicts.get(&first) else { return };
        terminal.say(&format!("\nfailed: {}", group.headline));
        for item in &group.items {
            terminal.say(&format!("  {}", item.id(self.compiled)));
        }
        if let Some(step) = &failure.step {
            let stage =
                if step.stage.is_empty() { String::new() } else { format!(" of stage {}", step.stage) };
            terminal.say(&format!(
                "  instruction {} of {}{stage}: {}",
                step.at,
                step.of,
                short(&step.instruction)
            ));
        }
        if let Some(span) = place(self.compiled, first, failure) {
            let line =
                self.sources.get(span.file).text.lines().nth(self.sources.get(span.file).line_of(span.start));
            let path = self.project.root.join(position(self.sources, span));
            terminal.say(&format!("  from {path}: {}", line.unwrap_or_default().trim()));
        }
        group.boundaries.iter().for_each(|boundary| terminal.say(&format!("  {boundary}")));
        if failure.error.is_some() {
            terminal.say(&format!("  {}", failure.reason));
        }
        if !failure.tail.is_empty() {
            terminal.say("  its last lines:");
            failure.tail.iter().for_each(|line| terminal.say(&format!("    {line}")));
        }
        if let Some(log) = &failure.log {
            terminal.say(&format!("  log: {}", self.project.root.join(log)));
        }
        if let Some(help) = &failure.help {
            terminal.say(&format!("  help: {help}"));
        }
    }

    /// `3 targets: 1 built, 2 up to date, in 12.3 s`
    fn summary(&self, time: Duration) -> String {
        let number =
            |counts: fn(&Verdict) -> bool| self.verdicts.values().filter(|verdict| counts(verdict)).count();
        let parts = [
            (number(|verdict| matches!(verdict, Verdict::Built(_))), "built"),
            (number(|verdict| matches!(verdict, Verdict::Tried(Trial::Reused(_), _))), "reused"),
            (number(|verdict| matches!(verdict, Verdict::Tried(Trial::Compiled(_), _))), "tried and built"),
            (number(|verdict| matches!(verdict, Verdict::Pushed(_))), "pushed"),
            (number(|verdict| matches!(verdict, Verdict::Named)), "named"),
            (number(|verdict| matches!(verdict, Verdict::UpToDate(_))), "up to date"),
            (number(|verdict| matches!(verdict, Verdict::Would(_))), "to build"),
            (number(|verdict| matches!(verdict, Verdict::Failed(_))), "failed"),
            (number(|verdict| matches!(verdict, Verdict::NotBuilt(_))), "not built"),
        ];
        let parts = parts.into_iter().filter(|(number, _)| *number > 0);
        let parts: Vec<_> = parts.map(|(number, word)| format!("{number} {word}")).collect();
        let toolkits = self.verdicts.keys().filter(|item| matches!(item, Item::Toolkit(_))).count();
        let counts = [(toolkits, "toolkit"), (self.verdicts.len() - toolkits, "target")];
        let counts =
            counts.into_iter().filter(|(number, noun)| *number > 0 || *noun == "target" && toolkits == 0);
        let counts: Vec<_> = counts.map(|(number, noun)| count(number, noun)).collect();
        format!("{}: {}, in {:.1} s", counts.join(", "), parts.join(", "), time.as_secs_f64())
    }
}

/// The beginning of an instruction.
fn short(instruction: &str) -> String {
    let start: String = instruction.chars().take(INSTRUCTION).collect();
    let more = if start.len() < instruction.len() { "…" } else { "" };
    start + more
}
