//! Command lines of make into what the manifest can say of them.

use super::draft::{Build, Step};
use super::shell;
use crate::text::ids::EnvName;

/// A command line of make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// `make -C KERNEL M=DIR`: the kernel's own build system.
    Kernel {
        /// The kernel's directory.
        dir: String,
        /// What it is given beside `M=` and `modules`.
        rest: Vec<String>,
    },
    /// The driver's own Makefile.
    Own {
        /// The directory that it is said to be in; empty where none is said.
        dir: String,
        /// What is made.
        targets: Vec<String>,
        /// Variables on the command line.
        variables: Vec<(String, String)>,
        /// Variables before the command.
        env: Vec<(String, String)>,
    },
}

/// Reads a command line that is a single call of make, without options that matter.
pub(super) fn make(text: &str) -> Option<Command> {
    let (env, words) = shell::single_command(text)?;
    let mut words = words.into_iter();
    if words.next()?.trim_end_matches('/').rsplit('/').next() != Some("make") {
        return None;
    }
    let (mut dir, mut targets, mut variables) = (String::new(), Vec::new(), Vec::new());
    while let Some(word) = words.next() {
        match word.as_str() {
            "-C" | "--directory" if dir.is_empty() => dir = words.next()?,
            "-s" | "--silent" | "-k" => {}
            _ if word.starts_with("-C") && word.len() > 2 && dir.is_empty() => {
                dir = word.get(2..)?.to_owned()
            }
            _ if word.starts_with("-j") => {}
            _ if word.starts_with('-') => return None,
            _ => match word.split_once('=').filter(|(name, _)| EnvName::parse(name).is_ok()) {
                Some((name, value)) => variables.push((name.to_owned(), value.to_owned())),
                None => targets.push(word),
            },
        }
    }
    let of_the_tree = |name: &str| ["M", "SUBDIRS"].contains(&name);
    if variables.iter().any(|(name, _)| of_the_tree(name)) {
        let m = variables.iter().filter(|(name, _)| of_the_tree(name)).map(|(_, value)| value.clone());
        let whole = m.clone().all(|value| value == "\u{e004}") && env.is_empty();
        let mut rest: Vec<String> = targets.into_iter().filter(|target| target != "modules").collect();
        rest.extend(variables.iter().filter(|(name, _)| !of_the_tree(name)).map(|(name, _)| name.clone()));
        rest.extend(m.filter(|_| !whole));
        return Some(Command::Kernel { dir, rest });
    }
    Some(Command::Own { dir, targets, variables, env })
}

/// A shell text as dkms runs it: where it begins with make, on all processors, and told the kernel's release unless it
/// goes to the kernel's own Makefile, which knows it.
pub(super) fn parallel(text: &str, kernel_dir: &str, kernel: &str) -> String {
    let quoted = text.contains(['\'', '"']);
    let one_line = || text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = if quoted { text.trim().to_owned() } else { one_line() };
    let rest = text.strip_prefix("make").and(shown.strip_prefix("make"));
    match rest.filter(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || "-_./".contains(c))) {
        Some(rest) if rest.starts_with(&format!(" -C {kernel_dir} ")) => format!("make -j\"$(nproc)\"{rest}"),
        Some(rest) => format!("make -j\"$(nproc)\" KERNELRELEASE={kernel}{rest}"),
        None => shown,
    }
}

/// A way to build as steps, for what comes before or after it.
pub(super) fn steps(build: Build) -> Vec<Step> {
    match build {
        Build::Kbuild => {
            vec![Step::Script("make -j\"$(nproc)\" -C {kernel_dir} M=\"$PWD\" modules".to_owned())]
        }
        Build::Make { targets, variables } => {
            let variables = variables.into_iter().map(|(name, value)| format!("{name}={value}"));
            let words: Vec<String> = targets.into_iter().chain(variables).map(|word| quoted(&word)).collect();
            vec![Step::Script(format!("make -j\"$(nproc)\" {}", words.join(" ")).trim_end().to_owned())]
        }
        Build::Steps(steps) => steps,
    }
}

/// A word as a shell reads it back; variables of the manifest stay, since they hold no blanks.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:+,@{}".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}
