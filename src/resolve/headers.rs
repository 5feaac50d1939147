//! Kernels whose headers are compared -> digests of what the packages of these headers hold.
//!
//! Packages come from the repositories in which kernels are looked for, and out of the user's cache. What is told of one
//! package, and of what two kernels differ in, is kept there too, so that the next run unpacks nothing.

mod contents;

use super::answer::Answer;
use super::kernels::keys;
use super::repository::Problem;
use super::work::Work;
use crate::compiler::plan;
use crate::knowledge::lock::{Consulted, HeaderDigests, HeadersPin, KernelKey, Want};
use crate::knowledge::profile::Kernel;
use crate::resolve::repository::kernels::{Search, Use};
use crate::resolve::repository::{Package, PackageIndex, download, package_index, sources};
use crate::system::http::{Cache, Client, Key};
use crate::system::threads;
use crate::text::error::Error;
use crate::text::ids::{Arch, Flavor, OsName, RelPath, Release, Sha256};
use contents::{Contents, Details, release_words, shortest, sum};
use std::collections::{BTreeMap, BTreeSet};

/// So many kernels' packages are unpacked at a time.
const AT_ONCE: usize = 4;
/// What two kernels differ in takes fewer bytes than this.
const TOLD: u64 = 1 << 12;

/// Kernels whose packages are in the same repositories.
type Home = (OsName, Release, Arch, Flavor);

impl Work<'_> {
    /// What the headers of the kernel of each question hold. A repository is read once for all kernels of a flavour.
    pub(super) fn headers(
        &self,
        wants: Vec<Want>,
        told: &dyn Fn(&Want),
    ) -> Vec<(Want, Result<Answer, Problem>)> {
        let mut homes: BTreeMap<Home, Vec<(KernelKey, Kernel)>> = BTreeMap::new();
        let mut answers = Vec::new();
        for want in wants {
            let Want::Headers(key) = &want else { continue };
            match self.home(key) {
                Some((home, kernel)) => homes.entry(home).or_default().push((key.clone(), kernel)),
                None => answers.push((want, Ok(unknown("its distribution has no such kernels")))),
            }
        }
        for (home, kernels) in homes {
            match self.of_home(&home, &kernels) {
                Ok(pins) => answers.extend(kernels.into_iter().zip(pins).map(|((key, _), pin)| {
                    let want = Want::Headers(key);
                    told(&want);
                    (want, Ok(Answer::Headers(pin)))
                })),
                Err(error) => answers.extend(
                    kernels
                        .into_iter()
                        .map(|(key, _)| (Want::Headers(key), Err(Problem::World(error.clone())))),
                ),
            }
        }
        answers
    }

    fn home(&self, key: &KernelKey) -> Option<(Home, Kernel)> {
        let (os, release, kernel, arch) = key;
        let profile = self.parts.profiles.get(os.as_str())?;
        let kernel = profile.kernel(kernel.as_str()).ok()?;
        let kernel = profile.with_arch(&kernel, *arch).ok()?;
        Some(((os.clone(), release.clone(), *arch, kernel.flavor.clone()), kernel))
    }

    fn of_home(&self, home: &Home, kernels: &[(KernelKey, Kernel)]) -> Result<Vec<HeadersPin>, Error> {
        let (os, release, arch, flavor) = home;
        let all = |why: &str| kernels.iter().map(|_| HeadersPin::Unknown(why.to_owned())).collect();
        let profile = self.parts.profiles.get(os.as_str());
        let found = profile.and_then(|profile| Some((profile, profile.release(release.as_str()).ok()?)));
        let Some((profile, release)) = found else { return Ok(all("its release is not known")) };
        let lock = Consulted::new(&self.parts.lock);
        let inputs = self.parts.inputs(&lock, self.sources, self.request);
        let places = plan::places_of(&inputs, profile, &release, *arch, flavor);
        let mut sources = sources(profile, &release, *arch, &places)?;
        sources.retain(|source| !source.subscription || self.resolver.is_subscribed());
        if sources.is_empty() {
            return Ok(all("no package repository that can be asked has its headers"));
        }
        let (tree, client) = (self.tree, self.resolver.client());
        let keys = |path: &RelPath| keys(tree, client, path);
        let search = Search::new(profile, &release, *arch, flavor);
        let searches = std::slice::from_ref(&search);
        let client = self.resolver.repositories();
        let offer = package_index(client, &keys, &sources, searches, &BTreeSet::new())?;
        let kernels: Vec<_> = kernels.iter().map(|(_, kernel)| kernel.clone()).collect();
        pins(client, &search, &offer, &kernels)
    }
}

/// What the headers of kernels hold. Of two that follow on each other in their series, what differs is kept, for
/// [`difference`] to tell.
///
/// # Errors
/// A package cannot be fetched or read.
pub fn pins(
    client: &Client,
    search: &Search<'_>,
    offer: &PackageIndex,
    kernels: &[Kernel],
) -> Result<Vec<HeadersPin>, Error> {
    let pins = side_by_side(kernels, |kernel| pin(client, search, offer, kernel))?;
    let mut order: Vec<_> = kernels.iter().zip(&pins).collect();
    order.sort_by(|(one, _), (other, _)| search.profile.compare_kernels(one, other));
    let pairs: Vec<_> = order.windows(2).filter_map(|pair| to_tell(client.cache(), pair)).collect();
    side_by_side(&pairs, |(key, one, other)| {
        let (one, other) = (details(client, search, offer, one)?, details(client, search, offer, other)?);
        client.cache().keep(key, one.difference(&other).as_bytes());
        Ok(())
    })?;
    Ok(pins)
}

/// Two kernels that differ, where what they differ in was not told before.
fn to_tell<'k>(cache: &Cache, pair: &[(&'k Kernel, &HeadersPin)]) -> Option<(Key, &'k Kernel, &'k Kernel)> {
    let &[(one, HeadersPin::Known(before)), (other, HeadersPin::Known(after))] = pair else { return None };
    let same = (&before.headers, &before.options, &before.symbols)
        == (&after.headers, &after.options, &after.symbols);
    let key = pair_key(before, after);
    let told = same || one.series() != other.series() || cache.kept(&key, TOLD).is_some();
    (!told).then_some((key, one, other))
}

/// What the headers of two kernels differ in: the first option, header and symbol. Known where both were read on this machine,
/// one after the other.
#[must_use]
pub fn difference(cache: &Cache, before: &HeaderDigests, after: &HeaderDigests) -> Option<String> {
    let told = cache.kept(&pair_key(before, after), TOLD)?;
    Some(String::from_utf8_lossy(&told).into_owned()).filter(|told| !told.is_empty())
}

fn pair_key(before: &HeaderDigests, after: &HeaderDigests) -> Key {
    let packages = |digests: &HeaderDigests| digests.packages.join("\n");
    let of = format!("{}\n{}\n\n{}", contents::VERSION, packages(before), packages(after));
    Key::of_digest("headers-difference", &sum(of.as_bytes()))
}

/// Does something for each item, a few at a time, in their order.
fn side_by_side<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R, Error> + Sync,
) -> Result<Vec<R>, Error> {
    let mut results = Vec::new();
    for some in items.chunks(AT_ONCE) {
        for result in threads::map(some, AT_ONCE, &work) {
            results.push(result?);
        }
    }
    Ok(results)
}

fn unknown(why: &str) -> Answer {
    Answer::Headers(HeadersPin::Unknown(why.to_owned()))
}

/// What a kernel's packages hold, and those that these build on.
fn pin(
    client: &Client,
    search: &Search<'_>,
    offer: &PackageIndex,
    kernel: &Kernel,
) -> Result<HeadersPin, Error> {
    let all = packages(search, offer, kernel, &mut |package| contents(client, package, kernel))?;
    if all.is_empty() {
        return Ok(HeadersPin::Unknown("no repository offers its headers".to_owned()));
    }
    Ok(combined(&all).unwrap_or_else(|| {
        HeadersPin::Unknown("its packages lack options or symbols of the kernel".to_owned())
    }))
}

/// The lines of everything that a kernel's packages hold.
fn details(
    client: &Client,
    search: &Search<'_>,
    offer: &PackageIndex,
    kernel: &Kernel,
) -> Result<Details, Error> {
    let mut all = Details::default();
    packages(search, offer, kernel, &mut |package| {
        let Some(file) = &package.file else { return Ok(None) };
        let (contents, details) = Contents::read(&file.url, &download(client, file)?, kernel.text.as_str())?;
        all.extend(details);
        Ok(Some(contents))
    })?;
    Ok(all)
}

/// A kernel's packages of headers, and those that these build on, as far as something could be told of them.
fn packages<'o>(
    search: &Search<'_>,
    offer: &'o PackageIndex,
    kernel: &Kernel,
    read: &mut dyn FnMut(&Package) -> Result<Option<Contents>, Error>,
) -> Result<Vec<(&'o Package, Contents)>, Error> {
    let packages = search.packages(kernel, Use::Build, offer).unwrap_or_default();
    let mut all = Vec::new();
    for &package in &packages {
        let Some(contents) = read(package)? else { continue };
        let shared = contents.shared.iter().filter_map(|name| offer.find(name));
        let shared: Vec<_> = shared.filter(|shared| !packages.contains(shared)).collect();
        all.push((package, contents));
        for package in shared {
            all.extend(read(package)?.map(|contents| (package, contents)));
        }
    }
    Ok(all)
}

/// What a package holds: from the cache, or out of the package itself; nothing where the repository says no checksum of it.
fn contents(client: &Client, package: &Package, kernel: &Kernel) -> Result<Option<Contents>, Error> {
    let Some(file) = &package.file else { return Ok(None) };
    let kernel = kernel.text.as_str();
    let words = release_words(kernel);
    // By the kernel itself, and by what its flavours have in common: they build on one package.
    let keys = [kernel, shortest(&words)].map(|of| {
        let of = format!("{} {} {of}", contents::VERSION, file.sum.hex());
        Key::of_digest("headers", &sum(of.as_bytes()))
    });
    let kept = keys.iter().find_map(|key| {
        let text = client.cache().kept(key, 1 << 16)?;
        Contents::from_text(&String::from_utf8_lossy(&text)).filter(|known| known.serves(kernel))
    });
    if kept.is_some() {
        return Ok(kept);
    }
    let bytes = download(client, file)?;
    let (contents, _) = Contents::read(&file.url, &bytes, kernel)?;
    keys.iter().for_each(|key| client.cache().keep(key, contents.to_text().as_bytes()));
    Ok(Some(contents))
}

fn combined(all: &[(&Package, Contents)]) -> Option<HeadersPin> {
    let mut trees: Vec<_> = all.iter().map(|(_, contents)| contents.headers.as_str()).collect();
    trees.sort_unstable();
    let options = all.iter().find_map(|(_, contents)| contents.options.clone())?;
    let symbols = all.iter().find_map(|(_, contents)| contents.symbols.clone())?;
    let layout = all.iter().find_map(|(_, contents)| contents.layout.clone());
    let packages = all.iter().map(|(package, _)| {
        let sum = package.file.as_ref().map_or("", |file| file.sum.hex());
        format!("{}={} {sum}", package.name, package.version)
    });
    Some(HeadersPin::Known(HeaderDigests {
        headers: Sha256::parse(&sum(trees.join("\n").as_bytes())).ok()?,
        options: Sha256::parse(&options).ok()?,
        symbols: Sha256::parse(&symbols).ok()?,
        layout,
        packages: packages.collect(),
    }))
}
