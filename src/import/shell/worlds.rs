//! Follows a file once for each way in which its open conditions may turn out.

use super::Note;
use super::run::Shell;
use super::variables::{Condition, Variables};
use std::collections::{BTreeMap, BTreeSet};

/// Ways through a file that are followed; where there are more, each condition is turned round alone.
const MAX_WORLDS: usize = 256;
/// Conditions that are turned round alone.
const MAX_CONDITIONS: usize = 48;
/// Commands that all ways may have together.
const MAX_STEPS: usize = 60_000;

/// One way through a file.
#[derive(Clone, Debug)]
pub struct World {
    /// How its open conditions turned out.
    pub decided: Vec<Condition>,
    /// What it leaves behind.
    pub variables: Variables,
    /// The line of the `exit` that ended it, if one did.
    pub exit: Option<usize>,
}

/// Everything that a file may leave behind.
#[derive(Clone, Debug, Default)]
pub struct Evaluated {
    /// At least one; those that agree in all decisions are one.
    pub worlds: Vec<World>,
    /// What was passed over.
    pub notes: Vec<Note>,
}

/// How conditions are decided on the way.
#[derive(Clone, Debug, Default)]
pub(super) struct Oracle {
    /// What was decided, in order.
    pub(super) decided: Vec<Condition>,
    /// The first decisions of the way.
    script: Vec<bool>,
    /// Conditions that turn out otherwise than `usual`.
    turned: BTreeMap<Condition, bool>,
    usual: bool,
}

impl Oracle {
    /// Whether a condition holds on this way.
    pub(super) fn decide(&mut self, condition: Condition) -> bool {
        let (positive, plain) = match condition {
            Condition::Config { set: false, .. } | Condition::Other { holds: false, .. } => {
                (condition.negated(), false)
            }
            condition => (condition, true),
        };
        if self.decided.contains(&positive) {
            return plain;
        }
        let negative = positive.clone().negated();
        if self.decided.contains(&negative) {
            return !plain;
        }
        let holds = self.script.get(self.decided.len()).copied();
        let holds = holds.or_else(|| self.turned.get(&positive).copied()).unwrap_or(self.usual);
        self.decided.push(if holds { positive } else { negative });
        holds == plain
    }
}

/// Follows a program on all ways, or says that there are too many.
pub(super) fn explore(program: &brush_parser::ast::Program, given: &[(&str, &str)]) -> Evaluated {
    let mut all = Exploration { steps: 0, evaluated: Evaluated::default() };
    let mut script: Option<Vec<bool>> = Some(Vec::new());
    while let Some(this) = script {
        if all.evaluated.worlds.len() >= MAX_WORLDS || all.steps > MAX_STEPS {
            return sampled(program, given);
        }
        let decided = all.follow(program, given, Oracle { script: this, usual: true, ..Oracle::default() });
        script = next(&decided);
    }
    all.evaluated
}

/// The decisions of the next way: the last that was `true` turned round.
fn next(decided: &[Condition]) -> Option<Vec<bool>> {
    let mut script: Vec<bool> = decided.iter().map(is_positive).collect();
    while script.pop_if(|last| !*last).is_some() {}
    *script.last_mut()? = false;
    Some(script)
}

fn is_positive(condition: &Condition) -> bool {
    matches!(condition, Condition::Config { set: true, .. } | Condition::Other { holds: true, .. })
}

/// The ways on which all conditions hold, none, and all but one.
fn sampled(program: &brush_parser::ast::Program, given: &[(&str, &str)]) -> Evaluated {
    let mut all = Exploration { steps: 0, evaluated: Evaluated::default() };
    let mut known = BTreeSet::new();
    let mut waiting: Vec<Option<Condition>> = vec![None];
    while let Some(turned) = waiting.pop() {
        for usual in [true, false] {
            if all.steps > MAX_STEPS {
                break;
            }
            let turned = turned.clone().map(|condition| (condition, !usual)).into_iter().collect();
            let decided = all.follow(program, given, Oracle { turned, usual, ..Oracle::default() });
            for condition in decided {
                let positive = if is_positive(&condition) { condition } else { condition.negated() };
                if known.len() < MAX_CONDITIONS && known.insert(positive.clone()) {
                    waiting.push(Some(positive));
                }
            }
        }
    }
    let text = format!(
        "the file depends on {} conditions: each was tried alone, not every combination of them",
        known.len()
    );
    all.evaluated.notes.push(Note { line: 0, text });
    all.evaluated
}

struct Exploration {
    steps: usize,
    evaluated: Evaluated,
}

impl Exploration {
    fn follow(
        &mut self,
        program: &brush_parser::ast::Program,
        given: &[(&str, &str)],
        oracle: Oracle,
    ) -> Vec<Condition> {
        let mut shell = Shell::new(given, oracle);
        shell.program(program);
        self.steps += shell.steps;
        let (world, notes) = shell.finish();
        let decided = world.decided.clone();
        self.evaluated.worlds.push(world);
        self.evaluated.notes.extend(notes);
        self.evaluated.notes.sort();
        self.evaluated.notes.dedup();
        decided
    }
}

impl Evaluated {
    /// What has to hold for something to be so, which `is` says of each world by its number: nothing where it always is,
    /// `None` where it never is.
    pub fn when(&self, is: impl Fn(usize) -> bool) -> Option<Vec<Condition>> {
        let numbered = self.worlds.iter().enumerate();
        let (yes, no): (Vec<_>, Vec<_>) = numbered.partition(|(at, _)| is(*at));
        let worlds = |all: Vec<(usize, _)>| all.into_iter().map(|(_, world)| world).collect::<Vec<&World>>();
        let (yes, no) = (worlds(yes), worlds(no));
        let first = yes.first()?;
        if no.is_empty() {
            return Some(Vec::new());
        }
        let common: Vec<Condition> = first
            .decided
            .iter()
            .filter(|condition| yes.iter().all(|world| world.decided.contains(condition)))
            .cloned()
            .collect();
        // Those that do not tell the two apart are not what it depends on.
        let telling = common.iter().filter(|one| no.iter().any(|world| !world.decided.contains(one)));
        let telling: Vec<Condition> = telling.cloned().collect();
        Some(if telling.is_empty() { vec![either(&yes, &no)] } else { telling })
    }
}

/// What has to hold together on one of several ways; none of the others agrees with all of it.
fn either(yes: &[&World], no: &[&World]) -> Condition {
    let agrees = |world: &World, with: &[Condition]| {
        !with.iter().any(|one| world.decided.contains(&one.clone().negated()))
    };
    let mut ways = BTreeSet::new();
    for world in yes {
        let mut needed = world.decided.clone();
        for one in &world.decided {
            let rest: Vec<_> = needed.iter().filter(|other| *other != one).cloned().collect();
            if !no.iter().any(|world| agrees(world, &rest)) {
                needed = rest;
            }
        }
        let needed: Vec<String> = needed.iter().map(ToString::to_string).collect();
        ways.insert(needed.join(" and "));
    }
    let or = if ways.iter().any(|way| way.contains(" and ")) { ", or " } else { " or " };
    let text = Vec::from_iter(ways).join(or);
    Condition::Other { text: text.replace('`', ""), holds: true }
}

/// Follows a program on one way alone.
pub(super) fn single(program: &brush_parser::ast::Program, given: &[(&str, &str)]) -> World {
    let mut shell = Shell::new(given, Oracle::default());
    shell.program(program);
    shell.finish().0
}
