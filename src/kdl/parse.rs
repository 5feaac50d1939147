//! Puts tokens together to nodes, and goes on after every mistake.

use super::lex::{Kind, Lexer, Token};
use super::{Block, Data, Node, Property, Value, text, word};
use crate::diag::{Code, Diagnostic, Diagnostics, shown};
use crate::source::{FileId, Span, Spanned};

/// Bytes that a file may have.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Nodes that a file may have.
pub const MAX_NODES: usize = 200_000;
/// How deep blocks may stand in each other.
pub const MAX_DEPTH: usize = 64;
/// Reports after which reading stops.
pub const MAX_MISTAKES: usize = 100;

/// Reads a file's text into its nodes, as far as they can be read, and a report for each mistake.
///
/// After [`MAX_MISTAKES`] reports, or past [`MAX_NODES`] or [`MAX_BYTES`], the rest of the text is not read.
#[must_use]
pub fn parse(file: FileId, text: &str) -> (Vec<Node>, Diagnostics) {
    let mut parser = Parser::new(file, text);
    if text.len() > MAX_BYTES {
        let place = Span::new(file, 0, 0);
        let message = format!("file of {} bytes", text.len());
        let help = "split what is listed into files of its own, such as `kernel from=\"kernels.txt\"`";
        let diagnostic = Diagnostic::new(Code::ExceededLimit, message).help(help);
        parser.report(diagnostic.label(place, format!("a file has at most {MAX_BYTES} bytes")));
        return (Vec::new(), parser.found);
    }
    parser.check_characters();
    let nodes = parser.nodes(None);
    (nodes, parser.found)
}

struct Parser<'a> {
    file: FileId,
    text: &'a str,
    lexer: std::iter::Peekable<Lexer<'a>>,
    found: Diagnostics,
    nodes: usize,
    depth: usize,
    /// Past a limit: every token is skipped from here on.
    stopped: bool,
    /// End of the last token that was no space or comment: where two tokens touch, nothing stands between them.
    touched: usize,
}

/// What follows a node's name.
#[derive(Default)]
struct Entries {
    arguments: Vec<Value>,
    properties: Vec<Property>,
    block: Option<Block>,
    /// A block, dropped or not, has been read: only blocks may follow.
    after_block: bool,
}

impl<'a> Parser<'a> {
    fn new(file: FileId, text: &'a str) -> Self {
        let lexer = Lexer::new(text).peekable();
        let found = Diagnostics::default();
        Self { file, text, lexer, found, nodes: 0, depth: 0, stopped: false, touched: 0 }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if self.found.len() < MAX_MISTAKES {
            self.found.push(diagnostic);
        }
        self.stopped = self.stopped || self.found.len() >= MAX_MISTAKES;
    }

    fn mistake(&mut self, code: Code, message: impl Into<String>, token: Token, label: &str, help: &str) {
        let diagnostic = Diagnostic::new(code, message).label(self.span(token), label).help(help);
        self.report(diagnostic);
    }

    fn span(&self, token: Token) -> Span {
        Span::new(self.file, token.start, token.end)
    }

    fn slice(&self, token: Token) -> &'a str {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    /// Reports the characters that may stand nowhere, not even in a comment.
    fn check_characters(&mut self) {
        let text = self.text;
        for (at, c) in text.char_indices() {
            let in_line_break = c == '\r' && text.as_bytes().get(at + 1) == Some(&b'\n');
            let is_mark = at == 0 && c == '\u{feff}';
            if text::is_forbidden(c) && !in_line_break && !is_mark && !self.stopped {
                self.report(text::forbidden(c, Span::new(self.file, at, at + c.len_utf8())));
            }
        }
    }

    /// The next token that is neither space nor comment within a line.
    fn peek(&mut self) -> Option<Token> {
        loop {
            let token = *self.lexer.peek()?;
            match token.kind {
                _ if self.stopped => {}
                Kind::BlockComment { closed: false } => {
                    let opening = Token { end: token.start + 2, ..token };
                    let help = "every `/*` needs its own `*/`, also inside a comment";
                    self.mistake(Code::Unclosed, "comment without an end", opening, "no `*/` follows", help);
                }
                Kind::Space | Kind::LineComment | Kind::BlockComment { .. } | Kind::Continuation => {}
                _ => return Some(token),
            }
            self.lexer.next();
        }
    }

    fn take(&mut self, token: Token) {
        self.lexer.next();
        self.touched = token.end;
    }

    fn skip_line_breaks(&mut self) {
        while let Some(token) = self.peek().filter(|token| token.kind == Kind::Newline) {
            self.take(token);
        }
    }

    fn skip_line(&mut self) {
        while let Some(token) = self.lexer.peek().copied().filter(|token| token.kind != Kind::Newline) {
            self.take(token);
        }
    }

    /// The nodes up to the brace that closes `open`, or up to the end of the text.
    fn nodes(&mut self, open: Option<Token>) -> Vec<Node> {
        let mut nodes = Vec::new();
        loop {
            self.skip_line_breaks();
            let Some(token) = self.peek() else {
                if let Some(open) = open.filter(|_| !self.stopped) {
                    let help = "add `}` where the block ends";
                    self.mistake(Code::Unclosed, "block without an end", open, "no `}` closes this", help);
                }
                return nodes;
            };
            match token.kind {
                Kind::Close if open.is_some() => return nodes,
                Kind::Close => {
                    self.take(token);
                    let help = "delete it, or look for a block that was closed too early";
                    self.mistake(Code::Unopened, "`}` without a block", token, "no `{` is open here", help);
                }
                Kind::Slashdash => {
                    self.take(token);
                    self.skip_line_breaks();
                    match self.peek() {
                        Some(next) if begins_node(next.kind) => drop(self.node(next)),
                        _ => self.nothing_dropped(token),
                    }
                }
                _ => nodes.extend(self.node(token)),
            }
        }
    }

    fn nothing_dropped(&mut self, slashdash: Token) {
        let help = "put it right before a node, a value or a block";
        self.mistake(Code::DanglingSlashdash, "`/-` takes nothing out", slashdash, "nothing follows", help);
    }

    /// A node from its name to the end of its line. `None` where it has no name that can be used.
    fn node(&mut self, first: Token) -> Option<Node> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let label = format!("a file has at most {MAX_NODES} nodes");
            let help = "split what is listed into files of its own, such as `kernel from=\"kernels.txt\"`";
            self.mistake(Code::ExceededLimit, "too many nodes", first, &label, help);
            self.stopped = true;
        }
        let name = self.node_name(first);
        let mut entries = Entries::default();
        let mut end = self.touched;
        while self.entry(&mut entries) {
            end = self.touched;
        }
        let Entries { arguments, properties, block, .. } = entries;
        let span = Span::new(self.file, first.start, end);
        Some(Node { name: name?, arguments, properties, block, span })
    }

    fn node_name(&mut self, first: Token) -> Option<Spanned<String>> {
        let token = self.skip_type(first)?;
        let help = match token.kind {
            Kind::Word | Kind::Text(_) => return self.named(token),
            Kind::Open => "put the node's name before the block, on the same line",
            Kind::Semicolon => "delete it: a `;` ends a node, and a line break does too",
            _ => "a node begins with its name",
        };
        let message = format!("{} without a node", shown(self.slice(token)));
        self.mistake(Code::MissingNodeName, message, token, "a node's name is expected here", help);
        if !matches!(token.kind, Kind::Open | Kind::Semicolon) {
            self.take(token);
        }
        None
    }

    /// The node name that a word or text is.
    fn named(&mut self, token: Token) -> Option<Spanned<String>> {
        let value = self.value(token);
        match value.data {
            Data::Text(name) => Some(Spanned::new(name, value.span)),
            Data::Mistake => {
                if self.slice(token).starts_with('#') {
                    self.skip_line();
                }
                None
            }
            _ => {
                let message = format!("{} is no name of a node", shown(self.slice(token)));
                let help = "a node's name begins with a letter";
                self.mistake(Code::MissingNodeName, message, token, "a node's name is expected here", help);
                None
            }
        }
    }

    /// Reads one thing after the node's name; false at the node's end.
    fn entry(&mut self, entries: &mut Entries) -> bool {
        let touched = self.touched;
        let Some(token) = self.peek() else { return false };
        match token.kind {
            Kind::Newline | Kind::Semicolon => {
                self.take(token);
                return false;
            }
            Kind::Close => return false,
            Kind::Open => {
                let block = self.block(token);
                if entries.block.is_some() {
                    let help = "put both into one block";
                    self.mistake(
                        Code::RunOnNode,
                        "a second block",
                        token,
                        "the node has a block already",
                        help,
                    );
                }
                entries.block.get_or_insert(block);
                entries.after_block = true;
            }
            Kind::Slashdash => {
                self.take(token);
                self.skip_line_breaks();
                match self.peek() {
                    Some(open) if open.kind == Kind::Open => {
                        drop(self.block(open));
                        entries.after_block = true;
                    }
                    Some(next) if begins_node(next.kind) => {
                        self.value_or_property(next, &mut Entries::default());
                    }
                    _ => self.nothing_dropped(token),
                }
            }
            _ if entries.after_block => {
                let help = "begin a new line after the block";
                self.mistake(
                    Code::RunOnNode,
                    "a node goes on after its block",
                    token,
                    "does not belong here",
                    help,
                );
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

    fn stray_equals(&mut self, token: Token, entries: &Entries) {
        self.take(token);
        let first = entries.arguments.is_empty() && entries.properties.is_empty();
        let (message, help) = if first {
            ("`=` after a node's name", "a node takes its value without `=`: `version \"1.2.0\"`")
        } else {
            ("`=` without a key", "a key stands before the `=`: `branch=\"main\"`")
        };
        self.mistake(Code::MissingKey, message, token, "no key stands before it", help);
    }

    /// Two values need a space between them.
    fn check_gap(&mut self, touched: usize, token: Token) {
        let previous = self.text.get(..touched).and_then(|before| before.chars().next_back());
        let is_list =
            self.slice(token).starts_with([',', ']', '[', ')']) || matches!(previous, Some('[' | ','));
        if token.start == touched && previous != Some('=') && !is_list {
            let (message, help) =
                ("two values touch each other", "put a space here, or a `\\` before a quote in a text");
            let place = Span::new(self.file, token.start, token.start + 1);
            self.report(
                Diagnostic::new(Code::MissingSpace, message).label(place, "a new value begins").help(help),
            );
        }
    }

    fn value_or_property(&mut self, first: Token, entries: &mut Entries) {
        let Some(token) = self.skip_type(first) else { return };
        if !matches!(token.kind, Kind::Word | Kind::Text(_)) {
            return;
        }
        let value = self.value(token);
        let Some(equals) = self.peek().filter(|next| next.kind == Kind::Equals) else {
            let is_list =
                matches!(value.data, Data::Mistake) && self.slice(token).starts_with(['[', ']', ',']);
            entries.arguments.extend((!is_list).then_some(value));
            return;
        };
        self.take(equals);
        let key = match value.data {
            Data::Text(key) => Some(Spanned::new(key, value.span)),
            Data::Mistake => None,
            _ => {
                let message = format!("{} is no key", shown(self.slice(token)));
                let help = "a key begins with a letter; a text that holds `=` needs quotes";
                self.mistake(Code::MissingKey, message, token, "a key is expected before `=`", help);
                None
            }
        };
        let value = self.property_value(token, equals);
        entries.properties.extend(key.map(|key| Property { key, value }));
    }

    fn property_value(&mut self, key: Token, equals: Token) -> Value {
        let next = self
            .peek()
            .and_then(|next| if next.kind == Kind::Type { self.skip_type(next) } else { Some(next) });
        if let Some(token) = next.filter(|token| matches!(token.kind, Kind::Word | Kind::Text(_))) {
            return self.value(token);
        }
        let span = Span::new(self.file, key.start, equals.end);
        let message = format!("{} has no value", shown(self.slice(key)));
        let mut diagnostic =
            Diagnostic::new(Code::MissingValue, message).label(span, "a value is expected after `=`");
        let in_braces = next.filter(|next| next.kind == Kind::Open && next.start == equals.end);
        if let Some(open) = in_braces {
            let help = format!("quote a text with braces: `{}=\"{{kernel}}\"`", self.slice(key));
            diagnostic = diagnostic.help(help);
            self.report(diagnostic);
            drop(self.block(open));
        } else {
            self.report(diagnostic.help("write the value, or delete the key"));
        }
        Value { data: Data::Mistake, span }
    }

    /// The value of a word or text; [`Data::Mistake`] where it has none, which is reported.
    fn value(&mut self, token: Token) -> Value {
        self.take(token);
        let (span, written) = (self.span(token), self.slice(token));
        let data = match token.kind {
            Kind::Text(quotes) if !quotes.closed => {
                let opening = Token { end: token.start + 1, ..token };
                let help = match quotes.multi_line || quotes.old_raw {
                    true => "add the closing quotes",
                    false => "add the closing quote; a text of several lines stands between `\"\"\"`",
                };
                self.mistake(
                    Code::Unclosed,
                    "text without an end",
                    opening,
                    "no closing quote follows",
                    help,
                );
                Data::Mistake
            }
            Kind::Text(quotes) => match text::value(written, quotes, self.file, token.start) {
                Ok(value) => Data::Text(value),
                Err(mistakes) => {
                    mistakes.into_iter().for_each(|mistake| self.report(mistake));
                    Data::Mistake
                }
            },
            _ => match word::value(written) {
                Ok(Data::Text(_)) if written.len() > text::MAX_TEXT => {
                    let message = format!("word of {} bytes", written.len());
                    let label = format!("a text has at most {} bytes", text::MAX_TEXT);
                    self.mistake(Code::ExceededLimit, message, token, &label, "shorten it");
                    Data::Mistake
                }
                Ok(data) => data,
                Err(refusal) => {
                    let word::Refusal { code, message, label, help } = refusal;
                    self.mistake(code, message, token, &label, &help);
                    Data::Mistake
                }
            },
        };
        Value { data, span }
    }

    /// Reports `(…)` before a name or value and gives the token after it, on the same line.
    fn skip_type(&mut self, token: Token) -> Option<Token> {
        if token.kind != Kind::Type {
            return Some(token);
        }
        self.take(token);
        let message = format!("{} means nothing here", shown(self.slice(token)));
        self.mistake(Code::TypeAnnotation, message, token, "a type annotation", "delete it");
        self.peek().filter(|next| matches!(next.kind, Kind::Word | Kind::Text(_)))
    }

    fn block(&mut self, open: Token) -> Block {
        self.take(open);
        self.depth += 1;
        let nodes = if self.depth <= MAX_DEPTH {
            self.nodes(Some(open))
        } else {
            let label = format!("blocks stand in each other at most {MAX_DEPTH} deep");
            self.mistake(
                Code::ExceededLimit,
                "blocks nested too deep",
                open,
                &label,
                "close the blocks before it",
            );
            self.stopped = true;
            Vec::new()
        };
        self.depth -= 1;
        let mut end = open.end;
        if let Some(close) = self.peek().filter(|token| token.kind == Kind::Close) {
            self.take(close);
            end = close.end;
        }
        Block { nodes, span: Span::new(self.file, open.start, end) }
    }
}

/// Whether a node or value can begin with such a token.
fn begins_node(kind: Kind) -> bool {
    matches!(kind, Kind::Word | Kind::Text(_) | Kind::Type)
}
