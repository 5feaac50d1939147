//! Loops over a list that is written out, into the commands that they run; and directories that are renamed.

use super::{Reading, beneath, lines};
use crate::import::draft::Origin;

/// How many commands a loop may become.
const MAX_COMMANDS: usize = 60;

/// `for d in a b; do make -C $d; done`: its commands, once for each word; nothing where a shell has to work that out.
pub(super) fn unrolled(command: &str) -> Option<Vec<String>> {
    let (name, rest) = command.strip_prefix("for ")?.trim_start().split_once(" in ")?;
    let (list, rest) = rest.split_once(';')?;
    let body =
        rest.trim().strip_prefix("do ")?.trim_end().strip_suffix("done")?.trim_end().trim_end_matches(';');
    let plain =
        |text: &str| !text.is_empty() && !text.contains(['$', '`', '*', '?', '[', '{', '(', '"', '\'']);
    let name =
        Some(name.trim()).filter(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))?;
    let nested = ["for", "while", "until", "if", "case"];
    if !plain(list.trim()) || lines::words(body).iter().any(|word| nested.contains(&word.as_str())) {
        return None;
    }
    let body: Vec<String> = lines::whole_commands(body)
        .into_iter()
        // What a loop does where a command fails, a build does by itself.
        .map(|command| command.trim_end_matches(" || exit 1").trim_end_matches(" || exit").to_owned())
        .filter(|command| !command.starts_with("exit"))
        .collect();
    // Kernels that a list names are one word, the kernel that is built for.
    let mut list: Vec<&str> = list.split_whitespace().collect();
    list.dedup();
    let each = list.into_iter().flat_map(|word| {
        body.iter().map(move |command| {
            let braced = command.replace(&format!("${{{name}}}"), word);
            named(&braced, name, word)
        })
    });
    let commands: Vec<String> = each.take(MAX_COMMANDS + 1).collect();
    (commands.len() <= MAX_COMMANDS).then_some(commands)
}

/// A text with `$NAME` put in, and not the beginning of a longer name.
fn named(text: &str, name: &str, word: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(&format!("${name}")) {
        let longer = after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        out.push_str(before);
        out.push_str(&if longer { format!("${name}") } else { word.to_owned() });
        rest = after;
    }
    out + rest
}

impl Reading {
    /// Takes in `mv` of a source's own directory: what is in it keeps the path that it has in the source.
    pub(super) fn moved(&mut self, from: &str, to: &str) -> bool {
        let (from, to) = (self.place(from), self.place(to));
        let is_top = self.stages.last().is_some_and(|stage| {
            stage.places.iter().any(|(at, tree)| {
                let archive =
                    self.trees.get(*tree).is_some_and(|tree| matches!(tree.origin, Origin::Archive { .. }));
                let name = beneath(&from, at).unwrap_or("/");
                let versioned = name.contains('-') && name.bytes().any(|b| b.is_ascii_digit());
                name.is_empty() || (archive && versioned && !name.contains('/'))
            })
        });
        if is_top {
            self.moves.push((to, from));
        }
        is_top
    }

    /// The path that something had before it was moved.
    pub(super) fn before_moves(&self, path: String) -> String {
        self.moves.iter().rev().fold(path, |path, (to, from)| match beneath(&path, to) {
            Some("") => from.clone(),
            Some(below) => format!("{from}/{below}"),
            None => path,
        })
    }
}
