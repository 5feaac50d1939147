//! One reader under libFuzzer: `DRVC_FUZZ_READER` says which. Without it, says which there are, and what inputs they know.
//! `DRVC_FUZZ_CPU` is how many seconds of a processor it may take in all. `tests/fuzz/run` sets both.

#![no_main]

#[path = "../it/readers/mod.rs"]
mod readers;

use readers::{READERS, Reader};
use rustix::process::{Signal, getpid, kill_process};
use rustix::time::{ClockId, clock_gettime};
use std::sync::OnceLock;
use std::time::Duration;

/// No input may take a processor longer.
const LONGEST: Duration = Duration::from_secs(5);

/// Of so many inputs one is asked what takes longer.
const SAMPLE: usize = 24;

static READER: OnceLock<(&Reader, Duration)> = OnceLock::new();

/// The time that processors gave to this process.
fn used() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

fn chosen() -> (&'static Reader, Duration) {
    let Ok(name) = std::env::var("DRVC_FUZZ_READER") else {
        for reader in READERS {
            println!("{} {}", reader.name, reader.known.join(" "));
        }
        std::process::exit(0);
    };
    let seconds = std::env::var("DRVC_FUZZ_CPU").ok().map_or(u64::MAX, |seconds| seconds.parse().unwrap());
    let reader = READERS.iter().find(|reader| reader.name == name).expect("no such reader");
    (reader, Duration::from_secs(seconds))
}

libfuzzer_sys::fuzz_target!(init: { READER.get_or_init(chosen); }, |input: &[u8]| {
    let (reader, most) = READER.get_or_init(chosen);
    let began = used();
    reader.try_on(input, SAMPLE);
    let ended = used();
    assert!(ended - began < LONGEST, "it takes {:?}", ended - began);
    if ended > *most {
        // libFuzzer ends at its next input, and prints what it did.
        let _ = kill_process(getpid(), Signal::INT);
    }
});
