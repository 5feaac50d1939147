//! `drvc profile check OS`: what a profile says of a distribution, beside what its package repositories offer today.

use super::kernels::{Manifest, View, flavors, keys, profile, reachable};
use super::network::Network;
use super::project::Project;
use super::terminal::Terminal;
use super::{Exit, Failure, Global};
use crate::compiler::plan::Places;
use crate::knowledge::profile::{Kernel, Platform, Profile, Profiles, ReleaseFacts};
use crate::resolve::repository::kernels::Search;
use crate::resolve::repository::{self, PackageIndex};
use crate::system::http::Client;
use crate::text::diag::{Clean, count, listed};
use crate::text::ids::{Arch, PackageName, RelPath};
use clap::{Args, Subcommand};
use std::collections::{BTreeMap, BTreeSet};

/// Compare a profile with the package repositories of its distribution
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # every release that the profile lists, on its first architecture
  drvc profile check rocky
  drvc profile check debian 12 13 --arch aarch64

It looks into the public repositories that the profile knows, and into those that the manifest names
for the release. For each release it prints kernels that the profile does not know, flavours that are
gone, and packages that are not there under the name that the profile gives them.

Exit code 0 if nothing moved, 2 for a wrong command line, 3 if something moved, 4 if a disk, a network
or another program failed.")]
pub(super) struct ProfileArgs {
    #[command(subcommand)]
    command: ProfileCommand,
}

#[derive(Debug, Subcommand)]
enum ProfileCommand {
    Check(Check),
}

/// Print where a profile and the package repositories of its distribution differ
#[derive(Debug, Args)]
struct Check {
    /// The distribution, such as `debian`
    os: String,
    /// Releases, such as `12`; without one, all that the profile lists
    release: Vec<String>,
    /// The architecture; without it, the distribution's first
    #[arg(long, value_parser = super::parsers::arch)]
    arch: Option<Arch>,
    #[command(flatten)]
    network: Network,
}

pub(super) fn profile_command(
    global: &Global,
    args: &ProfileArgs,
    terminal: &mut Terminal,
) -> Result<Exit, Failure> {
    let ProfileCommand::Check(args) = &args.command;
    let project = Project::new(global)?;
    let manifest = Manifest::read(&project, terminal)?;
    let builtin = Profiles::builtin();
    let profiles = manifest.as_ref().map_or(&builtin, |manifest| &manifest.parts.profiles);
    let profile = profile(profiles, &args.os)?;
    let client = args.network.for_repositories(&args.network.client_of(&project, terminal)?)?;
    let arch = args.arch.or(profile.arches.first().copied()).unwrap_or(Arch::X86_64);
    let names: Vec<String> = match args.release.as_slice() {
        [] => profile.listed_releases().map(str::to_owned).collect(),
        some => some.to_vec(),
    };
    let mut text = String::new();
    let (mut moved, mut asked) = (0, 0);
    for name in &names {
        let facts = super::kernels::release(profile, name)?;
        let look = Look { project: &project, client: &client, network: &args.network, arch };
        let (line, findings) = match look.at(manifest.as_ref(), profile, &facts, terminal) {
            Ok((kernels, findings)) => (count(kernels, "kernel"), findings),
            Err(Failure::World(error)) if args.release.is_empty() => {
                ("not all of its repositories can be read".into(), vec![error.to_string()])
            }
            Err(Failure::Usage { message, .. }) if args.release.is_empty() => {
                text.push_str(&format!("{} {name}: not compared: {message}\n", profile.os));
                continue;
            }
            Err(failure) => return Err(failure),
        };
        asked += 1;
        moved += findings.len();
        text.push_str(&format!("{} {name} {arch}: {line}\n", profile.os));
        findings.iter().for_each(|finding| text.push_str(&format!("  {finding}\n")));
    }
    let difference = if moved == 0 { "no difference".to_owned() } else { count(moved, "difference") };
    text.push_str(&format!("{} compared: {difference}\n", count(asked, "release")));
    terminal.product(&Clean::text(&text))?;
    Ok(if moved == 0 { Exit::Fine } else { Exit::OutOfDate })
}

/// Who asks, and for which architecture.
struct Look<'a> {
    project: &'a Project,
    client: &'a Client,
    network: &'a Network,
    arch: Arch,
}

impl Look<'_> {
    /// How many kernels a release has, and where the profile differs.
    fn at(
        &self,
        manifest: Option<&Manifest>,
        profile: &Profile,
        release: &ReleaseFacts,
        terminal: &Terminal,
    ) -> Result<(usize, Vec<String>), Failure> {
        let view = View::of(manifest, profile, release);
        let flavors = flavors(profile);
        let mut places = Places::default();
        places.extend(flavors.iter().map(|flavor| view.places(self.arch, flavor)));
        let sources = repository::sources(profile, release, self.arch, &places)?;
        let sources = reachable(sources, self.network, &view)?;
        for source in &sources {
            terminal.say(&format!("looking into {} for {}", source.repository, self.arch));
        }
        let searches: Vec<_> =
            flavors.iter().map(|flavor| Search::new(profile, release, self.arch, flavor)).collect();
        let named = named_packages(release);
        let others = named.keys().cloned().collect();
        let keys = |path: &RelPath| keys(self.project, path, self.client);
        let offer = repository::package_index(self.client, &keys, &sources, &searches, &others)?;
        let mut findings = Vec::new();
        let mut known = BTreeSet::new();
        for search in &searches {
            known.extend(flavor_of(search, &offer, &mut findings));
        }
        findings.extend(unknown_kernels(&searches, &offer, &known, self.arch));
        let absent = named.iter().filter(|(name, _)| offer.find(name.as_str()).is_none());
        findings.extend(absent.map(|(name, node)| format!("`{node}`: no package `{name}` is offered")));
        Ok((known.len(), findings))
    }
}

/// The kernels of one flavour; what is strange about them becomes findings.
fn flavor_of(search: &Search<'_>, offer: &PackageIndex, findings: &mut Vec<String>) -> Vec<String> {
    let found = search.kernels(offer);
    let fits = search.profile.may_have(search.flavor.as_str(), search.release, search.arch);
    if found.is_empty() && fits {
        findings.push(format!("`{}`: no kernel of this flavour is offered", search.flavor));
    }
    // Old kernels lose their packages one by one: only the newest tells whether their names are still right.
    if let Some(newest) = found.first()
        && !newest.missing.is_empty()
    {
        let missing = listed(newest.missing.iter().map(PackageName::as_str), "and");
        findings
            .push(format!("`{}`: the newest kernel, {}, lacks {missing}", search.flavor, newest.kernel.text));
    }
    found.into_iter().map(|found| found.kernel.text.to_string()).collect()
}

/// Kernels that are offered under the names of the profile's packages, and are of no flavour or series that it lists.
fn unknown_kernels(
    searches: &[Search<'_>],
    offer: &PackageIndex,
    known: &BTreeSet<String>,
    arch: Arch,
) -> Vec<String> {
    let mut by_reason: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for word in offer.words() {
        for search in searches {
            let Some(kernel) = search.read_any(&word) else { continue };
            let Kernel { text, flavor, unknown, .. } = &kernel;
            let of_arch = kernel.arch.is_none_or(|its| its == arch);
            if known.contains(text.as_str()) || !of_arch {
                continue;
            }
            let reason = match unknown {
                Some(_) => "of a series that no release lists".to_owned(),
                None if !search.profile.flavors().any(|name| name == flavor.as_str()) => {
                    format!("of the flavour `{flavor}`, which the profile does not list")
                }
                None => continue,
            };
            let kernels = by_reason.entry(reason).or_default();
            if !kernels.contains(&text.to_string()) {
                kernels.push(text.to_string());
            }
        }
    }
    let line = |(reason, kernels): (String, Vec<String>)| {
        let example = kernels.last().cloned().unwrap_or_default();
        format!("{} {reason}, such as {example}", count(kernels.len(), "kernel"))
    };
    by_reason.into_iter().map(line).collect()
}

/// The packages that a release names whatever the kernel is, each with the node that names it.
fn named_packages(release: &ReleaseFacts) -> BTreeMap<PackageName, &'static str> {
    let lists = |platform: &Platform| {
        [
            ("tools", platform.tools.clone()),
            ("fetch", platform.fetch.clone()),
            ("download", platform.download.clone()),
            ("srpm", platform.srpm.clone()),
            ("ssh", platform.ssh.clone()),
            ("runtime", platform.runtime.clone()),
            ("toolkit", platform.toolkit()),
        ]
    };
    let all = release.platforms.iter().flat_map(|platform| lists(platform));
    let mut named = BTreeMap::new();
    for (node, packages) in all {
        packages.into_iter().for_each(|name| {
            named.entry(name).or_insert(node);
        });
    }
    named
}
