//! Chains of kernels: which are built, which are tried on an earlier one's modules, and why a chain ends.

use super::Failure;
use super::terminal::Terminal;
use crate::compiler::compile::Compiled;
use crate::compiler::model::ReuseLevel;
use crate::compiler::plan;
use crate::knowledge::lock::{HeaderDigests, HeadersPin, Lock};
use crate::resolve::repository::PackageIndex;
use crate::resolve::repository::kernels::{Search, Use};
use crate::resolve::{difference, pins};
use crate::system::http::{Cache, Client};
use crate::text::diag::count;
use crate::text::ids::{Arch, Flavor, KernelText, Name, OsName, RelPath, Release};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Kernels of one image, release, architecture and flavour, oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ChainJson {
    /// The image; `null` where no manifest has one.
    #[schemars(with = "Option<String>")]
    image: Option<Name>,
    /// The distribution.
    #[schemars(with = "String")]
    os: OsName,
    /// Its release.
    #[schemars(with = "String")]
    release: Release,
    /// The architecture, as `uname -m` prints it.
    #[schemars(with = "String")]
    arch: Arch,
    /// The flavour.
    #[schemars(with = "String")]
    flavor: Flavor,
    /// What has to be the same: `headers` or `abi`.
    level: &'static str,
    /// The kernels, oldest first.
    kernels: Vec<LinkJson>,
}

/// A kernel of a chain.
#[derive(Debug, Serialize, JsonSchema)]
struct LinkJson {
    /// What `uname -r` prints.
    #[schemars(with = "String")]
    kernel: KernelText,
    /// The earlier kernel whose modules are tried on it; `null` where they are compiled.
    #[schemars(with = "Option<String>")]
    tried_on: Option<KernelText>,
    /// Why they are compiled.
    reason: Option<String>,
    /// In what it differs from the kernel before it: the first option, header and symbol, where they were looked at.
    differs: Option<String>,
}

/// The chains that a plan has, by what its lock says.
pub(super) fn of_plan(compiled: &Compiled, lock: &Lock, cache: &Cache) -> Vec<ChainJson> {
    let targets = &compiled.plan.targets;
    let kernels: BTreeMap<&RelPath, _> =
        targets.iter().map(|target| (&target.id, &target.at.kernel)).collect();
    let mut chains: BTreeMap<_, Vec<&plan::Target>> = BTreeMap::new();
    for target in targets {
        let Some(earlier) = &target.earlier else { continue };
        let key = (&target.image, &target.at.os, &target.at.release, target.at.arch, &target.at.flavor);
        chains.entry((key, earlier.reuse.level.name())).or_default().push(target);
    }
    let chain = |((key, level), mut targets): ((_, &'static str), Vec<&plan::Target>)| {
        let (image, os, release, arch, flavor): (&Name, &OsName, &Release, Arch, &Flavor) = key;
        targets.sort_by(|a, b| a.order.compare(a.at.kernel.as_str(), b.at.kernel.as_str()));
        let known = |target: &plan::Target| match lock.headers.get(&key_of(target)).map(|pin| &pin.value) {
            Some(HeadersPin::Known(known)) => Some(known),
            Some(HeadersPin::Unknown(_)) | None => None,
        };
        let mut before: Option<&plan::Target> = None;
        let mut links = Vec::new();
        for target in targets {
            let earlier = target.earlier.as_ref().map(|earlier| earlier.first.as_ref());
            let pair = before.and_then(|before| Some((known(before)?, known(target)?)));
            links.push(LinkJson {
                kernel: target.at.kernel.clone(),
                tried_on: earlier.and_then(|first| kernels.get(first.ok()?).copied()).cloned(),
                reason: earlier.and_then(|first| first.err().cloned()),
                differs: pair.and_then(|(before, after)| difference(cache, before, after)),
            });
            before = Some(target);
        }
        ChainJson {
            image: Some(image.clone()),
            os: os.clone(),
            release: release.clone(),
            arch,
            flavor: flavor.clone(),
            level,
            kernels: links,
        }
    };
    chains.into_iter().map(chain).collect()
}

fn key_of(target: &plan::Target) -> crate::knowledge::lock::KernelKey {
    (target.at.os.clone(), target.at.release.clone(), target.at.kernel.clone(), target.at.arch)
}

/// Where kernels are: distribution, release, architecture and flavour.
type Home = (OsName, Release, Arch, Flavor);

/// The chain that kernels of one series would make, oldest first, before a manifest has them.
fn of_kernels(
    (os, release, arch, flavor): Home,
    kernels: Vec<(KernelText, HeadersPin)>,
    level: ReuseLevel,
    cache: &Cache,
) -> ChainJson {
    let known: Vec<(KernelText, Option<HeaderDigests>)> = kernels
        .iter()
        .map(|(kernel, pin)| match pin {
            HeadersPin::Known(known) => (kernel.clone(), Some(known.clone())),
            HeadersPin::Unknown(_) => (kernel.clone(), None),
        })
        .collect();
    let tried = plan::chain(&known, level);
    let links = known.iter().enumerate().zip(tried).map(|((at, (kernel, own)), tried)| {
        let before = at.checked_sub(1).and_then(|before| known.get(before)?.1.as_ref());
        let pair = before.zip(own.as_ref());
        LinkJson {
            kernel: kernel.clone(),
            tried_on: tried.as_ref().ok().and_then(|&first| Some(known.get(first)?.0.clone())),
            reason: tried.err(),
            differs: pair.and_then(|(before, after)| difference(cache, before, after)),
        }
    });
    ChainJson { image: None, os, release, arch, flavor, level: level.name(), kernels: links.collect() }
}

/// The chains that the kernels of one flavour would make: one for each series.
pub(super) fn of_search(
    client: &Client,
    search: &Search<'_>,
    offer: &PackageIndex,
    level: ReuseLevel,
    terminal: &Terminal,
) -> Result<Vec<ChainJson>, Failure> {
    let mut kernels: Vec<_> = search.kernels(offer).into_iter().rev().map(|found| found.kernel).collect();
    kernels.retain(|kernel| search.packages(kernel, Use::Build, offer).is_ok());
    if kernels.is_empty() {
        return Ok(Vec::new());
    }
    let number = count(kernels.len(), "kernel");
    terminal.say(&format!("reading the headers of {number} of flavour {}", search.flavor));
    let pins = pins(client, search, offer, &kernels)?;
    let mut series: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (kernel, pin) in kernels.into_iter().zip(pins) {
        series.entry(kernel.series().to_owned()).or_default().push((kernel.text, pin));
    }
    let (os, release) = (&search.profile.os, &search.release.release);
    let home = || (os.clone(), release.clone(), search.arch, search.flavor.clone());
    Ok(series.into_values().map(|kernels| of_kernels(home(), kernels, level, client.cache())).collect())
}

/// Chains as people read them.
pub(super) fn text(chains: &[ChainJson]) -> String {
    chains.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn one(chain: &ChainJson) -> String {
    let ChainJson { image, os, release, arch, flavor, level, kernels } = chain;
    let image = image.as_ref().map(|image| format!("{image}, ")).unwrap_or_default();
    let tried = kernels.iter().filter(|link| link.tried_on.is_some()).count();
    let mut text = format!(
        "{image}{os} {release} {arch} {flavor}, reuse \"{level}\": {} compiled, {tried} tried on an earlier one\n",
        kernels.len() - tried
    );
    let width = kernels.iter().map(|link| link.kernel.as_str().len()).max().unwrap_or_default();
    for LinkJson { kernel, tried_on, reason, differs } in kernels {
        let name = kernel.as_str();
        text += &match (tried_on, reason, differs) {
            (Some(first), ..) => format!("  {name:width$}  tried on {first}\n"),
            (None, Some(why), Some(differs)) => format!("  {name:width$}  compiled: {why} ({differs})\n"),
            (None, Some(why), None) => format!("  {name:width$}  compiled: {why}\n"),
            (None, None, _) => format!("  {name:width$}  compiled\n"),
        };
    }
    text
}
