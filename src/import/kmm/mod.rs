//! A `Module` of the Kernel Module Management operator into a draft, with its mappings that can never do what they say.

mod left_over;
mod mappings;
mod signing;
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
use yaml::{at, builds, documents, scalar, string, strings};

/// Makes a draft of a file with a Module in it, and perhaps the ConfigMap with its Dockerfile. `file` is its name for
/// messages.
///
/// # Errors
/// A text that is no YAML, or holds no Module.
pub fn import(text: &str, file: &str) -> Result<Draft, Refusal> {
    let documents = documents(text)?;
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
    let mut kmm = draft::Kmm {
        namespace: string(module, &["metadata", "namespace"]),
        pull_secret: string(module, &["spec", "imageRepoSecret", "name"]),
        service_account: string(module, &["spec", "moduleLoader", "serviceAccountName"]),
        ..draft::Kmm::default()
    };
    nodes(module, &mut kmm, &mut say);
    left_over(module, "", &mut say);
    draft.kmm = Some(kmm);
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

/// Labels and taints of the nodes.
fn nodes(module: &Value, kmm: &mut draft::Kmm, say: &mut impl FnMut(String)) {
    let labels = at(module, &["spec", "selector"]).and_then(Value::as_mapping).into_iter().flatten();
    for (label, value) in labels.filter_map(|(label, value)| Some((label.as_str()?, value))) {
        match scalar(value) {
            Some(value) => kmm.selector.push((label.to_owned(), value)),
            None => say(format!("spec.selector `{label}` is left out: its value is not a text")),
        }
    }
    let taints = at(module, &["spec", "tolerations"]).and_then(Value::as_sequence).into_iter().flatten();
    for taint in taints {
        let Some(key) = string(taint, &["key"]).filter(|key| !key.is_empty()) else {
            say("a toleration without a key is left out: say `toleration` for each taint".to_owned());
            continue;
        };
        let property = |name: &str| Some((name.to_owned(), string(taint, &[name])?));
        let properties = ["value", "effect"].iter().filter_map(|name| property(name)).collect();
        if let Some(seconds) = at(taint, &["tolerationSeconds"]).and_then(scalar) {
            say(format!(
                "tolerationSeconds `{seconds}` of the toleration `{key}` is left out: a Module of drvc has none"
            ));
        }
        kmm.tolerations.push((key, properties));
    }
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
                let mut draft = dockerfile::import(&text, &format!("{wanted}/dockerfile"), kmod)?;
                called(&mut draft, kmod);
                Ok(draft)
            }
            None => Err(Refusal(format!("its ConfigMap `{wanted}` has no key `dockerfile`"))),
        };
    }
    if let Some(text) = builds(container).find_map(|build| string(build, &["dockerfile"])) {
        let mut draft = dockerfile::import(&text, &format!("{file}/dockerfile"), kmod)?;
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
    source.origin = draft::Origin::Path { dir: ".".to_owned(), ignore: vec!["drivers.kdl".to_owned()] };
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

/// What is built, where the module that is loaded is none of it.
fn built_otherwise(outputs: &[String], kmod: &str) -> Option<String> {
    let names: Vec<String> =
        outputs.iter().map(|file| file.trim_end_matches(".ko").replace('-', "_")).collect();
    let unlike = !names.iter().any(|name| *name == kmod.replace('-', "_") || name.contains(['*', '?', '[']));
    (unlike && !names.is_empty()).then(|| outputs.join("`, `"))
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
            "git \"https://h.example/r\" ref=\"v1\"",
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
    fn every_field_is_taken_or_named() {
        let text = "kind: Module\nmetadata:\n  name: m\n  namespace: ns\n  labels: {a: b}\nspec:\n  selector: {role: gpu}\n  tolerations:\n  - {key: t, operator: Exists, effect: NoSchedule}\n  - {operator: Exists}\n  imageRepoSecret: {name: pull}\n  devicePlugin: {container: {image: x}}\n  moduleLoader:\n    serviceAccountName: sa\n    container:\n      version: '3'\n      registryTLS: {insecure: true}\n      modprobe:\n        moduleName: a\n        modulesLoadingOrder: [a, b]\n        rawArgs: {load: [x]}\n      kernelMappings:\n      - literal: 6.1.0-56-amd64\n        regexp: ''\n        containerImage: q.io/a/b:$KERNEL_FULL_VERSION\n        registryTLS: {insecure: true}\n      - regexp: '^6'\n        containerImage: q.io/a/b:$KERNEL_FULL_VERSION\n";
        let draft = import(text, "m.yaml").unwrap();
        let manifest = write(&draft);
        for expected in [
            "    load \"b\" \"a\"\n",
            "    output \"a.ko\" \"b.ko\"\n",
            "        namespace \"ns\"\n        selector role=\"gpu\"\n        toleration \"t\" effect=\"NoSchedule\"\n        pull-secret \"pull\"\n        service-account \"sa\"\n",
        ] {
            assert!(manifest.contains(expected), "{expected}\n{manifest}");
        }
        let warnings = draft.warnings.join("\n");
        for expected in [
            "metadata.labels is left out",
            "a toleration without a key",
            "spec.devicePlugin is left out: say it with `device-plugin` in `kmm`",
            "container.version `3` is left out: say it with `ordered-upgrades` in `kmm`",
            "container.registryTLS is left out",
            "modprobe.rawArgs is left out",
            "kernelMappings[0].registryTLS is left out",
        ] {
            assert!(warnings.contains(expected), "{expected}\n{warnings}");
        }
        assert!(!warnings.contains("never reached") && !warnings.contains("one image"), "{warnings}");
        let list = format!("kind: List\nitems:\n- {}", text.trim_end().replace('\n', "\n  "));
        assert_eq!(import(&list, "m.yaml").unwrap().warnings, draft.warnings);
    }

    #[test]
    fn hostile_yaml_is_refused_soon() {
        let aliases: String = (0..30).map(|n| format!("a{}: &a{} [*a{n}, *a{n}]\n", n + 1, n + 1)).collect();
        for text in [
            "{a: ".repeat(20_000),
            "[".repeat(500_000),
            "- ".repeat(300_000),
            format!("a0: &a0 x\n{aliases}"),
        ] {
            assert!(import(&text, "m.yaml").is_err());
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
