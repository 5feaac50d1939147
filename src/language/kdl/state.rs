//! How far a file has been read: its tokens, one after the other, what was reported, and the limits.

use super::lex::{Kind, Lexer, Token, comment_depth};
use super::text;
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::source::{FileId, Span};

/// Bytes that a file may have.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Nodes and values that a file may have. The `kdl` crate reads so many in less than a second; what is longer is a list,
/// and lists have files of their own.
pub const MAX_ITEMS: usize = 30_000;
/// Comments and line breaks by `\` that a file may have besides, each of which takes the `kdl` crate as long as a value.
pub const MAX_BETWEEN: usize = 10_000;
/// How deep blocks may stand in each other, and comments too: the `kdl` crate recurses into both.
pub const MAX_DEPTH: usize = 64;
/// How deep `/-` may stand in what another `/-` takes out.
pub const MAX_HIDDEN: usize = 4;
/// Reports after which reading stops.
pub const MAX_MISTAKES: usize = 100;

/// What to do about a file that is too large.
pub(super) const SPLIT: &str =
    "move what is listed into files of its own, such as `kernel from=\"kernels.txt\"`";

/// A file that is being read.
pub(super) struct Parser<'a> {
    pub(super) file: FileId,
    pub(super) text: &'a str,
    pub(super) lexer: std::iter::Peekable<Lexer<'a>>,
    pub(super) found: Diagnostics,
    /// How many nodes have begun.
    pub(super) nodes: usize,
    pub(super) items: usize,
    pub(super) between: usize,
    pub(super) depth: usize,
    pub(super) hidden: usize,
    /// End of the last token that is neither space nor comment.
    pub(super) touched: usize,
    /// The node whose commas and brackets have been reported: one report for a list is enough.
    pub(super) list_in: usize,
    /// Where the line begins that is being read, and how many bytes stand before the first token of it.
    pub(super) line_start: usize,
    pub(super) indent: Option<usize>,
    /// A `}` that is indented unlike the block that it closes: before it another one may be missing.
    pub(super) suspect: Option<Token>,
    /// Past a limit: every token is skipped from here on.
    pub(super) stopped: bool,
}

impl<'a> Parser<'a> {
    pub(super) fn new(file: FileId, text: &'a str) -> Self {
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
    pub(super) fn check_characters(&mut self) {
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
                Kind::BlockComment { .. } | Kind::Continuation => {
                    self.count_between(token);
                    self.check_comments(token);
                }
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

    /// Takes a `/-`; whatever it takes out ends with `self.hidden -= 1`.
    pub(super) fn hide(&mut self, slashdash: Token) {
        self.take(slashdash);
        self.hidden += 1;
        if self.hidden > MAX_HIDDEN {
            let label = format!("`/-` can be nested at most {MAX_HIDDEN} deep");
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

    /// Comments stand in each other as deep as blocks do, and no deeper.
    fn check_comments(&mut self, token: Token) {
        if !self.stopped && comment_depth(self.slice(token)) > MAX_DEPTH {
            let opening = Token { end: token.start + 2, ..token };
            let label = format!("`/* */` stand in each other at most {MAX_DEPTH} deep");
            let help = "take out what is commented out twice";
            self.mistake(Code::ExceededLimit, "comments nested too deep", opening, &label, help);
            self.stopped = true;
        }
    }
}
