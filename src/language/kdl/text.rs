//! Reads a quoted text: its escapes, and the indentation that a text of several lines loses.

use super::lex::{Quotes, is_line_break, is_space, line_break};
use crate::text::diag::{Code, Diagnostic, shown};
use crate::text::source::{FileId, Span};

/// Bytes that one text may have, as written.
pub const MAX_TEXT: usize = 64 * 1024;

/// Whether a character may stand nowhere in a file, neither as it is nor escaped: controls, and what reorders or hides
/// text on a screen. Line breaks and tabs are another matter.
#[must_use]
pub fn is_forbidden(c: char) -> bool {
    match c {
        '\t' | '\n' => false,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' => true,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' => true,
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => false,
    }
}

/// A text between quotes; raw where that spares escapes.
#[must_use]
pub fn quote(text: &str) -> String {
    if text.contains(['"', '\\'])
        && !text.contains("\"#")
        && !text.contains(['\n', '\t'])
        && !text.contains(is_forbidden)
    {
        return format!("#\"{text}\"#");
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if is_forbidden(c) => out.push(' '),
            c => out.push(c),
        }
    }
    out + "\""
}

/// One character of a text, how it was written, and where.
struct Unit {
    c: char,
    escaped: bool,
    at: usize,
}

/// The value of a closed text token of `written`, which begins at byte `start` of `file`.
///
/// # Errors
/// The reports, at least one, where it has no value.
pub(super) fn value(
    written: &str,
    quotes: Quotes,
    file: FileId,
    start: usize,
) -> Result<String, Vec<Diagnostic>> {
    let whole = Span::new(file, start, start + written.len());
    if written.len() > MAX_TEXT {
        return Err(vec![too_long(whole)]);
    }
    let mark = if quotes.multi_line { 3 } else { 1 };
    let open = usize::from(quotes.old_raw) + quotes.hashes + mark;
    let body = written.get(open..written.len() - quotes.hashes - mark).unwrap_or_default();
    if quotes.old_raw {
        return Err(vec![old_raw(body, whole)]);
    }
    let body_start = start + open;
    if quotes.multi_line && line_break(body) == 0 {
        return Err(vec![multi_line_opening(whole, Span::new(file, body_start, body_start))]);
    }
    let raw = quotes.hashes > 0;
    if !quotes.multi_line && (raw || !body.contains('\\')) {
        return Ok(body.to_owned());
    }
    let units = if raw { literal(body, body_start) } else { unescape(body, file, body_start)? };
    if quotes.multi_line { dedent(&units, whole) } else { Ok(units.iter().map(|unit| unit.c).collect()) }
}

/// The report about a text of more than [`MAX_TEXT`] bytes.
pub(super) fn too_long(whole: Span) -> Diagnostic {
    Diagnostic::new(Code::ExceededLimit, format!("text of {} bytes", whole.len()))
        .label(whole, format!("a text has at most {MAX_TEXT} bytes"))
        .help("shorten it, or put it into a file")
}

fn old_raw(body: &str, whole: Span) -> Diagnostic {
    let raw = if body.contains('\n') {
        "`#\"\"\"` and `\"\"\"#`, each on a line of its own".to_owned()
    } else {
        shown(&format!("#\"{body}\"#"))
    };
    let report = Diagnostic::new(Code::OldRawText, "raw text in the form of KDL 1")
        .label(whole, "KDL 2 has no `r` in front")
        .help(format!("write {raw}"));
    let is_plain = !body.contains('\n') && !body.contains("\"#");
    if is_plain { report.suggest(whole, format!("#\"{body}\"#")) } else { report }
}

fn multi_line_opening(whole: Span, after_quotes: Span) -> Diagnostic {
    Diagnostic::new(Code::InvalidMultiLineText, "a text in `\"\"\"` begins on the next line")
        .label(Span { end: after_quotes.start, ..whole }, "a line break must follow")
        .help("break the line here, or use a single `\"`")
}

/// The characters as they stand.
fn literal(body: &str, start: usize) -> Vec<Unit> {
    body.char_indices().map(|(at, c)| Unit { c, escaped: false, at: start + at }).collect()
}

/// The characters with escapes resolved: `\` before blanks and line breaks removes them.
fn unescape(body: &str, file: FileId, start: usize) -> Result<Vec<Unit>, Vec<Diagnostic>> {
    let (mut units, mut mistakes) = (Vec::with_capacity(body.len()), Vec::new());
    let mut rest = body;
    while let Some(c) = rest.chars().next() {
        let at = start + body.len() - rest.len();
        if c != '\\' {
            units.push(Unit { c, escaped: false, at });
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            continue;
        }
        let after = rest.get(1..).unwrap_or_default();
        match escape(after) {
            Ok((Some(c), length)) if is_forbidden(c) => {
                mistakes.push(forbidden(c, Span::new(file, at, at + 1 + length)));
                rest = after.get(length..).unwrap_or_default();
            }
            Ok((c, length)) => {
                units.extend(c.map(|c| Unit { c, escaped: true, at }));
                rest = after.get(length..).unwrap_or_default();
            }
            Err(length) => {
                mistakes.push(invalid_escape(Span::new(file, at, at + 1 + length)));
                rest = after.get(length..).unwrap_or_default();
            }
        }
    }
    if mistakes.is_empty() { Ok(units) } else { Err(mistakes) }
}

/// What the text after a backslash stands for and how long it is; `Err` is the length of something unknown.
fn escape(after: &str) -> Result<(Option<char>, usize), usize> {
    let blank = after.find(|c| !is_space(c) && !is_line_break(c)).unwrap_or(after.len());
    if blank > 0 {
        return Ok((None, blank));
    }
    let c = after.chars().next().unwrap_or('\\');
    let value = match c {
        '\\' | '"' => c,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        's' => ' ',
        'u' => return unicode(after),
        _ => return Err(c.len_utf8()),
    };
    Ok((Some(value), 1))
}

/// `u{…}` with one to six hexadecimal digits of a character.
fn unicode(after: &str) -> Result<(Option<char>, usize), usize> {
    let digits = after.strip_prefix("u{").ok_or(1_usize)?;
    let count = digits.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
    let (digits, end) = digits.split_at_checked(count).ok_or(1_usize)?;
    if !end.starts_with('}') {
        return Err(count + 2);
    }
    let number = u32::from_str_radix(digits, 16).ok();
    number.and_then(char::from_u32).map(|c| (Some(c), count + 3)).ok_or(count + 3)
}

fn invalid_escape(span: Span) -> Diagnostic {
    Diagnostic::new(Code::InvalidEscape, "unknown escape in a text")
        .label(span, "a backslash means something only before `\\ \" b f n r t s u{…}`")
        .help("double the backslash, or use a raw text: `#\"…\"#`")
}

/// The report about a character that may not stand in a file.
pub(super) fn forbidden(c: char, span: Span) -> Diagnostic {
    let why = match c {
        '\r' => "lines end in LF or CR LF",
        '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "reorders the text on a screen"
        }
        '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}' => {
            "cannot be seen"
        }
        _ => "a control character",
    };
    let report = Diagnostic::new(
        Code::ControlCharacter,
        format!("the character U+{:04X} is not allowed", u32::from(c)),
    );
    let report = report.label(span, why).help("delete it");
    // Without a carriage return two lines would be one.
    if c == '\r' { report } else { report.suggest(span, "") }
}

/// Removes the first line break, the last line, and from every line the blanks that the last line has.
fn dedent(units: &[Unit], whole: Span) -> Result<String, Vec<Diagnostic>> {
    let is_break = |unit: &Unit| unit.c == '\n' && !unit.escaped;
    let is_blank = |unit: &Unit| is_space(unit.c) && !unit.escaped;
    let mut lines: Vec<&[Unit]> = units.split(is_break).map(trim_return).collect();
    let prefix = lines.pop().unwrap_or_default();
    if lines.is_empty() || !prefix.iter().all(is_blank) {
        let end = Span { start: whole.end.saturating_sub(3), ..whole };
        let diagnostic =
            Diagnostic::new(Code::InvalidMultiLineText, "the closing `\"\"\"` has no line of its own");
        return Err(vec![
            diagnostic
                .label(end, "only blanks are allowed before it")
                .help("break the line before the closing `\"\"\"`"),
        ]);
    }
    let mut value = String::new();
    let mut mistakes = Vec::new();
    for (number, line) in lines.iter().enumerate().skip(1) {
        if number > 1 {
            value.push('\n');
        }
        if line.iter().all(is_blank) {
            continue;
        }
        let same =
            line.len() >= prefix.len() && line.iter().zip(prefix).all(|(unit, blank)| unit.c == blank.c);
        match line.get(prefix.len()..) {
            Some(rest) if same => value.extend(rest.iter().map(|unit| unit.c)),
            _ => mistakes
                .extend(line.iter().find(|unit| !is_blank(unit)).map(|unit| under_indented(unit, whole))),
        }
    }
    if mistakes.is_empty() { Ok(value) } else { Err(mistakes) }
}

fn trim_return(line: &[Unit]) -> &[Unit] {
    match line.split_last() {
        Some((last, rest)) if last.c == '\r' && !last.escaped => rest,
        _ => line,
    }
}

fn under_indented(unit: &Unit, whole: Span) -> Diagnostic {
    let end = Span { start: whole.end.saturating_sub(3), ..whole };
    Diagnostic::new(Code::InvalidMultiLineText, "a line of a text is indented less than its end")
        .label(Span::new(whole.file, unit.at, unit.at + unit.c.len_utf8()), "must begin with the same blanks")
        .label(end, "the blanks before this are taken from every line")
        .help("indent the line, or move the closing `\"\"\"` to the left")
}
