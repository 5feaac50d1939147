//! `output { kmm }`: a Module of the Kernel Module Management operator for each image.

use super::mapping::{Mapping, mapping, reference, stage, unmapped};
use super::{Files, Inputs, dockerfile, header, stream, yaml};
use crate::compiler::model::{DevicePlugin, Kmm, KmmBuild, KmmSign};
use crate::compiler::plan::{ModuleStage, Node, Target};
use crate::knowledge::profile::Builder;
use crate::language::syntax::ast::Tls;
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{ImageRef, KmodName};
use crate::text::source::Span;
use base64::Engine as _;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The Module of each image, with what it refers to.
pub(super) fn files(inputs: &Inputs<'_>, settings: &Kmm, files: &mut Files) {
    for image in &inputs.model.images {
        let (name, span) = (&image.layers.name, image.layers.span);
        let targets: Vec<_> = inputs.plan.targets.iter().filter(|target| target.image == *name).collect();
        let Some(mapping) = mapping(inputs, settings, targets, span, files) else { continue };
        let resources = Resources { inputs, settings, name: name.as_str(), span };
        let mut documents = Vec::new();
        let streams = resources.streams(&mapping, files);
        documents.extend(streams.iter().map(|stream| resources.config_map(stream)));
        documents.push(resources.module(&mapping, &streams, files));
        documents.extend(
            settings.machine_config.as_ref().and_then(|role| resources.machine_config(role, &mapping)),
        );
        let header = header(inputs.manifest, "`kubectl apply -f` it.");
        files.insert(&format!("kmm/{name}.yaml"), yaml::documents(&header, &documents));
    }
}

/// The resources of one image.
struct Resources<'a> {
    inputs: &'a Inputs<'a>,
    settings: &'a Kmm,
    name: &'a str,
    span: Span,
}

/// Kernels that one Dockerfile is for.
struct Stream<'t> {
    /// The name of its ConfigMap.
    name: String,
    text: String,
    targets: Vec<&'t Target>,
}

impl Resources<'_> {
    fn metadata(&self, name: &str) -> Value {
        match &self.settings.namespace {
            Some(namespace) => json!({ "name": name, "namespace": namespace }),
            None => json!({ "name": name }),
        }
    }

    fn module(&self, mapping: &Mapping<'_>, streams: &[Stream<'_>], files: &mut Files) -> Value {
        let Kmm { selector, tolerations, pull_secret, service_account, .. } = self.settings;
        let mut modprobe = Map::new();
        let last = mapping.order.last().map(ToString::to_string).unwrap_or_default();
        modprobe.insert("moduleName".into(), json!(last));
        modprobe.insert("dirName".into(), json!("/opt"));
        if mapping.order.len() > 1 {
            let order: Vec<_> = mapping.order.iter().rev().map(ToString::to_string).collect();
            modprobe.insert("modulesLoadingOrder".into(), json!(order));
        }
        if !mapping.parameters.is_empty() {
            modprobe.insert("parameters".into(), json!(mapping.parameters));
        }
        let args = [("load", &self.settings.load_args), ("unload", &self.settings.unload_args)];
        let args: Map<_, _> = args
            .into_iter()
            .filter(|(_, all)| !all.is_empty())
            .map(|(name, all)| (name.into(), json!(all)))
            .collect();
        if !args.is_empty() {
            modprobe.insert("args".into(), Value::Object(args));
        }
        if mapping.firmware {
            modprobe.insert("firmwarePath".into(), json!("/opt/lib/firmware"));
        }
        let mut container = Map::new();
        container.insert("modprobe".into(), Value::Object(modprobe));
        container.insert("imagePullPolicy".into(), json!(self.settings.image_pull_policy));
        container.extend(self.settings.registry_tls.map(|tls| ("registryTLS".into(), self::tls(tls))));
        container.extend(self.version(files).map(|version| ("version".into(), json!(version))));
        container.extend(mapping.replaces.and_then(removed));
        container.insert("kernelMappings".into(), json!(self.mappings(mapping, streams, files)));
        let mut loader = Map::new();
        loader.insert("container".into(), Value::Object(container));
        loader.extend(service_account.iter().map(|name| ("serviceAccountName".into(), json!(name))));
        let mut spec = Map::new();
        spec.insert("moduleLoader".into(), Value::Object(loader));
        spec.extend(pull_secret.iter().map(|name| ("imageRepoSecret".into(), json!({ "name": name }))));
        spec.insert("selector".into(), json!(selector));
        spec.extend(
            self.settings.device_plugin.as_ref().map(|plugin| ("devicePlugin".into(), device_plugin(plugin))),
        );
        if !tolerations.is_empty() {
            let all = tolerations.iter().map(|taint| {
                let operator = if taint.value.is_some() { "Equal" } else { "Exists" };
                let mut value =
                    Map::from_iter([("key".into(), json!(taint.key)), ("operator".into(), json!(operator))]);
                value.extend(taint.value.iter().map(|text| ("value".into(), json!(text))));
                value.extend(taint.effect.iter().map(|text| ("effect".into(), json!(text))));
                Value::Object(value)
            });
            spec.insert("tolerations".into(), all.collect());
        }
        json!({
            "apiVersion": "kmm.sigs.x-k8s.io/v1beta1", "kind": "Module", "metadata": self.metadata(self.name),
            "spec": spec,
        })
    }

    /// The version that KMM upgrades nodes by, as a label's value.
    fn version(&self, files: &mut Files) -> Option<&str> {
        let asked = self.settings.ordered_upgrades?;
        let version = self.inputs.model.project.version.as_deref();
        if version.is_none() {
            files.diagnostics.push(
                Diagnostic::new(Code::UnmappedSetting, "the project has no `version` to upgrade nodes to")
                    .label(asked, "goes by the project's version")
                    .help("add `version` to `project`"),
            );
        }
        version
    }

    /// One mapping for each kernel, and the one for kernels that the matrix does not have, which comes last.
    fn mappings(&self, mapping: &Mapping<'_>, streams: &[Stream<'_>], files: &mut Files) -> Vec<Value> {
        let mut mappings: BTreeMap<&str, Value> = BTreeMap::new();
        for target in &mapping.targets {
            let stream = streams.iter().find(|stream| stream.targets.iter().any(|one| one.id == target.id));
            // What KMM builds it pushes, and nothing is pushed to a digest.
            let image = if stream.is_some() { target.tags.first() } else { reference(target) };
            let Some(image) = image else { continue };
            let mut value = self.mapping("literal", target.kernel.as_str(), image.as_str());
            if mapping.replaces.is_none() {
                value.extend(stage(self.inputs, target).and_then(|stage| removed(&stage.replaces)));
            }
            if let Some(stream) = stream {
                // Those without a regexp, or the one that matches, say how.
                let fits =
                    |build: &&KmmBuild| build.regexp.as_ref().is_none_or(|regexp| matches(regexp, target));
                let settings = self.settings.builds.iter().find(fits).or(self.settings.builds.first());
                value.insert("build".into(), build(stream, settings));
            }
            if let Some(sign) = &self.settings.sign {
                let Some(signed) = signed(self.inputs, target, files) else { continue };
                self.sign(&mut value, sign, &signed, image, stream.is_some());
            }
            mappings.insert(target.kernel.as_str(), Value::Object(value));
        }
        let mut mappings: Vec<_> = mappings.into_values().collect();
        for build in &self.settings.builds {
            mappings.extend(self.unknown_kernels(mapping, build, streams, files));
        }
        mappings
    }

    fn mapping(&self, how: &str, kernel: &str, image: &str) -> Map<String, Value> {
        Map::from_iter([(how.into(), json!(kernel)), ("containerImage".into(), json!(image))])
    }

    /// Lets KMM sign what is in `image`, into another one.
    fn sign(
        &self,
        value: &mut Map<String, Value>,
        sign: &KmmSign,
        signed: &[String],
        image: &ImageRef,
        builds: bool,
    ) {
        // What is pinned to a digest alone is signed into a tag of the digest's own name.
        let tag = image.tag().unwrap_or_else(|| image.as_str().rsplit(':').next().unwrap_or_default());
        value.insert("containerImage".into(), json!(format!("{}:{tag}_signed", image.repository())));
        let mut section = Map::new();
        section.insert("keySecret".into(), json!({ "name": sign.key }));
        section.insert("certSecret".into(), json!({ "name": sign.certificate }));
        if !builds {
            section.insert("unsignedImage".into(), json!(image.as_str()));
        }
        section.insert("filesToSign".into(), json!(signed));
        value.insert("sign".into(), Value::Object(section));
    }

    /// The streams of the targets that KMM can build, where it is asked to.
    fn streams<'t>(&self, mapping: &Mapping<'t>, files: &mut Files) -> Vec<Stream<'t>> {
        let mut streams: Vec<Stream<'t>> = Vec::new();
        if self.settings.builds.is_empty() {
            return streams;
        }
        let mut refused = None;
        for &target in mapping.targets.iter().filter(|target| target.builder == Builder::Dtk) {
            let json = self.inputs.json.targets.iter().find(|json| json.id == target.id.as_str());
            let has_files = json.is_some_and(|json| !json.contexts.is_empty());
            let has_secrets = json.is_some_and(|json| !json.secrets.is_empty());
            let text = stream::open(&dockerfile(self.inputs, target), target.kernel.as_str());
            let text = match text {
                _ if has_files => {
                    Err("is built from files of this repository, which no build in a cluster sees")
                }
                _ if has_secrets => Err("needs build secrets, which KMM has no place for"),
                None => Err(
                    "has its kernel in a `script`, where no builder fills another one in: use `$(uname -r)` there",
                ),
                Some(text) => Ok(text),
            };
            match text {
                Err(why) => refused = refused.or(Some(why)),
                Ok(text) => match streams.iter_mut().find(|stream| stream.text == text) {
                    Some(stream) => stream.targets.push(target),
                    None => {
                        let system =
                            format!("{}-{}-{}", target.os, target.release, target.arch).replace('_', "-");
                        let name = format!("{}-{system}", self.name.replace('_', "-"));
                        streams.push(Stream { name, text, targets: vec![target] });
                    }
                },
            }
        }
        if let Some(why) = refused {
            let problem = format!("KMM cannot build image `{}` for some kernels: it {why}", self.name);
            unmapped(
                files,
                self.settings,
                self.span,
                problem,
                "build these outside of the cluster, with `drvc build --push`",
            );
        } else if streams.is_empty() {
            let problem =
                format!("KMM cannot build image `{}`: no target of it has the builder `dtk`", self.name);
            unmapped(
                files,
                self.settings,
                self.span,
                problem,
                "take `build` out of `kmm`, or add `os \"openshift\"`",
            );
        }
        streams
    }

    fn config_map(&self, stream: &Stream<'_>) -> Value {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": self.metadata(&stream.name),
            "data": { "dockerfile": stream.text },
        })
    }

    /// The mapping for kernels that match a `regexp=`, built by the Dockerfile of the kernels of the matrix that do.
    fn unknown_kernels(
        &self,
        mapping: &Mapping<'_>,
        build: &KmmBuild,
        streams: &[Stream<'_>],
        files: &mut Files,
    ) -> Option<Value> {
        let regexp = build.regexp.as_ref()?;
        let (stream, target) = self.matching(build, regexp, streams, files)?;
        let kernel = target.kernel.as_str().replace(['+', '~'], "_");
        let tag = target.tags.first()?;
        if !tag.as_str().contains(&kernel) {
            let problem =
                format!("`{tag}` does not hold the kernel, so unknown kernels would all have one image");
            unmapped(files, self.settings, self.span, problem, "put `{kernel}` into the image's `tag`");
            return None;
        }
        let image = tag.as_str().replace(&kernel, "${KERNEL_FULL_VERSION}");
        let mut value = self.mapping("regexp", regexp, &image);
        if mapping.replaces.is_none() {
            value.extend(stage(self.inputs, target).and_then(|stage| removed(&stage.replaces)));
        }
        value.insert("build".into(), self::build(stream, Some(build)));
        if let Some(sign) = &self.settings.sign {
            if kernel != target.kernel.as_str() {
                let problem = format!(
                    "KMM would look for what it signs under `{kernel}`, not under `{}`",
                    target.kernel
                );
                let help =
                    "list such kernels in the matrix: KMM writes `_` for `+` where it fills a kernel in";
                unmapped(files, self.settings, self.span, problem, help);
                return None;
            }
            let paths = signed(self.inputs, target, files)?;
            let open = |path: &String| path.replace(&kernel, "${KERNEL_FULL_VERSION}");
            let paths: Vec<_> = paths.iter().map(open).collect();
            self.sign(&mut value, sign, &paths, tag, true);
            value.insert("containerImage".into(), json!(format!("{image}_signed")));
        }
        Some(Value::Object(value))
    }

    /// The stream whose kernels a `regexp=` matches, and the last of them.
    fn matching<'s>(
        &self,
        build: &KmmBuild,
        regexp: &str,
        streams: &'s [Stream<'s>],
        files: &mut Files,
    ) -> Option<(&'s Stream<'s>, &'s Target)> {
        let found = streams.iter().filter_map(|stream| {
            let mut targets = stream.targets.iter().filter(|target| matches(regexp, target));
            Some((stream, *targets.next_back()?))
        });
        let found: Vec<_> = found.collect();
        match found.as_slice() {
            [one] => return Some(*one),
            [] if streams.is_empty() => {}
            [] => {
                let problem = format!("`{regexp}` matches no kernel of the matrix, so drvc knows no Dockerfile for it");
                let help = "put a kernel that it matches into the matrix; it need not be the newest";
                unmapped(files, self.settings, self.span, problem, help);
            }
            [(_, one), .., (_, other)] => files.diagnostics.push(
                Diagnostic::new(
                    Code::AmbiguousMapping,
                    format!("`{regexp}` matches kernels of image `{}` that have different Dockerfiles", self.name),
                )
                .label(build.span, format!("{} Dockerfiles", found.len()))
                .label(one.span, format!("`{}`", one.kernel))
                .label(other.span, format!("`{}`", other.kernel))
                .help("write one `build regexp=` for each, such as `^5\\\\.14\\\\.0-427\\\\..*\\\\.el9_4\\\\.x86_64$`"),
            ),
        }
        None
    }

    /// What nodes of a pool must not load by themselves.
    fn machine_config(&self, role: &str, mapping: &Mapping<'_>) -> Option<Value> {
        if mapping.blacklist.is_empty() {
            return None;
        }
        let lines: String = mapping.blacklist.iter().map(|kmod| format!("blacklist {kmod}\n")).collect();
        let source = format!("data:;base64,{}", base64::engine::general_purpose::STANDARD.encode(lines));
        let name = format!("99-{role}-{}-blacklist", self.name.replace('_', "-"));
        Some(json!({
            "apiVersion": "machineconfiguration.openshift.io/v1", "kind": "MachineConfig",
            "metadata": { "name": name, "labels": { "machineconfiguration.openshift.io/role": role } },
            "spec": { "config": {
                "ignition": { "version": "3.2.0" },
                "storage": { "files": [{
                    "path": format!("/etc/modprobe.d/{}.conf", self.name), "mode": 0o644, "overwrite": true,
                    "contents": { "source": source },
                }] },
            } },
        }))
    }
}

/// The modules of the kernel's own that give way.
fn removed(replaces: &[KmodName]) -> Option<(String, Value)> {
    let names: Vec<_> = replaces.iter().map(ToString::to_string).collect();
    (!names.is_empty()).then(|| ("inTreeModulesToRemove".to_owned(), json!(names)))
}

/// The paths of a target's modules in its image. KMM before 2.6 takes each for the name of one file.
fn signed(inputs: &Inputs<'_>, target: &Target, files: &mut Files) -> Option<Vec<String>> {
    let mut paths = BTreeSet::new();
    for stage in modules(inputs, target) {
        for (output, optional) in &stage.outputs {
            let name = output.rsplit('/').next().unwrap_or_default();
            let name = name.split_once(".ko").map_or(name, |(name, _)| name);
            if *optional || name.contains(['*', '?', '[']) {
                let span = inputs.model.modules.iter().find(|module| module.name == stage.name)?.span;
                files.diagnostics.push(
                    Diagnostic::new(Code::AmbiguousMapping, format!("KMM cannot sign `{output}` of module `{}`", stage.name))
                        .label(span, "whether and how many files it is, only the build knows")
                        .label(target.span, "for this kernel")
                        .help("name each file by an `output` of its own, under `on` where only some kernels have it, or sign with `signing`"),
                );
                return None;
            }
            paths.insert(format!("/opt/lib/modules/{}/updates/{name}.ko", target.kernel));
        }
    }
    Some(paths.into_iter().collect())
}

/// The modules that are built for a target.
fn modules<'a>(inputs: &Inputs<'a>, target: &Target) -> Vec<&'a ModuleStage> {
    let (mut open, mut seen, mut found) = (vec![target.root], BTreeSet::new(), Vec::new());
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            if let Node::Module(stage) = inputs.plan.graph.node(id) {
                found.push(&**stage);
            }
            open.extend(inputs.plan.graph.inputs(id).iter().copied().map(|(input, _)| input));
        }
    }
    found
}

fn build(stream: &Stream<'_>, settings: Option<&KmmBuild>) -> Value {
    let mut build = Map::from_iter([("dockerfileConfigMap".into(), json!({ "name": stream.name }))]);
    let Some(settings) = settings else { return Value::Object(build) };
    let args: Vec<_> =
        settings.args.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    let secrets: Vec<_> = settings.secrets.iter().map(|name| json!({ "name": name })).collect();
    let lists = [("buildArgs", args), ("secrets", secrets)].into_iter().filter(|(_, all)| !all.is_empty());
    build.extend(lists.map(|(name, all)| (name.into(), Value::Array(all))));
    if !settings.selector.is_empty() {
        build.insert("selector".into(), json!(settings.selector));
    }
    build.extend(settings.tls.map(|tls| ("baseImageRegistryTLS".into(), self::tls(tls))));
    Value::Object(build)
}

/// Whether KMM, which looks for a match anywhere in it, finds a target's kernel.
fn matches(regexp: &str, target: &Target) -> bool {
    regex::Regex::new(regexp).is_ok_and(|regex| regex.is_match(target.kernel.as_str()))
}

fn tls(tls: Tls) -> Value {
    json!({ "insecure": tls.insecure, "insecureSkipTLSVerify": tls.skip_verify })
}

fn device_plugin(plugin: &DevicePlugin) -> Value {
    let mut container = Map::from_iter([("image".into(), json!(plugin.image.as_str()))]);
    if !plugin.args.is_empty() {
        container.insert("args".into(), json!(plugin.args));
    }
    if !plugin.env.is_empty() {
        let env = plugin.env.iter().map(|(name, value)| json!({ "name": name, "value": value }));
        container.insert("env".into(), env.collect());
    }
    let mut value = Map::from_iter([("container".into(), Value::Object(container))]);
    value.extend(plugin.service_account.iter().map(|name| ("serviceAccountName".into(), json!(name))));
    Value::Object(value)
}
