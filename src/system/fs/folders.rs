//! Facts by path -> the same facts by directory, so that checking them opens each directory once.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A directory and what is known of the names right in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder<T> {
    /// Its path; `.` for the topmost.
    pub path: String,
    /// By name, sorted by bytes. In the topmost directory the name `.` is the directory itself.
    pub entries: Vec<(String, T)>,
}

impl<T> Folder<T> {
    /// Groups facts by the directories of their paths. The directories `empty` come out in any case, each once.
    #[must_use]
    pub fn group(facts: impl IntoIterator<Item = (String, T)>, empty: Vec<String>) -> Vec<Self> {
        let mut folders: BTreeMap<String, Vec<(String, T)>> =
            empty.into_iter().map(|path| (path, Vec::new())).collect();
        for (path, fact) in facts {
            let (folder, name) = path.rsplit_once('/').unwrap_or((".", &path));
            let named = (name.to_owned(), fact);
            match folders.get_mut(folder) {
                Some(entries) => entries.push(named),
                None => drop(folders.insert(folder.to_owned(), vec![named])),
            }
        }
        let folder = |(path, mut entries): (String, Vec<(String, T)>)| {
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Self { path, entries }
        };
        folders.into_iter().map(folder).collect()
    }
}

/// The path of a name in a folder.
#[must_use]
pub fn path_in(folder: &str, name: &str) -> String {
    if folder == "." { name.to_owned() } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_by_directory_and_sorts_by_name() {
        let facts = ["b/x", "b/c/y", ".", "b-a/z", "top", "b/a"].map(|path| (path.to_owned(), ()));
        let folders = Folder::group(facts, vec!["b".to_owned(), "e".to_owned()]);
        let shown: Vec<(&str, Vec<&str>)> = folders
            .iter()
            .map(|folder| (folder.path.as_str(), folder.entries.iter().map(|e| e.0.as_str()).collect()))
            .collect();
        let expected: [(&str, Vec<&str>); 5] = [
            (".", vec![".", "top"]),
            ("b", vec!["a", "x"]),
            ("b-a", vec!["z"]),
            ("b/c", vec!["y"]),
            ("e", vec![]),
        ];
        assert_eq!(shown, expected);
        assert_eq!((path_in(".", "top"), path_in("b", "a")), ("top".into(), "b/a".into()));
    }
}
