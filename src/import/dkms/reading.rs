//! What dkms itself has read of a file once it builds: it reads each value a second time, and takes modules by record.

use super::{ARCH, JOBS, KERNEL, KERNEL_DIR, MODULE, TREE, VERSION};
use crate::import::shell::{self, Value, World};
use std::collections::BTreeMap;

/// What dkms sets before it reads a file, and what stands for it in a value.
pub(super) const GIVEN: [(&str, &str); 9] = [
    ("kernelver", KERNEL),
    ("kernel_source_dir", KERNEL_DIR),
    ("kernel_config", "\u{e001}/.config"),
    ("dkms_tree", TREE),
    ("arch", ARCH),
    ("parallel_jobs", JOBS),
    ("source_tree", "/usr/src"),
    ("module", MODULE),
    ("module_version", VERSION),
];

/// The variables that dkms takes out of a file, in its order; all others are gone when it reads the values again.
const DIRECTIVES: [&str; 33] = [
    "CLEAN",
    "PACKAGE_NAME",
    "PACKAGE_VERSION",
    "POST_ADD",
    "POST_BUILD",
    "POST_INSTALL",
    "POST_REMOVE",
    "PRE_BUILD",
    "PRE_INSTALL",
    "BUILD_DEPENDS",
    "BUILD_EXCLUSIVE_KERNEL",
    "BUILD_EXCLUSIVE_KERNEL_MIN",
    "BUILD_EXCLUSIVE_KERNEL_MAX",
    "BUILD_EXCLUSIVE_ARCH",
    "BUILD_EXCLUSIVE_CONFIG",
    "OBSOLETE_BY",
    "MAKE",
    "MAKE_MATCH",
    "PATCH",
    "PATCH_MATCH",
    "BUILT_MODULE_NAME",
    "BUILT_MODULE_LOCATION",
    "DEST_MODULE_NAME",
    "DEST_MODULE_LOCATION",
    "STRIP",
    "AUTOINSTALL",
    "NO_WEAK_MODULES",
    "SIGN_FILE",
    "REMAKE_INITRD",
    "MODULES_CONF",
    "MODULES_CONF_OBSOLETES",
    "MODULES_CONF_ALIAS_TYPE",
    "MODULES_CONF_OBSOLETE_ONLY",
];

/// The directives of one world, as dkms has them.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    directives: BTreeMap<&'static str, BTreeMap<usize, Value>>,
    /// The directives with elements that nobody knows, and the lines of them.
    pub lost: BTreeMap<&'static str, Vec<usize>>,
    /// Whether something that was not read may set further ones.
    pub open: bool,
    /// Values that dkms cannot read a second time: the directive, its index and its line.
    pub broken: Vec<(&'static str, usize, usize)>,
}

/// One module that a file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The number of its record.
    pub index: usize,
    /// The name without `.ko`; `None` where it is not known.
    pub name: Option<String>,
    /// The directory; `None` where it is not known.
    pub location: Option<String>,
    /// The line of its name.
    pub line: usize,
}

impl Reading {
    pub(super) fn new(world: &World, open: bool) -> Self {
        let mut reading = Self { open, ..Self::default() };
        for name in DIRECTIVES {
            let lost = world.variables.lost(name);
            if !lost.is_empty() {
                reading.lost.insert(name, lost);
            }
            for (index, value) in world.variables.elements(name) {
                let Some(text) = again(&reading, name, index, value) else {
                    reading.broken.push((name, index, value.line));
                    continue;
                };
                let value = Value { text, line: value.line };
                reading.directives.entry(name).or_default().insert(index, value);
            }
        }
        reading
    }

    /// The elements of a directive by index.
    pub fn elements(&self, name: &str) -> impl Iterator<Item = (usize, &Value)> {
        self.directives.get(name).into_iter().flatten().map(|(index, value)| (*index, value))
    }

    /// An element of a directive.
    #[must_use]
    pub fn get(&self, name: &str, index: usize) -> Option<&Value> {
        self.directives.get(name)?.get(&index)
    }

    /// The modules, in the order of their records.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let mut records: Vec<Record> = self
            .elements("BUILT_MODULE_NAME")
            .filter(|(_, value)| value.text.as_deref() != Some(""))
            .map(|(index, value)| self.record(index, value.text.clone(), value.line))
            .collect();
        let unread = |name: &&str| {
            self.lost.contains_key(name) || self.broken.iter().any(|(broken, ..)| broken == name)
        };
        let single = self.elements("DEST_MODULE_LOCATION").count() <= 1;
        if records.is_empty()
            && single
            && !self.open
            && !["BUILT_MODULE_NAME", "DEST_MODULE_LOCATION"].iter().any(unread)
        {
            let name = self.get("PACKAGE_NAME", 0);
            let text = name.and_then(|value| value.text.clone());
            records.push(self.record(0, text, name.map_or(0, |value| value.line)));
        }
        records
    }

    fn record(&self, index: usize, name: Option<String>, line: usize) -> Record {
        let location = match self.get("BUILT_MODULE_LOCATION", index) {
            Some(value) => value.text.clone(),
            None if self.lost.contains_key("BUILT_MODULE_LOCATION") => None,
            None => Some(String::new()),
        };
        let parts = |text: String| {
            text.split('/').filter(|part| !["", "."].contains(part)).collect::<Vec<_>>().join("/")
        };
        Record { index, name, location: location.map(parts), line }
    }
}

/// A value as dkms has it: it prints each into a file, in double quotes, and sources that. `None` where that fails.
fn again(reading: &Reading, name: &str, index: usize, value: &Value) -> Option<Option<String>> {
    let Some(text) = &value.text else { return Some(None) };
    let blank = |c: char| " \t\n".contains(c);
    let mut line = text.split(blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if text.starts_with(blank) {
        line.insert(0, ' ');
    }
    if text.ends_with(blank) && !line.ends_with(' ') {
        line.push(' ');
    }
    if !line.contains(['$', '`', '\\', '"']) {
        return Some(Some(line));
    }
    let mut given: Vec<(&str, &str)> = GIVEN.to_vec();
    for directive in DIRECTIVES {
        if let Some(Value { text: Some(text), .. }) = reading.get(directive, 0) {
            given.push((directive, text));
        }
    }
    shell::assigned(&format!("{name}[{index}]=\"{line}\""), name, index, &given)
}
