//! An image's files of modprobe.d and its command -> the values that it gives to modules' parameters, and its soft
//! dependencies (modprobe.d(5)).

use crate::images::image::{Image, Kind};
use crate::images::verify::kmod_name;
use std::collections::{BTreeMap, BTreeSet};

/// Where modprobe reads its configuration.
const PLACES: [&str; 4] = ["etc/modprobe.d", "run/modprobe.d", "usr/lib/modprobe.d", "lib/modprobe.d"];
/// The largest of these files, in bytes.
const SIZE: u64 = 1 << 20;

/// Parameters by name, of modules by name.
pub(super) type Parameters = BTreeMap<String, BTreeMap<String, String>>;

/// The values that an image gives to parameters.
pub(super) fn parameters(image: &Image, command: &[String]) -> Parameters {
    let mut all = Parameters::new();
    for line in lines(image) {
        if let Some((module, values)) =
            line.strip_prefix("options ").and_then(|rest| rest.trim().split_once(' '))
        {
            all.entry(kmod_name(module))
                .or_default()
                .extend(words(values).iter().filter_map(|word| value(word)));
        }
    }
    // `modprobe NAME a=1 b=2`
    let is_modprobe = command.first().is_some_and(|word| word.rsplit('/').next() == Some("modprobe"));
    let first = command.iter().position(|word| word.contains('=') && !word.starts_with('-')).unwrap_or(0);
    if let (true, Some(module)) = (is_modprobe && first > 0, command.get(first.wrapping_sub(1))) {
        let values = command.iter().skip(first).filter_map(|word| value(word));
        all.entry(kmod_name(module)).or_default().extend(values);
    }
    all
}

/// The modules that its files of modprobe.d want with others.
pub(super) fn softdeps(image: &Image) -> BTreeSet<String> {
    let lines = lines(image);
    let softdeps = lines.iter().filter_map(|line| line.strip_prefix("softdep ")?.trim().split_once(' '));
    softdeps.flat_map(|(_, rest)| super::kernel::softdeps(rest)).collect()
}

fn lines(image: &Image) -> Vec<String> {
    let files = PLACES.iter().flat_map(|place| image.root.beneath(place));
    let files =
        files.filter(|(path, file)| path.ends_with(".conf") && file.kind == Kind::File && file.size <= SIZE);
    let texts = files.filter_map(|(_, file)| image.root.bytes(file).ok());
    let texts = texts.map(|bytes| String::from_utf8_lossy(&bytes).replace("\\\n", " "));
    texts.flat_map(|text| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>()).collect()
}

fn value(word: &str) -> Option<(String, String)> {
    word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// Words, with what stands between double quotes kept together.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for char in text.chars() {
        match char {
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => words.push(std::mem::take(&mut word)),
            char => word.push(char),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_a_value_together() {
        assert_eq!(words("a=1  name=\"left bank\" b"), ["a=1", "name=left bank", "b"]);
    }
}
