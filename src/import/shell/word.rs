//! Words into texts: quotes are taken off and variables put in, as far as both are known.

use super::run::Shell;
use brush_parser::ParserOptions;
use brush_parser::word::{
    BraceExpression, BraceExpressionMember, BraceExpressionOrText, Parameter, ParameterExpr,
    SpecialParameter, WordPiece, WordPieceWithSource,
};

/// Words that one word may become.
const MAX_WORDS: usize = 4096;

/// The words that one word becomes, while it is gone over.
#[derive(Default)]
struct Fields {
    done: Vec<String>,
    open: Option<String>,
}

impl Fields {
    fn text(&mut self, text: &str) {
        self.open.get_or_insert_default().push_str(text);
    }

    fn close(&mut self) {
        self.done.extend(self.open.take());
    }

    fn split(&mut self, text: &str, separators: &str) {
        let mut parts = text.split(|c| separators.contains(c));
        let first = parts.next().unwrap_or_default();
        if !first.is_empty() {
            self.text(first);
        }
        for part in parts {
            self.close();
            if !part.is_empty() {
                self.text(part);
            }
        }
    }

    fn list(&mut self, texts: &[String]) {
        for (at, text) in texts.iter().enumerate() {
            if at > 0 {
                self.close();
            }
            self.text(text);
        }
    }
}

impl Shell {
    /// The text of a word; `None` where something in it cannot be known.
    pub(super) fn word(&mut self, word: &str) -> Option<String> {
        let pieces = brush_parser::word::parse(word, &ParserOptions::default()).ok()?;
        self.pieces(&pieces)
    }

    /// The text of a here-document.
    pub(super) fn document(&mut self, text: &str) -> Option<String> {
        let pieces = brush_parser::word::parse_heredoc(text, &ParserOptions::default()).ok()?;
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

    /// The words that a word becomes as an argument: braces are expanded, and what is not quoted is split.
    pub(super) fn fields(&mut self, word: &str) -> Option<Vec<String>> {
        let mut fields = Fields::default();
        for word in braces(word)? {
            let pieces = brush_parser::word::parse(&word, &ParserOptions::default()).ok()?;
            for piece in &pieces {
                self.field(&piece.piece, &mut fields)?;
            }
            fields.close();
            if fields.done.len() > MAX_WORDS {
                return None;
            }
        }
        Some(fields.done)
    }

    fn field(&mut self, piece: &WordPiece, fields: &mut Fields) -> Option<()> {
        match piece {
            // Which files there are is not known.
            WordPiece::Text(text) if text.contains(['*', '?', '[']) => return None,
            WordPiece::DoubleQuotedSequence(inner) | WordPiece::GettextDoubleQuotedSequence(inner) => {
                if let [WordPieceWithSource { piece: WordPiece::ParameterExpansion(expression), .. }] =
                    inner.as_slice()
                    && let Some(list) = self.listed(expression, false)
                {
                    fields.list(&list?);
                    return Some(());
                }
                fields.text(&self.pieces(inner)?);
            }
            WordPiece::ParameterExpansion(expression) => {
                let separators = self.separators()?;
                match self.listed(expression, true) {
                    Some(list) => {
                        for text in list? {
                            splits(&text, &separators)?;
                            fields.split(&text, &separators);
                            fields.close();
                        }
                    }
                    None => self.unquoted(piece, &separators, fields)?,
                }
            }
            WordPiece::ArithmeticExpression(_)
            | WordPiece::CommandSubstitution(_)
            | WordPiece::BackquotedCommandSubstitution(_) => {
                let separators = self.separators()?;
                self.unquoted(piece, &separators, fields)?;
            }
            _ => fields.text(&self.piece(piece)?),
        }
        Some(())
    }

    fn unquoted(&mut self, piece: &WordPiece, separators: &str, fields: &mut Fields) -> Option<()> {
        let text = self.piece(piece)?;
        if text.contains(['*', '?', '[']) {
            return None;
        }
        splits(&text, separators)?;
        fields.split(&text, separators);
        Some(())
    }

    /// The elements of a list as one text: those of `[*]` with the first separator between them.
    pub(super) fn joined(&self, all: &[String], concatenate: bool) -> Option<String> {
        let separators = if concatenate { self.separators()? } else { " ".to_owned() };
        Some(all.join(separators.get(..separators.chars().next().map_or(0, char::len_utf8))?))
    }

    pub(super) fn separators(&self) -> Option<String> {
        Some(self.look_up("IFS", 0)?.unwrap_or_else(|| " \t\n".to_owned()))
    }

    /// What an expression stands for where it is a list: `None` where it is none, `Some(None)` where it is not known.
    fn listed(&mut self, expression: &ParameterExpr, unquoted: bool) -> Option<Option<Vec<String>>> {
        match expression {
            ParameterExpr::Parameter { parameter, indirect: false } => match parameter {
                Parameter::NamedWithAllIndices { name, concatenate } if unquoted || !concatenate => {
                    Some(self.all(name))
                }
                Parameter::Special(SpecialParameter::AllPositionalParameters { concatenate })
                    if unquoted || !concatenate =>
                {
                    Some(self.positional.clone())
                }
                _ => None,
            },
            ParameterExpr::MemberKeys { variable_name, concatenate } if unquoted || !concatenate => {
                Some(self.member_keys(variable_name))
            }
            _ => self.listed_change(expression, unquoted),
        }
    }

    /// `"${NAME[@]%.ko}"` and its like: each element is changed.
    pub(super) fn listed_change(
        &mut self,
        expression: &ParameterExpr,
        unquoted: bool,
    ) -> Option<Option<Vec<String>>> {
        let (all, first) = match super::parameter::subject(expression)? {
            Parameter::NamedWithAllIndices { name, concatenate } if unquoted || !concatenate => {
                (self.all(name), 0)
            }
            Parameter::Special(SpecialParameter::AllPositionalParameters { concatenate })
                if unquoted || !concatenate =>
            {
                (self.positional.clone(), 1)
            }
            _ => return None,
        };
        if let ParameterExpr::Substring { offset, length, .. } = expression {
            let length = length.as_ref().map(|length| length.value.trim().to_owned());
            let Some(all) = all else { return Some(None) };
            return Some(self.sliced(all, first, offset.value.trim(), length.as_deref()));
        }
        if matches!(expression, ParameterExpr::UseDefaultValues { .. }) {
            return Some(None);
        }
        Some(all.and_then(|all| all.into_iter().map(|text| self.changed(expression, text)).collect()))
    }

    /// All elements of an array, where they are known.
    pub(super) fn all(&self, name: &str) -> Option<Vec<String>> {
        if !self.variables.lost(name).is_empty() {
            return None;
        }
        self.variables.elements(name).map(|(_, value)| value.text.clone()).collect()
    }

    pub(super) fn member_keys(&self, name: &str) -> Option<Vec<String>> {
        if !self.variables.lost(name).is_empty() {
            return None;
        }
        Some(match self.variables.keys(name) {
            Some(keys) => keys.to_vec(),
            None => self.variables.elements(name).map(|(index, _)| index.to_string()).collect(),
        })
    }

    pub(super) fn pieces(&mut self, pieces: &[WordPieceWithSource]) -> Option<String> {
        let mut text = String::new();
        for piece in pieces {
            text.push_str(&self.piece(&piece.piece)?);
            if text.len() > super::MAX_BYTES {
                return None;
            }
        }
        Some(text)
    }

    fn piece(&mut self, piece: &WordPiece) -> Option<String> {
        match piece {
            WordPiece::Text(text) | WordPiece::SingleQuotedText(text) => Some(text.clone()),
            WordPiece::AnsiCQuotedText(text) => super::filters::escapes(text),
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
            WordPiece::CommandSubstitution(text) => self.substituted(text),
            WordPiece::BackquotedCommandSubstitution(text) => {
                self.substituted(&text.replace("\\`", "`").replace("\\$", "$").replace("\\\\", "\\"))
            }
            WordPiece::TildeExpansion(_) => None,
        }
    }

    fn substituted(&mut self, text: &str) -> Option<String> {
        let program = super::parse(text).ok()?;
        let line = self.line;
        let printed = self.captured(|shell| {
            shell.program(&program);
            shell.last.clone()
        });
        self.line = line;
        printed
    }

    /// A word as a pattern: what is quoted in it stands for itself.
    pub(super) fn pattern(&mut self, word: &str) -> Option<String> {
        let pieces = brush_parser::word::parse(word, &ParserOptions::default()).ok()?;
        let mut pattern = String::new();
        for piece in &pieces {
            let text = self.piece(&piece.piece)?;
            match &piece.piece {
                WordPiece::Text(_) | WordPiece::ParameterExpansion(_) => pattern.push_str(&text),
                _ => text.chars().for_each(|c| {
                    if !c.is_alphanumeric() {
                        pattern.push('\\');
                    }
                    pattern.push(c);
                }),
            }
        }
        (!super::is_symbolic(&pattern)).then_some(pattern)
    }
}

/// `None` where a separator may be within what only the kernel's name tells.
fn splits(text: &str, separators: &str) -> Option<()> {
    let blank = separators.chars().all(char::is_whitespace);
    (blank || !super::is_symbolic(text)).then_some(())
}

/// The words that the braces of a word make of it; `None` where they are too many.
fn braces(word: &str) -> Option<Vec<String>> {
    if !word.contains('{') || !(word.contains(',') || word.contains("..")) {
        return Some(vec![word.to_owned()]);
    }
    match brush_parser::word::parse_brace_expansions(word, &ParserOptions::default()) {
        Ok(Some(pieces)) => expanded(&pieces),
        _ => Some(vec![word.to_owned()]),
    }
}

fn expanded(pieces: &[BraceExpressionOrText]) -> Option<Vec<String>> {
    let mut words = vec![String::new()];
    for piece in pieces {
        let ends = match piece {
            BraceExpressionOrText::Text(text) => vec![text.clone()],
            BraceExpressionOrText::Expr(expression) => members(expression)?,
        };
        if words.len().saturating_mul(ends.len()) > MAX_WORDS {
            return None;
        }
        words = words.iter().flat_map(|word| ends.iter().map(move |end| format!("{word}{end}"))).collect();
    }
    Some(words)
}

fn members(expression: &BraceExpression) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for member in expression {
        match member {
            BraceExpressionMember::Child(pieces) => all.extend(expanded(pieces)?),
            BraceExpressionMember::NumberSequence { start, end, increment } => {
                all.extend(steps(*start, *end, *increment)?.into_iter().map(|number| number.to_string()));
            }
            BraceExpressionMember::CharSequence { start, end, increment } => {
                let code = |c: char| i64::from(u32::from(c));
                let numbers = steps(code(*start), code(*end), *increment)?.into_iter();
                all.extend(numbers.filter_map(|n| Some(char::from_u32(u32::try_from(n).ok()?)?.to_string())));
            }
        }
        if all.len() > MAX_WORDS {
            return None;
        }
    }
    Some(all)
}

fn steps(start: i64, end: i64, increment: i64) -> Option<Vec<i64>> {
    let by = i64::try_from(increment.unsigned_abs().max(1)).ok()?;
    let count = usize::try_from(end.abs_diff(start) / by.unsigned_abs()).ok()?;
    let by = if end < start { -by } else { by };
    (count < MAX_WORDS).then(|| (0..=count as i64).map(|at| start + at * by).collect())
}
