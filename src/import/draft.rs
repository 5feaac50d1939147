//! A first manifest as values: what an import found, before it is written as text.

use crate::text::ids::{ModuleName, Name};

/// Everything that goes into the manifest, and what is to be told about it.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// What it was made from: comments at its beginning.
    pub head: Vec<String>,
    /// `project NAME`
    pub project: Project,
    pub sources: Vec<Source>,
    pub modules: Vec<Module>,
    pub images: Vec<Image>,
    /// `os NAME RELEASE…` with kernels; empty until [`super::matrix`] fills it.
    pub matrix: Vec<Os>,
    /// `output { kmm }`
    pub kmm: Option<Vec<Node>>,
    /// What could not be taken over, for the terminal.
    pub warnings: Vec<String>,
}

/// `project`
#[derive(Clone, Debug, Default)]
pub struct Project {
    pub name: String,
    pub version: Option<String>,
    pub license: Option<String>,
    pub url: Option<String>,
    pub registry: Option<String>,
}

/// `source`
#[derive(Clone, Debug, Default)]
pub struct Source {
    pub name: String,
    /// Comments in it.
    pub notes: Vec<String>,
    /// Where the files come from.
    pub origin: Origin,
    /// Another origin, written as one that is taken out.
    pub instead: Option<Origin>,
    /// The patches, each with the kernels that it is for where it is not for all: values of `kernel=`.
    pub patches: Vec<(String, Vec<String>)>,
}

/// Where files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A directory of the project, without the files of some patterns.
    Path {
        /// The directory.
        dir: String,
        /// What is left out.
        ignore: Vec<String>,
        /// What is taken though a `.gitignore` names it.
        include: Vec<String>,
    },
    /// A repository.
    Git {
        /// Its address.
        url: String,
        /// `branch`, `tag`, `ref` or `commit`, and its name.
        reference: Option<(&'static str, String)>,
        /// Whether its submodules are fetched too.
        submodules: bool,
        /// Whether what Git LFS holds is fetched too.
        lfs: bool,
    },
    /// An archive that is downloaded.
    Archive {
        /// Its address.
        url: String,
        /// Leading directories that are left out.
        strip: u32,
    },
}

impl Default for Origin {
    fn default() -> Self {
        Self::path(".", Vec::new())
    }
}

/// `module`. All texts of it are as the manifest has them, variables in braces.
#[derive(Clone, Debug, Default)]
pub struct Module {
    pub name: String,
    /// Comments in it.
    pub notes: Vec<String>,
    pub source: String,
    /// The directory in it that is built.
    pub dir: Option<String>,
    /// How it is built.
    pub build: Build,
    /// Other ways for some kernels: values of `kernel=`.
    pub builds: Vec<(String, Build)>,
    pub env: Vec<(String, String)>,
    pub packages: Vec<String>,
    /// What comes out; empty where it is the module's name and `.ko`.
    pub outputs: Vec<Output>,
    pub requires_config: Vec<String>,
    /// Modules whose symbols it uses.
    pub needs: Vec<String>,
}

/// `output`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub file: String,
    /// Why it may be missing; empty where it may not.
    pub when: String,
}

impl Origin {
    /// A directory of the project, without the files of some patterns.
    #[must_use]
    pub fn path(dir: &str, ignore: Vec<String>) -> Self {
        Self::Path { dir: dir.to_owned(), ignore, include: Vec::new() }
    }
}

/// How a module is built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Build {
    /// As the kernel builds modules.
    #[default]
    Kbuild,
    Make {
        targets: Vec<String>,
        variables: Vec<(String, String)>,
    },
    /// `run` and `script`
    Steps(Vec<Step>),
}

/// One `run` or `script`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Run(Vec<String>),
    Script(String),
}

/// `image`
#[derive(Clone, Debug, Default)]
pub struct Image {
    pub name: String,
    /// Comments in it.
    pub notes: Vec<String>,
    pub repository: Option<String>,
    pub tag: Option<String>,
    pub modules: Vec<String>,
    /// What it loads, in order.
    pub load: Vec<String>,
    /// `option KMOD NAME=VALUE…`
    pub options: Vec<(String, Vec<(String, String)>)>,
    pub replaces: Vec<String>,
    pub packages: Vec<String>,
    /// `only`, each with its properties.
    pub only: Vec<Vec<(&'static str, String)>>,
}

/// A node of the manifest: what stands before its block, and the nodes in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    pub line: String,
    pub block: Vec<Node>,
}

impl Node {
    #[must_use]
    pub const fn line(line: String) -> Self {
        Self { line, block: Vec::new() }
    }
}

/// `os`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Os {
    /// Comments in it.
    pub notes: Vec<String>,
    /// The profile.
    pub name: String,
    pub releases: Vec<String>,
    /// The kernels, in full.
    pub kernels: Vec<String>,
}

impl Draft {
    /// Notes a warning about a line of a file; line 0 is the whole file.
    pub fn warn(&mut self, file: &str, line: usize, text: &str) {
        let place = if line == 0 { file.to_owned() } else { format!("{file}:{line}") };
        self.warnings.push(format!("{place}: {text}"));
    }
}

/// A name of the manifest, as near to a text as its grammar allows.
#[must_use]
pub fn name(text: &str) -> String {
    let lower: String = text.to_lowercase();
    let plain = narrowed(&lower);
    if Name::parse(&plain).is_ok() { plain } else { narrowed(&format!("{plain}-driver")) }
}

/// A name of a module, as near to a text as its grammar allows.
#[must_use]
pub fn module_name(text: &str) -> String {
    let plain = narrowed(text);
    if ModuleName::parse(&plain).is_ok() { plain } else { narrowed(&format!("{plain}-driver")) }
}

fn narrowed(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' })
        .take(60)
        .collect();
    let plain = plain.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if plain.is_empty() { "driver".to_owned() } else { plain.to_owned() }
}

/// A literal text for a place that knows variables: braces are doubled.
#[must_use]
pub fn literal(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// Shell text for `script`: `{name}` would be a variable there, so it becomes `{{name}}`; other braces are the shell's.
#[must_use]
pub fn literal_script(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let is_shell = before.ends_with('$');
        let name = after.split_once('}').map(|(name, _)| name).filter(|name| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:.-".contains(&b))
        });
        match name.filter(|_| !is_shell) {
            Some(name) => {
                out.extend(["{{", name, "}}"]);
                rest = after.get(name.len() + 1..).unwrap_or_default();
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_narrowed() {
        for (text, expected) in [
            ("linux-apfs-rw", "linux-apfs-rw"),
            ("Foo Bar+1", "foo-bar-1"),
            ("_x_", "x"),
            ("", "driver"),
            ("con", "con-driver"),
        ] {
            assert_eq!(name(text), expected);
            assert!(Name::parse(&name(text)).is_ok());
        }
        assert_eq!(module_name("xt_RTPENGINE"), "xt_RTPENGINE");
    }

    #[test]
    fn braces_of_others_stay() {
        assert_eq!(literal("a{b}"), "a{{b}}");
        let script = "awk '{print}' ${x} {} { a; } \\;";
        assert_eq!(literal_script(script), "awk '{{print}}' ${x} {} { a; } \\;");
    }
}
