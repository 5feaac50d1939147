//! Selectors: the properties by which `on`, `only` and `exclude` pick cells.

use crate::language::schema::{Kind, Property, Rule, RuleKind};

pub(super) const OS: Property =
    Property::optional("os", Kind::TEXT, "the operating system's name in the matrix");
pub(super) const FAMILY: Property = Property::optional(
    "family",
    Kind::TEXT,
    "the family of operating systems: `rhel` covers RHEL, OpenShift and the rebuilds",
);
pub(super) const RELEASE: Property =
    Property::optional("release", Kind::TEXT, "the release, as the matrix has it");
pub(super) const EL: Property = Property::optional(
    "el",
    Kind::TEXT,
    "the minor release of Enterprise Linux that the kernel belongs to; `el=\"<9\"` also selects OpenShift 4.12",
);
pub(super) const KERNEL: Property =
    Property::optional("kernel", Kind::TEXT, "the kernel, as `uname -r` prints it");
pub(super) const ARCH: Property = Property::optional("arch", Kind::TEXT, "the architecture");
pub(super) const FLAVOR: Property =
    Property::optional("flavor", Kind::TEXT, "the kernel's flavour, such as `default`, `rt` or `64k`");
pub(super) const IMAGE: Property = Property::optional("image", Kind::TEXT, "the image's name");

/// All of them.
pub(super) const SELECTORS: &[Property] = &[OS, FAMILY, RELEASE, EL, KERNEL, ARCH, FLAVOR, IMAGE];

/// One of them must be there.
pub(super) const SELECTS: Rule = Rule {
    kind: RuleKind::AtLeastOne,
    groups: &[&["os"], &["family"], &["release"], &["el"], &["kernel"], &["arch"], &["flavor"], &["image"]],
};
