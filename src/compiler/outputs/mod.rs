//! What a compilation makes: bytes by path, held as ropes so that a stage shared by many files is held once, and the
//! writers that turn a plan, its stages and their keys into them.

mod dockerfile;
mod graph;
mod ignore_file;
pub mod handover;
pub mod key_list;
mod nodes;
mod plan_json;

pub use dockerfile::outputs;
pub use graph::{GraphJson, GraphRoot, GraphStage, GraphUse, graph};
pub use nodes::{NodeImage, NodeKernel, NodeList, NodesJson, nodes};
pub use plan_json::{
    ContextFile, PlanExcluded, PlanJson, PlanReuse, PlanSecret, PlanStage, PlanTarget, PlanToolkit, plan_json,
};

use crate::compiler::seal::{self, Form};
use crate::system::fs::Hash;
use crate::text::ids::RelPath;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A text in parts; the parts may be shared with other ropes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rope {
    parts: Vec<Arc<str>>,
}

impl Rope {
    /// The empty text.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a text.
    pub fn push(&mut self, part: impl Into<Arc<str>>) {
        self.parts.push(part.into());
    }

    /// The parts, in order.
    #[must_use]
    pub fn parts(&self) -> &[Arc<str>] {
        &self.parts
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }

    /// Whether it has no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| part.is_empty())
    }
}

impl<T: Into<Arc<str>>> From<T> for Rope {
    fn from(text: T) -> Self {
        Self { parts: vec![text.into()] }
    }
}

impl<T: Into<Arc<str>>> FromIterator<T> for Rope {
    fn from_iter<I: IntoIterator<Item = T>>(parts: I) -> Self {
        Self { parts: parts.into_iter().map(Into::into).collect() }
    }
}

impl fmt::Display for Rope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| f.write_str(part))
    }
}

/// One sealed output. Path and seal together say what its bytes are; they are put together, and hashed, where somebody asks.
#[derive(Clone, Debug)]
pub struct Output {
    form: Form,
    body: Rope,
    seal: OnceLock<Hash>,
}

impl Output {
    /// Seals `body` as the file at `path` is sealed: a `.json` file by its first member, any other by a comment.
    ///
    /// The body of a `.json` file is an object whose opening brace ends its line.
    #[must_use]
    pub fn new(path: &RelPath, body: Rope) -> Self {
        Self { form: Form::of(path.as_str()), body, seal: OnceLock::new() }
    }

    /// Everything after the first line. In one piece, which is hashed several times as fast as many small ones.
    fn sealed(&self) -> String {
        let text = self.body.to_string();
        match self.form {
            Form::Comment => text,
            Form::Json => text.strip_prefix("{\n").map(str::to_owned).unwrap_or(text),
        }
    }

    /// The whole text, first line and all.
    #[must_use]
    pub fn text(&self) -> String {
        let sealed = self.sealed();
        let seal = self.seal.get_or_init(|| seal::of(&sealed));
        seal::first_line(self.form, seal) + &sealed
    }

    /// BLAKE3 of everything after the first line.
    #[must_use]
    pub fn seal(&self) -> &Hash {
        self.seal.get_or_init(|| seal::of(&self.sealed()))
    }
}

impl PartialEq for Output {
    fn eq(&self, other: &Self) -> bool {
        (self.form, self.seal()) == (other.form, other.seal())
    }
}

impl Eq for Output {}

/// All outputs of a compilation, by path relative to the output directory, sorted by bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outputs {
    files: BTreeMap<RelPath, Output>,
}

impl Outputs {
    /// No output.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Seals `body` and puts it at `path`; one that stands there is replaced.
    pub fn insert(&mut self, path: RelPath, body: Rope) {
        let output = Output::new(&path, body);
        self.files.insert(path, output);
    }

    /// The same for several.
    pub fn extend(&mut self, files: impl IntoIterator<Item = (RelPath, Rope)>) {
        files.into_iter().for_each(|(path, body)| self.insert(path, body));
    }

    /// The output at this path.
    #[must_use]
    pub fn get(&self, path: &RelPath) -> Option<&Output> {
        self.files.get(path)
    }

    /// In the order of their paths.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&RelPath, &Output)> {
        self.files.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

impl FromIterator<(RelPath, Output)> for Outputs {
    fn from_iter<I: IntoIterator<Item = (RelPath, Output)>>(outputs: I) -> Self {
        Self { files: outputs.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_stays_json() {
        let path = RelPath::parse("plan.json").unwrap();
        let output = Output::new(&path, Rope::from("{\n  \"targets\": []\n}\n"));
        let text = output.text();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let members: Vec<&String> = value.as_object().unwrap().keys().collect();
        assert_eq!(members, ["seal", "targets"]);
        assert_eq!(text.lines().nth(1), Some("  \"targets\": []"));
        assert_eq!(seal::verify(Form::of(path.as_str()), text.as_bytes()), Some(*output.seal()));
    }
}
