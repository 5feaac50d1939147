//! Mistakes that hand-written driver containers have, found in their instructions.

use super::lines::{Instruction, commands, exec_form};
use crate::import::shell::Note;
use std::collections::{BTreeMap, BTreeSet};

/// Every mistake, by line.
pub(super) fn find(instructions: &[Instruction]) -> Vec<Note> {
    let mut notes = scopes(instructions);
    let mut copied = BTreeMap::new();
    for one in instructions {
        let mut say = |text: String| notes.push(Note { line: one.line, text });
        match one.keyword.as_str() {
            "ARG" => argument(&one.rest, &mut say),
            "ENV" => {
                if is_secret(&one.rest) {
                    say("a secret in the image's environment: drvc takes build secrets".into());
                }
                release(&one.rest, &mut say);
            }
            "RUN" | "CMD" | "ENTRYPOINT" => run(one, &mut say),
            "COPY" | "ADD" => {
                if let Some(file) = one.rest.split_whitespace().find(|word| word.ends_with(".ko"))
                    && let Some(first) = copied.insert(file.to_owned(), one.line)
                {
                    say(format!("`{file}` was copied in line {first} already"));
                }
            }
            _ => {}
        }
        if one.rest.contains("$ {") {
            say("a blank within `${…}` makes a path of it: it is never replaced".into());
        }
    }
    notes.sort();
    notes.dedup();
    notes
}

fn argument(rest: &str, say: &mut impl FnMut(String)) {
    let (name, value) = rest.split_once('=').unwrap_or((rest, ""));
    if value.to_lowercase().contains(" as ") {
        say(format!(
            "what follows the value of `{name}` belongs to a FROM: it becomes part of the value, or an error"
        ));
    }
    if is_secret(name) {
        say(format!("`{name}` is kept in the image's history: drvc takes build secrets"));
    }
    release(rest, say);
}

/// The release of a system, said once for kernels of any release.
fn release(rest: &str, say: &mut impl FnMut(String)) {
    let Some((name, value)) = rest.split_once('=') else { return };
    let value = value.trim_matches(['"', '\'']);
    let is_version = value.starts_with(|c: char| c.is_ascii_digit()) && !value.contains('$');
    if is_version && ["OS_VERSION", "RHEL_VERSION", "OS_RELEASE", "RELEASEVER"].contains(&name) {
        say(format!(
            "`{name}` is {value} whatever the kernel is: a kernel of another release is built with it"
        ));
    }
}

pub(super) fn is_secret(text: &str) -> bool {
    let name = text.split(['=', ' ']).next().unwrap_or_default().to_uppercase();
    [
        "ACTIVATION_KEY",
        "ACTIVATIONKEY",
        "PASSWORD",
        "PASSWD",
        "TOKEN",
        "RHSM_KEY",
        "RHSM_ORG",
        "PRIVATE_KEY",
        "SIGNING_KEY",
        "SECRET",
    ]
    .iter()
    .any(|word| name.contains(word))
}

fn run(one: &Instruction, say: &mut impl FnMut(String)) {
    if let Some(words) = exec_form(&one.rest) {
        let program = words.first().map(String::as_str).unwrap_or_default();
        let shell = program.ends_with("sh") || program.ends_with("bash");
        if let Some(word) = words.iter().find(|word| word.contains('$')).filter(|_| !shell) {
            say(format!("nothing replaces `{word}` in this form: only a shell does"));
        }
        return;
    }
    let all = commands(&one.rest);
    for (at, (operator, command)) in all.iter().enumerate() {
        let words: Vec<&str> = command.split_whitespace().collect();
        if command.contains("uname -r") || command.contains("uname -a") {
            say("`uname -r` is the kernel of the machine that builds, not the one that is built for".into());
        }
        if let Some(depmod) = words.iter().position(|word| word.ends_with("depmod")) {
            let named = words.iter().skip(depmod + 1).any(|word| {
                word.contains("KERNEL")
                    || word.contains("KVER")
                    || word.starts_with(|c: char| c.is_ascii_digit())
            });
            if !named {
                say("`depmod` without a kernel takes that of the machine that builds".into());
            }
        }
        if *operator == "||" {
            let swallowed = at
                .checked_sub(1)
                .and_then(|before| all.get(before))
                .is_some_and(|(before, _)| *before == "&&");
            if command == "true" || command == ":" || command.starts_with("echo") {
                say(format!("`|| {command}` goes on when the command before it fails"));
            } else if swallowed {
                say(format!("`|| {command}` is run when any command before it fails, not only the last"));
            }
        }
        habits(command, &words, say);
        if words.windows(2).any(|pair| pair == ["install", "install"]) {
            say("`install install`: the second is taken for a package".into());
        }
        if words.first() == Some(&"git") && words.get(1) == Some(&"clone") {
            let pinned = all
                .iter()
                .skip(at)
                .any(|(_, later)| later.contains("git checkout") || later.contains("git -C"));
            if !pinned
                && !words
                    .iter()
                    .any(|word| ["-b", "--branch"].contains(word) || word.starts_with("--branch="))
            {
                say("clones whatever the default branch holds on that day: pin it with `drvc lock`".into());
            }
        }
    }
    let fetches = ["curl ", "wget "].iter().any(|program| one.rest.contains(program));
    if fetches
        && one.rest.contains("://")
        && !one.rest.contains("sum -c")
        && !one.rest.contains("sum --check")
    {
        say("downloads what nothing is compared with: a `file` or an `archive` of drvc has its digest".into());
    }
    if one.rest.contains("sign-file") && one.rest.contains("for ") && one.rest.contains("&&") {
        say("a loop of `test && sign-file` fails only with its last turn".into());
    }
}

/// What a single command does that goes wrong on another day, or for another kernel.
fn habits(command: &str, words: &[&str], say: &mut impl FnMut(String)) {
    if command.contains("$(rpm -q") || command.contains("`rpm -q") {
        say(
            "`rpm -q` prints `package … is not installed` where it is not, and that is taken for its version"
                .into(),
        );
    }
    let reads = ["sed", "awk", "grep", "cut", "=~"].iter().any(|program| command.contains(program));
    if reads && ["el8_", "el9_", "el10_", "el[0-9]", "el\\([0-9]"].iter().any(|text| command.contains(text)) {
        say("a kernel of a first release has no minor (`.el9`): none is found in its name".into());
    }
    if command.contains("openssl req") && command.contains("-x509") {
        say("a key that is made while the image is built is one that no machine trusts: sign with one's own, \
             as a build secret"
            .into());
    }
    let of_kernel = |word: &&str| {
        let word = word.trim_matches('"').trim_end_matches(['/', '*']).trim_end_matches("/kernel");
        word.strip_prefix("/lib/modules/").is_some_and(|kernel| !kernel.contains('/'))
    };
    let recursive = words.iter().any(|word| ["-r", "-R", "-a", "-rf", "-ar", "-dR"].contains(word));
    if words.first() == Some(&"cp") && recursive && words.iter().any(of_kernel) {
        say("copies every module of the kernel: drvc copies those that the driver depends on".into());
    }
}

/// Variables that are empty where they stand, because their ARG is that of another scope.
fn scopes(instructions: &[Instruction]) -> Vec<Note> {
    let of = |one: &Instruction| one.rest.split(['=', ' ']).next().unwrap_or_default().to_owned();
    let in_any: BTreeSet<String> = instructions.iter().filter(|one| one.keyword == "ARG").map(of).collect();
    let (mut global, mut known) = (BTreeSet::new(), BTreeSet::new());
    let (mut in_stage, mut notes) = (false, Vec::new());
    for one in instructions {
        match one.keyword.as_str() {
            "FROM" => {
                in_stage = true;
                known = BTreeSet::new();
            }
            "ARG" if in_stage => drop(known.insert(of(one))),
            "ARG" => drop(global.insert(of(one))),
            "ENV" => {
                known.extend(
                    one.rest.split_whitespace().filter_map(|pair| Some(pair.split_once('=')?.0.to_owned())),
                );
                known.insert(of(one));
            }
            "WORKDIR" | "RUN" | "COPY" | "ADD" | "LABEL" | "CMD" | "ENTRYPOINT" => {
                for variable in variables(&one.rest).into_iter().filter(|name| !known.contains(name)) {
                    let why = if global.contains(&variable) {
                        "its ARG comes before the FROM, and is not repeated"
                    } else if in_any.contains(&variable) && !one.rest.contains(&format!("{variable}=")) {
                        "its ARG is that of another stage"
                    } else {
                        continue;
                    };
                    let text = format!("`${{{variable}}}` is empty here: {why}");
                    notes.push(Note { line: one.line, text });
                }
            }
            _ => {}
        }
    }
    notes
}

/// The names behind `$`.
fn variables(text: &str) -> BTreeSet<String> {
    let pieces = text.split('$').skip(1).map(|rest| rest.trim_start().trim_start_matches('{'));
    let names = pieces.map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default().to_owned()
    });
    names.filter(|name| !name.is_empty()).collect()
}
