//! Cuts KDL text into tokens: every byte lies in exactly one, spaces and comments included.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Spaces and tabs, and a byte order mark at the very beginning.
    Space,
    /// A line break.
    Newline,
    /// `// …` up to the line break.
    LineComment,
    /// `/* … */`, nested ones included. `closed` is false where the text ends first.
    BlockComment {
        /// Whether every opening has its end.
        closed: bool,
    },
    /// `\` and everything up to and including the line break that it hides.
    Continuation,
    /// `/-`
    Slashdash,
    /// `{`
    Open,
    /// `}`
    Close,
    /// `;`
    Semicolon,
    /// `=`
    Equals,
    /// `(…)`
    Type,
    /// Anything unquoted: a name, a number, `#true`, or something that needs quotes.
    Word,
    /// A quoted text.
    Text(Quotes),
}

impl Kind {
    /// Whether a node's name or a value can begin with such a token.
    pub(super) fn begins_value(self) -> bool {
        matches!(self, Self::Word | Self::Text(_) | Self::Type)
    }
}

/// How a text is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotes {
    /// How many `#` stand before it; none for a text with escapes.
    pub hashes: usize,
    /// Whether it opens with `"""`.
    pub multi_line: bool,
    /// Whether it is a raw text as KDL 1 wrote it: `r"…"`.
    pub old_raw: bool,
    /// Whether the closing quotes are there.
    pub closed: bool,
}

/// A piece of the text, by bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// The tokens of a text, in order.
#[derive(Clone, Debug)]
pub struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    /// Begins at the start of `text`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let start = self.at;
        let rest = self.text.get(start..)?;
        let (kind, length) = token(rest, start == 0)?;
        self.at = start + length;
        Some(Token { kind, start, end: self.at })
    }
}

/// Whether KDL counts the character as a space within a line.
pub(super) fn is_space(c: char) -> bool {
    matches!(
        c,
        '\t' | ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// How many bytes at the start of `rest` are a line break: LF, CR LF, or the rarer ones of KDL, which
/// [`super::is_forbidden`] refuses wherever they stand.
pub(super) fn line_break(rest: &str) -> usize {
    if rest.starts_with("\r\n") {
        return 2;
    }
    rest.chars().next().filter(|&c| is_line_break(c)).map_or(0, char::len_utf8)
}

/// Whether KDL ends a line with this character.
pub(super) fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The token at the start of `rest` and its length; `None` at the end.
fn token(rest: &str, first: bool) -> Option<(Kind, usize)> {
    let c = rest.chars().next()?;
    let simple = |kind| Some((kind, c.len_utf8()));
    match c {
        '{' => simple(Kind::Open),
        '}' => simple(Kind::Close),
        ';' => simple(Kind::Semicolon),
        '=' => simple(Kind::Equals),
        '"' => Some(quoted(rest, 0, 0, false)),
        '\u{feff}' if first => simple(Kind::Space),
        _ if is_space(c) => Some((Kind::Space, run(rest, is_space))),
        _ if line_break(rest) > 0 => Some((Kind::Newline, line_break(rest))),
        '/' if rest.starts_with("/-") => Some((Kind::Slashdash, 2)),
        '/' if rest.starts_with("//") => Some((Kind::LineComment, line_length(rest))),
        '/' if rest.starts_with("/*") => Some(block_comment(rest)),
        '\\' => Some(continuation(rest).unwrap_or_else(|| word(rest))),
        '(' => Some(annotation(rest).unwrap_or_else(|| word(rest))),
        _ => Some(raw(rest).unwrap_or_else(|| word(rest))),
    }
}

/// How many bytes at the start of `rest` are characters of this kind.
fn run(rest: &str, belongs: fn(char) -> bool) -> usize {
    rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

/// How many bytes stand before the next line break.
fn line_length(rest: &str) -> usize {
    rest.find(is_line_break).unwrap_or(rest.len())
}

/// The comment at the start of `rest`, which begins with `/*`; an unclosed one takes all that is left.
fn block_comment(rest: &str) -> (Kind, usize) {
    match closed_comment(rest) {
        Some(length) => (Kind::BlockComment { closed: true }, length),
        None => (Kind::BlockComment { closed: false }, rest.len()),
    }
}

/// The length of the comment at the start of `rest`, where there is one and it has an end.
fn closed_comment(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    loop {
        match (bytes.get(at)?, bytes.get(at + 1)) {
            (b'/', Some(b'*')) => (depth, at) = (depth + 1, at + 2),
            (b'*', Some(b'/')) => (depth, at) = (depth.checked_sub(1)?, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return (at > 2).then_some(at);
        }
    }
}

/// How deep comments stand in each other in `text`, at most.
pub(super) fn comment_depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut at) = (0_usize, 0, 0);
    while let Some(pair) = text.as_bytes().get(at..at + 2) {
        match pair {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" => (depth, at) = (depth.saturating_sub(1), at + 2),
            _ => at += 1,
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// `\`, spaces and comments, and a line break or the end.
fn continuation(rest: &str) -> Option<(Kind, usize)> {
    let mut at = 1;
    loop {
        let after = rest.get(at..)?;
        if after.is_empty() {
            return Some((Kind::Continuation, at));
        }
        if line_break(after) > 0 {
            return Some((Kind::Continuation, at + line_break(after)));
        }
        let skipped = match run(after, is_space) {
            0 if after.starts_with("//") => line_length(after),
            0 => closed_comment(after)?,
            spaces => spaces,
        };
        at += skipped;
    }
}

/// `(…)` on one line.
fn annotation(rest: &str) -> Option<(Kind, usize)> {
    let inner = rest.get(1..)?;
    let end = inner.find(['(', ')', '\n', '"', '{', '}', ';'])?;
    inner.get(end..)?.starts_with(')').then_some((Kind::Type, end + 2))
}

/// `#"…"#`, or as KDL 1 wrote it: `r"…"` and `r#"…"#`.
fn raw(rest: &str) -> Option<(Kind, usize)> {
    let old_raw = rest.starts_with('r');
    let prefix = usize::from(old_raw);
    let hashes = run(rest.get(prefix..)?, |c| c == '#');
    let is_text = rest.get(prefix + hashes..)?.starts_with('"') && (old_raw || hashes > 0);
    is_text.then(|| quoted(rest, prefix, hashes, old_raw))
}

/// The text that opens after `prefix` bytes and `hashes` hashes.
fn quoted(rest: &str, prefix: usize, hashes: usize, old_raw: bool) -> (Kind, usize) {
    let open = rest.get(prefix + hashes..).unwrap_or_default();
    let hash_marks = rest.get(prefix..prefix + hashes).unwrap_or_default();
    let multi_line = open.starts_with("\"\"\"") && !old_raw;
    let quote = if multi_line { "\"\"\"" } else { "\"" };
    let escapes = hashes == 0 && !old_raw;
    let first_line = open.get(quote.len()..).unwrap_or_default();
    let spans_lines = old_raw || (multi_line && line_break(first_line) > 0);
    let kind = |closed| Kind::Text(Quotes { hashes, multi_line, old_raw, closed });
    let mut at = prefix + hashes + quote.len();
    while let Some(c) = rest.get(at..).and_then(|after| after.chars().next()) {
        let after = rest.get(at..).unwrap_or_default();
        if c == '"' {
            let closing = after.strip_prefix(quote).is_some_and(|after| after.starts_with(hash_marks));
            if closing {
                return (kind(true), at + quote.len() + hashes);
            }
        } else if c == '\\' && escapes {
            at += hidden(after);
            continue;
        } else if !spans_lines && line_break(after) > 0 {
            return (kind(false), at);
        }
        at += c.len_utf8();
    }
    (kind(false), rest.len())
}

/// How many bytes a backslash and what it escapes are: spaces and line breaks, or one character.
fn hidden(rest: &str) -> usize {
    let after = rest.get(1..).unwrap_or_default();
    let blank = run(after, |c| is_space(c) || is_line_break(c));
    let first = after.chars().next().map_or(0, char::len_utf8);
    1 + if blank > 0 { blank } else { first }
}

/// Everything up to where a word can end.
///
/// Once a character has shown that it cannot be a name of KDL (a slash, mostly), what would end one or begin a comment
/// belongs to the word too: `https://host/x?a=b`, `src/*.c` and `a/{kernel}` are one mistake each, not several.
fn word(rest: &str) -> (Kind, usize) {
    let (mut mistaken, mut in_braces) = (false, false);
    for (at, c) in rest.char_indices() {
        let ends = match c {
            ';' | '"' => true,
            '=' => !mistaken,
            '{' if mistaken && opens_variable(rest.get(at + 1..).unwrap_or_default()) => {
                in_braces = true;
                false
            }
            '}' if in_braces => {
                in_braces = false;
                false
            }
            '{' | '}' => true,
            _ => is_space(c) || is_line_break(c),
        };
        if ends && at > 0 {
            return (Kind::Word, at);
        }
        mistaken = mistaken || super::word::is_mistaken(c);
    }
    (Kind::Word, rest.len())
}

/// Whether `rest` goes on with the name of a variable and `}`.
fn opens_variable(rest: &str) -> bool {
    let end = rest.bytes().take(80).position(|b| !(b.is_ascii_alphanumeric() || b"_:.-".contains(&b)));
    end.and_then(|end| rest.as_bytes().get(end)) == Some(&b'}')
}
