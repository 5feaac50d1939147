//! Variables inside texts: which have a value where, and what each stands for, as the manual says it.

use crate::compiler::model::Variable;

/// The manual, whose table of variables is shown.
const MANUAL: &str = include_str!("../../../docs/manifest.md");

/// What a variable stands for; `dir:NAME` is called so.
pub(super) fn description(name: &str) -> Option<&'static str> {
    let (_, table) = MANUAL.split_once("\n## Variables\n")?;
    let (table, _) = table.split_once("\n## ")?;
    let name = if name.starts_with("dir:") { "dir:NAME" } else { name };
    let rows =
        table.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "));
    let row = rows.into_iter().find(|(names, _)| names.contains(&format!("`{{{name}}}`")));
    row.map(|(_, description)| description)
}

/// The variables that have a value in a node; `names` are those of the nodes from the outermost one on.
pub(super) fn known_in(names: &[&str]) -> Vec<&'static str> {
    let is_known: fn(&Variable) -> bool = match names {
        ["image", "firmware" | "file"] | ["source" | "signing", ..] => Variable::in_source,
        ["module", ..] => Variable::in_module,
        ["image" | "output", ..] => Variable::in_image,
        ["toolkit", ..] => Variable::in_toolkit,
        [.., "repository"] => Variable::in_repository,
        ["matrix", "os", "headers"] => |variable| *variable == Variable::Kernel,
        _ => |_| false,
    };
    Variable::NAMES.iter().filter(|(_, variable)| is_known(variable)).map(|(name, _)| *name).collect()
}

/// The variable around a byte of a text, and where its name begins and ends.
pub(super) fn at(text: &str, offset: usize) -> Option<(&str, usize, usize)> {
    let start =
        text.get(..offset)?.rfind(['{', '}', '\n', '"']).filter(|at| text[*at..].starts_with('{'))? + 1;
    let end = start
        + text.get(start..)?.find(['{', '}', '\n', '"']).filter(|at| text[start + at..].starts_with('}'))?;
    Some((text.get(start..end)?, start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_described() {
        for (name, _) in Variable::NAMES {
            assert!(description(name).is_some(), "{name}");
        }
        assert!(description("dir:x").is_some_and(|text| text.contains("needs")));
        assert_eq!(description("other"), None);
    }

    #[test]
    fn a_variable_is_found_around_a_place() {
        let text = "\"a{kernel}b\"";
        assert_eq!(at(text, 5), Some(("kernel", 3, 9)));
        assert_eq!((at(text, 1), at(text, 11), at("\"{ke\"", 3)), (None, None, None));
    }
}
