//! Turns tokens into lines: what a line holds so far decides what may join it.

use super::shift::{indent_of_last_line, shift};
use crate::language::kdl::lex::{Kind, Lexer, Token};

const INDENT: &str = "    ";

/// What the line at hand holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// Nothing.
    Empty,
    /// Comments, and no node yet.
    Comments,
    /// A node that may go on.
    Node,
    /// The end of a node, or the beginning of a block: only a comment to the end of the line may join.
    Ended,
}

/// A comment on its way through a `\`.
enum Passing<'a> {
    Block(&'a str),
    ToLineEnd(&'a str),
}

/// The text laid out so far.
pub(super) struct Layout<'a> {
    source: &'a str,
    out: String,
    depth: usize,
    line: Line,
    /// A blank line stood here.
    gap: bool,
    /// Nothing stands in this block yet.
    first: bool,
    /// The next piece touches the one before: `key=`, `/-`.
    touches: bool,
    /// `/-` waits for what it takes out, over line breaks.
    hides: bool,
    /// A `\` waits for what it carries over, with the comments in it.
    broken: Option<Vec<Passing<'a>>>,
}

impl<'a> Layout<'a> {
    pub(super) fn new(source: &'a str) -> Self {
        Self {
            source,
            out: String::with_capacity(source.len() + source.len() / 8),
            depth: 0,
            line: Line::Empty,
            gap: false,
            first: true,
            touches: false,
            hides: false,
            broken: None,
        }
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> String {
        self.drop_break();
        self.end_line();
        self.out
    }

    pub(super) fn token(&mut self, token: Token) {
        let text = self.source.get(token.start..token.end).unwrap_or_default();
        match token.kind {
            Kind::Space => {}
            Kind::Newline => self.line_break(),
            Kind::LineComment => self.comment_to_line_end(text),
            Kind::BlockComment { .. } => self.comment(text),
            Kind::Continuation => self.continuation(text),
            Kind::Slashdash => {
                self.piece("/-");
                (self.touches, self.hides) = (true, true);
            }
            Kind::Open => self.open("{", Line::Ended),
            Kind::Close => self.close(),
            Kind::Semicolon => {
                self.drop_break();
                self.line = Line::Ended;
            }
            Kind::Equals => self.equals(),
            Kind::Type | Kind::Word => self.piece(text),
            Kind::Text(quotes) => {
                self.carry_over();
                self.begin_piece();
                let moved = shift(self.source, token, quotes, indent_of_last_line(&self.out));
                self.out.push_str(&moved);
            }
        }
    }

    /// `{}`
    pub(super) fn empty_block(&mut self) {
        self.open("{}", Line::Node);
    }

    /// A `{` stands where its node's line ends, unless a comment stands between.
    fn open(&mut self, brace: &str, line: Line) {
        self.mend_break();
        self.piece(brace);
        self.line = line;
        if line == Line::Ended {
            self.depth += 1;
            (self.first, self.gap) = (true, false);
        }
    }

    fn equals(&mut self) {
        self.mend_break();
        self.carry_over();
        self.touches = true;
        self.begin_piece();
        self.out.push('=');
        self.touches = true;
    }

    fn close(&mut self) {
        self.drop_break();
        self.depth = self.depth.saturating_sub(1);
        self.gap = false;
        self.begin_line();
        self.out.push('}');
        self.line = Line::Node;
    }

    fn line_break(&mut self) {
        if self.hides {
            return;
        }
        self.drop_break();
        match self.line {
            Line::Empty => self.gap = true,
            _ => self.end_line(),
        }
    }

    /// A word, a text's beginning, or a sign.
    fn piece(&mut self, text: &str) {
        self.carry_over();
        self.begin_piece();
        self.out.push_str(text);
    }

    fn begin_piece(&mut self) {
        match self.line {
            Line::Empty | Line::Ended => self.begin_line(),
            Line::Comments => self.out.push(' '),
            Line::Node if self.touches => {}
            Line::Node => self.out.push(' '),
        }
        self.line = Line::Node;
        (self.touches, self.hides) = (false, false);
    }

    fn comment(&mut self, text: &str) {
        let hides = self.hides;
        match self.line {
            Line::Node => self.piece(text),
            Line::Comments => {
                self.out.push(' ');
                self.out.push_str(text);
            }
            Line::Empty | Line::Ended => {
                self.begin_line();
                self.out.push_str(text);
                self.line = Line::Comments;
            }
        }
        self.hides = hides;
    }

    fn comment_to_line_end(&mut self, text: &str) {
        let text = text.trim_end();
        if self.hides {
            self.carry_over();
            self.space();
            self.out.push_str(text);
            self.next_line_of_node();
            return;
        }
        self.drop_break();
        if self.line == Line::Empty {
            self.begin_line();
            self.line = Line::Comments;
        } else {
            self.space();
        }
        self.out.push_str(text);
    }

    fn continuation(&mut self, text: &'a str) {
        let comments = Lexer::new(text.get(1..).unwrap_or_default()).filter_map(|token| {
            let text = text.get(1 + token.start..1 + token.end)?;
            match token.kind {
                Kind::LineComment => Some(Passing::ToLineEnd(text)),
                Kind::BlockComment { .. } => Some(Passing::Block(text)),
                _ => None,
            }
        });
        self.broken.get_or_insert_default().extend(comments);
        if self.line != Line::Node {
            self.drop_break();
        }
    }

    /// The node goes on after a `\`.
    fn carry_over(&mut self) {
        let Some(passing) = self.broken.take() else { return };
        if passing.is_empty() && self.touches {
            return;
        }
        let mut broken = false;
        for comment in passing {
            broken = matches!(comment, Passing::ToLineEnd(_));
            match comment {
                Passing::Block(text) => {
                    let hides = self.hides;
                    self.begin_piece();
                    self.out.push_str(text);
                    self.hides = hides;
                }
                Passing::ToLineEnd(text) => {
                    self.space();
                    self.out.extend(["\\ ", text.trim_end()]);
                    self.next_line_of_node();
                }
            }
        }
        if !broken {
            self.out.push_str(" \\");
            self.next_line_of_node();
        }
    }

    /// A `\` without comments is not needed.
    fn mend_break(&mut self) {
        self.broken = self.broken.take().filter(|passing| !passing.is_empty());
    }

    /// The node ends although a `\` stood there; the comments in it stay.
    fn drop_break(&mut self) {
        for comment in self.broken.take().into_iter().flatten() {
            match comment {
                Passing::Block(text) => self.comment(text),
                Passing::ToLineEnd(text) => {
                    self.comment_to_line_end(text);
                    self.end_line();
                }
            }
        }
    }

    /// A space, unless a line has just been indented.
    fn space(&mut self) {
        if !self.out.ends_with(' ') {
            self.out.push(' ');
        }
    }

    fn next_line_of_node(&mut self) {
        self.out.push('\n');
        self.indent(self.depth + 1);
        self.touches = true;
    }

    fn begin_line(&mut self) {
        self.end_line();
        if self.gap && !self.first {
            self.out.push('\n');
        }
        self.indent(self.depth);
        (self.gap, self.first) = (false, false);
    }

    fn end_line(&mut self) {
        if self.line != Line::Empty {
            self.out.push('\n');
            self.line = Line::Empty;
        }
    }

    fn indent(&mut self, depth: usize) {
        self.out.extend(std::iter::repeat_n(INDENT, depth));
    }
}
