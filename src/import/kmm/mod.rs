//! A `Module` of the Kernel Module Management operator into a draft, with its mappings that can never do what they say.

mod left_over;
mod mappings;
mod signing;
#[cfg(test)]
mod tests;
mod words;
mod yaml;

use super::draft::{self, Draft, Image, Module, Output, Source};
use super::shell::Refusal;
use super::{dockerfile, matrix};
use crate::knowledge::profile::Profiles;
use crate::text::ids::{KernelText, KmodName, Repository};
use left_over::left_over;
use mappings::{Mapping, findings, mappings};
use serde_yaml_ng::Value;
use signing::{secrets, signing};
use std::collections::BTreeMap;
use yaml::{at, builds, documents, scalar, string, strings};

/// Makes a draft of a file with a Module in it, and perhaps the ConfigMap with its Dockerfile. `file` is its name for
/// messages.
///
/// # Errors
/// A text that is no YAML, or holds no Module.
pub fn import(text: &str, file: &str) -> Result<Draft, Refusal> {
    let template = "; it looks like a template: import what `helm template` prints";
    let refused = |Refusal(why)| Refusal(why + if text.contains("{{") { template } else { "" });
    of_documents(text, file).map_err(refused)
}

fn of_documents(text: &str, file: &str) -> Result<Draft, Refusal> {
    let documents = documents(text)?;
    let of = |kind: &str| {
        documents.iter().filter(|one| string(one, &["kind"]).as_deref() == Some(kind)).collect::<Vec<_>>()
    };
    let spokes: Vec<Value> = of("ManagedClusterModule").into_iter().filter_map(spoke).collect();
    let modules: Vec<&Value> = of("Module").into_iter().chain(&spokes).collect();
    let Some(module) = modules.first() else { return Err(Refusal("it holds no `kind: Module`".into())) };
    let container = ["spec", "moduleLoader", "container"];
    let container = at(module, &container)
        .ok_or_else(|| Refusal("its Module has no spec.moduleLoader.container".into()))?;
    let name = string(module, &["metadata", "name"]).unwrap_or_else(|| "driver".to_owned());
    let kmod = string(container, &["modprobe", "moduleName"]).or_else(|| raw(container));
    let kmod = kmod.unwrap_or_else(|| name.clone());
    let mappings = mappings(container);

    let maps = of("ConfigMap");
    let mut draft = built(&maps, container, file, &kmod)?;
    draft.head.insert(0, format!("Made from the Module {name} in {file}."));
    draft.project.name = draft::name(&name);
    if let Some(version) = at(container, &["version"]).and_then(scalar) {
        draft.project.version = Some(draft::literal(&version));
    }
    let outputs: Vec<String> =
        draft.modules.iter().flat_map(|module| &module.outputs).map(|output| output.file.clone()).collect();
    let mut say = |text: String| {
        draft.head.push(format!("{file}: {text}"));
        draft.warnings.push(format!("{file}: {text}"));
    };
    findings(&mappings, &mut say);
    let mut kmm = words::nodes(module, container, &mut say);
    kmm.extend(signing(container, &kmod, &mut say));
    secrets(&of("Secret"), container, &mut say);
    let arguments: Vec<String> =
        arguments(container).into_iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
    if !arguments.is_empty() {
        say(format!(
            "the values of the buildArgs `{}` are left out, and the Dockerfile's own stand: say them where they are used",
            arguments.join("`, `")
        ));
    }
    if let Some(other) = built_otherwise(&outputs, &kmod) {
        say(format!("moduleName `{kmod}` is not what the Dockerfile makes, `{other}`"));
    }
    if let Some(firmware) = string(container, &["modprobe", "firmwarePath"]) {
        say(format!("firmwarePath `{firmware}` is left out: say `firmware` in the image"));
    }
    left_over(module, "", &mut say);
    draft.kmm = Some(kmm);
    if modules.len() > 1 {
        let others = modules.iter().skip(1).filter_map(|one| string(one, &["metadata", "name"]));
        say(format!(
            "only the first Module of the file was imported: import `{}` from files of their own",
            others.collect::<Vec<_>>().join("`, `")
        ));
    }
    let profiles = Profiles::builtin();
    let literals = mappings.iter().filter_map(|one| one.literal.as_deref());
    draft.matrix.clear();
    for kernel in literals.filter(|kernel| KernelText::parse(kernel).is_ok()) {
        match matrix::home(kernel, None, None, &profiles) {
            Ok((name, release)) => matrix::put(&mut draft.matrix, name, release, kernel),
            Err((message, _)) => say(format!("{message}: put it into the matrix")),
        }
    }
    if let Some(image) = draft.images.first_mut() {
        image_of(image, container, &name, &kmod, &mut say);
        references(image, container, &mappings, &mut say);
    }
    Ok(draft)
}

/// The Module that KMM's hub makes of a ManagedClusterModule in each cluster.
fn spoke(managed: &Value) -> Option<Value> {
    let field = |path: &[&str]| at(managed, path).cloned().unwrap_or_default();
    let metadata =
        [("name", field(&["metadata", "name"])), ("namespace", field(&["spec", "spokeNamespace"]))];
    let mut spec = at(managed, &["spec", "moduleSpec"])?.as_mapping()?.clone();
    // It stays to be named.
    spec.insert("clusterSelector".into(), field(&["spec", "selector"]));
    spec.insert("jobNamespace".into(), field(&["spec", "jobNamespace"]));
    let metadata = metadata.into_iter().map(|(name, value)| (Value::from(name), value)).collect();
    let whole = [("metadata", Value::Mapping(metadata)), ("spec", Value::Mapping(spec))];
    Some(Value::Mapping(whole.into_iter().map(|(name, value)| (Value::from(name), value)).collect()))
}

/// The module that `rawArgs` load: the last word of them that can be one.
fn raw(container: &Value) -> Option<String> {
    let words = strings(at(container, &["modprobe", "rawArgs", "load"]));
    words.into_iter().rev().find(|word| !word.starts_with('-') && KmodName::parse(word).is_ok())
}

/// The arguments that builds are given, each with its value where all have the same.
fn arguments(container: &Value) -> BTreeMap<String, Option<String>> {
    let pairs = builds(container).filter_map(|build| at(build, &["buildArgs"]).and_then(Value::as_sequence));
    let mut found: BTreeMap<String, Option<String>> = BTreeMap::new();
    for pair in pairs.flatten() {
        let Some(name) = string(pair, &["name"]) else { continue };
        let plain =
            |value: &String| value.chars().all(|c| c.is_ascii_alphanumeric() || "._+-/:@,=~%".contains(c));
        let value = at(pair, &["value"]).and_then(scalar).filter(plain);
        found
            .entry(name)
            .and_modify(|known| *known = known.take().filter(|one| Some(one) == value.as_ref()))
            .or_insert(value);
    }
    found
}

/// A Dockerfile with the arguments in it that all builds give the same value.
fn given(text: &str, container: &Value) -> String {
    let arguments = arguments(container);
    let line = |line: &str| {
        let name =
            line.trim().strip_prefix("ARG ").map(|rest| rest.split('=').next().unwrap_or_default().trim());
        match name.and_then(|name| Some((name, arguments.get(name)?.as_ref()?))) {
            Some((name, value)) => format!("ARG {name}={value}\n"),
            None => format!("{line}\n"),
        }
    };
    text.lines().map(line).collect()
}

/// The draft of the Dockerfile that the Module is built by; without one, sources that are to be named.
fn built(maps: &[&Value], container: &Value, file: &str, kmod: &str) -> Result<Draft, Refusal> {
    let wanted = builds(container).find_map(|build| string(build, &["dockerfileConfigMap", "name"]));
    let known: Vec<String> = maps.iter().filter_map(|map| string(map, &["metadata", "name"])).collect();
    if let Some(wanted) = &wanted
        && let Some(map) = maps.iter().find(|map| string(map, &["metadata", "name"]).as_ref() == Some(wanted))
    {
        return match string(map, &["data", "dockerfile"]) {
            Some(text) => {
                let mut draft =
                    dockerfile::import(&given(&text, container), &format!("{wanted}/dockerfile"), kmod)?;
                called(&mut draft, kmod);
                Ok(draft)
            }
            None => Err(Refusal(format!("its ConfigMap `{wanted}` has no key `dockerfile`"))),
        };
    }
    if let Some(text) = builds(container).find_map(|build| string(build, &["dockerfile"])) {
        let mut draft = dockerfile::import(&given(&text, container), &format!("{file}/dockerfile"), kmod)?;
        called(&mut draft, kmod);
        return Ok(draft);
    }
    let mut draft = Draft::default();
    let text = match &wanted {
        Some(wanted) if !known.is_empty() => {
            format!(
                "the Module is built by the ConfigMap `{wanted}`, but this file has `{}`",
                known.join("`, `")
            )
        }
        Some(wanted) => format!(
            "the ConfigMap `{wanted}` with the Dockerfile is not in this file: import that Dockerfile too"
        ),
        None => "it does not say what the module is built from: say `git` or `path` in `source`".to_owned(),
    };
    draft.warn(file, 0, &text);
    let mut source = Source { name: "driver".to_owned(), notes: vec![text], ..Source::default() };
    source.origin = draft::Origin::path(".", vec!["drivers.kdl".to_owned()]);
    draft.sources.push(source);
    draft.modules.push(Module {
        name: draft::module_name(kmod),
        source: "driver".to_owned(),
        outputs: made(container, kmod),
        ..Module::default()
    });
    draft.images.push(Image { modules: vec![draft::module_name(kmod)], ..Image::default() });
    Ok(draft)
}

/// What a Module without a Dockerfile loads, and so must be made.
fn made(container: &Value, kmod: &str) -> Vec<Output> {
    let mut names = vec![kmod.to_owned()];
    let order = strings(at(container, &["modprobe", "modulesLoadingOrder"]));
    names.extend(order.into_iter().filter(|name| name != kmod && KmodName::parse(name).is_ok()));
    names.into_iter().map(|name| Output { file: format!("{name}.ko"), when: String::new() }).collect()
}

/// The Module says what its Dockerfile does not: the name of what is loaded.
fn called(draft: &mut Draft, kmod: &str) {
    let built = !draft.warnings.iter().any(|warning| warning.contains("nothing here builds"));
    if let [module] = draft.modules.as_mut_slice()
        && built
        && module.outputs.iter().all(|output| output.file == "*.ko")
    {
        module.name = draft::module_name(kmod);
        module.outputs = vec![Output { file: format!("{kmod}.ko"), when: String::new() }];
        module.notes.retain(|note| !note.contains("`.ko` files"));
        let names = vec![module.name.clone()];
        draft.images.iter_mut().for_each(|image| image.modules = names.clone());
    }
    draft.images.iter_mut().for_each(|image| image.notes.clear());
}

fn image_of(image: &mut Image, container: &Value, name: &str, kmod: &str, say: &mut impl FnMut(String)) {
    image.name = draft::name(name);
    if KmodName::parse(kmod).is_ok() {
        image.load = vec![kmod.to_owned()];
    }
    let parameters = strings(at(container, &["modprobe", "parameters"]));
    for flag in parameters.iter().filter(|one| !one.contains('=')) {
        say(format!("parameter `{flag}` is left out: `option` has a value for each"));
    }
    let named: Vec<(&str, &str)> = parameters.iter().filter_map(|one| one.split_once('=')).collect();
    for (key, value) in named.iter().filter(|(key, _)| KmodName::parse(key).is_err()) {
        say(format!("parameter `{key}={value}` is left out: `{key}` is no name of a module's parameter"));
    }
    let options: Vec<(String, String)> = named
        .into_iter()
        .filter(|(key, _)| KmodName::parse(key).is_ok())
        .map(|(key, value)| (key.to_owned(), draft::literal(value)))
        .collect();
    image.options = if options.is_empty() { Vec::new() } else { vec![(kmod.to_owned(), options)] };
    let mut replaces = strings(at(container, &["inTreeModulesToRemove"]));
    replaces.extend(string(container, &["inTreeModuleToRemove"]));
    image.replaces = replaces.into_iter().filter(|kmod| KmodName::parse(kmod).is_ok()).collect();
    // The first of the order is loaded last: each stands before what it needs.
    let order = strings(at(container, &["modprobe", "modulesLoadingOrder"]));
    for kmod in order.iter().filter(|one| KmodName::parse(one).is_ok()) {
        image.load.retain(|known| known != kmod);
    }
    let mut load: Vec<String> = order.into_iter().rev().filter(|one| KmodName::parse(one).is_ok()).collect();
    load.dedup();
    load.append(&mut image.load);
    image.load = load;
}

/// Where images are pushed, and what of that drvc does otherwise.
fn references(image: &mut Image, container: &Value, mappings: &[Mapping], say: &mut impl FnMut(String)) {
    let split = |text: &str| {
        // Of an image that is named by its digest the repository stays.
        let text = text.split_once('@').map_or(text, |(image, _)| image);
        let tagged = text.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
        let (repository, tag) = tagged.unwrap_or((text, ""));
        Repository::parse(repository).is_ok().then(|| (repository.to_owned(), tag.to_owned()))
    };
    let written =
        string(container, &["containerImage"]).or_else(|| mappings.iter().find_map(|one| one.image.clone()));
    let Some((repository, _)) = written.as_deref().and_then(split) else { return };
    let tags = mappings.iter().filter_map(|one| {
        let (own, tag) = split(one.image.as_deref()?)?;
        let kernel = one.literal.as_ref().map(|kernel| kernel.replace(['+', '~'], "_"));
        let tag = kernel.map_or_else(|| tag.clone(), |kernel| tag.replace(&kernel, "{kernel}"));
        let tag = mappings::VARIABLES.iter().fold(tag, |tag, variable| tag.replace(variable, "{kernel}"));
        (own == repository).then_some(tag)
    });
    let tags: Vec<String> = tags.collect();
    let same = tags.first().filter(|tag| tags.len() == mappings.len() && tags.iter().all(|one| one == *tag));
    let of_kernel = same.filter(|tag| tag.contains("{kernel}") && !tag.contains('$'));
    let tag = of_kernel.map_or("{kernel}", String::as_str);
    image.tag = Some(tag.to_owned()).filter(|tag| tag != "{kernel}");
    for one in mappings {
        let kernel = one.literal.as_deref().unwrap_or("${KERNEL_FULL_VERSION}");
        let wanted = format!("{repository}:{}", tag.replace("{kernel}", &kernel.replace(['+', '~'], "_")));
        let named = one.image.as_deref().map(|image| {
            mappings::VARIABLES.iter().fold(image.to_owned(), |image, name| image.replace(name, kernel))
        });
        if let Some(other) =
            named.filter(|named| named.replace(['+', '~'], "_") != wanted.replace(['+', '~'], "_"))
        {
            say(format!(
                "{}: the image `{other}` is pushed as `{wanted}` now: say `repository` and `tag`",
                one.shown()
            ));
        }
    }
    image.repository = Some(repository);
}

/// What is built, where the module that is loaded is none of it.
fn built_otherwise(outputs: &[String], kmod: &str) -> Option<String> {
    let names: Vec<String> =
        outputs.iter().map(|file| file.trim_end_matches(".ko").replace('-', "_")).collect();
    let unlike = !names.iter().any(|name| *name == kmod.replace('-', "_") || name.contains(['*', '?', '[']));
    (unlike && !names.is_empty()).then(|| outputs.join("`, `"))
}
