//! `output { bake }`: targets as `docker buildx bake` builds them, in files small enough for it.

use super::pipeline::variable;
use super::{Files, Inputs};
use crate::compiler::keys;
use crate::compiler::model::{Bake, Template, Variable};
use crate::compiler::outputs::{PlanJson, PlanSecret, PlanTarget, PlanToolkit};
use crate::compiler::plan::{ImageStage, Node, TOOLKITS, Target};
use crate::text::ids::Arch;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The most targets of one file: bake takes quadratic time in them.
const MOST: usize = 200;

/// One file for each image and release; several where a release has very many kernels.
pub(super) fn files(inputs: &Inputs<'_>, settings: &Bake, files: &mut Files) {
    let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for target in &inputs.json.targets {
        let group = format!("bake/{}/{}-{}", target.image, target.os, target.release);
        groups.entry(group).or_default().insert(target.id.clone());
    }
    for (path, ids) in groups {
        let ids: Vec<String> = ids.into_iter().collect();
        for (at, part) in ids.chunks(MOST).enumerate() {
            let number = if at == 0 { String::new() } else { format!(".{}", at + 1) };
            let value = bake(inputs, settings, &part.iter().cloned().collect());
            files.insert(&format!("{path}{number}.json"), pretty(&value));
        }
    }
}

/// As a file: an object whose opening brace ends its line.
fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

/// The targets of these ids and the toolkits that they stand on, in groups by image and by release; toolkits have a group of
/// their own, by which they can be pushed alone.
#[must_use]
pub fn bake(inputs: &Inputs<'_>, settings: &Bake, wanted: &BTreeSet<String>) -> Value {
    let targets: Vec<_> = inputs.json.targets.iter().filter(|target| wanted.contains(&target.id)).collect();
    let here: BTreeSet<_> = targets.iter().map(|target| target.id.as_str()).collect();
    let needed: BTreeSet<_> = targets.iter().filter_map(|target| target.toolkit.as_deref()).collect();
    let toolkits: Vec<_> =
        inputs.json.toolkits.iter().filter(|toolkit| needed.contains(toolkit.id.as_str())).collect();
    let ids = toolkits
        .iter()
        .map(|toolkit| toolkit.id.as_str())
        .chain(targets.iter().map(|target| target.id.as_str()));
    let names = names(ids);
    let name = |id: &str| names.get(id).cloned().unwrap_or_default();

    let mut all = Map::new();
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for toolkit in &toolkits {
        groups.entry(TOOLKITS.into()).or_default().push(name(&toolkit.id));
        all.insert(name(&toolkit.id), toolkit_value(inputs, toolkit));
    }
    for target in targets {
        let name = name(&target.id);
        for group in
            ["default".into(), word(&target.image), word(&format!("{}-{}", target.os, target.release))]
        {
            groups.entry(group).or_default().push(name.clone());
        }
        let toolkit = toolkits.iter().find(|toolkit| target.toolkit.as_ref() == Some(&toolkit.id));
        let made_here = |reference: &str, id: &str| {
            let made = format!("target:{}", names.get(id).cloned().unwrap_or_default());
            (familiar(reference).to_owned(), Value::from(made))
        };
        let toolkit = toolkit.map(|toolkit| made_here(&toolkit.reference, &toolkit.id));
        // What is not in this file comes from the registry.
        let first = target.reuse.as_ref().and_then(|reuse| {
            let first = reuse.first.as_deref().filter(|first| here.contains(first))?;
            Some(made_here(reuse.reference.as_deref()?, first))
        });
        let below: Map<_, _> = toolkit.into_iter().chain(first).collect();
        all.insert(name, target_value(inputs, settings, target, below));
    }
    // A target of the same name as a group would hide it.
    groups.retain(|group, _| !all.contains_key(group));
    let groups: Map<_, _> =
        groups.into_iter().map(|(name, targets)| (name, json!({ "targets": targets }))).collect();
    json!({ "group": groups, "target": all })
}

fn target_value(
    inputs: &Inputs<'_>,
    settings: &Bake,
    target: &PlanTarget,
    below: Map<String, Value>,
) -> Value {
    let at = inputs.plan.targets.binary_search_by(|planned| planned.id.as_str().cmp(&target.id));
    let planned = at.ok().and_then(|at| inputs.plan.targets.get(at));
    let cache = |templates: &[Template]| -> Vec<String> {
        let values = |target| templates.iter().map(move |template| literal(&value(inputs, target, template)));
        planned.into_iter().flat_map(values).collect()
    };
    let labels = planned.and_then(|planned| image(inputs, planned)).map(|image| &image.labels);
    let labels = labels.into_iter().flatten().map(|(key, text)| (key.clone(), Value::from(literal(text))));
    let mut value = common(inputs, &target.dockerfile, &target.arch, &target.secrets);
    if !below.is_empty() {
        value.insert("contexts".into(), Value::Object(below));
    }
    value.insert("tags".into(), json!(target.tags));
    let key = (keys::LABEL.to_owned(), Value::from(target.key.as_str()));
    value.insert("labels".into(), Value::Object(labels.chain([key]).collect()));
    for (key, caches) in
        [("cache-from", cache(&settings.cache_from)), ("cache-to", cache(&settings.cache_to))]
    {
        if !caches.is_empty() {
            value.insert(key.into(), json!(caches));
        }
    }
    Value::Object(value)
}

fn toolkit_value(inputs: &Inputs<'_>, toolkit: &PlanToolkit) -> Value {
    let mut value = common(inputs, &toolkit.dockerfile, &toolkit.arch, &toolkit.secrets);
    value.insert("tags".into(), json!([toolkit.reference]));
    value.insert("labels".into(), json!({ keys::LABEL: toolkit.key }));
    Value::Object(value)
}

/// What toolkits and targets have in common. Paths begin at the manifest's directory, where bake is to be started.
fn common(inputs: &Inputs<'_>, dockerfile: &str, arch: &str, secrets: &[PlanSecret]) -> Map<String, Value> {
    let platform = Arch::parse(arch).map_or(arch, |arch| arch.oci());
    let mut value = Map::new();
    value.insert("context".into(), json!("."));
    value.insert("dockerfile".into(), json!(format!("{}/{dockerfile}", inputs.out)));
    value.insert("platforms".into(), json!([format!("linux/{platform}")]));
    if !secrets.is_empty() {
        let secrets =
            secrets.iter().map(|secret| format!("id={},env={}", secret.id, variable(&[&secret.id])));
        value.insert("secret".into(), json!(secrets.collect::<Vec<_>>()));
    }
    value
}

fn image<'p>(inputs: &Inputs<'p>, target: &Target) -> Option<&'p ImageStage> {
    match inputs.plan.graph.node(target.root) {
        Node::Image(image) => Some(image),
        _ => None,
    }
}

/// A text with the values that its variables have for a target.
fn value(inputs: &Inputs<'_>, target: &Target, template: &Template) -> String {
    let project = &inputs.model.project;
    template.evaluate(|variable| {
        Cow::Borrowed(match variable {
            Variable::Kernel => target.at.kernel.as_str(),
            Variable::Arch => target.at.arch.name(),
            Variable::Os => target.at.os.as_str(),
            Variable::Release => target.at.release.as_str(),
            Variable::Flavor => target.at.flavor.as_str(),
            Variable::Image => target.image.as_str(),
            Variable::Registry => project.registry.as_ref().map_or("", |registry| registry.as_str()),
            Variable::Version => project.version.as_deref().unwrap_or_default(),
            _ => "",
        })
    })
}

/// Bake puts variables into texts, as HCL does, also in JSON.
fn literal(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

/// The name of each target in its file: bake takes A-Z a-z 0-9 _ and -. Ids that become one name get a number.
fn names<'p>(ids: impl Iterator<Item = &'p str>) -> BTreeMap<&'p str, String> {
    let mut names = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for id in ids {
        let name = word(id);
        let numbers = (2..).map(|number| format!("{name}_{number}"));
        let free = std::iter::once(name.clone()).chain(numbers).find(|name| !taken.contains(name));
        let free = free.unwrap_or(name);
        taken.insert(free.clone());
        names.insert(id, free);
    }
    names
}

/// The name under which BuildKit looks for a context when it comes to a `FROM`: without what Docker takes for granted. Bake
/// hands over names as they are.
fn familiar(reference: &str) -> &str {
    let short = reference.strip_prefix("docker.io/").unwrap_or(reference);
    if short.len() < reference.len() { short.strip_prefix("library/").unwrap_or(short) } else { reference }
}

fn word(text: &str) -> String {
    let word: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    word.trim_start_matches('_').to_owned()
}

/// For `drvc matrix --format bake`, without a file.
impl PlanJson {
    /// The ids of all targets.
    #[must_use]
    pub fn ids(&self) -> BTreeSet<String> {
        self.targets.iter().map(|target| target.id.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bakes_and_stay_apart() {
        let names = names(["_toolkit/a/6.1+x", "a/b-1.2/6.1+x", "a/b-1.2/6.1.x"].into_iter());
        let names: Vec<_> = names.into_values().collect();
        assert_eq!(names, ["toolkit_a_6_1_x", "a_b-1_2_6_1_x", "a_b-1_2_6_1_x_2"]);
        assert_eq!(familiar("docker.io/me/kit:1"), "me/kit:1");
        assert_eq!(familiar("docker.io/library/kit:1"), "kit:1");
        assert_eq!(familiar("quay.io/library/kit:1"), "quay.io/library/kit:1");
        assert_eq!(literal("${a} %{b} $c"), "$${a} %%{b} $c");
    }
}
