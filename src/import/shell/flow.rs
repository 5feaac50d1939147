//! Follows branches, loops and groups: the ways that may be taken, and what holds where they meet again.

use super::run::{MAX_STEPS, Shell, shown};
use super::test::Truth;
use super::variables::{Condition, Value, Variables};
use super::word::matches;
use brush_parser::ast::{CaseClauseCommand, CompoundCommand, ForClauseCommand, IfClauseCommand};

impl Shell {
    pub(super) fn compound(&mut self, compound: &CompoundCommand, line: usize) -> Truth {
        match compound {
            CompoundCommand::BraceGroup(group) => self.list(&group.list),
            CompoundCommand::Subshell(subshell) => {
                let before = self.variables.clone();
                let truth = self.list(&subshell.list);
                self.variables = before;
                truth
            }
            CompoundCommand::IfClause(clause) => self.if_clause(clause),
            CompoundCommand::CaseClause(clause) => self.case(clause),
            CompoundCommand::ForClause(clause) => self.for_clause(clause, line),
            CompoundCommand::Arithmetic(command) => match self.arithmetic(&command.expr.value) {
                Some(0) => Truth::No,
                Some(_) => Truth::Yes,
                None => Truth::other(&shown(&compound.to_string())),
            },
            CompoundCommand::ArithmeticForClause(clause) => {
                if let Some(first) = &clause.initializer {
                    self.arithmetic(&first.value);
                }
                loop {
                    let goes_on = clause
                        .condition
                        .as_ref()
                        .map_or(Some(1), |condition| self.arithmetic(&condition.value));
                    match goes_on {
                        Some(0) => return Truth::Yes,
                        Some(_) if self.steps <= MAX_STEPS => drop(self.list(&clause.body.list)),
                        _ => {
                            self.unknown_from(line, &compound.to_string(), |shell| {
                                drop(shell.list(&clause.body.list))
                            });
                            return Truth::Yes;
                        }
                    }
                    self.steps += 1;
                    if let Some(updater) = &clause.updater {
                        self.arithmetic(&updater.value);
                    }
                }
            }
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                self.unknown_from(line, &compound.to_string(), |shell| drop(shell.list(&clause.1.list)));
                Truth::Yes
            }
            CompoundCommand::Coprocess(_) => {
                self.note(line, format!("`{}` was not run", shown(&compound.to_string())));
                Truth::Yes
            }
        }
    }

    /// Goes once over what runs nobody knows how often: whatever it changes is unknown afterwards.
    fn unknown_from(&mut self, line: usize, text: &str, body: impl FnOnce(&mut Self)) {
        self.note(line, format!("`{}` was not followed", shown(text)));
        let before = self.variables.clone();
        self.branch(vec![Condition::Other { text: shown(text), holds: true }], body);
        let names: Vec<String> = self.variables.names().map(str::to_owned).collect();
        for name in names {
            let changed: Vec<usize> = self
                .variables
                .elements(&name)
                .filter(|(index, value)| before.get(&name, *index) != Some(value))
                .map(|(index, _)| index)
                .collect();
            for index in changed {
                self.variables.set(&name, index, Value { text: None, when: Vec::new(), line });
            }
        }
    }

    /// Follows a way that is taken under conditions only.
    pub(super) fn branch(&mut self, conditions: Vec<Condition>, way: impl FnOnce(&mut Self)) {
        let (before, depth) = (self.variables.clone(), self.path.len());
        self.path.extend(conditions);
        way(self);
        self.path.truncate(depth);
        self.ended = false;
        self.variables = before.join(std::mem::take(&mut self.variables), before.clone());
    }

    fn if_clause(&mut self, clause: &IfClauseCommand) -> Truth {
        let mut ways = vec![(Some(&clause.condition), &clause.then)];
        ways.extend(clause.elses.iter().flatten().map(|other| (other.condition.as_ref(), &other.body)));
        let (base, depth) = (self.variables.clone(), self.path.len());
        let mut ends = Vec::new();
        let mut exhaustive = false;
        for (condition, body) in ways {
            let truth = condition.map_or(Truth::Yes, |condition| self.list(condition));
            if truth == Truth::No {
                continue;
            }
            let here = (self.variables.clone(), self.path.len());
            self.path.extend(truth.clone().conditions());
            self.list(body);
            self.path.truncate(here.1);
            ends.push(std::mem::replace(&mut self.variables, here.0));
            match truth {
                Truth::Open(_) => {
                    self.ended = false;
                    self.path.extend(truth.not().conditions());
                }
                _ => {
                    exhaustive = true;
                    break;
                }
            }
        }
        self.path.truncate(depth);
        self.meet(&base, ends, exhaustive);
        Truth::Yes
    }

    /// Where several ways end, of which one was taken; and, unless they are all there are, none of them.
    fn meet(&mut self, base: &Variables, ends: Vec<Variables>, exhaustive: bool) {
        let none = (!exhaustive || ends.is_empty()).then(|| self.variables.clone());
        let met = ends.into_iter().chain(none).reduce(|one, other| base.join(one, other));
        self.variables = met.unwrap_or_default();
    }

    fn case(&mut self, clause: &CaseClauseCommand) -> Truth {
        let subject = self.word(&clause.value.value).filter(|text| !super::is_symbolic(text));
        let base = self.variables.clone();
        let mut ends = Vec::new();
        let mut exhaustive = false;
        for arm in &clause.cases {
            let patterns: Option<Vec<String>> =
                arm.patterns.iter().map(|pattern| self.word(&pattern.value)).collect();
            let fits = match (&subject, &patterns) {
                (Some(subject), Some(patterns)) if !patterns.iter().any(|pattern| pattern.contains('[')) => {
                    Some(patterns.iter().any(|pattern| matches(pattern, subject)))
                }
                _ => None,
            };
            if fits == Some(false) {
                continue;
            }
            let all = patterns.is_some_and(|patterns| patterns.iter().any(|pattern| pattern == "*"));
            let depth = self.path.len();
            if fits.is_none() {
                let patterns: Vec<_> = arm.patterns.iter().map(|pattern| pattern.value.as_str()).collect();
                let text = format!("{} is {}", clause.value.value, patterns.join(" or "));
                self.path.push(Condition::Other { text: shown(&text), holds: true });
            }
            arm.cmd.iter().for_each(|list| drop(self.list(list)));
            self.path.truncate(depth);
            ends.push(std::mem::replace(&mut self.variables, base.clone()));
            exhaustive = exhaustive || all || fits == Some(true);
            if fits == Some(true) {
                break;
            }
            self.ended = false;
        }
        self.meet(&base, ends, exhaustive);
        Truth::Yes
    }

    fn for_clause(&mut self, clause: &ForClauseCommand, line: usize) -> Truth {
        let values: Option<Vec<Vec<String>>> =
            clause.values.iter().flatten().map(|word| self.fields(&word.value)).collect();
        match values.filter(|_| clause.values.is_some()) {
            Some(values) => {
                for value in values.concat() {
                    self.assign(&clause.variable_name, 0, Some(value), line);
                    self.list(&clause.body.list);
                }
            }
            None => {
                let text = format!("for {} in …", clause.variable_name);
                self.unknown_from(line, &text, |shell| {
                    shell.assign(&clause.variable_name, 0, None, line);
                    shell.list(&clause.body.list);
                });
            }
        }
        Truth::Yes
    }
}
