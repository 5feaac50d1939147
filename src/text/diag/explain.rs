//! From a code to what `docs/diagnostics.md` says about it; the page is part of the program.

use super::Code;

/// The page.
pub const PAGE: &str = include_str!("../../../docs/diagnostics.md");

/// The section about a code, heading included; empty only if the page lacks it, which a test forbids.
#[must_use]
pub fn section(code: Code) -> &'static str {
    sections().find(|(name, _)| *name == code.name()).map_or("", |(_, text)| text)
}

/// The first paragraph of a code's section on one line: what the code means.
#[must_use]
pub fn summary(code: Code) -> String {
    let body = section(code).split_once('\n').map_or("", |(_, body)| body).trim_start();
    body.split("\n\n").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every section of the page that is about a code: its heading, and its text with the heading.
pub fn sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    let starts: Vec<usize> = PAGE.match_indices("\n## ").map(|(at, _)| at + 1).collect();
    let ends = starts.iter().copied().skip(1).chain([PAGE.len()]).collect::<Vec<_>>();
    starts.into_iter().zip(ends).map(|(start, end)| {
        let text = PAGE.get(start..end).unwrap_or_default().trim_end();
        let heading = text.lines().next().unwrap_or_default().trim_start_matches('#').trim();
        (heading, text)
    })
}
