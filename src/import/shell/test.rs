//! Conditions: what a test says, or on which option of the kernel's configuration it depends.

use super::glob::glob;
use super::run::{Shell, Truth, shown};
use super::variables::Condition;
use brush_parser::ast::{BinaryPredicate, ExtendedTestExpr, UnaryPredicate};

fn config(name: &str, set: bool) -> Truth {
    Truth::Open(Condition::Config { name: name.to_owned(), set })
}

impl Shell {
    /// `[ … ]` or `test …`, given the words behind it.
    pub(super) fn test(&mut self, words: &[&str], text: &str) -> bool {
        let words = match words {
            [inner @ .., "]"] => inner,
            all => all,
        };
        for (operator, both) in [("-o", false), ("-a", true)] {
            if let Some(at) = words.iter().position(|&word| word == operator)
                && at > 0
            {
                let (left, right) =
                    (words.get(..at).unwrap_or_default(), words.get(at + 1..).unwrap_or_default());
                let left = self.test(left, &shown(&left.join(" ")));
                return if left == both { self.test(right, &shown(&right.join(" "))) } else { left };
            }
        }
        if let ["!", rest @ ..] = words {
            return !self.test(rest, text);
        }
        let text = self.described(words, text);
        let truth = match words {
            [] => Truth::No,
            [one] => self.unary("-n", one, &text),
            [operator, word] => self.unary(operator, word, &text),
            [left, operator, right] => self.binary(left, operator, right, false, &text),
            _ => Truth::other(&text),
        };
        self.force(truth)
    }

    /// A test with the values of what it names, where they are known: each turn of a loop asks another.
    fn described(&mut self, words: &[&str], text: &str) -> String {
        let mut described = text.to_owned();
        for word in words.iter().filter(|word| word.contains('$') && !word.contains("$(")) {
            if let Some(value) = self.word(word).filter(|value| !super::is_symbolic(value)) {
                described = described.replace(word, &format!("\"{value}\""));
            }
        }
        shown(&described)
    }

    /// `[[ … ]]`
    pub(super) fn extended_test(&mut self, test: &ExtendedTestExpr) -> bool {
        let text = shown(&format!("[[ {test} ]]"));
        let truth = match test {
            ExtendedTestExpr::And(left, right) => {
                return self.extended_test(left) && self.extended_test(right);
            }
            ExtendedTestExpr::Or(left, right) => {
                return self.extended_test(left) || self.extended_test(right);
            }
            ExtendedTestExpr::Not(inner) => return !self.extended_test(inner),
            ExtendedTestExpr::Parenthesized(inner) => return self.extended_test(inner),
            ExtendedTestExpr::UnaryTest(predicate, word) => {
                let text = self.described(&[&word.value], &text);
                self.unary(&UnaryPredicate::to_string(predicate), &word.value, &text)
            }
            ExtendedTestExpr::BinaryTest(predicate, left, right) => {
                let text = self.described(&[&left.value, &right.value], &text);
                let operator = match predicate {
                    BinaryPredicate::StringExactlyMatchesPattern
                    | BinaryPredicate::StringExactlyMatchesString => "==".to_owned(),
                    BinaryPredicate::StringDoesNotExactlyMatchPattern
                    | BinaryPredicate::StringDoesNotExactlyMatchString => "!=".to_owned(),
                    BinaryPredicate::StringMatchesRegex | BinaryPredicate::StringContainsSubstring => {
                        "=~".to_owned()
                    }
                    _ => predicate.to_string(),
                };
                self.binary(&left.value, &operator, &right.value, true, &text)
            }
        };
        self.force(truth)
    }

    fn unary(&mut self, operator: &str, word: &str, text: &str) -> Truth {
        let value = self.word(word);
        match (operator, value) {
            ("-n" | "-z", Some(value)) if !super::is_symbolic(&value) || value.chars().count() > 1 => {
                Truth::of(value.is_empty() == (operator == "-z"))
            }
            ("-n" | "-z", None) => match config_in(word) {
                Some(name) => config(name, operator == "-n"),
                None => Truth::other(text),
            },
            ("-v", Some(name)) if self.variables.lost(&name).is_empty() => {
                Truth::of(self.variables.get(&name, 0).is_some())
            }
            // A build has the kernel's build directory, or does not begin.
            ("-d" | "-e" | "-f" | "-r" | "-s", Some(path))
                if super::is_symbolic(&path) && (path.ends_with("/.config") || path.chars().count() == 1) =>
            {
                Truth::Yes
            }
            _ => Truth::other(text),
        }
    }

    fn binary(&mut self, left: &str, operator: &str, right: &str, extended: bool, text: &str) -> Truth {
        let one = self.word(left);
        let other = match operator {
            "=" | "==" | "!=" if extended => self.pattern(right),
            "=~" => self.expression(right),
            _ => self.word(right),
        };
        if let (Some(one), Some(other)) = (&one, &other)
            && !super::is_symbolic(one)
            && !super::is_symbolic(other)
        {
            return self
                .compare(one, operator, other, extended)
                .map_or_else(|| Truth::other(text), Truth::of);
        }
        if operator == "=~" {
            // What the groups would hold is as open as whether it fits.
            self.variables.unset("BASH_REMATCH", None);
            self.variables.lose("BASH_REMATCH", self.line);
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
            "=" | "==" => config(name, set),
            "!=" => config(name, !set),
            _ => Truth::other(text),
        }
    }

    /// The right side of `=~`: what is quoted in it stands for itself, what is not is the expression's.
    fn expression(&mut self, word: &str) -> Option<String> {
        if word.contains(['\'', '"']) {
            return self
                .word(word)
                .map(|text| regex::escape(&text))
                .filter(|_| word.starts_with(['\'', '"']));
        }
        if word.contains(['$', '\\', '`']) && !word.ends_with('$') {
            return if word.contains('\\') && !word.contains(['$', '`']) {
                Some(word.to_owned())
            } else {
                self.word(word)
            };
        }
        Some(word.to_owned())
    }

    fn compare(&mut self, one: &str, operator: &str, other: &str, extended: bool) -> Option<bool> {
        let number = |shell: &mut Self, text: &str| {
            if extended { shell.arithmetic(text) } else { text.trim().parse().ok() }
        };
        Some(match operator {
            "=" | "==" if extended => glob(other, one)?,
            "!=" if extended => !glob(other, one)?,
            "=" | "==" => one == other,
            "!=" => one != other,
            "<" => one < other,
            ">" => one > other,
            "=~" => {
                let groups = regex::Regex::new(other).ok()?.captures(one).map(|found| {
                    found
                        .iter()
                        .map(|group| group.map_or_else(String::new, |group| group.as_str().to_owned()))
                        .collect::<Vec<_>>()
                });
                self.variables.unset("BASH_REMATCH", None);
                for (at, group) in groups.iter().flatten().enumerate() {
                    self.assign("BASH_REMATCH", at, Some(group.clone()), self.line);
                }
                groups.is_some()
            }
            _ => {
                let (a, b): (i64, i64) = (number(self, one)?, number(self, other)?);
                match operator {
                    "-eq" => a == b,
                    "-ne" => a != b,
                    "-lt" => a < b,
                    "-le" => a <= b,
                    "-gt" => a > b,
                    "-ge" => a >= b,
                    _ => return None,
                }
            }
        })
    }

    /// `grep CONFIG_X=y` in the kernel's configuration, or an expression in lines that are known.
    pub(super) fn grep(&mut self, words: &[&str], text: &str) -> Truth {
        let in_config = words.iter().any(|word| {
            self.word(word).is_some_and(|path| path.ends_with("/.config") && super::is_symbolic(&path))
        });
        let plain: Vec<&&str> = words.iter().filter(|word| !word.starts_with('-')).collect();
        let pattern = plain.first().and_then(|word| self.word(word));
        if let (Some(pattern), [_], Some(lines)) = (&pattern, plain.as_slice(), &self.input)
            && words.iter().all(|word| !word.starts_with('-') || ["-q", "-E", "-qE", "-Eq"].contains(word))
            && !lines.iter().any(|line| super::is_symbolic(line))
            && pattern.chars().all(|c| c.is_ascii_alphanumeric() || "^$.*-_ ".contains(c))
            && let Ok(regex) = regex::Regex::new(pattern)
        {
            return Truth::of(lines.iter().any(|line| regex.is_match(line)));
        }
        let found = pattern.as_deref().filter(|_| in_config).and_then(|pattern| {
            let mut names = pattern.split("\\|").map(set_option);
            let first = names.next()??;
            names.all(|name| name == Some(first)).then(|| first.to_owned())
        });
        found.map_or_else(|| Truth::other(text), |name| config(&name, true))
    }
}

/// The option that an expression on one line of the kernel's configuration asks for.
fn set_option(expression: &str) -> Option<&str> {
    let (name, value) = expression.trim_start_matches('^').split_once('=')?;
    let value = value.trim_end_matches('$');
    let set = ["[ym]", "[my]", "y", "m", "(y|m)", "(m|y)", ""].contains(&value);
    (set && config_in(name) == Some(name)).then_some(name)
}

/// The kernel's option that a word names.
fn config_in(word: &str) -> Option<&str> {
    let from = word.get(word.find("CONFIG_")?..)?;
    let end = from.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(from.len());
    from.get(..end)
}
