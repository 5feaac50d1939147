//! From words on the command line to the image that they mean: a target's, one by its reference, or one in a file.

use super::network::Network;
use super::project::{Compiling, Project};
use super::target;
use super::terminal::Terminal;
use super::{Failure, Global};
use crate::compiler::plan::{Node, Target};
use crate::images::engine::{Engine, Kind as EngineKind};
use crate::images::image::{self, Image};
use crate::system::fs::Tree as _;
use crate::system::oci::Registry;
use crate::system::process::{Environment, Interrupt};
use crate::text::error::Error;
use crate::text::ids::{Arch, ImageRef, KernelText};
use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};
use clap_complete::ArgValueCandidates;
use std::collections::BTreeSet;

/// Which image is meant, and where it is looked up.
#[derive(Clone, Debug, Args)]
pub(super) struct ImageArg {
    /// A target, an image's reference, or an archive or OCI layout (with `:TAG` where it holds several images)
    #[arg(value_name = "TARGET|IMAGE", required = true)]
    #[arg(add = ArgValueCandidates::new(super::completions::targets))]
    words: Vec<String>,
    /// The architecture that is meant, where an image has several
    #[arg(long, value_name = "ARCH", value_parser = arch)]
    arch: Option<Arch>,
    /// Where a reference is looked up [default: the engine, then its registry]
    #[arg(long, value_name = "WHERE", value_enum)]
    from: Option<From>,
    /// The engine: podman, buildah, docker or buildx [default: the first that is installed]
    #[arg(long, value_name = "NAME", value_parser = engine)]
    engine: Option<EngineKind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum From {
    Engine,
    Registry,
}

/// The image that is meant.
pub(super) struct Found {
    /// The image.
    pub(super) image: Image,
    /// The target that it should be, where one was named.
    pub(super) meant: Option<Meant>,
}

/// What a certificate may have, in bytes.
pub(super) const CERTIFICATE: u64 = 4 << 20;

/// A target of the project.
pub(super) struct Meant {
    /// The target.
    pub(super) target: Target,
    /// Its key.
    pub(super) key: Option<String>,
    /// Whether its modules are signed.
    pub(super) signed: bool,
    /// The certificate that they are signed with, where it can be read.
    pub(super) certificate: Option<Vec<u8>>,
    /// The labels that it has of its own.
    pub(super) labels: BTreeSet<String>,
    /// The kernels whose modules it may hold.
    pub(super) kernels: BTreeSet<KernelText>,
}

fn arch(name: &str) -> Result<Arch, String> {
    let names = Arch::ALL.map(Arch::name).join(", ");
    Arch::parse(name).ok_or_else(|| format!("there are {names}"))
}

impl ImageArg {
    /// The same, looked up in its registry alone.
    pub(super) fn in_registry(&self) -> Self {
        Self { from: Some(From::Registry), ..self.clone() }
    }

    /// Finds the image and reads it.
    pub(super) fn find(
        &self,
        global: &Global,
        network: &Network,
        compiling: &Compiling,
        terminal: &Terminal,
    ) -> Result<Found, Failure> {
        if let [path] = self.words.as_slice()
            && let Some((path, tag)) = file(global, path)
        {
            return Ok(Found { image: image::open(&path, self.arch, tag.as_deref())?, meant: None });
        }
        if let [reference] = self.words.as_slice()
            && let Ok(reference) = ImageRef::parse(reference)
            && reference.registry().is_some()
        {
            return Ok(Found { image: self.fetch(&reference, self.arch, network, terminal)?, meant: None });
        }
        let project = Project::new(global)?;
        let compiled = project.in_part(compiling, terminal)?;
        let target = target::find(&compiled.plan.targets, &self.words)?;
        let key = compiled.fingerprints.get(target.root.index()).map(ToString::to_string);
        let mut stages = compiled.plan.graph.ancestry(target.root).into_iter();
        let signing = stages.find_map(|id| match compiled.plan.graph.node(id) {
            Node::Sign(stage) => Some(stage.certificate.0.clone()),
            _ => None,
        });
        let signed = signing.is_some();
        let disk = project.open()?;
        let certificate = signing.and_then(|path| disk.read(&path, CERTIFICATE).ok()).map(|read| read.value);
        let labels = match compiled.plan.graph.node(target.root) {
            Node::Image(stage) => stage.labels.iter().map(|(name, _)| name.clone()).collect(),
            _ => BTreeSet::new(),
        };
        let reference = target.tags.first().ok_or_else(|| Failure::Usage {
            message: format!("`{}` has no reference", target.id),
            help: "give its image `tag`s".into(),
        })?;
        let image = self.fetch(reference, Some(target.at.arch), network, terminal)?;
        let kernels = compiled.plan.may_hold(target);
        let target = target.clone();
        Ok(Found { image, meant: Some(Meant { target, key, signed, certificate, labels, kernels }) })
    }

    fn fetch(
        &self,
        reference: &ImageRef,
        arch: Option<Arch>,
        network: &Network,
        terminal: &Terminal,
    ) -> Result<Image, Failure> {
        let environment = Environment::of_this_process();
        if self.from != Some(From::Registry) {
            let engine = Engine::find(self.engine, &[], &environment, &Interrupt::default());
            // Whoever has no engine may still have a registry.
            let engine =
                if self.engine.is_some() || self.from.is_some() { Some(engine?) } else { engine.ok() };
            if let Some(engine) = engine
                && let Some(image) = image::from_engine(&engine, reference, arch)?
            {
                return Ok(image);
            }
        }
        if self.from != Some(From::Engine)
            && reference.registry().is_some()
            && let Some(image) =
                image::from_registry(&Registry::new(network.client(terminal)?), reference, arch)?
        {
            return Ok(image);
        }
        let absent = Error::new("find", reference.as_str(), "there is no such image");
        Err(absent.help("build it with `drvc build`, or name an archive of it").into())
    }
}

/// The path of an archive or OCI layout, if there is one, and the tag behind it. A directory of another kind is none: that
/// of a target's sources often has the target's name.
fn file(global: &Global, word: &str) -> Option<(Utf8PathBuf, Option<String>)> {
    let is_image = |path: &Utf8Path| path.is_file() || path.join("index.json").is_file();
    let whole = beneath(global, word);
    if is_image(&whole) {
        return Some((whole, None));
    }
    let (path, tag) = word.rsplit_once(':')?;
    let path = beneath(global, path);
    is_image(&path).then(|| (path, Some(tag.to_owned())))
}

/// A path of the command line, as `-C` has it.
pub(super) fn beneath(global: &Global, path: impl AsRef<Utf8Path>) -> Utf8PathBuf {
    global.directory.as_deref().unwrap_or(Utf8Path::new("")).join(path)
}

/// The engine of that name.
pub(super) fn engine(name: &str) -> Result<EngineKind, String> {
    let names = EngineKind::ALL.map(|kind| kind.facts().name).join(", ");
    EngineKind::parse(name).ok_or_else(|| format!("there are {names}"))
}
