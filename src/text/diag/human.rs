//! From diagnostics to the report that people read: message, lines of source with labels, help.

use super::clean::{Clean, escape};
use super::excerpt::Excerpt;
use super::{Diagnostic, Report, Severity};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeCharacters, ThemeStyles};
use std::fmt::{self, Display, Write as _};

/// How many diagnostics are shown at most.
pub const MOST_SHOWN: usize = 100;
/// Columns at which messages and help are wrapped.
const WIDTH: usize = 96;

/// What a terminal can show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// With colours.
    pub color: bool,
    /// Lines drawn with ASCII alone.
    pub ascii: bool,
}

/// All diagnostics, one below the other; past [`MOST_SHOWN`] the count of the others.
#[must_use]
pub fn render(report: &Report<'_>, look: Look) -> Clean {
    let characters = if look.ascii { ThemeCharacters::ascii() } else { ThemeCharacters::unicode() };
    let styles = if look.color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_wrap_lines(false)
        .with_urls(false)
        .without_syntax_highlighting();
    let shown = most_serious(report);
    let mut out = String::new();
    for (index, diagnostic) in shown.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        // Writing to a String does not fail.
        let _ = handler.render_report(&mut out, &Shown::new(diagnostic, report));
    }
    let hidden = report.diagnostics.len() - shown.len();
    if hidden > 0 {
        let _ = writeln!(out, "\nand {hidden} more");
    }
    let lines: Vec<&str> = out.lines().map(str::trim_end).collect();
    Clean::styled(&(lines.join("\n") + if out.is_empty() { "" } else { "\n" }))
}

/// How many errors and warnings there are, in words: `2 errors, 1 warning`.
#[must_use]
pub fn count(report: &Report<'_>) -> Clean {
    let words = [(Severity::Error, "error"), (Severity::Drift, "drift"), (Severity::Warning, "warning")];
    let parts = words.into_iter().filter_map(|(severity, word)| match report.count(severity) {
        0 => None,
        1 => Some(format!("1 {word}")),
        n if severity == Severity::Drift => Some(format!("{n} {word}")),
        n => Some(format!("{n} {word}s")),
    });
    Clean::text(&parts.collect::<Vec<_>>().join(", "))
}

/// At most [`MOST_SHOWN`] of them: errors before drift before warnings; then in the report's order.
fn most_serious<'a>(report: &'a Report<'_>) -> Vec<&'a Diagnostic> {
    let mut ranked: Vec<(usize, &Diagnostic)> = report.diagnostics.iter().enumerate().collect();
    ranked.sort_by_key(|(place, diagnostic)| (diagnostic.severity(), *place));
    ranked.truncate(MOST_SHOWN);
    ranked.sort_by_key(|(place, _)| *place);
    ranked.into_iter().map(|(_, diagnostic)| diagnostic).collect()
}

/// One diagnostic as miette wants it, every text of it escaped.
#[derive(Debug)]
struct Shown {
    code: String,
    severity: miette::Severity,
    message: String,
    help: Option<String>,
    excerpt: Excerpt,
}

impl Shown {
    fn new(diagnostic: &Diagnostic, report: &Report<'_>) -> Self {
        let severity = diagnostic.severity();
        Self {
            code: format!("{}[{}]", severity.name(), diagnostic.code),
            severity: match severity {
                Severity::Error => miette::Severity::Error,
                Severity::Drift | Severity::Warning => miette::Severity::Warning,
            },
            message: wrap(&escape(&diagnostic.message), WIDTH - 4),
            help: diagnostic.help.as_deref().map(|help| wrap(&escape(help), WIDTH - 8)),
            excerpt: Excerpt::new(report.sources, &diagnostic.labels, report.root),
        }
    }
}

impl Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl miette::Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.excerpt.labels()))
    }
}

/// Breaks lines at spaces so that they fit `width` columns where they can; never within a word or a quoted name.
#[must_use]
pub fn wrap(text: &str, width: usize) -> String {
    let lines = text.split('\n').map(|line| wrap_line(line, width));
    lines.collect::<Vec<_>>().join("\n")
}

fn wrap_line(line: &str, width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in words(line) {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

/// Splits at spaces outside of backticks; spaces that begin the line stay with the first word.
fn words(line: &str) -> Vec<&str> {
    let (mut words, mut start, mut quoted, mut seen) = (Vec::new(), 0, false, false);
    for (at, character) in line.char_indices() {
        match character {
            '`' => quoted = !quoted,
            ' ' if !quoted && seen => {
                words.push(line.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
        seen |= character != ' ';
    }
    words.push(line.get(start..).unwrap_or_default());
    words
}
