//! A `Module` of the Kernel Module Management operator into a draft, with its mappings that can never do what they say.

use super::draft::{self, Draft, Image, Module, Output, Source};
use super::shell::Refusal;
use super::{dockerfile, kernels, matrix};
use crate::knowledge::profile::Profiles;
use crate::text::ids::{KernelText, KmodName, Repository};
use serde_yaml_ng::{Deserializer, Value};
use std::collections::BTreeMap;

/// One of `kernelMappings`.
struct Mapping {
    /// Its place in the list, from 1.
    at: usize,
    literal: Option<String>,
    regexp: Option<String>,
    image: Option<String>,
}

impl Mapping {
    fn shown(&self) -> String {
        let what = self.literal.as_ref().or(self.regexp.as_ref()).map_or("", String::as_str);
        format!("kernelMappings[{}] `{what}`", self.at - 1)
    }
}

/// Makes a draft of a file with a Module in it, and perhaps the ConfigMap with its Dockerfile. `file` is its name for
/// messages.
///
/// # Errors
/// A text that is no YAML, or holds no Module.
pub fn import(text: &str, file: &str) -> Result<Draft, Refusal> {
    use serde::Deserialize as _;
    let mut documents = Vec::new();
    for document in Deserializer::from_str(text) {
        documents
            .push(Value::deserialize(document).map_err(|error| Refusal(format!("it is no YAML: {error}")))?);
    }
    let of = |kind: &str| {
        documents.iter().filter(|one| string(one, &["kind"]).as_deref() == Some(kind)).collect::<Vec<_>>()
    };
    let modules = of("Module");
    let Some(module) = modules.first() else { return Err(Refusal("it holds no `kind: Module`".into())) };
    let container = ["spec", "moduleLoader", "container"];
    let container = at(module, &container)
        .ok_or_else(|| Refusal("its Module has no spec.moduleLoader.container".into()))?;
    let name = string(module, &["metadata", "name"]).unwrap_or_else(|| "driver".to_owned());
    let kmod = string(container, &["modprobe", "moduleName"]).unwrap_or_else(|| name.clone());
    let mappings = mappings(container);

    let maps = of("ConfigMap");
    let mut draft = built(&maps, container, file, &kmod)?;
    draft.head.insert(0, format!("Made from the Module {name} in {file}."));
    draft.project.name = draft::name(&name);
    let outputs: Vec<String> =
        draft.modules.iter().flat_map(|module| &module.outputs).map(|output| output.file.clone()).collect();
    let mut say = |text: String| {
        draft.head.push(format!("{file}: {text}"));
        draft.warnings.push(format!("{file}: {text}"));
    };
    findings(&mappings, &mut say);
    signing(container, &kmod, &mut say);
    secrets(&of("Secret"), container, &mut say);
    if let Some(build) = builds(container).find(|build| at(build, &["buildArgs"]).is_some()) {
        let pairs = at(build, &["buildArgs"]).and_then(Value::as_sequence).into_iter().flatten();
        let names: Vec<String> = pairs.filter_map(|pair| string(pair, &["name"])).collect();
        say(format!(
            "the buildArgs `{}` are left out: say their values where they are used",
            names.join("`, `")
        ));
    }
    if builds(container).any(|build| at(build, &["secrets"]).is_some()) {
        say("the secrets of `build` are left out: drvc asks for those that it needs by itself".to_owned());
    }
    if let Some(other) = built_otherwise(&outputs, &kmod) {
        say(format!("moduleName `{kmod}` is not what the Dockerfile makes, `{other}`"));
    }
    if let Some(firmware) = string(container, &["modprobe", "firmwarePath"]) {
        say(format!("firmwarePath `{firmware}` is left out: say `firmware` in the image"));
    }
    if modules.len() > 1 {
        say("only the first Module of the file was imported".to_owned());
    }
    let literals: Vec<String> = mappings
        .iter()
        .filter_map(|one| one.literal.clone())
        .filter(|kernel| KernelText::parse(kernel).is_ok())
        .collect();
    match matrix::of(&literals, None, &Profiles::builtin()) {
        Ok(nodes) => draft.matrix = nodes,
        Err((message, _)) => {
            draft.head.push(format!("{file}: {message}: put it into the matrix"));
            draft.warnings.push(format!("{file}: {message}: put it into the matrix"));
        }
    }
    if let Some(image) = draft.images.first_mut() {
        image_of(image, container, &mappings, &name, &kmod);
    }
    Ok(draft)
}

/// The draft of the Dockerfile that the Module is built by; without one, sources that are to be named.
fn built(maps: &[&Value], container: &Value, file: &str, kmod: &str) -> Result<Draft, Refusal> {
    let wanted = builds(container).find_map(|build| string(build, &["dockerfileConfigMap", "name"]));
    let known: Vec<String> = maps.iter().filter_map(|map| string(map, &["metadata", "name"])).collect();
    if let Some(wanted) = &wanted
        && let Some(map) = maps.iter().find(|map| string(map, &["metadata", "name"]).as_ref() == Some(wanted))
    {
        return match string(map, &["data", "dockerfile"]) {
            Some(text) => dockerfile::import(&text, &format!("{wanted}/dockerfile"), kmod),
            None => Err(Refusal(format!("its ConfigMap `{wanted}` has no key `dockerfile`"))),
        };
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
    source.origin = draft::Origin::Path { dir: ".".to_owned(), ignore: vec!["drivers.kdl".to_owned()] };
    draft.sources.push(source);
    draft.modules.push(Module {
        name: draft::module_name(kmod),
        source: "driver".to_owned(),
        outputs: vec![Output { file: format!("{kmod}.ko"), when: String::new() }],
        ..Module::default()
    });
    draft.images.push(Image { modules: vec![draft::module_name(kmod)], ..Image::default() });
    Ok(draft)
}

fn image_of(image: &mut Image, container: &Value, mappings: &[Mapping], name: &str, kmod: &str) {
    image.name = draft::name(name);
    if KmodName::parse(kmod).is_ok() {
        image.load = vec![kmod.to_owned()];
    }
    let written =
        string(container, &["containerImage"]).or_else(|| mappings.iter().find_map(|one| one.image.clone()));
    let repository = written
        .as_deref()
        .and_then(|image| image.rsplit_once(':'))
        .map(|(repository, _)| repository.to_owned());
    image.repository = repository.filter(|text| Repository::parse(text).is_ok());
    let parameters = strings(at(container, &["modprobe", "parameters"]));
    let options: Vec<(String, String)> = parameters
        .iter()
        .filter_map(|one| one.split_once('='))
        .map(|(key, value)| (key.to_owned(), draft::literal(value)))
        .collect();
    image.options = if options.is_empty() { Vec::new() } else { vec![(kmod.to_owned(), options)] };
    let mut replaces = strings(at(container, &["inTreeModulesToRemove"]));
    replaces.extend(string(container, &["inTreeModuleToRemove"]));
    image.replaces = replaces.into_iter().filter(|kmod| KmodName::parse(kmod).is_ok()).collect();
    let order = strings(at(container, &["modprobe", "modulesLoadingOrder"]));
    if !order.is_empty() {
        image.notes.push(format!(
            "modulesLoadingOrder was {}: add a `softdep` where these do not depend on each other.",
            order.join(", ")
        ));
    }
}

/// Mappings that never apply, or whose images take each other's place.
fn findings(mappings: &[Mapping], say: &mut impl FnMut(String)) {
    let mut tags: BTreeMap<String, &Mapping> = BTreeMap::new();
    for (index, one) in mappings.iter().enumerate() {
        if one.regexp.as_deref().is_some_and(|regexp| !kernels::can_match(regexp)) {
            say(format!("{} can never match the name of a kernel", one.shown()));
        }
        let before = mappings.iter().take(index);
        if let Some(first) = before.clone().find(|first| covers(first, one)) {
            say(format!("{} is never reached: {} matches first", one.shown(), first.shown()));
        }
        let Some(image) = &one.image else { continue };
        if one.regexp.is_some() && !image.contains("${") {
            say(format!("{} gives all its kernels one image, `{image}`", one.shown()));
        }
        let kernel = one.literal.as_deref().unwrap_or("${KERNEL_FULL_VERSION}");
        let tag = image
            .replace("${KERNEL_FULL_VERSION}", kernel)
            .replace("${KERNEL_VERSION}", kernel)
            .replace('+', "_");
        if let Some(first) = tags.insert(tag.clone(), one)
            && one.literal.is_some()
            && first.literal != one.literal
        {
            say(format!("{} and {} have the same image, `{tag}`", first.shown(), one.shown()));
        }
    }
}

fn covers(first: &Mapping, later: &Mapping) -> bool {
    match (&first.literal, &first.regexp, &later.literal, &later.regexp) {
        (Some(first), _, Some(later), _) => first == later,
        (None, Some(first), Some(later), _) => {
            regex::Regex::new(first).is_ok_and(|first| first.is_match(later))
        }
        (None, Some(first), None, Some(later)) => {
            first == later
                || kernels::selectors(first)
                    .is_some_and(|selectors| selectors.is_empty() || selectors == ["?*"])
        }
        _ => false,
    }
}

fn signing(container: &Value, kmod: &str, say: &mut impl FnMut(String)) {
    let mapped = at(container, &["kernelMappings"]).and_then(Value::as_sequence).into_iter().flatten();
    let signs: Vec<&Value> =
        at(container, &["sign"]).into_iter().chain(mapped.filter_map(|one| at(one, &["sign"]))).collect();
    if signs.is_empty() {
        return;
    }
    say("`sign` is left out: say `signing` with the key as a build secret".to_owned());
    for file in signs.iter().flat_map(|sign| strings(at(sign, &["filesToSign"]))) {
        if !file.contains("${KERNEL") && file.contains("/lib/modules/") {
            say(format!("filesToSign `{file}` names one kernel for all"));
        }
        let signed = file.rsplit('/').next().unwrap_or_default().trim_end_matches(".ko").replace('-', "_");
        if signed != kmod.replace('-', "_") && !signed.contains('*') {
            say(format!("filesToSign `{file}` is not the module that is loaded, `{kmod}`"));
        }
    }
}

/// Every `build`: that of the container, and those of its mappings.
fn builds(container: &Value) -> impl Iterator<Item = &Value> {
    let mapped = at(container, &["kernelMappings"]).and_then(Value::as_sequence).into_iter().flatten();
    at(container, &["build"]).into_iter().chain(mapped.filter_map(|one| at(one, &["build"])))
}

/// Secrets of the same file without the key that KMM reads in them.
fn secrets(all: &[&Value], container: &Value, say: &mut impl FnMut(String)) {
    let mapped = at(container, &["kernelMappings"]).and_then(Value::as_sequence).into_iter().flatten();
    let signs = at(container, &["sign"]).into_iter().chain(mapped.filter_map(|one| at(one, &["sign"])));
    for sign in signs {
        for (field, key) in [("certSecret", "cert"), ("keySecret", "key")] {
            let Some(name) = string(sign, &[field, "name"]) else { continue };
            let secret = all.iter().find(|one| string(one, &["metadata", "name"]).as_ref() == Some(&name));
            let has =
                |secret: &Value| ["data", "stringData"].iter().any(|data| at(secret, &[data, key]).is_some());
            if secret.is_some_and(|secret| !has(secret)) {
                say(format!("the Secret `{name}` of {field} has no key `{key}`"));
            }
        }
    }
}

/// What is built, where the module that is loaded is none of it.
fn built_otherwise(outputs: &[String], kmod: &str) -> Option<String> {
    let names: Vec<String> =
        outputs.iter().map(|file| file.trim_end_matches(".ko").replace('-', "_")).collect();
    let unlike = !names.iter().any(|name| *name == kmod.replace('-', "_") || name.contains(['*', '?']));
    (unlike && !names.is_empty()).then(|| outputs.join("`, `"))
}

fn mappings(container: &Value) -> Vec<Mapping> {
    let all = at(container, &["kernelMappings"])
        .and_then(Value::as_sequence)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let default = string(container, &["containerImage"]);
    let mapping = |(index, one): (usize, &Value)| Mapping {
        at: index + 1,
        literal: string(one, &["literal"]),
        regexp: string(one, &["regexp"]),
        image: string(one, &["containerImage"]).or_else(|| default.clone()),
    };
    all.iter().enumerate().map(mapping).collect()
}

fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, key| value.get(*key))
}

fn string(value: &Value, path: &[&str]) -> Option<String> {
    at(value, path)?.as_str().map(str::to_owned)
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let all = value.and_then(Value::as_sequence).map(Vec::as_slice).unwrap_or_default();
    all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::write;

    fn imported(mappings: &str, more: &str) -> (String, Vec<String>) {
        let text = format!(
            "apiVersion: kmm.sigs.x-k8s.io/v1beta1\nkind: Module\nmetadata:\n  name: kmm-ci\nspec:\n  moduleLoader:\n    container:\n      containerImage: quay.io/a/b:${{KERNEL_FULL_VERSION}}\n      modprobe:\n        moduleName: kmm_ci_a\n        parameters: [x=1]\n      inTreeModulesToRemove: [old]\n      build:\n        dockerfileConfigMap:\n          name: build-map\n      kernelMappings:\n{mappings}{more}"
        );
        let mut draft = import(&text, "kmm.yaml").unwrap();
        if draft.matrix.is_empty() {
            draft.matrix = matrix::examples().remove(0);
        }
        (write(&draft), draft.warnings)
    }

    const MAP: &str = "---\nkind: ConfigMap\nmetadata:\n  name: build-map\ndata:\n  dockerfile: |\n    FROM a\n    ARG KERNEL_FULL_VERSION\n    RUN git clone -b v1 https://h.example/r\n    RUN cd r && make KVER=${KERNEL_FULL_VERSION}\n";

    #[test]
    fn a_module_becomes_a_manifest() {
        let (manifest, warnings) = imported("      - literal: 6.1.0-56-amd64\n", MAP);
        assert_eq!(warnings, Vec::<String>::new());
        for expected in [
            "git \"https://h.example/r\" branch=\"v1\"",
            "make KVER=\"{kernel}\"",
            "image \"kmm-ci\" {",
            "    repository \"quay.io/a/b\"\n",
            "    load \"kmm_ci_a\"\n    option \"kmm_ci_a\" x=\"1\"\n    replaces \"old\"\n",
            "    os \"debian\" \"12\" {\n        kernel \"6.1.0-56-amd64\"\n",
        ] {
            assert!(manifest.contains(expected), "{expected}\n{manifest}");
        }
    }

    #[test]
    fn mappings_that_cannot_apply_are_named() {
        let cases = [
            (
                "      - regexp: '^.+\\fc37\\.x86_64$'\n",
                "kernelMappings[0] `^.+\\fc37\\.x86_64$` can never match the name of a kernel",
            ),
            ("      - regexp: '(('\n", "kernelMappings[0] `((` can never match the name of a kernel"),
            (
                "      - regexp: '^.+$'\n      - literal: 6.1.0-56-amd64\n",
                "kernelMappings[1] `6.1.0-56-amd64` is never reached: kernelMappings[0] `^.+$` matches first",
            ),
            (
                "      - regexp: '^.+$'\n      - regexp: '^.+el9.*$'\n",
                "kernelMappings[1] `^.+el9.*$` is never reached: kernelMappings[0] `^.+$` matches first",
            ),
            (
                "      - literal: 6.12.1+deb13-amd64\n      - literal: 6.12.1_deb13-amd64\n",
                "kernelMappings[0] `6.12.1+deb13-amd64` and kernelMappings[1] `6.12.1_deb13-amd64` have the same image, `quay.io/a/b:6.12.1_deb13-amd64`",
            ),
            (
                "      - regexp: '^.+$'\n        containerImage: quay.io/a/b:latest\n",
                "kernelMappings[0] `^.+$` gives all its kernels one image, `quay.io/a/b:latest`",
            ),
            (
                "      - regexp: '^.+$'\n        sign:\n          filesToSign: [/opt/lib/modules/5.14.0-1/x.ko]\n",
                "filesToSign `/opt/lib/modules/5.14.0-1/x.ko` names one kernel for all",
            ),
        ];
        for (mappings, expected) in cases {
            let (_, warnings) = imported(mappings, MAP);
            assert!(warnings.contains(&format!("kmm.yaml: {expected}")), "{mappings}\n{warnings:#?}");
        }
        let copied = MAP.to_owned() + "    COPY --from=a /r/other.ko /opt/\n";
        let secret = "---\nkind: Secret\nmetadata:\n  name: s\ndata:\n  key: eA==\n";
        let signed = "      - regexp: '^.+$'\n        sign:\n          certSecret:\n            name: s\n";
        let given = "      - regexp: '^.+$'\n        build:\n          buildArgs:\n            - name: A\n              value: b\n";
        for (mappings, more, expected) in [
            (given, MAP, "the buildArgs `A` are left out: say their values where they are used"),
            (
                "      - regexp: '^.+$'\n",
                copied.as_str(),
                "moduleName `kmm_ci_a` is not what the Dockerfile makes, `other.ko`",
            ),
            (signed, &format!("{MAP}{secret}"), "the Secret `s` of certSecret has no key `cert`"),
        ] {
            let (_, warnings) = imported(mappings, more);
            assert!(warnings.contains(&format!("kmm.yaml: {expected}")), "{mappings}\n{warnings:#?}");
        }
        let (_, warnings) = imported("      - regexp: '^.+$'\n", &MAP.replace("build-map", "other-map"));
        assert_eq!(
            warnings,
            ["kmm.yaml: the Module is built by the ConfigMap `build-map`, but this file has `other-map`"]
        );
        assert!(import("a: [", "x").is_err() && import("kind: Pod", "x").is_err());
    }
}
