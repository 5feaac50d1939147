//! The floor under `drvc compile`: reads a tree into memory, then times writing the same files to a new directory.
//!
//! `rustc -O plain_writes.rs && ./plain_writes FROM TO` prints seconds.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

fn read(directory: &Path, below: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = below.join(entry.file_name());
        if entry.file_name() == ".drvc" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            read(&entry.path(), &path, files);
        } else {
            files.push((path, fs::read(entry.path()).unwrap()));
        }
    }
}

fn main() {
    let arguments: Vec<_> = std::env::args_os().collect();
    let (from, to) = (Path::new(&arguments[1]), Path::new(&arguments[2]));
    let mut files = Vec::new();
    read(from, Path::new(""), &mut files);
    let started = Instant::now();
    for (path, bytes) in &files {
        let path = to.join(path);
        if fs::write(&path, bytes).is_err() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, bytes).unwrap();
        }
    }
    println!("{}", started.elapsed().as_secs_f64());
}
