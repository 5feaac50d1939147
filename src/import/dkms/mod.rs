//! `dkms.conf` into a draft: what dkms would do for a kernel, said in the manifest.

mod build;
mod driver;
mod exclusive;
#[cfg(test)]
mod tests;

use super::draft::{self, Draft, Image, Module, Project};
use super::shell::{self, Condition, Evaluated, Refusal, Value};
use crate::text::ids::RelPath;

/// What stands in a value for what dkms knows only when it builds.
const KERNEL: &str = "\u{e000}";
const KERNEL_DIR: &str = "\u{e001}";
const TREE: &str = "\u{e002}";
const ARCH: &str = "\u{e003}";
/// The directory that is built in; it takes the place of everything that dkms calls it.
const SOURCE: &str = "\u{e004}";

/// Directives that ask for something on the host where dkms installs.
const OF_THE_HOST: [&str; 10] = [
    "MODULES_CONF",
    "MODULES_CONF_ALIAS_TYPE",
    "MODULES_CONF_OBSOLETES",
    "MODULES_CONF_OBSOLETE_ONLY",
    "OBSOLETE_BY",
    "POST_ADD",
    "POST_INSTALL",
    "POST_REMOVE",
    "PRE_INSTALL",
    "REMAKE_INITRD",
];

/// A dkms.conf on its way into a draft.
struct Importer<'a> {
    /// The file's name, for messages.
    file: &'a str,
    found: Evaluated,
    /// The same, as seen from the directory that is built in.
    conf: &'a str,
    name: String,
    version: String,
    draft: Draft,
    module: Module,
    image: Image,
}

/// Makes a draft of a dkms.conf. `file` is its name for messages; `dir` the directory of its sources, as seen from the
/// manifest.
///
/// # Errors
/// A file that cannot be read as shell text, or that names no package.
pub fn import(text: &str, file: &str, dir: &RelPath) -> Result<Draft, Refusal> {
    let given = [
        ("kernelver", KERNEL),
        ("kernel_source_dir", KERNEL_DIR),
        ("dkms_tree", TREE),
        ("arch", ARCH),
        ("source_tree", "/usr/src"),
    ];
    let found = shell::evaluate(text, &given)?;
    let of =
        |name: &str| found.variables.get(name, 0).and_then(|value| value.text.clone()).unwrap_or_default();
    let (name, version) = (of("PACKAGE_NAME"), of("PACKAGE_VERSION"));
    if name.is_empty() || shell::is_symbolic(&name) {
        return Err(Refusal("it has no PACKAGE_NAME that could be read".into()));
    }
    // dkms makes directories of both, so nobody has other characters in them; `#` and `@` are those of a version that is
    // put in when a package is made of the file.
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "._+~-:#@".contains(c));
    for (variable, value) in [("PACKAGE_NAME", &name), ("PACKAGE_VERSION", &version)] {
        if !plain(value) && (variable == "PACKAGE_NAME" || !shell::is_symbolic(value)) {
            let value = value.escape_default();
            return Err(Refusal(format!("its {variable}, `{value}`, cannot be the name of a directory")));
        }
    }
    let known = !version.is_empty() && !shell::is_symbolic(&version) && !version.contains(['#', '@']);
    let conf = file.strip_prefix(dir.as_str()).map_or(file, |rest| rest.trim_start_matches('/'));
    let mut importer = Importer {
        file,
        conf,
        draft: Draft {
            head: vec![format!("Made from {file} of {name} {version}.")],
            project: Project {
                name: name.clone(),
                version: known.then(|| draft::literal(&version)),
                ..Project::default()
            },
            ..Draft::default()
        },
        module: Module { name: draft::module_name(&name), source: "driver".to_owned(), ..Module::default() },
        image: Image { name: draft::name(&name), ..Image::default() },
        found,
        name,
        version,
    };
    if !known {
        importer.draft.warn(file, 0, "PACKAGE_VERSION is not known here: say `version` in `project`");
    }
    importer.source(dir);
    importer.outputs();
    importer.build();
    importer.exclusive();
    importer.strip();
    importer.left_out();
    let Importer { mut draft, module, mut image, .. } = importer;
    image.modules = vec![module.name.clone()];
    draft.modules = vec![module];
    draft.images = vec![image];
    Ok(draft)
}

impl Importer<'_> {
    /// The elements of a directive, by index.
    fn all(&self, name: &str) -> Vec<(usize, Value)> {
        let elements = self.found.variables.elements(name).map(|(index, value)| (index, value.clone()));
        elements.filter(|(_, value)| value.text.as_deref() != Some("")).collect()
    }

    fn text(&self, name: &str) -> Option<String> {
        self.found.variables.get(name, 0).and_then(|value| value.text.clone()).filter(|text| !text.is_empty())
    }

    /// A value with every name for the directory that is built in made one.
    fn place(&self, text: &str) -> String {
        let (name, version) = (&self.name, &self.version);
        [
            format!("{TREE}/{name}/{version}/build"),
            format!("/var/lib/dkms/{name}/{version}/build"),
            format!("/usr/src/{name}-{version}"),
        ]
        .iter()
        .fold(text.to_owned(), |text, known| text.replace(known.as_str(), SOURCE))
    }

    fn note_on_module(&mut self, line: usize, text: &str) {
        self.module.notes.push(format!("{}:{line}: {text}", self.file));
        self.draft.warn(self.file, line, text);
    }

    fn strip(&mut self) {
        if let Some((_, value)) = self
            .all("STRIP")
            .into_iter()
            .find(|(_, value)| value.text.as_deref().is_some_and(|text| text.starts_with(['n', 'N'])))
        {
            let text = "STRIP=no is left out: drvc takes debugging information out of every module";
            self.note_on_module(value.line, text);
        }
    }

    fn left_out(&mut self) {
        for name in OF_THE_HOST {
            if let Some((_, value)) = self.all(name).into_iter().next() {
                let text = format!("{name} is left out: it is about the host that dkms installs on");
                self.note_on_module(value.line, &text);
            }
        }
        for (_, value) in self.all("BUILD_DEPENDS") {
            let text = format!(
                "BUILD_DEPENDS is left out: import {} too, put it into this manifest, and write `needs` here",
                value.text.as_deref().unwrap_or("what it names")
            );
            self.note_on_module(value.line, &text);
        }
        for note in self.found.notes.clone() {
            self.note_on_module(note.line, &note.text);
        }
    }
}

fn conditions(conditions: &[Condition]) -> String {
    let all: Vec<String> = conditions.iter().map(ToString::to_string).collect();
    all.join(" and ").replace(KERNEL, "$kernelver").replace(KERNEL_DIR, "$kernel_source_dir")
}

fn when(conditions_of: &[Condition]) -> String {
    spaced(" where ", &conditions(conditions_of))
}

fn spaced(before: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{before}{text}") }
}
