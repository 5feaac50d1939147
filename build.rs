//! The sources -> `DRVC_IDENTITY`: two builds of drvc have the same one only if their sources are the same.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::io::Write as _;

/// Everything that decides what a compilation makes: code, templates, profiles, and the libraries' versions.
const SOURCES: [&str; 4] = ["src", "Cargo.toml", "Cargo.lock", "build.rs"];

fn main() -> std::io::Result<()> {
    let mut files = Vec::new();
    let mut cargo = std::io::stdout();
    for source in SOURCES {
        writeln!(cargo, "cargo::rerun-if-changed={source}")?;
        collect(source, &mut files)?;
    }
    files.sort();
    let mut halves = [1u8, 2].map(|half| {
        let mut hasher = DefaultHasher::new();
        half.hash(&mut hasher);
        hasher
    });
    for file in files {
        let bytes = std::fs::read(&file)?;
        for half in &mut halves {
            (&file, &bytes).hash(half);
        }
    }
    let [high, low] = halves.map(|half| half.finish());
    writeln!(cargo, "cargo::rustc-env=DRVC_IDENTITY={high:016x}{low:016x}")
}

fn collect(path: &str, files: &mut Vec<String>) -> std::io::Result<()> {
    let Ok(status) = std::fs::metadata(path) else { return Ok(()) };
    if !status.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let name = entry?.file_name();
        collect(&format!("{path}/{}", name.to_string_lossy()), files)?;
    }
    Ok(())
}
