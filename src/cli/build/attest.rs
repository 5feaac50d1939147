//! `--sbom`, `--provenance` and `--sign-image`: proofs of origin for the images that a run has in their registries.

use super::{Build, now};
use crate::cli::project::Project;
use crate::images::attest::{Attester, Cosign, RunFacts, sum};
use crate::images::build::{BuildRun, Failure, Item, Names, Proofs, StageFiles, Verdict, Verdicts};
use crate::images::engine::Engine;
use crate::system::oci::Registry;
use crate::system::process::{Environment, Interrupt};
use crate::text::error::Error;
use crate::text::source::Sources;
use clap::Args;

/// Who built it, where nobody says.
const UNNAMED: &str = "urn:drvc:builder:unnamed";

/// Options of proofs of origin.
#[derive(Debug, Args)]
#[command(next_help_heading = "Proofs of origin")]
pub(super) struct Attesting {
    /// Attach a list of what is in each image, and of what it was built from (SPDX 2.3)
    #[arg(long, requires = "push")]
    sbom: bool,
    /// Attach how each image was built (SLSA v1); BUILDER is a URI for whoever is trusted for the build
    #[arg(long, value_name = "BUILDER", requires = "push", require_equals = true, num_args = 0..=1)]
    #[arg(default_missing_value = UNNAMED, value_parser = uri)]
    provenance: Option<String>,
    /// Let cosign sign each image that was built, and what is attached to it
    #[arg(long, requires = "push")]
    sign_image: bool,
    /// A word for each of cosign's command lines, such as --key=cosign.key; may be repeated
    #[arg(long = "sign-arg", value_name = "ARG", requires = "sign_image", allow_hyphen_values = true)]
    sign_args: Vec<String>,
}

/// A URI: a scheme, and what it is of, without blanks.
fn uri(text: &str) -> Result<String, String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    match is_plain && is_scheme {
        true => Ok(text.to_owned()),
        false => Err("write a URI, such as `https://ci.example.com/drivers`".into()),
    }
}

/// What attaching needs to know of a run.
pub(super) struct Run<'a> {
    pub(super) project: &'a Project,
    pub(super) sources: &'a Sources,
    pub(super) builds: &'a BuildRun<'a>,
    pub(super) cosign: Option<Cosign>,
    /// When it began.
    pub(super) began: String,
}

impl Attesting {
    /// Cosign, if it is to sign: asked for before anything is built.
    pub(super) fn cosign(
        &self,
        environment: &Environment,
        interrupt: &Interrupt,
    ) -> Result<Option<Cosign>, Error> {
        self.sign_image.then(|| Cosign::find(&self.sign_args, environment, interrupt)).transpose()
    }

    pub(super) const fn proofs(&self) -> Proofs {
        Proofs { provenance: self.provenance.is_some(), signature: self.sign_image }
    }

    /// Whether anything is to be attached.
    pub(super) const fn any(&self) -> bool {
        self.sbom || self.proofs().any()
    }

    /// Attaches what is asked for to every image that is there. One that cannot be attested has failed.
    pub(super) fn attest(&self, run: &Run<'_>, args: &Build, verdicts: &mut Verdicts) {
        let builds = run.builds;
        let Some(registry) = builds.registry else { return };
        let names = Names::of(&builds.compiled.plan.targets);
        for (item, verdict) in verdicts.iter_mut() {
            let (Item::Target(at), true) = (*item, verdict.is_good() && !builds.interrupt.is_set()) else {
                continue;
            };
            let is_new = matches!(verdict, Verdict::Built(_) | Verdict::Tried(..));
            let attached = names.own(at).next().map_or(Ok(Vec::new()), |own| {
                let attester = self.attester(run, args, registry)?;
                attester.attest(at, own, is_new)
            });
            match attached {
                Ok(attached) if attached.is_empty() => {}
                Ok(attached) => {
                    let name = item.id(builds.compiled);
                    builds.watch.aside(&format!("attached to {name}: {}", attached.join(", ")));
                }
                Err(error) => {
                    let help = error.next_step().map(str::to_owned);
                    *verdict = Verdict::Failed(Box::new(Failure::plain(error.to_string(), help)));
                }
            }
        }
    }

    fn attester<'a>(
        &self,
        run: &'a Run<'_>,
        args: &Build,
        registry: &'a Registry,
    ) -> Result<Attester<'a>, Error> {
        let builds = run.builds;
        let engine = builds.engine.as_ref().map_err(Clone::clone)?;
        Ok(Attester {
            registry,
            sbom: self.sbom,
            run: self.provenance.as_ref().map(|builder| run.facts(builder, engine, args)),
            cosign: run.cosign.clone(),
            stages: StageFiles {
                compiled: builds.compiled,
                engine,
                disk: builds.disk,
                directory: builds.directory,
                out: builds.out,
                home: builds.home,
                secrets: builds.secrets,
            },
        })
    }
}

impl Run<'_> {
    fn facts(&self, builder: &str, engine: &Engine, args: &Build) -> RunFacts {
        let option = |word: &String| {
            let name = word.split('=').next().unwrap_or_default();
            name.starts_with('-').then(|| name.to_owned())
        };
        // What drvc has of its own is in `<…>`, and settings are among the parameters.
        let files = self.sources.iter().filter(|file| !file.path.as_str().starts_with(['<', '-']));
        RunFacts {
            builder: builder.to_owned(),
            engine: engine.kind().to_string(),
            options: args.engine_args.iter().filter_map(option).collect(),
            manifest: self.project.manifest.to_string(),
            settings: self.project.settings.clone(),
            files: files.map(|file| (file.path.to_string(), sum(file.text.as_bytes()))).collect(),
            began: self.began.clone(),
            ended: now(),
        }
    }
}
