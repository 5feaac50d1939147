//! From the packages of a list to those that are wanted, their names and versions held to the types of [`crate::text::ids`].

use super::{PACKAGES_LIMIT, Package, PackageFile};
use crate::text::ids::{PackageName, PackageVersion};

/// The packages that were kept so far.
pub(super) struct Kept<'a> {
    wanted: &'a dyn Fn(&str) -> bool,
    pub packages: Vec<Package>,
}

impl<'a> Kept<'a> {
    pub fn new(wanted: &'a dyn Fn(&str) -> bool) -> Self {
        Self { wanted, packages: Vec::new() }
    }

    /// Whether a package of this name is kept.
    pub fn wants(&self, name: &str) -> bool {
        (self.wanted)(name)
    }

    /// Keeps a package, where it is wanted.
    ///
    /// # Errors
    /// Its name or version is none, or there are too many packages.
    pub fn add(
        &mut self,
        name: &str,
        version: &str,
        arch: &str,
        also: Vec<String>,
        file: Option<PackageFile>,
    ) -> Result<(), String> {
        if !self.wants(name) {
            return Ok(());
        }
        if self.packages.len() == PACKAGES_LIMIT {
            return Err(format!("it lists more than {PACKAGES_LIMIT} packages of kernels"));
        }
        let name =
            PackageName::parse(name).map_err(|rule| format!("`{name}` is not a package name: {rule}"))?;
        let parse = |text: &str| {
            PackageVersion::parse(text)
                .map_err(|rule| format!("`{text}` is not a version of `{name}`: {rule}"))
        };
        let version = parse(version)?;
        let also = also.iter().map(|other| parse(other)).collect::<Result<Vec<_>, _>>()?;
        let also = also.into_iter().filter(|other| *other != version).collect();
        self.packages.push(Package { name, version, arch: arch.into(), also, file });
        Ok(())
    }
}
