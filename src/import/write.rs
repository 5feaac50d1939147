//! A draft into the text of a manifest, in canonical layout.

use super::draft::{Build, Draft, Image, Module, Node, Origin, Os, Source, Step};
use crate::language::kdl::{is_forbidden, quote as quoted};
use crate::text::diag::clean::escape;
use std::fmt::Write as _;

const INDENT: &str = "    ";
/// Columns that a line has, where it can be broken.
const WIDTH: usize = 110;

/// Lines of a manifest, with braces counted.
struct Page {
    text: String,
    depth: usize,
}

impl Page {
    fn line(&mut self, line: &str) {
        if line.starts_with('}') {
            self.depth = self.depth.saturating_sub(1);
        }
        let indent = INDENT.repeat(self.depth);
        let _ = writeln!(self.text, "{indent}{line}");
        if line.ends_with('{') {
            self.depth += 1;
        }
    }

    fn notes(&mut self, notes: &[String]) {
        for note in notes.iter().flat_map(|note| note.lines()) {
            let harmless = |c: char| {
                if is_forbidden(c) || super::shell::is_symbolic(c.encode_utf8(&mut [0; 4])) { '?' } else { c }
            };
            let note: String = escape(note).chars().map(harmless).collect();
            self.line(format!("// {note}").trim_end());
        }
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn option(&mut self, node: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.line(&format!("{node} {}", quoted(value)));
        }
    }

    /// Values of a node that may stand several times: as many to a line as there is room for.
    fn list(&mut self, node: &str, values: &[String]) {
        let mut line = String::new();
        for value in values {
            let value = quoted(value);
            if !line.is_empty() && self.depth * INDENT.len() + line.len() + value.len() >= WIDTH {
                self.line(&std::mem::take(&mut line));
            }
            if line.is_empty() {
                line.push_str(node);
            }
            line.extend([" ", value.as_str()]);
        }
        if !line.is_empty() {
            self.line(&line);
        }
    }
}

/// The manifest's text.
#[must_use]
pub fn write(draft: &Draft) -> String {
    let mut page = Page { text: String::new(), depth: 0 };
    page.notes(&draft.head);
    if !draft.head.is_empty() {
        page.blank();
    }
    page.line("drvc edition=1");
    page.blank();
    project(&mut page, draft);
    draft.sources.iter().for_each(|one| source(&mut page, one));
    draft.modules.iter().for_each(|one| module(&mut page, one));
    draft.images.iter().for_each(|one| image(&mut page, one));
    draft.kmm.iter().for_each(|one| kmm(&mut page, one));
    page.line("matrix {");
    draft.matrix.iter().for_each(|one| os(&mut page, one));
    page.line("}");
    page.text
}

fn project(page: &mut Page, draft: &Draft) {
    let project = &draft.project;
    page.line(&format!("project {} {{", quoted(&project.name)));
    match &project.registry {
        Some(registry) => page.option("registry", Some(registry)),
        None => page.line(
            "// registry \"quay.io/NAMESPACE\"    where the images go; without it they stay on this machine",
        ),
    }
    page.option("version", project.version.as_deref());
    page.option("license", project.license.as_deref());
    page.option("url", project.url.as_deref());
    page.line("}");
    page.blank();
}

fn source(page: &mut Page, source: &Source) {
    page.line(&format!("source {} {{", quoted(&source.name)));
    page.notes(&source.notes);
    origin(page, &source.origin, "");
    if let Some(instead) = &source.instead {
        page.line("// instead, to build what was pushed:");
        origin(page, instead, "/-");
    }
    for (file, kernels) in &source.patches {
        let patch = format!("patch {}", quoted(file));
        if kernels.is_empty() {
            page.line(&patch);
        }
        for kernel in kernels {
            page.line(&format!("on kernel={} {{", quoted(kernel)));
            page.line(&patch);
            page.line("}");
        }
    }
    page.line("}");
    page.blank();
}

fn origin(page: &mut Page, origin: &Origin, before: &str) {
    match origin {
        Origin::Path { dir, ignore, include } if ignore.is_empty() && include.is_empty() => {
            page.line(&format!("{before}path {}", quoted(dir)))
        }
        Origin::Path { dir, ignore, include } => {
            page.line(&format!("{before}path {} {{", quoted(dir)));
            page.list("include", include);
            page.list("ignore", ignore);
            page.line("}");
        }
        Origin::Archive { url, strip } => {
            let strip = if *strip == 0 { String::new() } else { format!(" strip={strip}") };
            page.line(&format!("{before}archive {}{strip}", quoted(url)));
        }
        Origin::Git { url, reference, submodules, lfs } => {
            let reference = reference.as_ref().map(|(kind, name)| format!(" {kind}={}", quoted(name)));
            let line = format!("{before}git {}{}", quoted(url), reference.unwrap_or_default());
            let wanted: Vec<_> =
                [("submodules", submodules), ("lfs", lfs)].into_iter().filter(|(_, is)| **is).collect();
            if wanted.is_empty() {
                return page.line(&line);
            }
            page.line(&format!("{line} {{"));
            wanted.iter().for_each(|(name, _)| page.line(&format!("{name} #true")));
            page.line("}");
        }
    }
}

fn module(page: &mut Page, module: &Module) {
    page.line(&format!("module {} {{", quoted(&module.name)));
    page.notes(&module.notes);
    let dir = module.dir.as_ref().map(|dir| format!(" dir={}", quoted(dir))).unwrap_or_default();
    page.line(&format!("source {}{dir}", quoted(&module.source)));
    page.list("packages", &module.packages);
    if !module.env.is_empty() {
        page.line(&format!("env {}", pairs(&module.env)));
    }
    page.list("needs", &module.needs);
    page.list("requires-config", &module.requires_config);
    build(page, &module.build);
    for (kernel, way) in &module.builds {
        page.line(&format!("on kernel={} {{", quoted(kernel)));
        build(page, way);
        page.line("}");
    }
    let certain: Vec<String> = module
        .outputs
        .iter()
        .filter(|output| output.when.is_empty())
        .map(|output| output.file.clone())
        .collect();
    if certain != [format!("{}.ko", module.name)] || certain.len() != module.outputs.len() {
        page.list("output", &certain);
    }
    for output in module.outputs.iter().filter(|output| !output.when.is_empty()) {
        page.notes(&[format!("where {}:", output.when)]);
        page.line(&format!("output {} optional=#true", quoted(&output.file)));
    }
    page.line("}");
    page.blank();
}

fn build(page: &mut Page, build: &Build) {
    match build {
        Build::Kbuild => {}
        Build::Make { targets, variables } => {
            let targets = if targets.is_empty() { String::new() } else { format!(" {}", words(targets)) };
            let variables =
                if variables.is_empty() { String::new() } else { format!(" {}", pairs(variables)) };
            page.line(&format!("make{targets}{variables}"));
        }
        Build::Steps(steps) => {
            for step in steps {
                match step {
                    Step::Run(command) => page.line(&format!("run {}", words(command))),
                    Step::Script(text) => script(page, text),
                }
            }
        }
    }
}

/// A script as a text of several lines, raw where it has backslashes. As in other texts, a blank stands for a character
/// that no manifest may hold.
fn script(page: &mut Page, text: &str) {
    let text = &text.replace(is_forbidden, " ");
    let raw = text.contains('\\') || text.contains("\"\"\"");
    let hashes = if raw { "#" } else { "" };
    if text.contains("\"\"\"#") {
        page.line(&format!("script {}", quoted(text)));
        return;
    }
    page.line(&format!("script {hashes}\"\"\""));
    page.depth += 1;
    for line in text.lines() {
        if line.trim().is_empty() {
            page.blank();
        } else {
            let indent = INDENT.repeat(page.depth);
            let _ = writeln!(page.text, "{indent}{line}");
        }
    }
    page.line(&format!("\"\"\"{hashes}"));
    page.depth -= 1;
}

fn image(page: &mut Page, image: &Image) {
    page.line(&format!("image {} {{", quoted(&image.name)));
    page.notes(&image.notes);
    page.option("repository", image.repository.as_deref());
    page.option("tag", image.tag.as_deref());
    page.list("module", &image.modules);
    page.list("load", &image.load);
    for (kmod, options) in &image.options {
        page.line(&format!("option {} {}", quoted(kmod), pairs(options)));
    }
    page.list("replaces", &image.replaces);
    page.list("packages", &image.packages);
    for properties in &image.only {
        let properties: Vec<_> =
            properties.iter().map(|(key, value)| format!("{key}={}", quoted(value))).collect();
        page.line(&format!("only {}", properties.join(" ")));
    }
    page.line("}");
    page.blank();
}

fn kmm(page: &mut Page, kmm: &[Node]) {
    page.line("output {");
    nodes(page, &[Node { line: "kmm".to_owned(), block: kmm.to_vec() }]);
    page.line("}");
    page.blank();
}

fn nodes(page: &mut Page, all: &[Node]) {
    for node in all {
        if node.block.is_empty() {
            page.line(&node.line);
            continue;
        }
        page.line(&format!("{} {{", node.line));
        nodes(page, &node.block);
        page.line("}");
    }
}

fn os(page: &mut Page, os: &Os) {
    page.notes(&os.notes);
    page.line(&format!("os {} {} {{", quoted(&os.name), words(&os.releases)));
    page.list("kernel", &os.kernels);
    page.line("}");
}

pub(super) fn words(words: &[String]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

pub(super) fn pairs(pairs: &[(String, String)]) -> String {
    let plain = |key: &str| {
        key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let pair = |(key, value): &(String, String)| {
        let key = if plain(key) && !["true", "false", "null", "inf", "nan"].contains(&key.as_str()) {
            key.clone()
        } else {
            quoted(key)
        };
        format!("{key}={}", quoted(value))
    };
    pairs.iter().map(pair).collect::<Vec<_>>().join(" ")
}
