//! Puts tokens together to nodes and blocks, and goes on after every mistake.

use super::confirm::confirm;
use super::entry::Entries;
use super::lex::{Kind, Lexer, Token};
use super::{Block, Data, Node, text};
use crate::text::diag::{Code, Diagnostic, Diagnostics, shown};
use crate::text::source::{FileId, Span, Spanned};

/// Bytes that a file may have.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Nodes and values that a file may have. The `kdl` crate reads so many in less than a second; what is longer is a list,
/// and lists have files of their own.
pub const MAX_ITEMS: usize = 30_000;
/// Comments and line breaks by `\` that a file may have besides, each of which takes the `kdl` crate as long as a value.
pub const MAX_BETWEEN: usize = 10_000;
/// How deep blocks may stand in each other.
pub const MAX_DEPTH: usize = 64;
/// How deep `/-` may stand in what another `/-` takes out.
pub const MAX_HIDDEN: usize = 4;
/// Reports after which reading stops.
pub const MAX_MISTAKES: usize = 100;

/// What to do about a file that is too large.
const SPLIT: &str = "move what is listed into files of its own, such as `kernel from=\"kernels.txt\"`";

/// Reads a file's text into its nodes, as far as they can be read, and a report for each mistake.
///
/// After [`MAX_MISTAKES`] reports, or past [`MAX_ITEMS`], [`MAX_DEPTH`] or [`MAX_BYTES`], the rest is not read.
#[must_use]
pub fn parse(file: FileId, text: &str) -> (Vec<Node>, Diagnostics) {
    let mut parser = Parser::new(file, text);
    if text.len() > MAX_BYTES {
        let diagnostic = Diagnostic::new(Code::ExceededLimit, format!("file of {} bytes", text.len()))
            .label(Span::new(file, 0, 0), format!("a file has at most {MAX_BYTES} bytes"))
            .help(SPLIT);
        parser.report(diagnostic);
        return (Vec::new(), parser.found);
    }
    parser.check_characters();
    let nodes = parser.nodes(None);
    if parser.found.is_empty()
        && let Err(problem) = confirm(file, text, &nodes)
    {
        parser.report(problem);
    }
    (nodes, parser.found)
}

pub(super) struct Parser<'a> {
    pub(super) file: FileId,
    pub(super) text: &'a str,
    lexer: std::iter::Peekable<Lexer<'a>>,
    found: Diagnostics,
    /// How many nodes have begun.
    pub(super) nodes: usize,
    items: usize,
    between: usize,
    depth: usize,
    pub(super) hidden: usize,
    /// End of the last token that is neither space nor comment.
    pub(super) touched: usize,
    /// The node whose commas and brackets have been reported: one report for a list is enough.
    pub(super) list_in: usize,
    /// Where the line begins that is being read, and how many bytes stand before the first token of it.
    line_start: usize,
    indent: Option<usize>,
    /// A `}` that is indented unlike the block that it closes: before it another one may be missing.
    suspect: Option<Token>,
    /// Past a limit: every token is skipped from here on.
    stopped: bool,
}

impl<'a> Parser<'a> {
    fn new(file: FileId, text: &'a str) -> Self {
        Self {
            file,
            text,
            lexer: Lexer::new(text).peekable(),
            found: Diagnostics::default(),
            nodes: 0,
            items: 0,
            between: 0,
            depth: 0,
            hidden: 0,
            touched: 0,
            list_in: 0,
            line_start: 0,
            indent: None,
            suspect: None,
            stopped: false,
        }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if !self.stopped {
            self.found.push(diagnostic);
        }
        self.stopped = self.stopped || self.found.len() >= MAX_MISTAKES;
    }

    pub(super) fn mistake(
        &mut self,
        code: Code,
        message: impl Into<String>,
        token: Token,
        label: &str,
        help: &str,
    ) {
        let diagnostic = Diagnostic::new(code, message).label(self.span(token), label).help(help);
        self.report(diagnostic);
    }

    pub(super) fn span(&self, token: Token) -> Span {
        Span::new(self.file, token.start, token.end)
    }

    pub(super) fn slice(&self, token: Token) -> &'a str {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    /// Reports the characters that may stand nowhere, not even in a comment.
    fn check_characters(&mut self) {
        let text = self.text;
        for (at, c) in text.char_indices() {
            if self.stopped {
                return;
            }
            let in_line_break = c == '\r' && text.as_bytes().get(at + 1) == Some(&b'\n');
            let is_mark = at == 0 && c == '\u{feff}';
            if text::is_forbidden(c) && !in_line_break && !is_mark {
                self.report(text::forbidden(c, Span::new(self.file, at, at + c.len_utf8())));
            }
        }
    }

    /// The next token that is neither space nor comment.
    pub(super) fn peek(&mut self) -> Option<Token> {
        loop {
            let token = *self.lexer.peek()?;
            match token.kind {
                _ if self.stopped => {}
                Kind::BlockComment { closed: false } => {
                    let opening = Token { end: token.start + 2, ..token };
                    let help = "every `/*` needs its own `*/`, also inside a comment";
                    self.mistake(
                        Code::MissingEnd,
                        "comment without an end",
                        opening,
                        "no `*/` follows",
                        help,
                    );
                }
                Kind::BlockComment { .. } | Kind::Continuation => self.count_between(token),
                Kind::Space | Kind::LineComment => {}
                _ => return Some(token),
            }
            self.lexer.next();
        }
    }

    pub(super) fn take(&mut self, token: Token) {
        self.lexer.next();
        self.touched = token.end;
        if token.kind == Kind::Newline {
            (self.line_start, self.indent) = (token.end, None);
        } else {
            self.indent.get_or_insert(token.start.saturating_sub(self.line_start));
        }
    }

    pub(super) fn skip_line_breaks(&mut self) {
        while let Some(token) = self.peek().filter(|token| token.kind == Kind::Newline) {
            self.take(token);
        }
    }

    pub(super) fn skip_line(&mut self) {
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
                open.into_iter().for_each(|open| self.missing_brace(open));
                return nodes;
            };
            match token.kind {
                Kind::Close if open.is_some() => return nodes,
                Kind::Close => {
                    self.take(token);
                    let help = "delete it, or look for a block that was closed too early";
                    self.mistake(Code::StrayBrace, "`}` without a block", token, "no `{` is open here", help);
                }
                Kind::Slashdash => {
                    self.hide(token);
                    match self.peek() {
                        Some(next) if next.kind.begins_value() => drop(self.node(next)),
                        _ => self.nothing_taken_out(token),
                    }
                    self.hidden -= 1;
                }
                Kind::Open => self.homeless_block(token, nodes.last_mut()),
                _ => nodes.extend(self.node(token)),
            }
        }
    }

    /// A block that begins a line: that of the node before, where it has none.
    fn homeless_block(&mut self, open: Token, before: Option<&mut Node>) {
        let before = before.filter(|node| node.block.is_none());
        let help = match before {
            Some(_) => "put the `{` at the end of the line before",
            None => "put the node's name before the block, on the same line",
        };
        self.mistake(
            Code::MissingNodeName,
            "`{` without a node",
            open,
            "a node's name is expected here",
            help,
        );
        let block = self.block(open);
        if let Some(node) = before {
            node.span.end = block.span.end;
            node.block = Some(block);
        }
    }

    fn missing_brace(&mut self, open: Token) {
        let mut diagnostic = Diagnostic::new(Code::MissingEnd, "block without an end")
            .label(self.span(open), "no `}` closes this")
            .help("add `}` where the block ends");
        if let Some(suspect) = self.suspect {
            let label = "indented unlike the block that it closes";
            diagnostic = diagnostic.label(self.span(suspect), label);
        }
        self.report(diagnostic);
    }

    /// Takes a `/-`; whatever it takes out ends with `self.hidden -= 1`.
    pub(super) fn hide(&mut self, slashdash: Token) {
        self.take(slashdash);
        self.hidden += 1;
        if self.hidden > MAX_HIDDEN {
            let label = format!("`/-` stands in what `/-` takes out at most {MAX_HIDDEN} deep");
            self.mistake(
                Code::ExceededLimit,
                "`/-` nested too deep",
                slashdash,
                &label,
                "delete what is taken out",
            );
            self.stopped = true;
        }
        self.skip_line_breaks();
    }

    pub(super) fn nothing_taken_out(&mut self, slashdash: Token) {
        let help = "put it right before a node, a value or a block";
        self.mistake(Code::DanglingSlashdash, "`/-` takes nothing out", slashdash, "nothing follows", help);
    }

    /// A node from its name to the end of its line. `None` where it has no name that can be used.
    fn node(&mut self, first: Token) -> Option<Node> {
        self.nodes += 1;
        self.count(first);
        let name = self.node_name(first);
        let mut entries = Entries::default();
        let mut end = self.touched;
        while self.entry(&mut entries) {
            end = self.touched;
        }
        let Entries { arguments, properties, block, .. } = entries;
        Some(Node { name: name?, arguments, properties, block, span: Span::new(self.file, first.start, end) })
    }

    /// Counts a node or a value.
    pub(super) fn count(&mut self, token: Token) {
        self.items += 1;
        if self.items > MAX_ITEMS {
            let label = format!("a file has at most {MAX_ITEMS} nodes and values");
            self.mistake(Code::ExceededLimit, "too many nodes and values", token, &label, SPLIT);
            self.stopped = true;
        }
    }

    /// Counts what stands between nodes and values.
    fn count_between(&mut self, token: Token) {
        self.between += 1;
        if self.between > MAX_BETWEEN {
            let label = format!("a file has at most {MAX_BETWEEN} `/* */` and line breaks by `\\`");
            let help = "write each node on one line, and comments as `//`";
            self.mistake(Code::ExceededLimit, "too many line breaks and comments", token, &label, help);
            self.stopped = true;
        }
    }

    fn node_name(&mut self, first: Token) -> Option<Spanned<String>> {
        let token = self.skip_type(first)?;
        let help = match token.kind {
            Kind::Word | Kind::Text(_) => return self.usable_name(token),
            Kind::Semicolon => "delete it: a `;` ends a node, and a line break does too",
            _ => "a node begins with its name",
        };
        let message = format!("{} without a node", shown(self.slice(token)));
        self.mistake(Code::MissingNodeName, message, token, "a node's name is expected here", help);
        if token.kind != Kind::Semicolon {
            self.take(token);
        }
        None
    }

    fn usable_name(&mut self, token: Token) -> Option<Spanned<String>> {
        let value = self.value(token);
        match value.data {
            Data::Text(name) => Some(Spanned::new(name, value.span)),
            Data::Mistake => None,
            _ => {
                let message = format!("{} is no name of a node", shown(self.slice(token)));
                let (label, help) = ("a node's name is expected here", "a node's name begins with a letter");
                self.mistake(Code::MissingNodeName, message, token, label, help);
                None
            }
        }
    }

    /// The block that begins at `open`.
    pub(super) fn block(&mut self, open: Token) -> Block {
        self.take(open);
        let indent = self.indent;
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
            let begins_line = self.indent.is_none();
            self.take(close);
            end = close.end;
            if begins_line && self.indent != indent {
                self.suspect.get_or_insert(close);
            }
        }
        Block { nodes, span: Span::new(self.file, open.start, end) }
    }
}
