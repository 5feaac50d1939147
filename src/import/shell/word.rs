//! Words into texts: quotes are taken off and variables put in, as far as both are known.

use super::run::Shell;
use brush_parser::ParserOptions;
use brush_parser::word::{Parameter, ParameterExpr, ParameterTestType, WordPiece, WordPieceWithSource};

/// Variables of the shell itself, whose values nobody can know from the file.
const OF_THE_SHELL: [&str; 12] = [
    "BASH_SOURCE",
    "BASH_VERSION",
    "HOME",
    "HOSTNAME",
    "LINENO",
    "OLDPWD",
    "PATH",
    "PWD",
    "RANDOM",
    "SHELL",
    "UID",
    "USER",
];

impl Shell {
    /// The text of a word; `None` where something in it cannot be known.
    pub(super) fn word(&mut self, word: &str) -> Option<String> {
        let pieces = brush_parser::word::parse(word, &ParserOptions::default()).ok()?;
        self.pieces(&pieces)
    }

    /// The text of a word without any expansion in it.
    pub(super) fn only_word(&mut self, word: &str) -> Option<String> {
        let pieces = brush_parser::word::parse(word, &ParserOptions::default()).ok()?;
        let plain = |pieces: &[WordPieceWithSource]| {
            pieces.iter().all(|piece| match &piece.piece {
                WordPiece::Text(text) => {
                    !(text.contains(['*', '?', '[']) || text.contains('{') && text.contains(','))
                }
                WordPiece::SingleQuotedText(_) | WordPiece::EscapeSequence(_) => true,
                _ => false,
            })
        };
        let quoted = |pieces: &[WordPieceWithSource]| {
            pieces
                .iter()
                .all(|piece| matches!(piece.piece, WordPiece::Text(_) | WordPiece::EscapeSequence(_)))
        };
        let sound = pieces.iter().all(|piece| match &piece.piece {
            WordPiece::DoubleQuotedSequence(inner) => quoted(inner),
            _ => plain(std::slice::from_ref(piece)),
        });
        if sound { self.pieces(&pieces) } else { None }
    }

    /// The texts of a word that is not quoted, split at blanks as the shell splits them.
    pub(super) fn fields(&mut self, word: &str) -> Option<Vec<String>> {
        let pieces = brush_parser::word::parse(word, &ParserOptions::default()).ok()?;
        if let Some(all) = self.all_elements(&pieces) {
            return all;
        }
        let quoted = |piece: &WordPieceWithSource| !matches!(piece.piece, WordPiece::ParameterExpansion(_));
        let text = self.pieces(&pieces)?;
        if pieces.iter().all(quoted) {
            // Braces and patterns would be expanded to words that depend on more than the file.
            let open = pieces.iter().any(|piece| match &piece.piece {
                WordPiece::Text(text) => text.contains(['{', '*', '?', '[']),
                _ => false,
            });
            return (!open).then(|| vec![text]);
        }
        Some(text.split_whitespace().map(str::to_owned).collect())
    }

    /// `"${NAME[@]}"` alone.
    fn all_elements(&self, pieces: &[WordPieceWithSource]) -> Option<Option<Vec<String>>> {
        let [only] = pieces else { return None };
        let expression = match &only.piece {
            WordPiece::ParameterExpansion(expression) => expression,
            WordPiece::DoubleQuotedSequence(inner) => match inner.as_slice() {
                [WordPieceWithSource { piece: WordPiece::ParameterExpansion(expression), .. }] => expression,
                _ => return None,
            },
            _ => return None,
        };
        let ParameterExpr::Parameter {
            parameter: Parameter::NamedWithAllIndices { name, concatenate: false },
            indirect: false,
        } = expression
        else {
            return None;
        };
        Some(self.variables.elements(name).map(|(_, value)| value.text.clone()).collect())
    }

    fn pieces(&mut self, pieces: &[WordPieceWithSource]) -> Option<String> {
        let mut text = String::new();
        for piece in pieces {
            text.push_str(&self.piece(&piece.piece)?);
        }
        Some(text)
    }

    fn piece(&mut self, piece: &WordPiece) -> Option<String> {
        match piece {
            WordPiece::Text(text) | WordPiece::SingleQuotedText(text) => Some(text.clone()),
            WordPiece::AnsiCQuotedText(text) => (!text.contains('\\')).then(|| text.clone()),
            WordPiece::DoubleQuotedSequence(pieces) | WordPiece::GettextDoubleQuotedSequence(pieces) => {
                self.pieces(pieces)
            }
            WordPiece::EscapeSequence(text) => {
                let escaped = text.strip_prefix('\\').unwrap_or(text);
                Some(if escaped == "\n" { String::new() } else { escaped.to_owned() })
            }
            WordPiece::ParameterExpansion(expression) => self.parameter(expression),
            WordPiece::ArithmeticExpression(expression) => {
                self.arithmetic(&expression.value).map(|number| number.to_string())
            }
            WordPiece::TildeExpansion(_)
            | WordPiece::CommandSubstitution(_)
            | WordPiece::BackquotedCommandSubstitution(_) => None,
        }
    }

    fn parameter(&mut self, expression: &ParameterExpr) -> Option<String> {
        match expression {
            ParameterExpr::Parameter { parameter, indirect: false } => {
                Some(self.value_of(parameter)?.unwrap_or_default())
            }
            ParameterExpr::UseDefaultValues { parameter, indirect: false, test_type, default_value } => {
                match self.tested(parameter, test_type)? {
                    Some(value) => Some(value),
                    None => self.word(default_value.as_deref().unwrap_or_default()),
                }
            }
            ParameterExpr::UseAlternativeValue {
                parameter,
                indirect: false,
                test_type,
                alternative_value,
            } => match self.tested(parameter, test_type)? {
                Some(_) => self.word(alternative_value.as_deref().unwrap_or_default()),
                None => Some(String::new()),
            },
            ParameterExpr::ParameterLength { parameter, indirect: false } => match parameter {
                Parameter::NamedWithAllIndices { name, .. } => {
                    Some(self.variables.elements(name).count().to_string())
                }
                _ => self.plain(parameter).map(|text| text.chars().count().to_string()),
            },
            ParameterExpr::RemoveSmallestSuffixPattern { parameter, indirect: false, pattern } => {
                let (text, pattern) = (self.plain(parameter)?, self.pattern(pattern.as_deref())?);
                Some(cut(&text, &pattern, false, false))
            }
            ParameterExpr::RemoveLargestSuffixPattern { parameter, indirect: false, pattern } => {
                let (text, pattern) = (self.plain(parameter)?, self.pattern(pattern.as_deref())?);
                Some(cut(&text, &pattern, false, true))
            }
            ParameterExpr::RemoveSmallestPrefixPattern { parameter, indirect: false, pattern } => {
                let (text, pattern) = (self.plain(parameter)?, self.pattern(pattern.as_deref())?);
                Some(cut(&text, &pattern, true, false))
            }
            ParameterExpr::RemoveLargestPrefixPattern { parameter, indirect: false, pattern } => {
                let (text, pattern) = (self.plain(parameter)?, self.pattern(pattern.as_deref())?);
                Some(cut(&text, &pattern, true, true))
            }
            _ => None,
        }
    }

    fn pattern(&mut self, pattern: Option<&str>) -> Option<String> {
        let pattern = self.word(pattern.unwrap_or_default())?;
        (!pattern.contains('[') && !super::is_symbolic(&pattern)).then_some(pattern)
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
                let index = usize::try_from(self.arithmetic(index)?).ok()?;
                self.look_up(name, index)
            }
            Parameter::NamedWithAllIndices { name, .. } => {
                let all: Option<Vec<_>> =
                    self.variables.elements(name).map(|(_, value)| value.text.clone()).collect();
                all.map(|all| Some(all.join(" ")))
            }
            Parameter::Positional(_) | Parameter::Special(_) => None,
        }
    }

    /// What a variable holds: `Some(None)` where it is not set, `None` where that cannot be known.
    pub(super) fn look_up(&self, name: &str, index: usize) -> Option<Option<String>> {
        match self.variables.get(name, index) {
            Some(value) => value.text.clone().map(Some),
            None if OF_THE_SHELL.contains(&name) || name.starts_with("CONFIG_") => None,
            None => Some(None),
        }
    }
}

/// A text without what a pattern takes off its beginning or its end.
fn cut(text: &str, pattern: &str, prefix: bool, largest: bool) -> String {
    let mut ends: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    if prefix == largest {
        ends.reverse();
    }
    let fits = ends
        .into_iter()
        .filter_map(|at| text.split_at_checked(at))
        .find(|(before, after)| matches(pattern, if prefix { before } else { after }));
    match fits {
        Some((_, after)) if prefix => after.to_owned(),
        Some((before, _)) => before.to_owned(),
        None => text.to_owned(),
    }
}

/// Whether a text fits a pattern of `*`, `?` and characters that stand for themselves.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || Some(&c) == text.get(t) => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|&c| c == '*'))
}
