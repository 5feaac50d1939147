//! From what is known of the headers of a chain's kernels to the earlier kernel that each is tried on.

use crate::compiler::model::ReuseLevel;
use crate::knowledge::lock::HeaderDigests;
use crate::text::ids::{KernelText, Sha256};
use std::collections::BTreeMap;

/// The kernels of a chain so far, by how they are built; they are added oldest first.
pub(super) struct Links<'k> {
    level: ReuseLevel,
    last: Option<&'k KernelText>,
    recipes: BTreeMap<String, Alike<'k>>,
}

/// Those that are built alike.
#[derive(Default)]
struct Alike<'k> {
    latest: Option<Link<'k>>,
    /// The first of which nothing is known.
    first_unknown: Option<usize>,
    /// The latest of which nothing is known.
    unknown: Option<Link<'k>>,
    /// Of those that are the same in everything, the first.
    same: BTreeMap<[&'k Sha256; 3], usize>,
    /// Of those that the level does not tell apart, the latest.
    fitting: BTreeMap<Fit<'k>, Link<'k>>,
}

#[derive(Clone, Copy)]
struct Link<'k> {
    kernel: &'k KernelText,
    known: Option<&'k HeaderDigests>,
    /// Its place among those that are built alike.
    place: usize,
    /// The first that is the same in everything: itself, or one that it is tried on.
    head: usize,
}

/// What a level compares before anything is known of the modules: options, layout, and headers where it compares them.
type Fit<'k> = (&'k Sha256, &'k str, Option<&'k Sha256>);

impl<'k> Links<'k> {
    pub const fn new(level: ReuseLevel) -> Self {
        Self { level, last: None, recipes: BTreeMap::new() }
    }

    /// Adds a kernel under a number: the number of the earlier one on which it is tried, or why none is.
    pub fn add(
        &mut self,
        number: usize,
        kernel: &'k KernelText,
        known: Option<&'k HeaderDigests>,
        recipe: String,
    ) -> Result<usize, String> {
        let last = self.last.replace(kernel);
        let alike = self.recipes.entry(recipe).or_default();
        let found = match last {
            None => Err("it is the first of its chain".into()),
            Some(last) => alike.nearest(last, known, self.level),
        };
        let head = match &found {
            Ok((head, true)) => *head,
            _ => number,
        };
        let place = alike.latest.map_or(0, |latest| latest.place + 1);
        alike.add(Link { kernel, known, place, head }, self.level);
        found.map(|(first, _)| first)
    }
}

impl<'k> Alike<'k> {
    /// The nearest earlier one that is not known to differ, and whether it is the same in everything.
    fn nearest(
        &self,
        last: &KernelText,
        known: Option<&HeaderDigests>,
        level: ReuseLevel,
    ) -> Result<(usize, bool), String> {
        let Some(latest) = self.latest else {
            return Err(format!("it is not built as {last} is"));
        };
        let Some(known) = known else {
            // Nothing tells these apart, nor together: all of them are tried on the first, side by side.
            return Ok((self.first_unknown.unwrap_or(latest.head), false));
        };
        if let Some(head) = self.same.get(&all(known)) {
            return Ok((*head, true));
        }
        let fitting = fit(known, level).and_then(|fit| self.fitting.get(&fit));
        match fitting.into_iter().chain(&self.unknown).max_by_key(|link| link.place) {
            Some(link) => Ok((link.head, false)),
            None => {
                let what = latest.known.map_or("headers", |other| difference(known, other, level));
                Err(format!("its {what} differ from those of {}", latest.kernel))
            }
        }
    }

    fn add(&mut self, link: Link<'k>, level: ReuseLevel) {
        self.latest = Some(link);
        match link.known {
            None => {
                self.first_unknown.get_or_insert(link.head);
                self.unknown = Some(link);
            }
            Some(known) => {
                self.same.insert(all(known), link.head);
                self.fitting.extend(fit(known, level).map(|fit| (fit, link)));
            }
        }
    }
}

const fn all(known: &HeaderDigests) -> [&Sha256; 3] {
    [&known.headers, &known.options, &known.symbols]
}

fn fit(known: &HeaderDigests, level: ReuseLevel) -> Option<Fit<'_>> {
    let headers = (level == ReuseLevel::Headers).then_some(&known.headers);
    Some((&known.options, known.layout.as_deref()?, headers))
}

/// What tells two kernels apart that a level does not take for alike.
fn difference(one: &HeaderDigests, other: &HeaderDigests, level: ReuseLevel) -> &'static str {
    if one.options != other.options {
        "options"
    } else if level == ReuseLevel::Headers && one.headers != other.headers {
        "headers"
    } else {
        "symbols"
    }
}

/// For kernels of one series, oldest first, and what is known of their headers: the earlier one on which each would be tried,
/// or why none is.
#[must_use]
pub fn chain(
    kernels: &[(KernelText, Option<HeaderDigests>)],
    level: ReuseLevel,
) -> Vec<Result<usize, String>> {
    let mut links = Links::new(level);
    let kernels = kernels.iter().enumerate();
    kernels.map(|(at, (kernel, known))| links.add(at, kernel, known.as_ref(), String::new())).collect()
}
