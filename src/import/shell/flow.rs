//! Follows branches, loops and groups.

use super::glob::glob;
use super::run::{Flow, MAX_STEPS, Shell, Truth, shown};
use super::variables::Value;
use brush_parser::ast::{
    ArithmeticForClauseCommand, CaseClauseCommand, CaseItem, CaseItemPostAction, CompoundCommand,
    CompoundList, ForClauseCommand, IfClauseCommand,
};

impl Shell {
    pub(super) fn compound(&mut self, compound: &CompoundCommand, line: usize) -> Truth {
        match compound {
            CompoundCommand::BraceGroup(group) => self.list(&group.list),
            CompoundCommand::Subshell(subshell) => self.apart(|shell| shell.list(&subshell.list)),
            CompoundCommand::IfClause(clause) => self.if_clause(clause),
            CompoundCommand::CaseClause(clause) => self.case(clause),
            CompoundCommand::ForClause(clause) => self.for_clause(clause, line),
            CompoundCommand::Arithmetic(command) => match self.arithmetic(&command.expr.value) {
                Some(0) => Truth::No,
                Some(_) => Truth::Yes,
                None => Truth::other(&shown(&compound.to_string())),
            },
            CompoundCommand::ArithmeticForClause(clause) => {
                self.counted(clause, line, &compound.to_string());
                Truth::Yes
            }
            CompoundCommand::WhileClause(clause) => {
                self.repeated((&clause.0, true), &clause.1.list, line, &compound.to_string());
                Truth::Yes
            }
            CompoundCommand::UntilClause(clause) => {
                self.repeated((&clause.0, false), &clause.1.list, line, &compound.to_string());
                Truth::Yes
            }
            CompoundCommand::Coprocess(_) => {
                self.note(line, format!("`{}` was not run", shown(&compound.to_string())));
                Truth::Yes
            }
        }
    }

    fn if_clause(&mut self, clause: &IfClauseCommand) -> Truth {
        let mut ways = vec![(Some(&clause.condition), &clause.then)];
        ways.extend(clause.elses.iter().flatten().map(|other| (other.condition.as_ref(), &other.body)));
        for (condition, body) in ways {
            let holds = match condition {
                Some(condition) => {
                    let truth = self.list(condition);
                    if self.flow != Flow::Next {
                        return truth;
                    }
                    self.force(truth)
                }
                None => true,
            };
            if holds {
                return self.list(body);
            }
        }
        Truth::Yes
    }

    fn case(&mut self, clause: &CaseClauseCommand) -> Truth {
        let subject = self.word(&clause.value.value);
        let mut falls_through = false;
        for arm in &clause.cases {
            if !falls_through && !self.arm_fits(&clause.value.value, subject.as_deref(), arm) {
                continue;
            }
            let truth = arm.cmd.as_ref().map_or(Truth::Yes, |list| self.list(list));
            match arm.post_action {
                CaseItemPostAction::ExitCase => return truth,
                CaseItemPostAction::UnconditionallyExecuteNextCaseItem => falls_through = true,
                CaseItemPostAction::ContinueEvaluatingCases => falls_through = false,
            }
            if self.flow != Flow::Next {
                return truth;
            }
        }
        Truth::Yes
    }

    fn arm_fits(&mut self, value: &str, subject: Option<&str>, arm: &CaseItem) -> bool {
        for pattern in &arm.patterns {
            let known = self.pattern(&pattern.value);
            let fits = match (subject, known) {
                (_, Some(pattern)) if pattern == "*" => Truth::Yes,
                (Some(subject), Some(pattern)) if !super::is_symbolic(subject) => {
                    match glob(&pattern, subject) {
                        Some(fits) => Truth::of(fits),
                        None => Truth::other(&shown(&format!("{value} is {pattern}"))),
                    }
                }
                _ => Truth::other(&shown(&format!("{value} is {}", pattern.value))),
            };
            if self.force(fits) {
                return true;
            }
        }
        false
    }

    fn for_clause(&mut self, clause: &ForClauseCommand, line: usize) -> Truth {
        let values = match &clause.values {
            None => self.positional.clone(),
            Some(words) => {
                let values: Option<Vec<_>> = words.iter().map(|word| self.fields(&word.value)).collect();
                values.map(|values| values.concat())
            }
        };
        let Some(values) = values else {
            let text = format!("for {} in …", clause.variable_name);
            self.unknown_from(line, &text, |shell| {
                shell.assign(&clause.variable_name, 0, None, line);
                shell.list(&clause.body.list);
            });
            return Truth::Yes;
        };
        for value in values {
            self.steps += 1;
            self.assign(&clause.variable_name, 0, Some(value), line);
            self.list(&clause.body.list);
            if self.leaves_loop() {
                break;
            }
        }
        Truth::Yes
    }

    fn counted(&mut self, clause: &ArithmeticForClauseCommand, line: usize, text: &str) {
        if let Some(first) = &clause.initializer {
            self.arithmetic(&first.value);
        }
        loop {
            self.steps += 1;
            let goes_on = clause.condition.as_ref().map_or(Some(1), |one| self.arithmetic(&one.value));
            match goes_on {
                Some(0) => return,
                Some(_) if self.steps <= MAX_STEPS => drop(self.list(&clause.body.list)),
                _ => return self.unknown_from(line, text, |shell| drop(shell.list(&clause.body.list))),
            }
            if self.leaves_loop() {
                return;
            }
            if let Some(updater) = &clause.updater {
                self.arithmetic(&updater.value);
            }
        }
    }

    /// `while` and `until`: as often as it is known that they go on.
    fn repeated(&mut self, condition: (&CompoundList, bool), body: &CompoundList, line: usize, text: &str) {
        loop {
            self.steps += 1;
            let asked = self.asked;
            let truth = self.list(condition.0);
            if self.flow != Flow::Next {
                return;
            }
            let goes_on = self.force(truth) == condition.1;
            if self.steps > MAX_STEPS || self.asked > asked {
                if goes_on || self.steps > MAX_STEPS {
                    self.unknown_from(line, text, |shell| {
                        shell.list(condition.0);
                        shell.list(body);
                    });
                }
                return;
            }
            if !goes_on {
                return;
            }
            self.list(body);
            if self.leaves_loop() {
                return;
            }
        }
    }

    /// After one turn of a loop: whether it was the last.
    fn leaves_loop(&mut self) -> bool {
        let (flow, leaves) = match self.flow {
            Flow::Next | Flow::Continue(0 | 1) => (Flow::Next, false),
            Flow::Break(0 | 1) => (Flow::Next, true),
            Flow::Break(more) => (Flow::Break(more - 1), true),
            Flow::Continue(more) => (Flow::Continue(more - 1), true),
            Flow::Return | Flow::Exit => (self.flow, true),
        };
        self.flow = flow;
        leaves || self.steps > MAX_STEPS
    }

    /// Goes over what runs nobody knows how often: whatever it changes is unknown afterwards.
    fn unknown_from(&mut self, line: usize, text: &str, mut body: impl FnMut(&mut Self)) {
        self.note(line, format!("`{}` was not followed", shown(text)));
        // A second time for what hangs on what the first has changed, such as the index of an element.
        for _ in 0..2 {
            let before = self.variables.clone();
            body(self);
            self.leaves_loop();
            for name in self.variables.names() {
                let changed = self.variables.elements(&name);
                let changed = changed.filter(|(index, value)| before.get(&name, *index) != Some(value));
                for index in changed.map(|(index, _)| index).collect::<Vec<_>>() {
                    self.variables.set(&name, index, Value { text: None, line });
                    if index > 0 {
                        self.variables.lose(&name, line);
                    }
                }
            }
        }
    }
}
