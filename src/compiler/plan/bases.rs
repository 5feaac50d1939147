//! What stages stand on: base images by their pins, tools, and the packages of a kernel.

use super::builder::Builder;
use super::cell::Cell;
use super::{Edge, Gone, Node, NodeId, OnBase, PackageInstall, RepositoryFile, SigningKey, Subscription};
use crate::compiler::model::{Access, AddedRepository, PackageRepository, RepositoryKey};
use crate::knowledge::lock::{Entry, ImagePin, packages_name};
use crate::knowledge::profile::Entitlement;
use crate::text::diag::{Code, Diagnostic, Diagnostics, listed};
use crate::text::ids::{CommandOption, ImageRef, Name, PackageName};
use crate::text::source::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Builder<'_> {
    /// The stage that fetches and patches, on the base image of the release. What it needs is open to everyone.
    pub(super) fn fetch(&mut self, cell: &Cell<'_>) -> NodeId {
        let base = self.base(cell);
        let install = self.open_install(cell, cell.platform.fetch.clone());
        let repositories = self.repositories(cell);
        self.graph.intern(Node::Fetch(OnBase { repositories, install }), &[(base, Edge::From)])
    }

    /// The stage that downloads, unpacks and patches, on the base image of the release.
    pub(super) fn download(&mut self, cell: &Cell<'_>) -> NodeId {
        let base = self.base(cell);
        let install = self.open_install(cell, cell.platform.download.clone());
        let repositories = self.repositories(cell);
        self.graph.intern(Node::Download(OnBase { repositories, install }), &[(base, Edge::From)])
    }

    pub(super) fn base(&mut self, cell: &Cell<'_>) -> NodeId {
        let image = cell.setup.base.as_ref().unwrap_or(&cell.platform.base);
        let image = self.pinned(image, cell, cell.release_span);
        self.graph.intern(Node::Base(image), &[])
    }

    /// The exact versions that the lock has for the kernel's own packages, or the packages as they are.
    pub(super) fn kernel_packages(&mut self, cell: &Cell<'_>, packages: &[PackageName]) -> Vec<PackageName> {
        let (os, release, kernel) = (&cell.profile.os, &cell.release.release, &cell.kernel.text);
        let lock = self.inputs.lock;
        let pins = lock.packages(os, release, kernel, cell.arch);
        if pins.is_none() && !packages.is_empty() && lock.is_resolved(os, release, kernel, cell.arch) {
            let name = packages_name(os.as_str(), release.as_str(), kernel.as_str(), cell.arch.name());
            self.unpinned_packages.entry(cell.span).or_default().insert(name);
        }
        let pins = pins.unwrap_or_default();
        let pinned = |package: &PackageName| {
            let of_package = |pin: &&PackageName| {
                pin.as_str().strip_prefix(package.as_str()).is_some_and(|rest| rest.starts_with(['=', '-']))
            };
            pins.iter().find(of_package).unwrap_or(package).clone()
        };
        packages.iter().map(pinned).collect()
    }

    /// An installation of a kernel's packages in the builder.
    pub(super) fn kernel_install(&self, cell: &Cell<'_>, packages: Vec<PackageName>) -> PackageInstall {
        let mut install = self.install(cell, packages);
        let repositories = &cell.packages.repositories;
        // Those of a subscription are not there without one.
        let subscribed = cell.profile.entitlements.first() != Some(&Entitlement::None);
        match &mut install.subscription {
            None if subscribed => {}
            _ if install.packages.is_empty() => {}
            Some(Subscription::Rhsm { repositories: enabled, .. }) => {
                let added: Vec<_> = repositories.iter().filter(|id| !enabled.contains(id)).cloned().collect();
                enabled.extend(added);
            }
            _ => {
                let added = repositories.iter().filter_map(|id| enable(id.as_str()));
                let added: Vec<_> = added.filter(|option| !install.options.contains(option)).collect();
                install.options.extend(added);
            }
        }
        install.options.dedup();
        install.of_kernel = Some(Gone(cell.packages.old_kernels.clone()));
        install
    }

    /// An installation in the builder.
    pub(super) fn install(&self, cell: &Cell<'_>, packages: Vec<PackageName>) -> PackageInstall {
        let (mut options, mut subscription) = (Vec::new(), None);
        if !packages.is_empty() {
            let subscribed = &cell.packages.subscription;
            options.clone_from(&cell.platform.install_options);
            options.extend(cell.setup.repositories.iter().filter_map(|repository| match repository {
                PackageRepository::Enable(id) => enable(id.value.as_str()),
                PackageRepository::Add(_) => None,
            }));
            subscription = match &cell.setup.access {
                Access::None => None,
                Access::Host => Some(Subscription::Host),
                Access::Rhsm { org, key } => {
                    let (org, key) = (org.clone(), key.clone());
                    Some(Subscription::Rhsm { org, key, repositories: subscribed.clone() })
                }
                Access::Certs { certificate, key } => {
                    options.extend(subscribed.iter().filter_map(|id| enable(id.as_str())));
                    let (certificate, key) = (certificate.clone(), key.clone());
                    Some(Subscription::Certs { certificate, key })
                }
            };
        }
        PackageInstall { manager: cell.platform.manager, options, packages, subscription, of_kernel: None }
    }

    /// An installation from the repositories that are open to everyone.
    pub(super) fn open_install(&self, cell: &Cell<'_>, packages: Vec<PackageName>) -> PackageInstall {
        PackageInstall { subscription: None, ..self.install(cell, packages) }
    }

    /// The package repositories that the manifest adds.
    pub(super) fn repositories(&mut self, cell: &Cell<'_>) -> Vec<RepositoryFile> {
        let setup = Arc::clone(&cell.setup);
        let added = setup.repositories.iter().filter_map(|repository| match repository {
            PackageRepository::Add(added) => self.repository(cell, added),
            PackageRepository::Enable(_) => None,
        });
        let mut repositories: Vec<_> = added.collect();
        let key =
            (cell.profile.os.clone(), cell.release.release.clone(), cell.arch, cell.setup.base.is_none());
        if !self.archives.contains_key(&key) {
            let archives = archives(cell);
            self.archives.insert(key.clone(), archives);
        }
        repositories.extend(self.archives.get(&key).into_iter().flatten().cloned());
        repositories
    }

    fn repository(&mut self, cell: &Cell<'_>, added: &AddedRepository) -> Option<RepositoryFile> {
        let system = (cell.profile.os.as_str(), cell.release.release.as_str(), cell.arch.name());
        let values = added.url(system.0, system.1, system.2).and_then(|url| {
            let suite = added.suite(system.0, system.1, system.2)?;
            Ok((url, suite))
        });
        let (url, suite) = values
            .map_err(|rule| {
                self.report_once(
                    Diagnostic::new(Code::MalformedValue, "this repository has no address for some releases")
                        .label(added.span, "malformed with its variables filled in")
                        .help(format!("write {rule}")),
                );
            })
            .ok()?;
        let key = added.key.as_ref().and_then(|key| match &key.value {
            RepositoryKey::File(file) => {
                Some(SigningKey::File(file.clone(), self.inputs.contexts.key(file)?))
            }
            RepositoryKey::Builder(path) => Some(SigningKey::Builder(path.clone())),
        });
        let components = match added.components.as_slice() {
            [] => Name::parse("main").into_iter().collect(),
            components => components.to_vec(),
        };
        Some(RepositoryFile { url, suite, components, key })
    }

    /// The image by the digest that the lock has for it; as it is, with a warning, where it has none.
    pub(super) fn pinned(&mut self, image: &ImageRef, cell: &Cell<'_>, span: Span) -> ImageRef {
        let digest = match image.digest() {
            Some(digest) => Some(digest.to_string()),
            None => self.inputs.lock.image(image).map(|pin| {
                self.check_platform(image, pin, cell);
                pin.value.digest.to_string()
            }),
        };
        let pinned =
            digest.and_then(|digest| ImageRef::parse(&format!("{}@{digest}", image.repository())).ok());
        if pinned.is_none() {
            let unpinned = self.unpinned.entry(span).or_default();
            if !unpinned.contains(image) {
                unpinned.insert(image.clone());
            }
        }
        pinned.unwrap_or_else(|| image.clone())
    }

    /// An image that the registry does not have for an architecture cannot be built on there.
    fn check_platform(&mut self, image: &ImageRef, pin: &Entry<ImagePin>, cell: &Cell<'_>) {
        let platforms = &pin.value.platforms;
        if platforms.is_empty() || platforms.contains_key(&cell.arch) {
            return;
        }
        let known = platforms.keys().map(|arch| arch.name());
        self.report_once(
            Diagnostic::new(
                Code::MissingPlatform,
                format!("image `{image}` is not there for {}", cell.arch),
            )
            .label(cell.arch_span, "asks for this architecture")
            .label(pin.span, format!("is there for {}", listed(known, "and")))
            .help("name another image with `base`, or `exclude` the architecture; if the image has it by now, run `drvc lock --update`"),
        );
    }
}

/// The profile's archives for the cell's release, which base images do not know; a `base` of one's own brings what it
/// needs.
fn archives(cell: &Cell<'_>) -> Vec<RepositoryFile> {
    let mirrors = match cell.setup.base {
        None => cell.profile.mirrors(&cell.release, cell.arch, cell.setup.stream.as_deref()),
        Some(_) => Vec::new(),
    };
    let archives = mirrors.into_iter().filter(|mirror| mirror.archive);
    let file = archives.map(|mirror| RepositoryFile {
        url: mirror.url,
        suite: mirror.suite,
        components: mirror.components,
        key: mirror.key.map(SigningKey::Builder),
    });
    file.collect()
}

/// The option that enables a repository; dnf, microdnf, tdnf and yum share it.
fn enable(id: &str) -> Option<CommandOption> {
    CommandOption::parse(&["--enablerepo=", id].concat()).ok()
}

/// One report for each `kernel` whose kernels are resolved and whose packages are not.
pub(super) fn unpinned_packages(unpinned: &BTreeMap<Span, BTreeSet<String>>) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    for (span, names) in unpinned {
        let mut listed = names.iter().take(6).cloned().collect::<Vec<_>>().join("; ");
        if names.len() > 6 {
            listed.push_str(&format!("; and {} more", names.len() - 6));
        }
        diagnostics.push(
            Diagnostic::new(Code::UnpinnedPackages, format!("the lock file lacks the {listed}"))
                .label(*span, "resolved to kernels whose packages may be others in every build")
                .help("run `drvc lock`, which resolves kernels together with their packages"),
        );
    }
    diagnostics
}

/// One report for all images that could be another one tomorrow.
pub(super) fn unpinned_images(unpinned: &BTreeMap<Span, BTreeSet<ImageRef>>) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    let all: BTreeSet<_> = unpinned.values().flatten().collect();
    if all.is_empty() {
        return diagnostics;
    }
    let message = match all.len() {
        1 => "a base image is not pinned to a digest".into(),
        n => format!("{n} base images are not pinned to a digest"),
    };
    let mut report = Diagnostic::new(Code::UnpinnedImage, message);
    for (span, images) in unpinned {
        let images = images.iter().filter_map(|image| image.as_str().rsplit('/').next());
        let images: Vec<_> = images.map(|image| format!("`{image}`")).collect();
        report = report.label(*span, images.join(", "));
    }
    diagnostics.push(report.help("run `drvc lock`, so that every build uses the same images"));
    diagnostics
}
