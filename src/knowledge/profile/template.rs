//! Texts with named holes, such as `kernel-devel-{rpm}`: from the text of a profile to its value for one kernel.

use std::fmt;

/// A text with holes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(Box<str>),
    Hole(Box<str>),
}

impl Template {
    /// Splits a text into literals and holes; `None` where a brace has no partner or a hole no name.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            let plain = |b: u8| b.is_ascii_lowercase() || b == b'_';
            if literal.contains('}') || name.is_empty() || !name.bytes().all(plain) {
                return None;
            }
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.into()));
            }
            parts.push(Part::Hole(name.into()));
            rest = after;
        }
        if rest.contains('}') {
            return None;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.into()));
        }
        Some(Self { parts })
    }

    /// The names of its holes, in order.
    pub fn holes(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Hole(name) => Some(&**name),
            Part::Literal(_) => None,
        })
    }

    /// The text with its holes filled; a hole without a value is left empty.
    pub fn render<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> String {
        let mut text = String::new();
        for part in &self.parts {
            text.push_str(match part {
                Part::Literal(literal) => literal,
                Part::Hole(name) => value(name).unwrap_or_default(),
            });
        }
        text
    }

    /// The text up to the first hole without a value.
    pub fn stem<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> String {
        let parts = self.parts.iter().map_while(|part| match part {
            Part::Literal(literal) => Some(&**literal),
            Part::Hole(name) => value(name),
        });
        parts.collect()
    }

    /// Whether the text with its holes filled is `text`.
    pub fn is<'v>(&self, text: &str, value: impl Fn(&str) -> Option<&'v str>) -> bool {
        let mut rest = text;
        let fits = self.parts.iter().all(|part| {
            let part = match part {
                Part::Literal(literal) => literal,
                Part::Hole(name) => value(name).unwrap_or_default(),
            };
            rest.strip_prefix(part).map(|after| rest = after).is_some()
        });
        fits && rest.is_empty()
    }

    /// For a template with one hole: the number that stands in it, where `text` is the template with a number.
    pub fn number_in<'t>(&self, text: &'t str) -> Option<&'t str> {
        let (before, after) = match self.parts.as_slice() {
            [Part::Hole(_)] => ("", ""),
            [Part::Literal(before), Part::Hole(_)] => (&**before, ""),
            [Part::Hole(_), Part::Literal(after)] => ("", &**after),
            [Part::Literal(before), Part::Hole(_), Part::Literal(after)] => (&**before, &**after),
            _ => return None,
        };
        let number = text.strip_prefix(before)?.strip_suffix(after)?;
        let canonical = number == "0" || !number.starts_with('0');
        (!number.is_empty() && canonical && number.bytes().all(|b| b.is_ascii_digit())).then_some(number)
    }
}

/// As people write it: holes are capital words, as in `4.18.Z`.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Literal(literal) => f.write_str(literal),
            Part::Hole(name) => f.write_str(&name.to_ascii_uppercase()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn renders() {
        let template = Template::parse("kernel-{kind}devel-{rpm}").unwrap();
        assert_eq!(template.holes().collect::<Vec<_>>(), ["kind", "rpm"]);
        assert_eq!(template.render(|name| (name == "rpm").then_some("5.14")), "kernel-devel-5.14");
        assert_eq!(template.stem(|name| (name == "kind").then_some("rt-")), "kernel-rt-devel-");
        assert_eq!(template.stem(|_| None), "kernel-");
        assert!(template.is("kernel-devel-5.14", |name| (name == "rpm").then_some("5.14")));
        assert!(!template.is("kernel-devel-5.14.1", |name| (name == "rpm").then_some("5.14")));
        assert_eq!(template.to_string(), "kernel-KINDdevel-RPM");
        for wrong in ["{", "}", "a{b", "a}b{c}", "{}", "{A}", "{a b}", "{a}}"] {
            assert_eq!(Template::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn finds_a_number() {
        let cases = [
            ("4.18.{z}", "4.18.3", Some("3")),
            ("4.18.{z}", "4.18.0", Some("0")),
            ("4.18.{z}", "4.18.03", None),
            ("4.18.{z}", "4.18", None),
            ("4.18.{z}", "4.18.x", None),
            ("{number}", "40", Some("40")),
            ("{number}.", "40.", Some("40")),
            ("{a}{b}", "40", None),
        ];
        for (template, text, number) in cases {
            assert_eq!(Template::parse(template).unwrap().number_in(text), number, "{template} {text}");
        }
    }
}
