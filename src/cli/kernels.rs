//! `drvc kernels OS RELEASE`: the kernels that package repositories offer, and which of them the manifest covers.

use super::chains::{ChainJson, of_search, text};
use super::network::Network;
use super::parsers::{arch, flavor, level, systems};
use super::project::Project;
use super::table::{blank, lines};
use super::terminal::Terminal;
use super::{Exit, Failure, Format, Global};
use crate::compiler::compile::{Parts, Request};
use crate::compiler::model::ReuseLevel;
use crate::compiler::plan::{self, Places};
use crate::knowledge::lock::Consulted;
use crate::knowledge::profile::{Profile, Profiles, ReleaseFacts};
use crate::resolve::repository::kernels::{Found, Search};
use crate::resolve::repository::{self, Gpgv, PackageIndex, Source};
use crate::system::fs::{Disk, Reader};
use crate::system::http::Client;
use crate::text::coordinates::Coordinates;
use crate::text::diag::{Clean, count, listed, nearest};
use crate::text::error::Error;
use crate::text::ids::{Arch, Flavor, KernelText, OsName, PackageName, RelPath, Release};
use crate::text::session::Session;
use crate::text::source::Sources;
use clap::Args;
use clap_complete::ArgValueCandidates;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;

/// A file with the keys of a repository is smaller than this, in bytes.
const KEYS_LIMIT: u64 = 4 << 20;

/// List the kernels that package repositories offer, newest first, and which of them the manifest covers
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # every flavour, for the manifest's architectures
  drvc kernels debian 12
  drvc kernels debian 12 --flavor cloud --arch aarch64
  drvc kernels debian 12 --format json | jq -r '.kernels[].kernel'
  drvc kernels debian 12 --flavor cloud --chains headers

It looks into the repositories that the manifest names with `repository \"URL\"` for that release, and
into the public ones that the profile knows. A kernel whose packages are not all there is listed with
what is missing; `drvc lock` leaves it out.")]
pub(super) struct Kernels {
    /// The distribution, such as `debian`
    #[arg(add = ArgValueCandidates::new(systems))]
    os: String,
    /// Its release, such as `12`
    release: String,
    /// Only for this architecture; without it, for those of the manifest, or else for the distribution's first
    #[arg(long, value_parser = arch)]
    arch: Vec<Arch>,
    /// Only of this flavour
    #[arg(long, value_parser = flavor)]
    flavor: Vec<Flavor>,
    /// Which of them would reuse an earlier one's modules, as `reuse "LEVEL"` in an image; fetches the packages of headers
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    chains: Option<ReuseLevel>,
    /// `human` for people; `json` for programs (`drvc schema kernels`)
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    network: Network,
}

/// What `drvc kernels` found.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct KernelsJson {
    /// The distribution.
    #[schemars(with = "String")]
    os: OsName,
    /// Its release.
    #[schemars(with = "String")]
    release: Release,
    /// The addresses of the repositories that were looked into.
    repositories: Vec<String>,
    /// What they offer: by architecture and flavour, newest first.
    kernels: Vec<KernelJson>,
    /// Kernels of the manifest that no repository offers (any more).
    absent: Vec<AbsentJson>,
    /// With `--chains`: which kernels would be compiled, and which tried on an earlier one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    chains: Vec<ChainJson>,
}

/// One kernel that a repository has.
#[derive(Debug, Serialize, JsonSchema)]
struct KernelJson {
    /// What `uname -r` prints.
    #[schemars(with = "String")]
    kernel: KernelText,
    /// The architecture, as `uname -m` prints it.
    #[schemars(with = "String")]
    arch: Arch,
    /// The flavour.
    #[schemars(with = "String")]
    flavor: Flavor,
    /// Whether the manifest covers it; `null` where there is no manifest, or none for this release.
    manifest: Option<Cover>,
    /// The kernel's own packages, each as one version.
    #[schemars(with = "Vec<String>")]
    packages: Vec<PackageName>,
    /// Packages that its targets need, and no repository offers: such a kernel cannot be built for.
    #[schemars(with = "Vec<String>")]
    missing: Vec<PackageName>,
}

/// What the manifest makes of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Cover {
    /// There are targets for it.
    Covered,
    /// An `exclude` takes it out.
    Excluded,
    /// Nothing names it.
    Missed,
}

/// A kernel that only the manifest has.
#[derive(Debug, Serialize, JsonSchema)]
struct AbsentJson {
    /// What `uname -r` prints.
    #[schemars(with = "String")]
    kernel: KernelText,
    /// The architecture, as `uname -m` prints it.
    #[schemars(with = "String")]
    arch: Arch,
}

pub(super) fn kernels(global: &Global, args: &Kernels, terminal: &mut Terminal) -> Result<Exit, Failure> {
    let project = Project::new(global)?;
    let manifest = Manifest::read(&project, terminal)?;
    let builtin = Profiles::builtin();
    let profiles = manifest.as_ref().map_or(&builtin, |manifest| &manifest.parts.profiles);
    let profile = profile(profiles, &args.os)?;
    let release = release(profile, &args.release)?;
    let view = View::of(manifest.as_ref(), profile, &release);
    let json = look(args, &project, &view, terminal)?;
    match args.format {
        Format::Human if args.chains.is_some() => terminal.product(&Clean::text(&text(&json.chains)))?,
        Format::Human => terminal.product(&Clean::text(&table(&json, &view)))?,
        Format::Json => terminal.json(&json)?,
    }
    Ok(Exit::Fine)
}

pub(super) fn profile<'p>(profiles: &'p Profiles, os: &str) -> Result<&'p Profile, Failure> {
    let names = profiles.names();
    let profile = profiles.get(os).ok_or_else(|| Failure::Usage {
        message: format!("unknown distribution `{os}`"),
        help: nearest(os, names.iter().copied()).map_or_else(
            || format!("there are {}", listed(names.iter().copied(), "and")),
            |meant| format!("did you mean `{meant}`?"),
        ),
    })?;
    match &profile.kernels_of {
        None => Ok(profile),
        Some(host) => Err(Failure::Usage {
            message: format!(
                "the kernels of {} come with its releases, not from package repositories",
                profile.title
            ),
            help: format!("`drvc lock` finds them; `drvc kernels {host} RELEASE` lists those of {host}"),
        }),
    }
}

pub(super) fn release(profile: &Profile, text: &str) -> Result<ReleaseFacts, Failure> {
    profile.release(text).map_err(|unknown| Failure::Usage {
        help: unknown
            .nearest
            .as_ref()
            .map_or_else(|| unknown.help.clone(), |near| format!("did you mean `{near}`?")),
        message: unknown.to_string(),
    })
}

/// A manifest, as far as it could be read.
pub(super) struct Manifest {
    pub(super) parts: Parts,
    sources: Sources,
    request: Request,
}

impl Manifest {
    /// The manifest, where there is one. What is wrong with it is told only where nothing can be made of it.
    pub(super) fn read(project: &Project, terminal: &Terminal) -> Result<Option<Self>, Failure> {
        if !project.exists() {
            return Ok(None);
        }
        let disk = project.open()?;
        let out = RelPath::parse(super::project::OUT).unwrap_or_else(|_| RelPath::root());
        let request = project.asking(out.clone(), 100_000);
        let mut session = Session::default();
        let reader = Reader::new(&disk).hide(out);
        let Some(parts) = Parts::read(&reader, &request, &mut session) else {
            terminal.diagnostics(&project.report(&session.sources, session.found.sorted()));
            return Err(Failure::Refused);
        };
        if session.found.has_errors() {
            terminal
                .say(&format!("{}: not all of it was understood; `drvc check` tells more", project.path()));
        }
        Ok(Some(Self { parts, sources: session.sources, request }))
    }
}

/// What a manifest says of one release.
pub(super) struct View<'a> {
    manifest: Option<&'a Manifest>,
    profile: &'a Profile,
    release: &'a ReleaseFacts,
    /// Its points that are built, and those that are excluded.
    points: Vec<Coordinates>,
    excluded: Vec<Coordinates>,
}

impl<'a> View<'a> {
    pub(super) fn of(
        manifest: Option<&'a Manifest>,
        profile: &'a Profile,
        release: &'a ReleaseFacts,
    ) -> Self {
        let (mut points, mut excluded) = (Vec::new(), Vec::new());
        if let Some(manifest) = manifest {
            let lock = Consulted::new(&manifest.parts.lock);
            (points, excluded) =
                plan::points(&manifest.parts.inputs(&lock, &manifest.sources, &manifest.request));
        }
        let here = |point: &Coordinates| point.os == profile.os && point.release == release.release;
        points.retain(here);
        excluded.retain(here);
        Self { manifest, profile, release, points, excluded }
    }

    pub(super) fn places(&self, arch: Arch, flavor: &Flavor) -> Places {
        let Some(manifest) = self.manifest else { return Places::default() };
        let lock = Consulted::new(&manifest.parts.lock);
        let inputs = manifest.parts.inputs(&lock, &manifest.sources, &manifest.request);
        plan::places_of(&inputs, self.profile, self.release, arch, flavor)
    }

    /// The architectures to look at, where none is asked for.
    fn arches(&self) -> BTreeSet<Arch> {
        let named: BTreeSet<Arch> = self.points.iter().map(|point| point.arch).collect();
        if named.is_empty() { self.profile.arches.first().copied().into_iter().collect() } else { named }
    }

    pub(super) fn cover(&self, kernel: &KernelText, arch: Arch) -> Option<Cover> {
        let has =
            |points: &[Coordinates]| points.iter().any(|point| point.kernel == *kernel && point.arch == arch);
        match () {
            () if has(&self.points) => Some(Cover::Covered),
            () if has(&self.excluded) => Some(Cover::Excluded),
            () => self.manifest.map(|_| Cover::Missed),
        }
    }
}

/// Asks the repositories.
fn look(
    args: &Kernels,
    project: &Project,
    view: &View<'_>,
    terminal: &Terminal,
) -> Result<KernelsJson, Failure> {
    let client = args.network.for_repositories(&args.network.client_of(project, terminal)?)?;
    let keys = |path: &RelPath| keys(project, path, &client);
    let flavors = if args.flavor.is_empty() { flavors(view.profile) } else { args.flavor.clone() };
    let arches = if args.arch.is_empty() { view.arches() } else { args.arch.iter().copied().collect() };
    let mut json = KernelsJson {
        os: view.profile.os.clone(),
        release: view.release.release.clone(),
        repositories: Vec::new(),
        kernels: Vec::new(),
        absent: Vec::new(),
        chains: Vec::new(),
    };
    let mut urls = BTreeSet::new();
    for arch in arches {
        let mut places = Places::default();
        places.extend(flavors.iter().map(|flavor| view.places(arch, flavor)));
        let sources = repository::sources(view.profile, view.release, arch, &places)?;
        let sources = reachable(sources, &args.network, view)?;
        urls.extend(sources.iter().map(|source| source.repository.to_string()));
        let searches: Vec<_> =
            flavors.iter().map(|flavor| Search::new(view.profile, view.release, arch, flavor)).collect();
        for source in &sources {
            terminal.say(&format!("looking into {} for {arch}", source.repository));
        }
        let offer = repository::package_index(&client, &keys, &sources, &searches, &BTreeSet::new())?;
        add(&mut json, view, &searches, &offer, arch);
        if let Some(level) = args.chains {
            for search in &searches {
                json.chains.extend(of_search(&client, search, &offer, level, terminal)?);
            }
        }
    }
    json.repositories = urls.into_iter().collect();
    Ok(json)
}

/// All flavours that the profile names, the default first.
pub(super) fn flavors(profile: &Profile) -> Vec<Flavor> {
    let named = profile.flavors().filter_map(|name| Flavor::parse(name).ok());
    let others = named.filter(|flavor| *flavor != profile.default_flavor);
    [profile.default_flavor.clone()].into_iter().chain(others).collect()
}

/// The sources that can be asked: without the certificate of a subscription, those that ask for none.
pub(super) fn reachable(
    mut sources: BTreeSet<Source>,
    network: &Network,
    view: &View<'_>,
) -> Result<BTreeSet<Source>, Failure> {
    let title = format!("{} {}", view.profile.title, view.release.release);
    let subscribed = sources.iter().any(|source| source.subscription) && !network.has_subscription();
    sources.retain(|source| !source.subscription || network.has_subscription());
    if !sources.is_empty() {
        return Ok(sources);
    }
    let name_one = format!(
        "name one that you have in the manifest: `os \"{}\" \"{}\" {{ {} }}`",
        view.profile.os,
        view.release.release,
        view.release.manager().example_repository()
    );
    Err(if subscribed {
        Failure::Usage {
            message: format!("the repositories of {title} ask for a subscription"),
            help: format!("give `--client-cert`, `--client-key` and `--repository-ca`, or {name_one}"),
        }
    } else {
        Failure::Usage { message: format!("no package repository of {title} is known"), help: name_one }
    })
}

/// The keys in a file beside the manifest.
pub(super) fn keys(project: &Project, path: &RelPath, client: &Client) -> Result<Gpgv, Error> {
    let disk = Disk::open(&project.root)?;
    let bytes = Reader::new(&disk).read(path, KEYS_LIMIT);
    let bytes =
        bytes.map_err(|cause| Error::new("read", project.root.join(path.as_path()), cause.to_string()))?;
    Gpgv::new(client.environment(), client.interrupt(), path.as_str(), &bytes)
}

/// Adds what is offered for one architecture, and what of the manifest is not.
fn add(json: &mut KernelsJson, view: &View<'_>, searches: &[Search<'_>], offer: &PackageIndex, arch: Arch) {
    let mut offered = BTreeSet::new();
    for search in searches {
        for Found { kernel, packages, missing } in search.kernels(offer) {
            offered.insert(kernel.text.clone());
            json.kernels.push(KernelJson {
                manifest: view.cover(&kernel.text, arch),
                kernel: kernel.text,
                arch,
                flavor: search.flavor.clone(),
                packages,
                missing,
            });
        }
    }
    let here = view.points.iter().filter(|point| point.arch == arch);
    let asked = here.filter(|point| searches.iter().any(|search| *search.flavor == point.flavor));
    let absent = asked.filter(|point| !offered.contains(&point.kernel));
    json.absent.extend(absent.map(|point| AbsentJson { kernel: point.kernel.clone(), arch }));
}

fn table(json: &KernelsJson, view: &View<'_>) -> String {
    let mut table = blank(&["KERNEL", "ARCH", "FLAVOR", "MANIFEST", "MISSING"]);
    for kernel in &json.kernels {
        let cover = match kernel.manifest {
            None => "",
            Some(Cover::Covered) => "covered",
            Some(Cover::Excluded) => "excluded",
            Some(Cover::Missed) => "missed",
        };
        let missing: Vec<_> = kernel.missing.iter().map(PackageName::as_str).collect();
        let (name, arch, flavor) = (kernel.kernel.as_str(), kernel.arch.name(), kernel.flavor.as_str());
        table.add_row([name, arch, flavor, cover, &missing.join("\n")]);
    }
    let mut text = if json.kernels.is_empty() { String::new() } else { lines(&table) + "\n" };
    let covered = |wanted| json.kernels.iter().filter(|kernel| kernel.manifest == Some(wanted)).count();
    text.push_str(&count(json.kernels.len(), "kernel"));
    if view.manifest.is_some() {
        text.push_str(&format!(", {} covered, {} missed", covered(Cover::Covered), covered(Cover::Missed)));
    }
    text.push('\n');
    for absent in &json.absent {
        text.push_str(&format!(
            "not offered: {} for {}, which the manifest covers\n",
            absent.kernel, absent.arch
        ));
    }
    text
}
