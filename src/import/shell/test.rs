//! Conditions: what a test says, or on which option of the kernel's configuration it depends.

use super::run::{Shell, shown};
use super::variables::Condition;
use super::word::matches;
use brush_parser::ast::{BinaryPredicate, ExtendedTestExpr, UnaryPredicate};

/// What a command says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    /// It succeeds.
    Yes,
    /// It fails.
    No,
    /// It succeeds where all of these hold.
    Open(Vec<Condition>),
}

impl Truth {
    /// What only the command itself knows.
    pub(super) fn other(text: &str) -> Self {
        Self::Open(vec![Condition::Other { text: text.to_owned(), holds: true }])
    }

    fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }

    fn config(name: &str, set: bool) -> Self {
        Self::Open(vec![Condition::Config { name: name.to_owned(), set }])
    }

    /// The opposite.
    pub(super) fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Open(mut conditions) => match (conditions.pop(), conditions.is_empty()) {
                (Some(only), true) => Self::Open(vec![only.negated()]),
                (last, _) => {
                    let all: Vec<_> = conditions.iter().chain(&last).map(ToString::to_string).collect();
                    Self::Open(vec![Condition::Other { text: all.join(" and "), holds: false }])
                }
            },
        }
    }

    fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::No => Self::No,
            Self::Yes => other(),
            Self::Open(mut conditions) => match other() {
                Self::No => Self::No,
                Self::Yes => Self::Open(conditions),
                Self::Open(more) => {
                    conditions.extend(more);
                    Self::Open(conditions)
                }
            },
        }
    }

    /// What has to hold for it to succeed.
    pub(super) fn conditions(self) -> Vec<Condition> {
        match self {
            Self::Open(conditions) => conditions,
            Self::Yes | Self::No => Vec::new(),
        }
    }
}

impl Shell {
    /// `[ … ]` or `test …`, given the words behind it.
    pub(super) fn test(&mut self, words: &[&str], text: &str) -> Truth {
        let words = match words {
            [inner @ .., "]"] => inner,
            all => all,
        };
        if let Some(at) = words.iter().position(|&word| word == "-o") {
            let (left, right) =
                (words.get(..at).unwrap_or_default(), words.get(at + 1..).unwrap_or_default());
            return self.either(left, right, text);
        }
        if let Some(at) = words.iter().position(|&word| word == "-a") {
            let (left, right) =
                (words.get(..at).unwrap_or_default(), words.get(at + 1..).unwrap_or_default());
            return self.test(left, text).and(|| self.test(right, text));
        }
        match words {
            ["!", rest @ ..] => self.test(rest, text).not(),
            [one] => self.unary("-n", one, text),
            [operator, word] => self.unary(operator, word, text),
            [left, operator, right] => self.binary(left, operator, right, text),
            _ => Truth::other(text),
        }
    }

    fn either(&mut self, left: &[&str], right: &[&str], text: &str) -> Truth {
        match (self.test(left, text), self.test(right, text)) {
            (Truth::Yes, _) | (_, Truth::Yes) => Truth::Yes,
            (Truth::No, truth) | (truth, Truth::No) => truth,
            _ => Truth::other(text),
        }
    }

    /// `[[ … ]]`
    pub(super) fn extended_test(&mut self, test: &ExtendedTestExpr) -> Truth {
        let text = shown(&format!("[[ {test} ]]"));
        match test {
            ExtendedTestExpr::And(left, right) => self.extended_test(left).and(|| self.extended_test(right)),
            ExtendedTestExpr::Or(left, right) => {
                match (self.extended_test(left), self.extended_test(right)) {
                    (Truth::Yes, _) | (_, Truth::Yes) => Truth::Yes,
                    (Truth::No, truth) | (truth, Truth::No) => truth,
                    _ => Truth::other(&text),
                }
            }
            ExtendedTestExpr::Not(inner) => self.extended_test(inner).not(),
            ExtendedTestExpr::Parenthesized(inner) => self.extended_test(inner),
            ExtendedTestExpr::UnaryTest(predicate, word) => {
                self.unary(&UnaryPredicate::to_string(predicate), &word.value, &text)
            }
            ExtendedTestExpr::BinaryTest(predicate, left, right) => match predicate {
                BinaryPredicate::StringExactlyMatchesPattern
                | BinaryPredicate::StringDoesNotExactlyMatchPattern => {
                    let equal = matches!(predicate, BinaryPredicate::StringExactlyMatchesPattern);
                    self.binary(&left.value, if equal { "==" } else { "!=" }, &right.value, &text)
                }
                _ => self.binary(&left.value, &predicate.to_string(), &right.value, &text),
            },
        }
    }

    fn unary(&mut self, operator: &str, word: &str, text: &str) -> Truth {
        let value = self.word(word);
        match (operator, value) {
            ("-n" | "-z", Some(value)) if !super::is_symbolic(&value) || value.chars().count() > 1 => {
                Truth::of(value.is_empty() == (operator == "-z"))
            }
            ("-n" | "-z", None) => match config_in(word) {
                Some(name) => Truth::config(name, operator == "-n"),
                None => Truth::other(text),
            },
            // A build has the kernel's build directory, or does not begin.
            ("-d" | "-e" | "-f" | "-r" | "-s", Some(path))
                if super::is_symbolic(&path) && (path.ends_with("/.config") || path.chars().count() == 1) =>
            {
                Truth::Yes
            }
            _ => Truth::other(text),
        }
    }

    fn binary(&mut self, left: &str, operator: &str, right: &str, text: &str) -> Truth {
        let (one, other) = (self.word(left), self.word(right));
        if let (Some(one), Some(other)) = (&one, &other)
            && !super::is_symbolic(one)
            && !super::is_symbolic(other)
        {
            return compare(one, operator, other).map_or_else(|| Truth::other(text), Truth::of);
        }
        let (name, value) = match (config_in(left), &other, config_in(right), &one) {
            (Some(name), Some(value), None, _) | (None, _, Some(name), Some(value)) => (name, value.as_str()),
            _ => return Truth::other(text),
        };
        let set = match value {
            "y" | "m" => true,
            "n" | "" => false,
            _ => return Truth::other(text),
        };
        match operator {
            "=" | "==" => Truth::config(name, set),
            "!=" => Truth::config(name, !set),
            _ => Truth::other(text),
        }
    }

    /// `grep CONFIG_X=y` in the kernel's configuration.
    pub(super) fn grep(&mut self, words: &[&str], text: &str) -> Truth {
        let in_config = words.iter().any(|word| {
            self.word(word).is_some_and(|path| path.ends_with("/.config") && super::is_symbolic(&path))
        });
        let pattern = words.iter().find(|word| !word.starts_with('-')).and_then(|word| self.word(word));
        let found = pattern.as_deref().filter(|_| in_config).and_then(|pattern| {
            let (name, value) = pattern.trim_start_matches('^').split_once('=')?;
            let value = value.trim_end_matches('$');
            let set = ["[ym]", "[my]", "y", "m", "(y|m)", "(m|y)", ""].contains(&value);
            (set && config_in(name) == Some(name)).then(|| name.to_owned())
        });
        found.map_or_else(|| Truth::other(text), |name| Truth::config(&name, true))
    }
}

/// The kernel's option that a word names.
fn config_in(word: &str) -> Option<&str> {
    let from = word.get(word.find("CONFIG_")?..)?;
    let end = from.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(from.len());
    from.get(..end)
}

fn compare(one: &str, operator: &str, other: &str) -> Option<bool> {
    let numbers = || Some((one.trim().parse::<i64>().ok()?, other.trim().parse::<i64>().ok()?));
    Some(match operator {
        "=" | "==" => matches(other, one),
        "!=" => !matches(other, one),
        "=~" => regex::Regex::new(other).ok()?.is_match(one),
        "-eq" => numbers().map(|(a, b)| a == b)?,
        "-ne" => numbers().map(|(a, b)| a != b)?,
        "-lt" => numbers().map(|(a, b)| a < b)?,
        "-le" => numbers().map(|(a, b)| a <= b)?,
        "-gt" => numbers().map(|(a, b)| a > b)?,
        "-ge" => numbers().map(|(a, b)| a >= b)?,
        _ => return None,
    })
}
