//! Orders two versions by the rules of rpm or dpkg, and holds ranges of them.

use std::cmp::Ordering;

/// Whose rules order a distribution's versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionOrder {
    /// `rpmvercmp`, version before release: [the rpm manual](https://rpm.org/docs/latest/manual/).
    Rpm,
    /// `dpkg --compare-versions`: deb-version(7).
    Dpkg,
}

impl VersionOrder {
    /// Orders two versions.
    #[must_use]
    pub fn compare(self, left: &str, right: &str) -> Ordering {
        match self {
            Self::Rpm => rpm_version::rpm_evr_compare(left, right),
            Self::Dpkg => compare_dpkg(left, right),
        }
    }
}

/// deb-version(7): the epoch first, which is 0 where there is none; then the upstream version, then the revision, which
/// is what follows the last hyphen.
fn compare_dpkg(left: &str, right: &str) -> Ordering {
    let epoch = |text| str::split_once(text, ':').unwrap_or(("0", text));
    let ((left_epoch, left), (right_epoch, right)) = (epoch(left), epoch(right));
    let order = compare_numbers(left_epoch, right_epoch);
    if order.is_ne() {
        return order;
    }
    let split = |text| str::rsplit_once(text, '-').unwrap_or((text, "0"));
    let ((left, left_revision), (right, right_revision)) = (split(left), split(right));
    compare_dpkg_part(left, right).then_with(|| compare_dpkg_part(left_revision, right_revision))
}

/// Goes through both texts in turns: a run that is no digits, compared by [`dpkg_weight`], and then a number.
fn compare_dpkg_part(mut left: &str, mut right: &str) -> Ordering {
    while !left.is_empty() || !right.is_empty() {
        let (left_run, left_rest) = split_at_first(left, |b| b.is_ascii_digit());
        let (right_run, right_rest) = split_at_first(right, |b| b.is_ascii_digit());
        let (left_number, left_after) = split_at_first(left_rest, |b| !b.is_ascii_digit());
        let (right_number, right_after) = split_at_first(right_rest, |b| !b.is_ascii_digit());
        let order = dpkg_weights(left_run)
            .cmp(dpkg_weights(right_run))
            .then_with(|| compare_numbers(left_number, right_number));
        if order.is_ne() {
            return order;
        }
        (left, right) = (left_after, right_after);
    }
    Ordering::Equal
}

fn dpkg_weights(run: &str) -> impl Iterator<Item = i32> + '_ {
    run.bytes().map(dpkg_weight).chain([0])
}

/// A tilde sorts before the end (0), letters before everything else.
fn dpkg_weight(byte: u8) -> i32 {
    match byte {
        b'~' => -1,
        letter if letter.is_ascii_alphabetic() => i32::from(letter),
        other => i32::from(other) + 256,
    }
}

/// Numbers of any length; an empty one is zero.
fn compare_numbers(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

fn split_at_first(text: &str, stops: impl Fn(u8) -> bool) -> (&str, &str) {
    text.split_at(text.bytes().position(stops).unwrap_or(text.len()))
}

/// A range of versions: one or more comparisons such as `>=9.2, <9.5`, or versions to choose from such as `8.6`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRange {
    bounds: Vec<(Bound, Box<str>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

impl VersionRange {
    /// What a range may look like, for messages.
    pub const RULE: &'static str = "a version, or comparisons such as >=9.2, <9.5";

    /// Reads a range; `None` where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bound = |part: &str| {
            let part = part.trim();
            let signs = [
                ("<=", Bound::LessOrEqual),
                (">=", Bound::GreaterOrEqual),
                ("<", Bound::Less),
                (">", Bound::Greater),
                ("", Bound::Equal),
            ];
            let (version, bound) =
                signs.iter().find_map(|(sign, bound)| Some((part.strip_prefix(sign)?, *bound)))?;
            let version = version.trim();
            let plain = |b: u8| b.is_ascii_alphanumeric() || b".-_+~".contains(&b);
            (!version.is_empty() && version.bytes().all(plain)).then(|| (bound, version.into()))
        };
        Some(Self { bounds: text.split(',').map(bound).collect::<Option<_>>()? })
    }

    /// Whether a version lies in it.
    #[must_use]
    pub fn contains(&self, version: &str, order: VersionOrder) -> bool {
        self.bounds.iter().all(|(bound, limit)| {
            let found = order.compare(version, limit);
            match bound {
                Bound::Less => found.is_lt(),
                Bound::LessOrEqual => found.is_le(),
                Bound::Equal => found.is_eq(),
                Bound::GreaterOrEqual => found.is_ge(),
                Bound::Greater => found.is_gt(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{VersionOrder, VersionRange};
    use std::cmp::Ordering::{self, Equal, Greater, Less};

    fn check(order: VersionOrder, cases: &[(&str, Ordering, &str)]) {
        for &(left, expected, right) in cases {
            assert_eq!(order.compare(left, right), expected, "{left} and {right}");
            assert_eq!(order.compare(right, left), expected.reverse(), "{right} and {left}");
        }
    }

    /// From rpm's own tests/rpmvercmp.at.
    #[test]
    fn rpm() {
        check(
            VersionOrder::Rpm,
            &[
                ("1.0", Equal, "1.0"),
                ("1.0", Less, "2.0"),
                ("2.0.1", Equal, "2.0.1"),
                ("2.0", Less, "2.0.1"),
                ("2.0.1a", Greater, "2.0.1"),
                ("5.5p1", Less, "5.5p2"),
                ("5.5p1", Less, "5.5p10"),
                ("10xyz", Less, "10.1xyz"),
                ("xyz10", Less, "xyz10.1"),
                ("xyz.4", Less, "8"),
                ("xyz.4", Less, "2"),
                ("5.5p2", Less, "5.6p1"),
                ("5.6p1", Less, "6.5p1"),
                ("6.0.rc1", Greater, "6.0"),
                ("10b2", Greater, "10a1"),
                ("1.0aa", Greater, "1.0a"),
                ("10.0001", Equal, "10.1"),
                ("10.0001", Less, "10.0039"),
                ("4.999.9", Less, "5.0"),
                ("20101121", Less, "20101122"),
                ("2_0", Equal, "2_0"),
                ("2.0", Equal, "2_0"),
                ("a+", Equal, "a_"),
                ("+", Equal, "_"),
                ("1.0~rc1", Equal, "1.0~rc1"),
                ("1.0~rc1", Less, "1.0"),
                ("1.0~rc1", Less, "1.0~rc2"),
                ("1.0~rc1~git123", Less, "1.0~rc1"),
                ("1.0^", Greater, "1.0"),
                ("1.0^git1", Less, "1.01"),
                ("1.0^git1~pre", Less, "1.0^git1"),
                ("8.6", Less, "8.10"),
                ("4.18.0-372.9.1.el8", Less, "4.18.0-372.13.1.el8_6"),
                ("5.14.0-427.13.1.el9_4", Less, "5.14.0-503.11.1.el9_5"),
                ("4.9.59", Less, "4.12.6"),
            ],
        );
    }

    /// From dpkg's own lib/dpkg/t/t-version.c and deb-version(7).
    #[test]
    fn dpkg() {
        check(
            VersionOrder::Dpkg,
            &[
                ("0-0", Equal, "0-0"),
                ("0-00", Equal, "00-0"),
                ("1-2-3-4", Equal, "1-2-3-4"),
                ("0-a", Less, "0-b"),
                ("0-pre", Equal, "0-pre"),
                ("0-pre", Less, "0-pree"),
                ("1.1.6r2-2", Greater, "1.1.6r-1"),
                ("2.6b2-1", Greater, "2.6b-2"),
                ("98.1p5-1", Less, "98.1-pre2-b6-2"),
                ("0.4a6-2", Greater, "0.4-1"),
                ("1:3.0.5-2", Less, "1:3.0.5.1"),
                ("1:0-1", Greater, "2-1"),
                ("0:1-1", Equal, "1-1"),
                ("10:1", Greater, "9:1"),
                ("0", Less, "a"),
                ("1.0~~", Less, "1.0~~a"),
                ("1.0~~a", Less, "1.0~"),
                ("1.0~", Less, "1.0"),
                ("1.0", Less, "1.0a"),
                ("1.0", Equal, "1.0-0"),
                ("6.1.0-9-amd64", Less, "6.1.0-18-amd64"),
                ("6.12.9+deb13-amd64", Less, "6.12.57+deb13-amd64"),
                ("20.04", Less, "22.04"),
            ],
        );
    }

    #[test]
    fn ranges() {
        let cases = [
            ("<9.3", "9.2", true),
            ("<9.3", "9.10", false),
            (">=8.8, <9.3", "8.10", true),
            (">=8.8, <9.3", "8.6", false),
            ("8.6", "8.6", true),
            ("8.6", "8.60", false),
        ];
        for (range, version, expected) in cases {
            let parsed = VersionRange::parse(range).unwrap();
            assert_eq!(parsed.contains(version, VersionOrder::Rpm), expected, "{version} in {range}");
        }
        for wrong in ["", ">=", "9.2,", "> 9 2", "9.*"] {
            assert_eq!(VersionRange::parse(wrong), None, "{wrong}");
        }
    }
}
