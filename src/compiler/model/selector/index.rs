//! Many selectors against many cells: each cell meets only those selectors whose rarest test it may pass.

use super::{Key, Selector, Test, View};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Selectors by the value, or the beginning of a value, that one of their tests asks for.
#[derive(Debug, Default)]
pub struct Index<'s> {
    selectors: Vec<&'s Selector>,
    values: HashMap<(Key, &'s str), Vec<usize>>,
    beginnings: HashMap<(Key, &'s str), Vec<usize>>,
    /// Those with neither.
    others: Vec<usize>,
}

/// The properties to look up by, those with most values first. `el` is compared by parts, and an image may be missing.
const KEYS: [Key; 5] = [Key::Kernel, Key::Release, Key::Flavor, Key::Arch, Key::Os];

impl<'s> Index<'s> {
    /// Of these, whose places are their numbers.
    #[must_use]
    pub fn new(selectors: impl Iterator<Item = &'s Selector>) -> Self {
        let mut index = Self::default();
        for (at, selector) in selectors.enumerate() {
            let test =
                |wanted: Key| selector.tests.iter().find(|(key, _)| *key == wanted).map(|(_, test)| test);
            let found = KEYS.into_iter().find_map(|key| match test(key)? {
                Test::Exact(text) => Some((true, (key, &**text))),
                Test::Glob(glob) => {
                    let text = glob.text();
                    // A backslash takes the meaning of the next letter away.
                    let end = text.find(['*', '?', '[', '{', '\\']).filter(|end| *end > 0)?;
                    Some((false, (key, text.get(..end)?)))
                }
                Test::Range(_) => None,
            });
            match found {
                Some((true, value)) => index.values.entry(value).or_default().push(at),
                Some((false, beginning)) => index.beginnings.entry(beginning).or_default().push(at),
                None => index.others.push(at),
            }
            index.selectors.push(selector);
        }
        index
    }

    /// The places of those that select this cell, in order.
    #[must_use]
    pub fn selecting(&self, view: &View<'_>) -> Vec<usize> {
        let mut found = self.others.clone();
        for (key, value) in KEYS.into_iter().filter_map(|key| Some((key, key.of(view)?))) {
            found.extend(self.values.get(&(key, value)).into_iter().flatten());
            if !self.beginnings.is_empty() {
                let beginnings = (1..=value.len()).filter_map(|end| value.get(..end));
                let lists = beginnings.filter_map(|text| self.beginnings.get(&(key, text)));
                found.extend(lists.flatten());
            }
        }
        found.retain(|&at| self.selectors.get(at).is_some_and(|selector| selector.selects(view)));
        found.sort_unstable();
        found
    }
}

/// The different values that cells have, by property: what is said where a selector selects none of them.
#[derive(Debug, Default)]
pub struct Values<'v> {
    by_key: BTreeMap<Key, BTreeMap<&'v str, Vec<View<'v>>>>,
    /// The properties that some cell has no value of.
    absent: BTreeSet<Key>,
}

impl<'v> Values<'v> {
    /// Of these cells.
    #[must_use]
    pub fn of(cells: impl Iterator<Item = View<'v>>) -> Self {
        let mut values = Self::default();
        for view in cells {
            for (_, key) in Key::ALL {
                let Some(value) = key.of(&view) else {
                    values.absent.insert(key);
                    continue;
                };
                let views = values.by_key.entry(key).or_default().entry(value).or_default();
                // The same value is compared in different ways by different distributions.
                if !views.iter().any(|known| known.order == view.order) {
                    views.push(view);
                }
            }
        }
        values
    }

    /// The first property whose test no cell passes, and the values that the cells have there.
    #[must_use]
    pub fn unmet(&self, selector: &Selector) -> Option<(&'static str, Vec<&'v str>)> {
        let fails = |(key, test): &&(Key, Test)| {
            let any_may_come = *key != Key::El && self.absent.contains(key);
            let mut views = self.by_key.get(key).into_iter().flatten().flat_map(|(_, views)| views);
            !any_may_come && !views.any(|view| test.holds(*key, view))
        };
        let (key, _) = selector.tests.iter().find(fails)?;
        Some((key.name(), self.by_key.get(key).into_iter().flatten().map(|(value, _)| *value).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::profile::VersionOrder;
    use crate::language::syntax::ast;
    use crate::text::source::{Sources, Span, Spanned};

    fn selector(terms: &[(&str, &str)]) -> Selector {
        let span = Span::new(Sources::default().add("t", ""), 0, 0);
        let text = |text: &str| Spanned::new(text.to_string(), span);
        let pair = |(key, value): &(&str, &str)| ast::Pair { key: text(key), value: text(value) };
        let (selector, problems) =
            Selector::parse(&ast::Selector { span, terms: terms.iter().map(pair).collect() });
        assert!(problems.is_empty());
        selector
    }

    #[test]
    fn an_index_selects_what_each_selector_selects() {
        let selectors = [
            selector(&[("kernel", "6.1.0-20-amd64")]),
            selector(&[("kernel", "6.1.0-2*"), ("os", "debian")]),
            selector(&[("kernel", "*-amd64")]),
            selector(&[("kernel", "[56].1.0-20-amd64")]),
            selector(&[("kernel", ">=6.1.0-20")]),
            selector(&[("kernel", "<6.1.0-20"), ("release", "12")]),
            selector(&[("el", "9")]),
            selector(&[("image", "a"), ("flavor", "cl*d")]),
            selector(&[("image", "b")]),
            selector(&[("arch", "aarch64")]),
            selector(&[]),
        ];
        let index = Index::new(selectors.iter());
        let kernels = ["6.1.0-2-amd64", "6.1.0-20-amd64", "6.1.0-21-cloud-amd64", "5.14.0-427.el9_4.x86_64"];
        for (kernel, image, flavor, el) in kernels.into_iter().flat_map(|kernel| {
            [None, Some("a")]
                .map(|image| (kernel, image, if image.is_some() { "cloud" } else { "default" }, Some("9.4")))
        }) {
            let order = VersionOrder::Rpm;
            let arch = "x86_64";
            let view = View {
                os: "debian",
                family: "debian",
                release: "12",
                el,
                kernel,
                arch,
                flavor,
                image,
                order,
            };
            let each = selectors.iter().enumerate().filter(|(_, one)| one.selects(&view)).map(|(at, _)| at);
            assert_eq!(index.selecting(&view), each.collect::<Vec<_>>(), "{kernel} {image:?}");
            let values = Values::of(std::iter::once(view));
            for selector in &selectors {
                assert_eq!(values.unmet(selector).is_none(), selector.selects(&view));
            }
        }
    }
}
