//! `kernelMappings`: what they say, and where one of them never applies.

use super::yaml::{at, string};
use crate::import::kernels;
use serde_yaml_ng::Value;
use std::collections::BTreeMap;

/// One of `kernelMappings`.
pub(super) struct Mapping {
    /// Its place in the list, from 1.
    at: usize,
    pub literal: Option<String>,
    pub regexp: Option<String>,
    pub image: Option<String>,
    /// Whether KMM builds for it.
    built: bool,
}

/// What KMM puts the kernel's release in for.
pub(super) const VARIABLES: [&str; 4] =
    ["${KERNEL_FULL_VERSION}", "$KERNEL_FULL_VERSION", "${KERNEL_VERSION}", "$KERNEL_VERSION"];

impl Mapping {
    pub(super) fn shown(&self) -> String {
        let what = self.literal.as_ref().or(self.regexp.as_ref()).map_or("", String::as_str);
        format!("kernelMappings[{}] `{what}`", self.at - 1)
    }
}

pub(super) fn mappings(container: &Value) -> Vec<Mapping> {
    let all = at(container, &["kernelMappings"])
        .and_then(Value::as_sequence)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let default = string(container, &["containerImage"]);
    let mapping = |(index, one): (usize, &Value)| Mapping {
        at: index + 1,
        literal: string(one, &["literal"]).filter(|text| !text.is_empty()),
        regexp: string(one, &["regexp"]).filter(|text| !text.is_empty()),
        image: string(one, &["containerImage"]).or_else(|| default.clone()),
        built: at(one, &["build"]).or_else(|| at(container, &["build"])).is_some(),
    };
    all.iter().enumerate().map(mapping).collect()
}

/// Mappings that never apply, or whose images take each other's place.
pub(super) fn findings(mappings: &[Mapping], say: &mut impl FnMut(String)) {
    let mut tags: BTreeMap<String, &Mapping> = BTreeMap::new();
    for (index, one) in mappings.iter().enumerate() {
        if one.regexp.as_deref().is_some_and(|regexp| !kernels::can_match(regexp)) {
            say(format!("{} can never match the name of a kernel", one.shown()));
        } else if one.regexp.is_some() && !one.built {
            say(format!("{} names no kernel: put those of your nodes into the matrix", one.shown()));
        }
        let before = mappings.iter().take(index);
        if let Some(first) = before.clone().find(|first| covers(first, one)) {
            say(format!("{} is never reached: {} matches first", one.shown(), first.shown()));
        }
        let Some(image) = &one.image else { continue };
        if one.regexp.is_some() && !image.contains('$') {
            say(format!("{} gives all its kernels one image, `{image}`", one.shown()));
        }
        let kernel = one.literal.as_deref().unwrap_or("${KERNEL_FULL_VERSION}");
        let tag = VARIABLES
            .iter()
            .fold(image.clone(), |image, variable| image.replace(variable, kernel))
            .replace('+', "_");
        if let Some(first) = tags.insert(tag.clone(), one)
            && one.literal.is_some()
            && first.literal != one.literal
        {
            say(format!("{} and {} have the same image, `{tag}`", first.shown(), one.shown()));
        }
    }
}

pub(super) fn covers(first: &Mapping, later: &Mapping) -> bool {
    match (&first.literal, &first.regexp, &later.literal, &later.regexp) {
        (Some(first), _, Some(later), _) => first == later,
        (None, Some(first), Some(later), _) => {
            regex::Regex::new(first).is_ok_and(|first| first.is_match(later))
        }
        (None, Some(first), None, Some(later)) => {
            first == later
                || kernels::selectors(first)
                    .is_some_and(|selectors| selectors.is_empty() || selectors == ["?*"])
        }
        _ => false,
    }
}
