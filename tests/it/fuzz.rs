//! Every reader of what others wrote ([`crate::readers`]) on inputs that were changed at random: none ends the process, none
//! takes long, and what is accepted means what it says. `DRVC_FUZZ_SECONDS` says how long each is tried; without it what the
//! fuzzer of `tests/fuzz` kept, and a few dozen others.

use crate::differential::Random;
use crate::readers::READERS;
use crate::{files, repository};
use std::time::{Duration, Instant};

/// How many inputs are tried where no time is given.
const INPUTS: usize = 60;
/// Of so many inputs at random one is asked what takes longer; of those that were kept, each.
const SAMPLE: usize = 8;
/// No input of these sizes may take longer, on a machine that does other things too.
const LONGEST: Duration = Duration::from_secs(30);
/// What is put into inputs: what the formats here have in common, and what readers stumble over.
const PIECES: &[&str] = &[
    "\0",
    "\n",
    "\\",
    "\\\n",
    "\"",
    "\"\"\"",
    "'",
    "{",
    "}",
    "{{",
    "}}",
    "[",
    "]",
    "(",
    ")",
    "/*",
    "*/",
    "/-",
    "//",
    "#",
    "$",
    "${",
    "$(",
    "`",
    "=",
    ";",
    ":",
    "- ",
    "&a",
    "*a",
    "<",
    ">",
    "<!--",
    "]]>",
    "&amp;",
    "../",
    "/",
    "%",
    "\u{202e}",
    "é",
    "\u{85}",
    "\r\n",
    "18446744073709551616",
    "-1",
    "0x",
    "1e999",
    "#true",
    "{kernel}",
    "FROM ",
    "RUN ",
    "on ",
    "source ",
    "if ",
    "fi\n",
];

/// The files of some paths, sorted.
fn inputs(paths: &[&str]) -> Vec<Vec<u8>> {
    let paths = paths.iter().flat_map(|path| {
        let path = repository(path);
        if path.is_file() { vec![path] } else { files(&path) }
    });
    let mut paths: Vec<_> = paths.collect();
    paths.sort();
    paths.into_iter().map(|path| std::fs::read(path).unwrap()).filter(|seed| seed.len() < 1 << 18).collect()
}

/// Another input, made from one or two.
fn changed(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(6) {
        let at = random.below(input.len() + 1);
        let end = (at + random.below(32)).min(input.len());
        match random.below(7) {
            0 => drop(input.drain(at..end)),
            1 => input.truncate(at),
            2 if at < input.len() => input[at] ^= 1 << random.below(8),
            3 => {
                let again = input[at..end].to_vec();
                drop(input.splice(at..at, again));
            }
            4 => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len() + 1);
                let to = (from + random.below(200)).min(other.len());
                drop(input.splice(at..end, other[from..to].iter().copied()));
            }
            5 => {
                let piece = PIECES[random.below(PIECES.len())].repeat(1 + random.below(3) * random.below(40));
                drop(input.splice(at..at, piece.into_bytes()));
            }
            _ => drop(input.splice(at..end, PIECES[random.below(PIECES.len())].bytes())),
        }
    }
    input
}

/// Tries a reader: on what is known as it is, and on what is made of it.
#[expect(clippy::disallowed_methods, reason = "only how long the tests take depends on it")]
#[expect(clippy::disallowed_macros, reason = "how much was tried is the test's own output")]
fn fuzz(name: &str) {
    let reader = READERS.iter().find(|reader| reader.name == name).unwrap();
    // Of what the fuzzer kept everything is tried; of the rest, which other tests read too, as much as there is time for.
    let mut seeds = inputs(&[&format!("tests/data/fuzz/{name}")]);
    let kept = seeds.len();
    seeds.extend(inputs(reader.known));
    assert!(!seeds.is_empty());
    let time = std::env::var("DRVC_FUZZ_SECONDS").ok().map(|text| Duration::from_secs(text.parse().unwrap()));
    let (start, mut random) =
        (Instant::now(), Random::new(if time.is_some() { u64::from(std::process::id()) } else { 1 }));
    let (mut tried, mut slowest) = (0_usize, Duration::ZERO);
    while time.map_or(tried < kept + INPUTS, |time| start.elapsed() < time) {
        let input = seeds.get(tried).cloned().unwrap_or_else(|| changed(&seeds, &mut random));
        let began = Instant::now();
        if let Err(panic) =
            std::panic::catch_unwind(|| reader.try_on(&input, if tried < kept { 1 } else { SAMPLE }))
        {
            let path = std::env::temp_dir().join(format!("drvc-fuzz-{name}"));
            std::fs::write(&path, &input).unwrap();
            eprintln!("{name}: the input is in {}", path.display());
            std::panic::resume_unwind(panic);
        }
        if began.elapsed() > slowest && time.is_some() {
            std::fs::write(std::env::temp_dir().join(format!("drvc-fuzz-{name}-slowest")), &input).unwrap();
        }
        slowest = slowest.max(began.elapsed());
        assert!(began.elapsed() < LONGEST, "{name} takes {:?} for {} bytes", began.elapsed(), input.len());
        tried += 1;
    }
    eprintln!("{name}: {tried} inputs, the slowest in {slowest:?}");
}

/// A test for each reader.
macro_rules! each {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            fuzz(stringify!($name));
        })*

        #[test]
        fn each_reader_has_its_test() {
            let names: Vec<_> = READERS.iter().map(|reader| reader.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

each! {
    manifest kdl fmt lock profile template state dkms dockerfile kmm kbuild apt dnf registry layer module package certificate
}
