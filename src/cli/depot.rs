//! From a kernel's name to its packages: out of the repositories of the manifest and of its distribution's profile.

use super::kernels::{Manifest, View, keys, reachable};
use super::network::Network;
use super::project::Project;
use super::terminal::Terminal;
use super::{Failure, Global};
use crate::compiler::plan::Target;
use crate::images::image::Image;
use crate::images::verify::Symvers;
use crate::knowledge::profile::{Kernel, Profile, Profiles, ReleaseFacts};
use crate::resolve::repository::kernels::{Search, Use};
use crate::resolve::repository::{self, PackageIndex};
use crate::system::http::Client;
use crate::text::diag::{listed, nearest};
use crate::text::error::Error;
use crate::text::ids::{Arch, RelPath};

/// What `/etc/os-release` of an image may have, in bytes.
const OS_RELEASE: u64 = 64 << 10;

/// Package repositories, and the manifest that names some of them.
pub(super) struct Depot<'a> {
    project: Project,
    network: &'a Network,
    terminal: &'a Terminal,
    manifest: Option<Manifest>,
    builtin: Profiles,
    client: Client,
}

/// Whose kernels are meant: a distribution's, of one release and architecture.
#[derive(Clone, Debug)]
pub(super) struct Home<'d> {
    profile: &'d Profile,
    release: ReleaseFacts,
    arch: Arch,
}

/// A package that was fetched.
#[derive(Debug)]
pub(super) struct Fetched {
    /// Where it came from.
    pub(super) url: String,
    pub(super) bytes: Vec<u8>,
}

impl<'a> Depot<'a> {
    pub(super) fn new(
        global: &Global,
        network: &'a Network,
        terminal: &'a Terminal,
    ) -> Result<Self, Failure> {
        let project = Project::new(global)?;
        let manifest = Manifest::read(&project, terminal)?;
        let client = network.for_repositories(&network.client_of(&project, terminal)?)?;
        Ok(Self { project, network, terminal, manifest, builtin: Profiles::builtin(), client })
    }

    fn profiles(&self) -> &Profiles {
        self.manifest.as_ref().map_or(&self.builtin, |manifest| &manifest.parts.profiles)
    }

    /// Whose kernel that of an image is, as the target tells, or else its `/etc/os-release` and the kernel's own name.
    pub(super) fn home_of(
        &self,
        target: Option<&Target>,
        image: &Image,
        kernel: &str,
    ) -> Result<Home<'_>, Failure> {
        if let Some(target) = target {
            return self.home(kernel, target.at.os.as_str(), target.at.release.as_str(), target.at.arch);
        }
        let text = image.root.read("etc/os-release", OS_RELEASE).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let value = |key: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            value.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
        };
        let arch = Arch::ALL.into_iter().find(|arch| arch.oci() == image.config.architecture);
        self.home(kernel, &value("ID"), &value("VERSION_ID"), arch.unwrap_or(Arch::X86_64))
    }

    /// Of all distributions that have such kernels the one that is named, or else the first; and of its releases too.
    fn home(&self, kernel: &str, os: &str, release: &str, arch: Arch) -> Result<Home<'_>, Failure> {
        let mut homes = Vec::new();
        for profile in self.profiles().names().into_iter().filter_map(|name| self.profiles().get(name)) {
            let Ok(kernel) = profile.kernel(kernel) else { continue };
            let releases = profile.releases_of(&kernel);
            let facts = releases.iter().filter_map(|release| profile.release(release).ok());
            homes.extend(facts.map(|release| Home { profile, release, arch }));
        }
        // A distribution that runs another's kernels (OpenShift) is not among these.
        homes.sort_by_key(|home| (home.profile.os.as_str() != os, home.release.release.as_str() != release));
        homes.into_iter().next().ok_or_else(|| Failure::Usage {
            message: format!("no distribution is known that has a kernel `{kernel}`"),
            help: "name its files: `--symvers` for its symbols, `--kernel` and `--modules` to boot it".into(),
        })
    }

    /// What the repositories offer of kernels like this one.
    fn offer<'h>(
        &self,
        home: &'h Home<'h>,
        kernel: &'h Kernel,
    ) -> Result<(Search<'h>, PackageIndex), Failure> {
        let Home { profile, release, arch } = home;
        let view = View::of(self.manifest.as_ref(), profile, release);
        let places = view.places(*arch, &kernel.flavor);
        let sources = repository::sources(profile, release, *arch, &places)?;
        let sources = reachable(sources, self.network, &view)?;
        let search = Search::new(profile, release, *arch, &kernel.flavor);
        let keys = |path: &RelPath| keys(&self.project, path, &self.client);
        let offer = repository::package_index(
            &self.client,
            &keys,
            &sources,
            std::slice::from_ref(&search),
            &std::collections::BTreeSet::new(),
        )?;
        Ok((search, offer))
    }

    /// The packages of a kernel, from the cache or fetched.
    pub(super) fn packages(&self, home: &Home<'_>, kernel: &str, of: Use) -> Result<Vec<Fetched>, Failure> {
        let kernel = self.read(home, kernel)?;
        let (search, offer) = self.offer(home, &kernel)?;
        self.fetch(&search, &offer, &kernel, of)
    }

    fn read(&self, home: &Home<'_>, kernel: &str) -> Result<Kernel, Failure> {
        let wrong = |error: &dyn std::fmt::Display| Failure::Usage {
            message: format!("`{kernel}` is not a kernel of {}: {error}", home.profile.title),
            help: "write it as `uname -r` prints it".into(),
        };
        let read = self.profiles().kernel(home.profile, kernel).map_err(|error| wrong(&error))?;
        home.profile.with_arch(&read, home.arch).map_err(|error| wrong(&error))
    }

    fn fetch(
        &self,
        search: &Search<'_>,
        offer: &PackageIndex,
        kernel: &Kernel,
        of: Use,
    ) -> Result<Vec<Fetched>, Failure> {
        let packages = search.packages(kernel, of, offer).map_err(|missing| {
            let missing = listed(missing.iter().map(crate::text::ids::PackageName::as_str), "and");
            let found: Vec<_> = search.kernels(offer).into_iter().map(|found| found.kernel.text).collect();
            let help =
                match nearest(kernel.text.as_str(), found.iter().map(crate::text::ids::KernelText::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => {
                        "`drvc kernels` lists those that are offered; name a `repository` that has it".into()
                    }
                };
            Error::new("find", kernel.text.as_str(), format!("no repository offers {missing}")).help(help)
        })?;
        let fetched = packages.into_iter().filter_map(|package| Some((package, package.file.as_ref()?)));
        let mut all = Vec::new();
        for (package, file) in fetched {
            self.terminal.say(&format!("package {}: {} MiB", package.name, file.size.div_ceil(1 << 20)));
            all.push(Fetched { url: file.url.clone(), bytes: repository::download(&self.client, file)? });
        }
        Ok(all)
    }

    /// The versions of a kernel's symbols.
    pub(super) fn symvers(&self, home: &Home<'_>, kernel: &str) -> Result<Symvers, Failure> {
        symvers_of(kernel, &self.packages(home, kernel, Use::Build)?)
    }

    /// The same of each kernel that a pattern matches, among those that are like `own`; newest first.
    pub(super) fn others(
        &self,
        home: &Home<'_>,
        own: &str,
        pattern: &str,
    ) -> Result<Vec<(String, Symvers)>, Failure> {
        let glob = globset::Glob::new(pattern).map_err(|cause| Failure::Usage {
            message: format!("`{pattern}` is not a pattern: {}", cause.kind()),
            help: "write a kernel, or a pattern such as `6.1.0-*-amd64`".into(),
        })?;
        let glob = glob.compile_matcher();
        let own = self.read(home, own)?;
        let (search, offer) = self.offer(home, &own)?;
        let kernels = search.kernels(&offer).into_iter().map(|found| found.kernel);
        let matching = kernels.filter(|kernel| glob.is_match(kernel.text.as_str()));
        let (kernels, without): (Vec<_>, Vec<_>) =
            matching.partition(|kernel| search.packages(kernel, Use::Build, &offer).is_ok());
        for kernel in without {
            self.terminal.say(&format!("left out {}: its headers are not offered", kernel.text));
        }
        if kernels.is_empty() {
            return Err(Failure::Usage {
                message: format!("no kernel that is offered is called `{pattern}`"),
                help: format!("`drvc kernels {} {}` lists them", home.profile.os, home.release.release),
            });
        }
        let read = |kernel: &Kernel| {
            let packages = self.fetch(&search, &offer, kernel, Use::Build)?;
            Ok((kernel.text.to_string(), symvers_of(kernel.text.as_str(), &packages)?))
        };
        kernels.iter().map(read).collect()
    }
}

fn symvers_of(kernel: &str, packages: &[Fetched]) -> Result<Symvers, Failure> {
    for Fetched { url, bytes } in packages {
        if let Some(symvers) = Symvers::of_package(url, bytes)? {
            return Ok(symvers);
        }
    }
    let help = "give the file with `--symvers`";
    Err(Error::new("find the symbols of", kernel, "no package of its headers has a Module.symvers")
        .help(help)
        .into())
}
