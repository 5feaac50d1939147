//! What KMM builds in the cluster: a Dockerfile for each stream of kernels, and the kernels that are built for by it.

use super::mapping::{Mapping, entry, removed, stage, unmapped};
use super::sign::signed;
use super::versions::GLOBS;
use super::{Resources, opened};
use crate::compiler::model::KmmBuild;
use crate::compiler::outputs::handover::{Files, Inputs, dockerfile};
use crate::compiler::plan::Target;
use crate::knowledge::profile::Builder;
use crate::language::syntax::ast::Tls;
use crate::text::diag::{Code, Diagnostic};
use serde_json::{Map, Value, json};

/// Kernels that one Dockerfile is for.
pub(super) struct Stream<'t> {
    /// The name of its ConfigMap.
    pub name: String,
    pub text: String,
    pub targets: Vec<&'t Target>,
}

impl Resources<'_> {
    /// The streams of the targets that KMM can build, where it is asked to.
    pub(super) fn streams<'t>(&self, mapping: &Mapping<'t>, files: &mut Files) -> Vec<Stream<'t>> {
        let mut streams: Vec<Stream<'t>> = Vec::new();
        if self.settings.builds.is_empty() {
            return streams;
        }
        let mut refused = None;
        for &target in mapping.targets.iter().filter(|target| target.builder == Builder::Dtk) {
            match in_cluster(self.inputs, target) {
                Err(why) => refused = refused.or(Some(why)),
                Ok(text) => match streams.iter_mut().find(|stream| stream.text == text) {
                    Some(stream) => stream.targets.push(target),
                    None => {
                        let system = target.at.system().replace('_', "-");
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

    pub(super) fn config_map(&self, stream: &Stream<'_>) -> Value {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": self.metadata(&stream.name),
            "data": { "dockerfile": stream.text },
        })
    }

    /// The mapping for kernels that match a `regexp=`, built by the Dockerfile of the kernels of the matrix that do.
    pub(super) fn unknown_kernels(
        &self,
        mapping: &Mapping<'_>,
        build: &KmmBuild,
        streams: &[Stream<'_>],
        files: &mut Files,
    ) -> Option<Value> {
        let regexp = build.regexp.as_ref()?;
        let (stream, target) = self.matching(build, regexp, streams, files)?;
        let kernel = target.at.kernel.as_str().replace(['+', '~'], "_");
        let tag = target.tags.first()?;
        if !tag.as_str().contains(&kernel) {
            let problem =
                format!("`{tag}` does not hold the kernel, so unknown kernels would all have one image");
            unmapped(files, self.settings, self.span, problem, "put `{kernel}` into the image's `tag`");
            return None;
        }
        let image = tag.as_str().replace(&kernel, "${KERNEL_FULL_VERSION}");
        let mut value = entry("regexp", regexp, &image);
        if mapping.replaces.is_none() {
            value.extend(stage(self.inputs, target).and_then(|stage| removed(&stage.replaces)));
        }
        value.insert("build".into(), section(stream, Some(build)));
        if let Some(sign) = &self.settings.sign {
            let (own, paths) = (target.at.kernel.as_str(), signed(self, target, files)?);
            // In paths too KMM writes `_` for `+` where it fills a kernel in.
            let open = match () {
                () if kernel == own => "${KERNEL_FULL_VERSION}",
                () if self.takes_patterns() => "*",
                () => {
                    let problem =
                        format!("KMM would look for what it signs under `{kernel}`, not under `{own}`");
                    let help = format!(
                        "list such kernels in the matrix, or write `version \"{GLOBS}\"` into `kmm` where the cluster's is no older"
                    );
                    unmapped(files, self.settings, self.span, problem, &help);
                    return None;
                }
            };
            let paths: Vec<_> = paths.iter().map(|path| path.replace(own, open)).collect();
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
            let mut targets =
                stream.targets.iter().filter(|target| matches(regexp, target.at.kernel.as_str()));
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
                .label(one.span, format!("`{}`", one.at.kernel))
                .label(other.span, format!("`{}`", other.at.kernel))
                .help("write one `build regexp=` for each, such as `^5\\\\.14\\\\.0-427\\\\..*\\\\.el9_4\\\\.x86_64$`"),
            ),
        }
        None
    }
}

/// The Dockerfile that KMM builds a target by, its kernel left open; or why it cannot.
pub(super) fn in_cluster(inputs: &Inputs<'_>, target: &Target) -> Result<String, &'static str> {
    let json = inputs.json.targets.iter().find(|json| json.id == target.id.as_str());
    if json.is_some_and(|json| !json.contexts.is_empty()) || inputs.model.mirror.authority.is_some() {
        return Err("is built from files of this repository, which no build in a cluster sees");
    }
    if json.is_some_and(|json| !json.secrets.is_empty()) {
        return Err("needs build secrets, which KMM has no place for");
    }
    opened::open(&dockerfile(inputs, target), target.at.kernel.as_str())
        .ok_or("has its kernel in a `script`, where no builder fills another one in: use `$(uname -r)` there")
}

/// `build` of a mapping.
pub(super) fn section(stream: &Stream<'_>, settings: Option<&KmmBuild>) -> Value {
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
    build.extend(settings.tls.map(|one| ("baseImageRegistryTLS".into(), tls(one))));
    Value::Object(build)
}

/// Whether KMM, which looks for a match anywhere in it, finds a kernel.
pub(super) fn matches(regexp: &str, kernel: &str) -> bool {
    regex::Regex::new(regexp).is_ok_and(|regex| regex.is_match(kernel))
}

pub(super) fn tls(tls: Tls) -> Value {
    json!({ "insecure": tls.insecure, "insecureSkipTLSVerify": tls.skip_verify })
}
