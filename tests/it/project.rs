//! A project in a directory of its own, for tests that run drvc on it.

use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeMap;
use std::process::Command;
use tempfile::TempDir;

/// Pins of the images that Debian 12 stands on, so that nothing about the project is drift.
pub const LOCK: &str = include_str!("../ui/drivers.lock");

/// One image of one module, built from files of the project, for one kernel.
pub const MANIFEST: &str = r#"drvc edition=1

project "example" {
    registry "quay.io/example"
}

source "driver" {
    path "driver"
}

module "example" {
    source "driver"
}

image "example" {
    module "example"
    load "example"
}

matrix {
    os "debian" "12" {
        kernel "6.1.0-18-amd64"
    }
}
"#;

/// The only target of [`MANIFEST`].
pub const TARGET: &str = "example/debian-12-x86_64/6.1.0-18-amd64";

pub struct Project {
    home: TempDir,
}

/// How a run of drvc ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    /// The project of [`MANIFEST`].
    pub fn new() -> Self {
        let project = Self { home: tempfile::tempdir().unwrap() };
        project.write("drivers.kdl", MANIFEST);
        project.write("drivers.lock", LOCK);
        project.write("driver/Kbuild", "obj-m := example.o\n");
        project.write("driver/example.c", "#include <linux/module.h>\nMODULE_LICENSE(\"GPL\");\n");
        project
    }

    /// A copy of an example of this repository.
    pub fn example(name: &str) -> Self {
        let project = Self { home: tempfile::tempdir().unwrap() };
        let example = crate::repository(&format!("examples/{name}"));
        for file in crate::files(&example) {
            let path = file.strip_prefix(&example).unwrap();
            if !path.starts_with("drivers.out") {
                project.write(path.as_str(), &std::fs::read_to_string(&file).unwrap());
            }
        }
        project
    }

    pub fn path(&self, path: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.home.path()).unwrap().join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    /// Replaces a piece of a file.
    pub fn edit(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert!(text.contains(old), "{path} has no {old}");
        self.write(path, &text.replacen(old, new, 1));
    }

    /// A run of drvc in the project's directory, without environment.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_drvc"));
        command.args(args).env_clear().current_dir(&self.home);
        command
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        ended(&mut self.command(args))
    }

    /// Runs git in the project's directory and gives what it says.
    pub fn git(&self, words: &[&str]) -> String {
        let identity = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgSign=false"];
        let mut git = Command::new("git");
        git.args(identity).args(words).current_dir(self.path("")).env("GIT_CONFIG_NOSYSTEM", "1");
        let run = ended(git.env("HOME", self.path("")));
        assert_eq!(run.code, Some(0), "git {words:?}: {}", run.stderr);
        run.stdout.trim().to_owned()
    }

    /// The outputs by path, without drvc's state.
    pub fn outputs(&self) -> BTreeMap<String, String> {
        let out = self.path("drivers.out");
        let files = crate::files(&out).into_iter();
        let outputs = files.map(|file| (file.strip_prefix(&out).unwrap().to_string(), file));
        let outputs = outputs.filter(|(path, _)| !path.starts_with(".drvc/"));
        outputs.map(|(path, file)| (path, std::fs::read_to_string(file).unwrap())).collect()
    }
}

/// Runs to the end.
pub fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Ended {
    /// Holds the run to an exit code and to what the two streams hold; empty means nothing at all.
    #[track_caller]
    pub fn expect(&self, code: i32, stdout: &str, stderr: &str) {
        let holds = |actual: &str, expected: &str| {
            actual.contains(expected) && actual.is_empty() == expected.is_empty()
        };
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        assert!(holds(&self.stdout, stdout), "standard output has no `{stdout}`:\n{}", self.stdout);
        assert!(holds(&self.stderr, stderr), "standard error has no `{stderr}`:\n{}", self.stderr);
    }
}
