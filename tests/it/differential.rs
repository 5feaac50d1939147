//! drvc's answers beside those of the programs whose rules they follow, on inputs made at random from a fixed seed.

use drvc::knowledge::profile::VersionOrder;
use std::cmp::Ordering;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// How many pairs of versions are compared.
const PAIRS: usize = 100_000;
/// How many of these by `dpkg` itself, which is a process for each; the others by dpkg's own library for Perl.
const BY_DPKG: usize = 500;

/// A generator of numbers: the same ones each time.
pub struct Random(u64);

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    /// A text of these letters, which begins with a digit.
    fn version(&mut self, letters: &str) -> String {
        let letters: Vec<char> = letters.chars().collect();
        let length = self.below(10);
        let digit = self.below(10).to_string();
        digit + &(0..length).map(|_| letters[self.below(letters.len())]).collect::<String>()
    }

    /// Two versions, which in half of the cases have nearly all in common.
    fn pair(&mut self, letters: &str) -> (String, String) {
        let whole = |random: &mut Self| {
            let epoch = if random.below(8) == 0 { format!("{}:", random.below(3)) } else { String::new() };
            let release =
                if random.below(2) == 0 { format!("-{}", random.version(letters)) } else { String::new() };
            epoch + &random.version(letters) + &release
        };
        let left = whole(self);
        if self.below(2) == 0 {
            return (left, whole(self));
        }
        let mut right: Vec<char> = left.chars().collect();
        let (at, letters) = (self.below(right.len()), letters.chars().collect::<Vec<_>>());
        let letter = letters[self.below(letters.len())];
        // What stands between two letters of a part is changed: each part goes on beginning with a digit.
        let inside = at > 0 && !right[at - 1..=at].iter().any(|letter| [':', '-'].contains(letter));
        match self.below(3) {
            0 if inside => right[at] = letter,
            1 if inside => right.insert(at, letter),
            _ => right.push(letter),
        }
        (left, right.into_iter().collect())
    }
}

/// What a program prints for the pairs that it is given, a line each.
fn answers(program: &str, arguments: &[&str], pairs: &[(String, String)]) -> Option<Vec<Ordering>> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().ok()?;
    let text: String = pairs.iter().map(|(left, right)| format!("{left} {right}\n")).collect();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap_or_default();
    let text = String::from_utf8(output.stdout).unwrap();
    let order = |line: &str| line.parse::<i8>().ok().map(|order| order.cmp(&0));
    let found: Vec<_> = text.lines().filter_map(order).collect();
    (output.status.success() && found.len() == pairs.len()).then_some(found)
}

#[track_caller]
fn agree(order: VersionOrder, pairs: &[(String, String)], theirs: &[Ordering]) {
    let differ =
        pairs.iter().zip(theirs).filter(|((left, right), theirs)| order.compare(left, right) != **theirs);
    let differ: Vec<_> = differ.take(10).collect();
    assert!(differ.is_empty(), "{differ:?}");
}

#[test]
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
fn versions_are_ordered_as_dpkg_orders_them() {
    let mut random = Random::new(1);
    let pairs: Vec<_> = (0..PAIRS).map(|_| random.pair("0123459abzAZ.+~")).collect();
    let program =
        "use Dpkg::Version; while (<>) { my ($l, $r) = split; print version_compare($l, $r), \"\\n\" }";
    let Some(theirs) = answers("perl", &["-e", program], &pairs) else {
        eprintln!("skipped: libdpkg-perl is not installed");
        return;
    };
    agree(VersionOrder::Dpkg, &pairs, &theirs);
    for (left, right) in &pairs[..BY_DPKG] {
        let holds = |how: &str| {
            Command::new("dpkg").args(["--compare-versions", left, how, right]).status().unwrap().success()
        };
        let found = match () {
            () if holds("lt") => Ordering::Less,
            () if holds("gt") => Ordering::Greater,
            () => Ordering::Equal,
        };
        assert_eq!(VersionOrder::Dpkg.compare(left, right), found, "{left} {right}");
    }
}

#[test]
#[expect(clippy::disallowed_macros, reason = "a skipped test says so")]
fn versions_are_ordered_as_rpm_orders_them() {
    let mut random = Random::new(2);
    let pairs: Vec<_> = (0..PAIRS).map(|_| random.pair("0123459abzAZ.+~^_")).collect();
    let program = "%{lua: for line in io.lines() do local l, r = line:match('(%S+) (%S+)') \
                   print(rpm.vercmp(l, r) .. '\\n') end}";
    let Some(theirs) = answers("rpm", &["--eval", program], &pairs) else {
        eprintln!("skipped: rpm is not installed, or does not order versions in Lua");
        return;
    };
    agree(VersionOrder::Rpm, &pairs, &theirs);
}
