//! The conditions of a Makefile: those that are known decide what is read, the others become words.

use super::expand::{Scope, arguments, is_known};

/// The conditions that a line stands under.
#[derive(Default)]
pub(super) struct Conditions(Vec<Level>);

struct Level {
    /// What is to hold, where that is not known.
    when: String,
    /// Whether the branch may hold.
    live: bool,
    /// Whether a branch before it, or this one, holds for certain: no other can.
    done: bool,
}

/// The contrary of what has to hold.
pub(super) fn negated(when: &str) -> String {
    match when.strip_suffix(" is set") {
        Some(option) if !option.contains(' ') => format!("{option} is not set"),
        _ => format!("not: {when}"),
    }
}

enum Decision {
    Holds,
    Not,
    Where(String),
}

impl Conditions {
    /// Takes in `ifeq`, `ifdef`, `else` and `endif`; whether the line was one of them.
    pub(super) fn take(&mut self, line: &str, scope: &Scope) -> bool {
        let line = line.trim();
        let (word, rest) = line.split_once([' ', '(', '\t']).unwrap_or((line, ""));
        match word {
            "endif" => drop(self.0.pop()),
            "else" => {
                let other = decision(rest, scope);
                if let Some(level) = self.0.last_mut() {
                    level.otherwise(other);
                }
            }
            _ => match decision(line, scope) {
                Some(decision) => self.0.push(Level::new(decision)),
                None => return false,
            },
        }
        true
    }

    /// Whether what stands here may be read at all.
    pub(super) fn live(&self) -> bool {
        self.0.iter().all(|level| level.live)
    }

    /// What has to hold for it, as far as that is not known.
    pub(super) fn whens(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|level| level.when.as_str()).filter(|when| !when.is_empty())
    }
}

impl Level {
    fn new(decision: Decision) -> Self {
        match decision {
            Decision::Holds => Self { when: String::new(), live: true, done: true },
            Decision::Not => Self { when: String::new(), live: false, done: false },
            Decision::Where(when) => Self { when, live: true, done: false },
        }
    }

    fn otherwise(&mut self, other: Option<Decision>) {
        if self.done {
            self.live = false;
            return;
        }
        let not = if self.when.is_empty() { String::new() } else { negated(&self.when) };
        *self = match other.map(Self::new) {
            None => Self { when: not, live: true, done: true },
            Some(next) if next.when.is_empty() => Self { when: not, ..next },
            Some(next) => next,
        };
    }
}

/// What a line decides; nothing where it is no condition.
fn decision(line: &str, scope: &Scope) -> Option<Decision> {
    let line = line.trim();
    let (word, rest) = line.split_once([' ', '(', '\t'])?;
    let is_equal = match word {
        "ifdef" | "ifndef" => return Some(defined(word == "ifdef", rest.trim(), scope)),
        "ifeq" => true,
        "ifneq" => false,
        _ => return None,
    };
    let (one, other) = sides(line.get(word.len()..).unwrap_or_default().trim())?;
    let (left, right) = (scope.expanded(one).trim().to_owned(), scope.expanded(other).trim().to_owned());
    let open = |text: &str| text.contains("$(") || text.contains("${");
    let differ = |known: &str, of_kernel: &str| known.is_empty() && !open(of_kernel) && !of_kernel.is_empty();
    let equal = match () {
        () if is_known(&left) && is_known(&right) => Some(left == right),
        () if differ(&left, &right) || differ(&right, &left) => Some(false),
        () => None,
    };
    if let Some(equal) = equal {
        return Some(if equal == is_equal { Decision::Holds } else { Decision::Not });
    }
    let Some(option) = only_option(line) else { return Some(Decision::Where(format!("`{line}`"))) };
    let (value, asked) = if one.contains(option) { (right, one) } else { (left, other) };
    // `$(filter y m,$(CONFIG_X))` is empty where the option is not set.
    let equal_is_set = !matches!(value.as_str(), "" | "n") != asked.contains("filter-out");
    let not = if equal_is_set == is_equal { "" } else { "not " };
    Some(Decision::Where(format!("{option} is {not}set")))
}

fn defined(wanted: bool, name: &str, scope: &Scope) -> Decision {
    match scope.values.get(name) {
        Some(value) if value.is_empty() != wanted => Decision::Holds,
        Some(_) => Decision::Not,
        None if name.starts_with("CONFIG_") => {
            Decision::Where(format!("{name} is {}set", if wanted { "" } else { "not " }))
        }
        None => Decision::Where(format!("`{} {name}`", if wanted { "ifdef" } else { "ifndef" })),
    }
}

/// The one option of the kernel that a text names; none where there are several.
pub(super) fn only_option(text: &str) -> Option<&str> {
    let mut options = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("CONFIG_") && word.len() > 7);
    let first = options.next()?;
    options.all(|other| other == first).then_some(first)
}

/// The two sides of `(a,b)`, `"a" "b"` or `'a' 'b'`.
fn sides(text: &str) -> Option<(&str, &str)> {
    if let Some(inner) = text.strip_prefix('(') {
        let inner = inner.rsplit_once(')')?.0;
        let (one, other) = inner.split_at_checked(arguments(inner, 2).first()?.len())?;
        return Some((one, other.strip_prefix(',')?));
    }
    let quoted = |text: &str| -> Option<usize> {
        let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        text.get(1..)?.find(quote).map(|end| end + 2)
    };
    let (one, rest) = text.split_at_checked(quoted(text)?)?;
    let rest = rest.trim_start();
    let (other, _) = rest.split_at_checked(quoted(rest)?)?;
    Some((one.get(1..one.len() - 1)?, other.get(1..other.len() - 1)?))
}
