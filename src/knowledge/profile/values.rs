//! Values that profiles choose among.

use super::VersionOrder;
use crate::text::ids::Repository;

/// The repository of release payloads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Host and path.
    pub repository: Repository,
    /// Whether their tags are `RELEASE-ARCH`, not the release alone.
    pub by_arch: bool,
}

/// Enums whose values have names in the data files.
macro_rules! named {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All of them, in the order of their names.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name that manifests and profiles use.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The one with this name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }
    )*};
}

named! {
    /// The families of package managers, each with its own command line.
    PackageManager {
        /// Debian's apt-get.
        Apt = "apt",
        /// Of RHEL, its rebuilds and Fedora.
        Dnf = "dnf",
        /// The small dnf of minimal images.
        Microdnf = "microdnf",
        /// Of Azure Linux and Photon.
        Tdnf = "tdnf",
        /// Of Amazon Linux 2.
        Yum = "yum",
        /// Of SUSE.
        Zypper = "zypper",
    }

    /// Where the builder image of a target comes from.
    Builder {
        /// The distribution's base image, and packages installed in it.
        Distro = "distro",
        /// OpenShift's Driver Toolkit image.
        Dtk = "dtk",
        /// A toolkit image of drvc's own.
        Toolkit = "toolkit",
    }

    /// How subscribed package repositories are reached while building.
    Entitlement {
        /// Certificates, as build secrets.
        Certs = "certs",
        /// The engine's host mounts its own certificates.
        Host = "host",
        /// No subscription is needed, or none is used.
        None = "none",
        /// Organisation and activation key, as build secrets.
        Rhsm = "rhsm",
    }
}

impl PackageManager {
    /// Whose rules order the versions of its packages.
    #[must_use]
    pub const fn order(self) -> VersionOrder {
        match self {
            Self::Apt => VersionOrder::Dpkg,
            Self::Dnf | Self::Microdnf | Self::Tdnf | Self::Yum | Self::Zypper => VersionOrder::Rpm,
        }
    }

    /// How a manifest names a repository of it, for help texts.
    #[must_use]
    pub const fn example_repository(self) -> &'static str {
        match self {
            Self::Apt => "repository \"URL\" suite=\"SUITE\"",
            Self::Dnf | Self::Microdnf | Self::Tdnf | Self::Yum | Self::Zypper => "repository \"URL\"",
        }
    }
}
