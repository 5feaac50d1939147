//! From the text before the cursor to what can be written there: only what has been typed counts, so a line that is not
//! finished hides nothing.

use crate::language::kdl::lex::{Kind, Lexer, Token};

/// What can be written at a place.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Context {
    /// The names of the nodes around it, outermost first.
    pub(super) around: Vec<String>,
    /// The names of the nodes before it in the same block.
    pub(super) beside: Vec<String>,
    /// What stands on the line before it; none where a node begins.
    pub(super) line: Option<Line>,
    /// Where what is being typed begins; the cursor, where nothing is.
    pub(super) start: usize,
    /// Whether it is in quotes, which have no end yet.
    pub(super) is_quoted: bool,
}

impl Context {
    /// The names of the nodes around it and of its own, without those that only say for which cells, and for all.
    pub(super) fn names(&self) -> Vec<&str> {
        let around =
            self.around.iter().map(String::as_str).filter(|name| !matches!(*name, "on" | "defaults"));
        around.chain(self.line.as_ref().map(|line| line.name.as_str())).collect()
    }
}

/// A node up to the cursor.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
    pub(super) properties: Vec<String>,
    /// The property whose value is being written.
    pub(super) key: Option<String>,
}

/// What can be written at the end of `text`; nothing, in a comment or right behind a text.
pub(super) fn context(text: &str) -> Option<Context> {
    let tokens: Vec<Token> = Lexer::new(text).collect();
    let (before, typed) = match tokens.split_last() {
        Some((last, before)) => match last.kind {
            Kind::LineComment | Kind::BlockComment { closed: false } => return None,
            Kind::Text(quotes) if quotes.closed => return None,
            Kind::Word | Kind::Text(_) => (before, Some(last)),
            _ => (tokens.as_slice(), None),
        },
        None => (tokens.as_slice(), None),
    };
    let mut reader = Reading { text, levels: vec![Level::default()], line: None };
    before.iter().for_each(|token| reader.token(*token));
    let beside = reader.levels.pop().unwrap_or_default().nodes;
    let (start, is_quoted) = match typed {
        Some(Token { kind: Kind::Text(_), start, .. }) => {
            let quotes = text.get(*start..)?.find('"')? + 1;
            (start + quotes, true)
        }
        Some(token) => (token.start, false),
        None => (text.len(), false),
    };
    let around = reader.levels.into_iter().filter_map(|level| level.nodes.last().cloned()).collect();
    Some(Context { around, beside, line: reader.line, start, is_quoted })
}

#[derive(Default)]
struct Level {
    nodes: Vec<String>,
}

struct Reading<'a> {
    text: &'a str,
    levels: Vec<Level>,
    line: Option<Line>,
}

impl Reading<'_> {
    fn token(&mut self, token: Token) {
        match token.kind {
            Kind::Newline | Kind::Semicolon => self.end_line(),
            Kind::Open => {
                if self.line.is_none() {
                    self.line = Some(Line::default());
                }
                self.end_line();
                self.levels.push(Level::default());
            }
            Kind::Close => {
                self.end_line();
                if self.levels.len() > 1 {
                    self.levels.pop();
                }
            }
            Kind::Word | Kind::Text(_) => {
                let word = self.text.get(token.start..token.end).unwrap_or_default();
                self.word(word.trim_matches(['#', '"']));
            }
            Kind::Equals => {
                if let Some(line) = &mut self.line {
                    line.key = line.arguments.pop();
                }
            }
            _ => {}
        }
    }

    fn word(&mut self, word: &str) {
        let Some(line) = &mut self.line else {
            self.line = Some(Line { name: word.to_owned(), ..Line::default() });
            return;
        };
        match line.key.take() {
            Some(key) => line.properties.push(key),
            None => line.arguments.push(word.to_owned()),
        }
    }

    fn end_line(&mut self) {
        if let (Some(line), Some(level)) = (self.line.take(), self.levels.last_mut()) {
            level.nodes.push(line.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The context in a few words: nodes around, the line, what is typed.
    fn shown(text: &str) -> String {
        let Some(Context { around, beside, line, start, is_quoted }) = context(text) else {
            return "nothing".into();
        };
        let line = line.map_or(format!("beside {}", beside.join(" ")), |line| {
            let key = line.key.map(|key| format!(" {key}=")).unwrap_or_default();
            format!("{} {}{}", line.name, [line.arguments, line.properties].concat().join(","), key)
        });
        let quote = if is_quoted { "\"" } else { "" };
        format!("{} | {line} | {quote}{}", around.join(">"), &text[start..])
    }

    #[test]
    fn what_is_typed_decides() {
        for (text, expected) in [
            ("", " | beside  | "),
            ("drvc edition=1\npro", " | beside drvc | pro"),
            ("image \"x\" {\n    module \"a\"\n    lo", "image | beside module | lo"),
            ("image \"x\" {\n    module \"a", "image | module  | \"a"),
            ("image \"x\" { module \"a\" \"", "image | module a | \""),
            ("matrix { os \"debian\" ", "matrix | os debian | "),
            ("matrix { os \"debian\" \"12\" unch", "matrix | os debian,12 | unch"),
            ("source \"s\" { git \"u\" branch=\"ma", "source | git u branch= | \"ma"),
            ("source \"s\" { git \"u\" branch=\"main\" ta", "source | git u,branch | ta"),
            ("source \"s\" { git \"u\"; }\nmod", " | beside source | mod"),
            ("} } image \"a\" { on kernel=\"6*\" {\n lo", "image>on | beside  | lo"),
            ("// im", "nothing"),
            ("load \"a\"", "nothing"),
            ("script #\"a {ker", " | script  | \"a {ker"),
            ("project \"x\" \\\n    ", " | project x | "),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }
}
