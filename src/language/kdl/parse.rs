//! Puts tokens together to nodes and blocks, and goes on after every mistake.

use super::confirm::confirm;
use super::entry::Entries;
use super::lex::{Kind, Token};
use super::state::{MAX_BYTES, MAX_DEPTH, Parser, SPLIT};
use super::{Block, Data, Node};
use crate::text::diag::{Code, Diagnostic, Diagnostics, shown};
use crate::text::source::{FileId, Span, Spanned};

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

impl Parser<'_> {
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
                let message = format!("{} is not the name of a node", shown(self.slice(token)));
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
            let label = format!("blocks can be nested at most {MAX_DEPTH} deep");
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
