//! Reads what follows a node's name: values, properties, and the node's block.

use super::lex::{Kind, Quotes, Token};
use super::state::Parser;
use super::{Block, Data, Property, Value, text, word};
use crate::text::diag::{Code, Diagnostic, shown};
use crate::text::source::{Span, Spanned};

/// What follows a node's name.
#[derive(Default)]
pub(super) struct Entries {
    pub(super) arguments: Vec<Value>,
    pub(super) properties: Vec<Property>,
    pub(super) block: Option<Block>,
    /// A block, taken out or not, has been read: only blocks may follow.
    after_block: bool,
}

impl Parser<'_> {
    /// Reads one thing after the node's name; false at the node's end.
    pub(super) fn entry(&mut self, entries: &mut Entries) -> bool {
        let touched = self.touched;
        let Some(token) = self.peek() else { return false };
        match token.kind {
            Kind::Newline | Kind::Semicolon => {
                self.take(token);
                return false;
            }
            Kind::Close => return false,
            Kind::Open => self.own_block(token, entries),
            Kind::Slashdash => {
                self.check_gap(touched, token);
                self.taken_out(token, entries);
            }
            _ if entries.after_block => {
                let message = "a node goes on after its block";
                let help = "begin a new line after the block";
                self.mistake(Code::RunOnNode, message, token, "does not belong here", help);
                return false;
            }
            Kind::Equals => self.stray_equals(token, entries),
            _ => {
                self.check_gap(touched, token);
                self.value_or_property(token, entries);
            }
        }
        true
    }

    fn own_block(&mut self, open: Token, entries: &mut Entries) {
        if entries.block.is_some() {
            let help = "put both into one block";
            self.mistake(Code::RunOnNode, "a second block", open, "the node has a block already", help);
        }
        let block = self.block(open);
        entries.block.get_or_insert(block);
        entries.after_block = true;
    }

    /// Reads what `/-` takes out, and forgets it.
    fn taken_out(&mut self, slashdash: Token, entries: &mut Entries) {
        self.hide(slashdash);
        match self.peek() {
            Some(open) if open.kind == Kind::Open => {
                drop(self.block(open));
                entries.after_block = true;
            }
            Some(next) if next.kind.begins_value() => self.value_or_property(next, &mut Entries::default()),
            _ => self.nothing_taken_out(slashdash),
        }
        self.hidden -= 1;
    }

    fn stray_equals(&mut self, token: Token, entries: &Entries) {
        self.take(token);
        let first = entries.arguments.is_empty() && entries.properties.is_empty();
        let (message, help) = if first {
            (
                "`=` after a node's name",
                "leave the `=` out: a node takes its value without, as in `version \"1.2.0\"`",
            )
        } else {
            ("`=` without a key", "write a key before the `=`: `branch=\"main\"`")
        };
        let report =
            Diagnostic::new(Code::MissingKey, message).label(self.span(token), "there is no key before it");
        let report = report.help(help);
        self.report(if first { report.suggest(self.span(token), "") } else { report });
    }

    /// Two values need a space between them.
    fn check_gap(&mut self, touched: usize, token: Token) {
        let previous = self.text.get(..touched).and_then(|before| before.chars().next_back());
        let is_list =
            self.slice(token).starts_with([',', ']', '[', ')']) || matches!(previous, Some('[' | ','));
        if token.start == touched && previous != Some('=') && !is_list {
            let first = self.slice(token).chars().next().map_or(0, char::len_utf8);
            let place = Span::new(self.file, token.start, token.start + first);
            let diagnostic = Diagnostic::new(Code::MissingSpace, "two things touch each other")
                .label(place, "something new begins")
                .help("put a space here, or a `\\` before a quote in a text");
            self.report(diagnostic);
        }
    }

    fn value_or_property(&mut self, first: Token, entries: &mut Entries) {
        let Some(token) = self.skip_type(first) else { return };
        self.count(token);
        let value = self.value(token);
        let Some(equals) = self.peek().filter(|next| next.kind == Kind::Equals) else {
            let is_value = token.kind != Kind::Word || !word::is_punctuation(self.slice(token));
            entries.arguments.extend(is_value.then_some(value));
            return;
        };
        self.take(equals);
        let key = match value.data {
            Data::Text(key) => Some(Spanned::new(key, value.span)),
            Data::Mistake => None,
            _ => {
                let message = format!("{} is not a key", shown(self.slice(token)));
                let help = "a key begins with a letter; a text that holds `=` needs quotes";
                self.mistake(Code::MissingKey, message, token, "a key is expected before `=`", help);
                None
            }
        };
        let value = self.property_value(token, equals);
        entries.properties.extend(key.map(|key| Property { key, value }));
    }

    fn property_value(&mut self, key: Token, equals: Token) -> Value {
        let next = self.peek();
        if let Some(first) = next.filter(|next| next.kind.begins_value()) {
            let place = self.span(first);
            let token = self.skip_type(first);
            return token.map_or(Value { data: Data::Mistake, span: place }, |token| self.value(token));
        }
        let span = Span::new(self.file, key.start, equals.end);
        let message = format!("{} has no value", shown(self.slice(key)));
        let diagnostic =
            Diagnostic::new(Code::MissingValue, message).label(span, "a value is expected after `=`");
        let in_braces = next.filter(|next| next.kind == Kind::Open && next.start == equals.end);
        if let Some(open) = in_braces {
            let example = format!("{}=\"{{kernel}}\"", self.slice(key));
            self.report(diagnostic.help(format!("quote a text with braces: {}", shown(&example))));
            drop(self.block(open));
            self.skip_touching();
        } else {
            self.report(diagnostic.help("write the value, or delete the key"));
        }
        Value { data: Data::Mistake, span }
    }

    /// Skips what touches the token before: the rest of a text with braces and without quotes.
    fn skip_touching(&mut self) {
        while let Some(token) =
            self.peek().filter(|token| token.kind.begins_value() && token.start == self.touched)
        {
            self.take(token);
        }
    }

    /// The value of a word or text; [`Data::Mistake`] where it has none, which is reported.
    pub(super) fn value(&mut self, token: Token) -> Value {
        self.take(token);
        let data = match token.kind {
            Kind::Text(quotes) => self.text_value(token, quotes),
            _ => self.word_value(token),
        };
        Value { data: data.unwrap_or(Data::Mistake), span: self.span(token) }
    }

    fn text_value(&mut self, token: Token, quotes: Quotes) -> Option<Data> {
        if !quotes.closed {
            let opening = Token { end: token.start + 1, ..token };
            let help = if quotes.multi_line || quotes.old_raw {
                "add the closing quotes"
            } else {
                "add the closing quote; a text of several lines is written between `\"\"\"`"
            };
            let label = "no closing quote follows";
            self.mistake(Code::MissingEnd, "text without an end", opening, label, help);
            return None;
        }
        match text::value(self.slice(token), quotes, self.file, token.start) {
            Ok(value) => Some(Data::Text(value)),
            Err(mistakes) => {
                mistakes.into_iter().for_each(|mistake| self.report(mistake));
                None
            }
        }
    }

    fn word_value(&mut self, token: Token) -> Option<Data> {
        let written = self.slice(token);
        if written.len() > text::MAX_TEXT {
            self.report(text::too_long(self.span(token)));
            return None;
        }
        if self.list_in == self.nodes && word::is_punctuation(written) {
            return None;
        }
        match word::value(written) {
            Ok(data) => Some(data),
            Err(refusal) => {
                let word::Refusal { code, message, label, help } = refusal;
                if code != Code::ListPunctuation || self.list_in != self.nodes {
                    self.mistake(code, message, token, &label, &help);
                }
                if code == Code::ListPunctuation {
                    self.list_in = self.nodes;
                } else if written == "#" {
                    self.skip_line();
                }
                None
            }
        }
    }

    /// Reports `(…)` before a name or value, and gives the word or text after it.
    pub(super) fn skip_type(&mut self, token: Token) -> Option<Token> {
        if token.kind != Kind::Type {
            return Some(token);
        }
        self.take(token);
        let message = format!("{} means nothing here", shown(self.slice(token)));
        self.mistake(Code::TypeAnnotation, message, token, "a type annotation", "delete it");
        self.peek().filter(|next| matches!(next.kind, Kind::Word | Kind::Text(_)))
    }
}
