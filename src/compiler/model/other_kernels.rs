//! Kernels that a text names otherwise than by drvc's variables: the running one, whichever is there, or always the same.

use super::context::Lower;
use crate::language::syntax::ast;
use crate::text::diag::{Code, Diagnostic, shown};
use crate::text::source::Span;

/// Directories in which there is one for each kernel, and whether `build` beneath it is the directory to build in.
const DIRECTORIES: [(&str, bool); 3] =
    [("/lib/modules/", true), ("/usr/src/linux-headers-", false), ("/usr/src/kernels/", false)];

/// Reports a kernel in a text that is probably not the target's.
pub(super) fn check(lower: &mut Lower<'_>, text: &ast::Text) {
    if text.value.contains("uname -r") {
        running(lower, text);
    } else if let Some((path, name)) = DIRECTORIES.iter().find_map(|place| directory(&text.value, *place)) {
        guessed(lower, text, path, name);
    } else if text.value.contains("ls /lib/modules") || text.value.contains("ls /usr/src") {
        let report =
            Diagnostic::new(Code::GuessedKernel, "the directory of the kernel is looked for by `ls`")
                .label(text.span, "may find another kernel than the target's");
        lower.diagnostics.push(report.help(HELP));
    }
}

const HELP: &str = "write `{kernel}` for the target's kernel, and `{kernel_dir}` for its build directory";

/// `uname -r` in a container is the kernel of the machine that builds.
fn running(lower: &mut Lower<'_>, text: &ast::Text) {
    let before = text.value.split("uname -r").next().unwrap_or_default();
    let report = Diagnostic::new(Code::RunningKernel, "`uname -r` is the kernel of the machine that builds")
        .label(text.span, "not the kernel of the target")
        .help(HELP);
    let whole = ["$(uname -r)", "`uname -r`", "$(shell uname -r)"];
    let found = whole
        .iter()
        .find(|whole| before.len() >= whole.find("uname").unwrap_or(0) && text.value.contains(**whole));
    let exact = found.filter(|_| lower.text.slice(text.span).matches("uname -r").count() == 1);
    let place = exact.and_then(|whole| lower.place_of(text, whole));
    lower.diagnostics.push(match place {
        Some(span) => report.suggest(span, "{kernel}"),
        None => report,
    });
}

/// The directory of a kernel that is a pattern or a release, such as `/lib/modules/*/build`, and the name in it.
fn directory<'t>(text: &'t str, (start, has_build): (&str, bool)) -> Option<(&'t str, &'t str)> {
    let (at, _) = text.match_indices(start).find(|(at, _)| {
        let before = text.get(..*at).and_then(|before| before.chars().next_back());
        before.is_none_or(|c| c.is_whitespace() || matches!(c, '=' | '"' | '\'' | '(' | ':'))
    })?;
    let rest = text.get(at + start.len()..)?;
    let end = |rest: &str| {
        rest.find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | ')' | ';' | ':'))
    };
    let name = rest.get(..end(rest).unwrap_or(rest.len()))?;
    let is_release = name.starts_with(|c: char| c.is_ascii_digit()) && name.contains('.');
    if !is_release && !name.contains(['*', '?']) {
        return None;
    }
    let build = has_build && rest.get(name.len()..).is_some_and(|rest| rest.starts_with("/build"));
    let length = start.len() + name.len() + if build { "/build".len() } else { 0 };
    Some((text.get(at..at + length)?, name))
}

fn guessed(lower: &mut Lower<'_>, text: &ast::Text, path: &str, name: &str) {
    let (message, label) = match name.contains(['*', '?']) {
        true => ("may be the directory of another kernel", "whichever is there"),
        false => ("is the directory of one kernel", "the same for every target"),
    };
    let written = match path.ends_with("/build") || path.starts_with("/usr/src/") {
        true => "{kernel_dir}",
        false => "/lib/modules/{kernel}",
    };
    let report = Diagnostic::new(Code::GuessedKernel, format!("{} {message}", shown(path)))
        .label(text.span, label)
        .help(format!("write `{written}` for the target's"));
    let place = lower.place_of(text, path);
    lower.diagnostics.push(match place {
        Some(span) => report.suggest(span, written),
        None => report,
    });
}

impl Lower<'_> {
    /// The place of a piece of a text, where it stands there once and as it is.
    pub(super) fn place_of(&self, text: &ast::Text, piece: &str) -> Option<Span> {
        let spelled = self.text.slice(text.span);
        let mut found = spelled.match_indices(piece);
        let (at, _) = found.next().filter(|_| found.next().is_none())?;
        let start = text.span.start as usize + at;
        Some(Span::new(text.span.file, start, start + piece.len()))
    }
}
