//! From `--target` and `--sample` to the targets and toolkits that are meant.

use super::item::Item;
use crate::compiler::compile::Compiled;
use crate::compiler::model::Selector;
use crate::compiler::model::selector::Key;
use crate::compiler::plan::{TOOLKITS, Target};
use crate::language::syntax::ast;
use crate::text::diag::nearest;
use crate::text::source::{Sources, Span, Spanned};
use std::collections::{BTreeMap, BTreeSet};

/// Which targets are meant.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Those that one of these selects; all targets where there is none. A toolkit is selected by its id alone.
    pub selectors: Vec<String>,
    /// Of these, those of these ids.
    pub among: Option<BTreeSet<String>>,
    /// Of these, the oldest and the newest kernel of each release.
    pub sample: bool,
}

/// A choice that means nothing, and what would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadChoice {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// The toolkits and targets that are meant, in order. Toolkits that targets are built on are not among them: only those that
/// are named.
///
/// # Errors
/// A selector that cannot be read, or that selects nothing.
pub fn choose(compiled: &Compiled, choice: &Choice) -> Result<Vec<Item>, BadChoice> {
    let targets = compiled.plan.targets.as_slice();
    let (mut chosen, mut toolkits) = (BTreeSet::new(), BTreeSet::new());
    for text in &choice.selectors {
        match text.starts_with(TOOLKITS) {
            true => toolkits.extend(select_toolkits(compiled, text)?),
            false => chosen.extend(select(targets, text)?),
        }
    }
    if choice.selectors.is_empty() {
        chosen.extend(0..targets.len());
    }
    if let Some(among) = &choice.among {
        let is_among = |at: &usize| targets.get(*at).is_some_and(|target| among.contains(target.id.as_str()));
        chosen.retain(is_among);
        let users = super::jobs::users_of_toolkits(compiled, &(0..targets.len()).collect::<Vec<_>>());
        toolkits.retain(|toolkit| users.get(toolkit).is_some_and(|users| users.iter().any(is_among)));
    }
    let chosen: Vec<_> = chosen.into_iter().collect();
    let chosen = if choice.sample { sample(targets, &chosen) } else { chosen };
    Ok(toolkits.into_iter().map(Item::Toolkit).chain(chosen.into_iter().map(Item::Target)).collect())
}

/// The toolkits of this id, or whose ids begin with it at a `/`.
fn select_toolkits(compiled: &Compiled, text: &str) -> Result<Vec<usize>, BadChoice> {
    let toolkits = &compiled.json().toolkits;
    let is_it = |id: &str| {
        let rest = id.strip_prefix(text.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let selected: Vec<_> =
        toolkits.iter().enumerate().filter(|(_, toolkit)| is_it(&toolkit.id)).map(|(at, _)| at).collect();
    if !selected.is_empty() {
        return Ok(selected);
    }
    let help = match nearest(text, toolkits.iter().map(|toolkit| toolkit.id.as_str())) {
        Some(near) => format!("did you mean `{near}`?"),
        None if toolkits.is_empty() => "no target is built on a toolkit".into(),
        None => "`toolkits` of plan.json lists them all".into(),
    };
    Err(BadChoice { message: format!("no toolkit is selected by `{text}`"), help })
}

/// The targets that pass every term of one `--target`: `KEY=VALUE` as in the manifest, or a piece of the target's id.
fn select(targets: &[Target], text: &str) -> Result<Vec<usize>, BadChoice> {
    // A whole id means that target, and not also those whose ids begin with it, such as the real-time kernel's.
    if let Some(at) = targets.iter().position(|target| target.id.as_str() == text) {
        return Ok(vec![at]);
    }
    let mut sources = Sources::default();
    let file = sources.add("--target", text);
    let nowhere = Span::new(file, 0, text.len());
    let (mut terms, mut pieces) = (Vec::new(), Vec::new());
    for word in words(text) {
        match word.split_once('=') {
            Some((key, value)) => {
                let value = value.trim_matches('"').to_owned();
                terms.push(ast::Pair {
                    key: Spanned::new(known_key(key)?, nowhere),
                    value: Spanned::new(value, nowhere),
                });
            }
            None => pieces.push(word),
        }
    }
    let (selector, problems) = Selector::parse(&ast::Selector { span: nowhere, terms });
    if let Some(problem) = problems.iter().next() {
        let help = problem.help.clone().unwrap_or_default();
        return Err(BadChoice { message: problem.message.clone(), help });
    }
    let fits = |target: &Target| {
        selector.selects(&target.view()) && pieces.iter().all(|piece| target.id.as_str().contains(&**piece))
    };
    let selected: Vec<_> =
        targets.iter().enumerate().filter(|(_, target)| fits(target)).map(|(at, _)| at).collect();
    if selected.is_empty() {
        let message = format!("no target is selected by `{text}`");
        return Err(BadChoice { message, help: "`drvc plan` lists all targets".into() });
    }
    Ok(selected)
}

fn known_key(key: &str) -> Result<String, BadChoice> {
    if Key::names().any(|known| known == key) {
        return Ok(key.to_owned());
    }
    let names: Vec<_> = Key::names().collect();
    Err(BadChoice {
        message: format!("targets cannot be selected by `{key}`"),
        help: match nearest(key, Key::names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are `{}`", names.join("`, `")),
        },
    })
}

/// Splits at spaces outside quotation marks.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![String::new()], false);
    for c in text.chars() {
        quoted ^= c == '"';
        match words.last_mut() {
            Some(word) if quoted || !c.is_whitespace() => word.push(c),
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Of each image, release, architecture and flavour, the oldest and the newest kernel.
fn sample(targets: &[Target], chosen: &[usize]) -> Vec<usize> {
    let mut lines: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for &at in chosen {
        let Some(target) = targets.get(at) else { continue };
        let line = (&target.image, &target.at.os, &target.at.release, target.at.arch, &target.at.flavor);
        lines.entry(line).or_default().push(at);
    }
    let mut sampled: Vec<_> = lines
        .into_values()
        .flat_map(|mut line| {
            line.sort_by(|&a, &b| match (targets.get(a), targets.get(b)) {
                (Some(a), Some(b)) => a.order.compare(a.at.kernel.as_str(), b.at.kernel.as_str()),
                _ => std::cmp::Ordering::Equal,
            });
            let last = (line.len() > 1).then(|| line.last().copied()).flatten();
            line.first().copied().into_iter().chain(last).collect::<Vec<_>>()
        })
        .collect();
    sampled.sort_unstable();
    sampled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_hold_spaces_in_quotation_marks() {
        assert_eq!(
            words(r#" os=rhel release=">=9.2, <9.5"  9.4 "#),
            ["os=rhel", "release=\">=9.2, <9.5\"", "9.4"]
        );
        assert_eq!(words(""), Vec::<String>::new());
    }
}
