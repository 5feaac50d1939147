//! What stands behind a `$`: the value of a parameter, or what an operator makes of it.

use super::glob::glob_expression;
use super::run::{Shell, Truth};
use brush_parser::word::{Parameter, ParameterExpr, ParameterTestType, SpecialParameter, SubstringMatchKind};
use regex::Regex;

/// The longest text that patterns are tried on.
const MAX_TEXT: usize = 4096;

/// Variables of the shell itself, whose values nobody can know from the file.
const OF_THE_SHELL: [&str; 16] = [
    "BASHPID",
    "BASH_SOURCE",
    "BASH_VERSION",
    "EUID",
    "HOME",
    "HOSTNAME",
    "HOSTTYPE",
    "LINENO",
    "MACHTYPE",
    "OLDPWD",
    "OSTYPE",
    "PATH",
    "PWD",
    "RANDOM",
    "SHELL",
    "UID",
];

/// The parameter that an expression changes.
pub(super) fn subject(expression: &ParameterExpr) -> Option<&Parameter> {
    use ParameterExpr as E;
    match expression {
        E::Parameter { parameter, indirect: false }
        | E::UseDefaultValues { parameter, indirect: false, .. }
        | E::RemoveSmallestSuffixPattern { parameter, indirect: false, .. }
        | E::RemoveLargestSuffixPattern { parameter, indirect: false, .. }
        | E::RemoveSmallestPrefixPattern { parameter, indirect: false, .. }
        | E::RemoveLargestPrefixPattern { parameter, indirect: false, .. }
        | E::Substring { parameter, indirect: false, .. }
        | E::UppercaseFirstChar { parameter, indirect: false, .. }
        | E::UppercasePattern { parameter, indirect: false, .. }
        | E::LowercaseFirstChar { parameter, indirect: false, .. }
        | E::LowercasePattern { parameter, indirect: false, .. }
        | E::ReplaceSubstring { parameter, indirect: false, .. } => Some(parameter),
        _ => None,
    }
}

impl Shell {
    pub(super) fn parameter(&mut self, expression: &ParameterExpr) -> Option<String> {
        use ParameterExpr as E;
        match expression {
            E::Parameter { parameter, indirect: false } => {
                Some(self.value_of(parameter)?.unwrap_or_default())
            }
            E::Parameter { parameter, indirect: true } => {
                let name = self.plain(parameter)?;
                let named =
                    brush_parser::word::parse_parameter(&name, &brush_parser::ParserOptions::default())
                        .ok()?;
                Some(self.value_of(&named)?.unwrap_or_default())
            }
            E::UseDefaultValues { parameter, indirect: false, test_type, default_value } => {
                match self.tested(parameter, test_type)? {
                    Some(value) => Some(value),
                    None => self.word(default_value.as_deref().unwrap_or_default()),
                }
            }
            E::AssignDefaultValues { parameter, indirect: false, test_type, default_value } => {
                let tested = self.tested(parameter, test_type);
                let value = match tested {
                    Some(Some(value)) => return Some(value),
                    Some(None) => self.word(default_value.as_deref().unwrap_or_default()),
                    None => None,
                };
                if let Parameter::Named(name) = parameter {
                    self.assign(name, 0, value.clone(), self.line);
                }
                value
            }
            E::UseAlternativeValue { parameter, indirect: false, test_type, alternative_value } => {
                match self.tested(parameter, test_type)? {
                    Some(_) => self.word(alternative_value.as_deref().unwrap_or_default()),
                    None => Some(String::new()),
                }
            }
            E::IndicateErrorIfNullOrUnset { parameter, indirect: false, test_type, .. } => {
                self.tested(parameter, test_type)?
            }
            E::ParameterLength { parameter, indirect: false } => match parameter {
                Parameter::NamedWithAllIndices { name, .. } => {
                    let lost = !self.variables.lost(name).is_empty();
                    (!lost).then(|| self.variables.elements(name).count().to_string())
                }
                Parameter::Special(SpecialParameter::AllPositionalParameters { .. }) => {
                    Some(self.positional.as_ref()?.len().to_string())
                }
                _ => self.plain(parameter).map(|text| text.chars().count().to_string()),
            },
            E::MemberKeys { variable_name, concatenate } => {
                self.joined(&self.member_keys(variable_name)?, *concatenate)
            }
            _ => {
                if let Some(all) = self.listed_change(expression, true) {
                    let concatenate = subject(expression).is_some_and(concatenates);
                    return self.joined(&all?, concatenate);
                }
                let text = self.plain(subject(expression)?)?;
                self.changed(expression, text)
            }
        }
    }

    /// `${NAME[@]:1:2}`, and `${@:2}`, whose first element is number 1.
    pub(super) fn sliced(
        &mut self,
        all: Vec<String>,
        first: i64,
        from: &str,
        length: Option<&str>,
    ) -> Option<Vec<String>> {
        let from = usize::try_from(self.arithmetic(from)?.checked_sub(first)?).ok()?;
        let length = match length {
            Some(length) => usize::try_from(self.arithmetic(length)?).ok()?,
            None => all.len(),
        };
        Some(all.into_iter().skip(from).take(length).collect())
    }

    /// What an operator makes of a text that is known in full.
    pub(super) fn changed(&mut self, expression: &ParameterExpr, text: String) -> Option<String> {
        use ParameterExpr as E;
        if super::is_symbolic(&text) || text.len() > MAX_TEXT {
            return None;
        }
        match expression {
            E::RemoveSmallestSuffixPattern { pattern, .. } => {
                self.cut(&text, pattern.as_deref(), false, false)
            }
            E::RemoveLargestSuffixPattern { pattern, .. } => self.cut(&text, pattern.as_deref(), false, true),
            E::RemoveSmallestPrefixPattern { pattern, .. } => {
                self.cut(&text, pattern.as_deref(), true, false)
            }
            E::RemoveLargestPrefixPattern { pattern, .. } => self.cut(&text, pattern.as_deref(), true, true),
            E::UppercasePattern { pattern, .. } if every(pattern) => Some(text.to_uppercase()),
            E::LowercasePattern { pattern, .. } if every(pattern) => Some(text.to_lowercase()),
            E::UppercaseFirstChar { pattern, .. } if every(pattern) => {
                Some(first(&text, char::to_ascii_uppercase))
            }
            E::LowercaseFirstChar { pattern, .. } if every(pattern) => {
                Some(first(&text, char::to_ascii_lowercase))
            }
            E::Substring { offset, length, .. } => {
                let count = i64::try_from(text.chars().count()).ok()?;
                let from = self.arithmetic(offset.value.trim())?;
                let from = if from < 0 { count + from } else { from };
                let to = match length {
                    None => count,
                    Some(length) => match self.arithmetic(length.value.trim())? {
                        length if length < 0 => count + length,
                        length => from.saturating_add(length).min(count),
                    },
                };
                let (from, to) = (usize::try_from(from).ok()?, usize::try_from(to).ok()?);
                Some(text.chars().skip(from).take(to.saturating_sub(from)).collect())
            }
            E::ReplaceSubstring { pattern, replacement, match_kind, .. } => {
                self.replaced(&text, pattern, replacement.as_deref().unwrap_or_default(), match_kind)
            }
            _ => None,
        }
    }

    fn replaced(&mut self, text: &str, pattern: &str, by: &str, kind: &SubstringMatchKind) -> Option<String> {
        let (pattern, by) = (self.pattern(pattern)?, self.word(by)?);
        // What `&` is depends on the version of bash, and which of two alternatives is longer on the text.
        if pattern.contains('|') || by.contains('&') {
            return None;
        }
        if pattern.is_empty() {
            return Some(match kind {
                SubstringMatchKind::Prefix => by + text,
                SubstringMatchKind::Suffix => text.to_owned() + &by,
                _ => text.to_owned(),
            });
        }
        let expression = glob_expression(&pattern)?;
        let expression = match kind {
            SubstringMatchKind::Prefix => format!("^(?s:{expression})"),
            SubstringMatchKind::Suffix => format!("(?s:{expression})$"),
            SubstringMatchKind::FirstOccurrence | SubstringMatchKind::Anywhere => {
                format!("(?s:{expression})")
            }
        };
        let times = usize::from(!matches!(kind, SubstringMatchKind::Anywhere));
        Some(Regex::new(&expression).ok()?.replacen(text, times, regex::NoExpand(&by)).into_owned())
    }

    /// A text without what a pattern takes off its beginning or its end.
    fn cut(&mut self, text: &str, pattern: Option<&str>, prefix: bool, largest: bool) -> Option<String> {
        let pattern = self.pattern(pattern.unwrap_or_default())?;
        let regex = Regex::new(&format!("^(?s:{})$", glob_expression(&pattern)?)).ok()?;
        let mut ends: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        if prefix == largest {
            ends.reverse();
        }
        let fits = ends
            .into_iter()
            .filter_map(|at| text.split_at_checked(at))
            .find(|(before, after)| regex.is_match(if prefix { before } else { after }));
        Some(match fits {
            Some((_, after)) if prefix => after.to_owned(),
            Some((before, _)) => before.to_owned(),
            None => text.to_owned(),
        })
    }

    /// The text of a parameter that is known in full.
    fn plain(&mut self, parameter: &Parameter) -> Option<String> {
        let text = self.value_of(parameter)?.unwrap_or_default();
        (!super::is_symbolic(&text)).then_some(text)
    }

    /// The value, where it is set; and not empty, where the test asks for that too.
    fn tested(&mut self, parameter: &Parameter, test: &ParameterTestType) -> Option<Option<String>> {
        let value = self.value_of(parameter)?;
        Some(match test {
            ParameterTestType::UnsetOrNull => value.filter(|text| !text.is_empty()),
            ParameterTestType::Unset => value,
        })
    }

    /// `Some(None)` is not set, `None` not known.
    fn value_of(&mut self, parameter: &Parameter) -> Option<Option<String>> {
        match parameter {
            Parameter::Named(name) => self.look_up(name, 0),
            Parameter::NamedWithIndex { name, index } => {
                let index = self.index_of(name, index)?;
                self.look_up(name, index)
            }
            Parameter::NamedWithAllIndices { name, .. } => {
                self.joined(&self.all(name)?, concatenates(parameter)).map(Some)
            }
            Parameter::Positional(0) => None,
            Parameter::Positional(at) => {
                let all = self.positional.as_ref()?;
                Some(all.get(*at as usize - 1).cloned())
            }
            Parameter::Special(SpecialParameter::AllPositionalParameters { .. }) => {
                self.joined(self.positional.as_ref()?, concatenates(parameter)).map(Some)
            }
            Parameter::Special(SpecialParameter::PositionalParameterCount) => {
                Some(Some(self.positional.as_ref()?.len().to_string()))
            }
            Parameter::Special(SpecialParameter::LastExitStatus) => {
                let last: Truth = self.last.clone();
                Some(Some(if self.force(last) { "0" } else { "1" }.to_owned()))
            }
            Parameter::Special(_) => None,
        }
    }

    /// The index that stands in the brackets behind a name.
    pub(super) fn index_of(&mut self, name: &str, index: &str) -> Option<usize> {
        if self.variables.keys(name).is_some() {
            let key = self.word(index).filter(|key| !super::is_symbolic(key))?;
            return Some(self.variables.key(name, &key));
        }
        let index = self.arithmetic(index)?;
        if index < 0 {
            let end = self.variables.elements(name).last().map_or(0, |(last, _)| last + 1);
            return end.checked_sub(usize::try_from(index.unsigned_abs()).ok()?);
        }
        usize::try_from(index).ok()
    }

    /// What a variable holds: `Some(None)` where it is not set, `None` where that cannot be known.
    pub(super) fn look_up(&self, name: &str, index: usize) -> Option<Option<String>> {
        match self.variables.get(name, index) {
            Some(value) => value.text.clone().map(Some),
            None if !self.variables.lost(name).is_empty() => None,
            None if OF_THE_SHELL.contains(&name) || name.starts_with("CONFIG_") => None,
            None => Some(None),
        }
    }
}

/// Whether a list is meant as one text, as `[*]` and `$*` are.
fn concatenates(parameter: &Parameter) -> bool {
    matches!(
        parameter,
        Parameter::NamedWithAllIndices { concatenate: true, .. }
            | Parameter::Special(SpecialParameter::AllPositionalParameters { concatenate: true })
    )
}

/// Whether a pattern of `^^` and its like is that of every character.
fn every(pattern: &Option<String>) -> bool {
    matches!(pattern.as_deref(), None | Some("" | "?"))
}

fn first(text: &str, change: fn(&char) -> char) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| change(&c)).into_iter().chain(chars).collect()
}
