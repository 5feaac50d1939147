//! The conditions of a Makefile, as words.

use std::collections::BTreeMap;

/// What a line does with the conditions that hold.
pub(super) enum Change {
    If(String),
    Else(Option<String>),
    End,
}

impl Change {
    pub(super) fn apply(self, conditions: &mut Vec<String>) {
        match self {
            Self::If(when) => conditions.push(when),
            Self::Else(other) => {
                let last = conditions.pop().unwrap_or_default();
                conditions.push(match other {
                    Some(when) => when,
                    None if last.is_empty() => String::new(),
                    None => match last.strip_suffix(" is set") {
                        Some(option) => format!("{option} is not set"),
                        None => format!("not: {last}"),
                    },
                });
            }
            Self::End => drop(conditions.pop()),
        }
    }
}

/// `ifeq`, `ifdef`, `else` and `endif`; empty text where the condition is about the kernel's own make.
pub(super) fn condition(line: &str, values: &BTreeMap<String, String>) -> Option<Change> {
    let line = line.trim();
    let (word, rest) = line.split_once([' ', '(', '\t']).unwrap_or((line, ""));
    match word {
        "endif" => return Some(Change::End),
        "else" if rest.trim().is_empty() => return Some(Change::Else(None)),
        "else" => {
            let Some(Change::If(when)) = condition(rest, values) else { return Some(Change::Else(None)) };
            return Some(Change::Else(Some(when)));
        }
        "ifeq" | "ifneq" | "ifdef" | "ifndef" => {}
        _ => return None,
    }
    let of_make = [
        "KERNELRELEASE",
        "KBUILD_EXTMOD",
        "KBUILD_SRC",
        "srctree",
        "MAKELEVEL",
        "KERNEL_DIR",
        "KDIR",
        "KVER",
        "wildcard",
    ];
    if of_make.iter().any(|name| rest.contains(name)) {
        return Some(Change::If(String::new()));
    }
    let option =
        rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').find(|word| word.starts_with("CONFIG_"));
    let positive = match word {
        "ifdef" => true,
        "ifndef" => false,
        // `ifneq ($(CONFIG_X),)` and `ifeq ($(CONFIG_X),y)`
        _ => {
            (word == "ifneq")
                == (rest.replace(' ', "").ends_with(",)")
                    || rest.ends_with("\"\"")
                    || rest.trim_end_matches([')', '"', ' ']).ends_with(['n', ',']))
        }
    };
    Some(Change::If(match option {
        Some(option) if values.contains_key(option) && positive => String::new(),
        Some(option) => format!("{option} is {}set", if positive { "" } else { "not " }),
        None => format!("`{line}`"),
    }))
}
