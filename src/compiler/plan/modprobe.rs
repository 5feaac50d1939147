//! How an image's modules are configured and ordered, as `modprobe` would be told.

use crate::compiler::model::{ImageBody, Template};
use crate::text::ids::KmodName;

/// `option`, `softdep` and `blacklist` of an image for one cell, every variable replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modprobe {
    /// A kernel module and its parameters.
    pub options: Vec<(KmodName, Vec<(KmodName, String)>)>,
    /// A kernel module, and what is loaded before and after it, as written.
    pub softdeps: Vec<(KmodName, Vec<KmodName>, Vec<KmodName>)>,
    /// Kernel modules that are not loaded by themselves.
    pub blacklist: Vec<KmodName>,
}

impl Modprobe {
    /// What an image's body says, with texts by `text`.
    pub(super) fn of(body: &ImageBody, text: impl Fn(&Template) -> String) -> Self {
        let all = |kmods: &[KmodName]| kmods.iter().map(underscored).collect();
        let options = body.options.iter().map(|option| {
            let parameters = option.parameters.iter().map(|(name, value)| (name.clone(), text(value)));
            (underscored(&option.kmod.value), parameters.collect())
        });
        let softdeps = body.softdeps.iter();
        let softdeps = softdeps.map(|dep| (underscored(&dep.kmod), dep.pre.clone(), dep.post.clone()));
        Self { options: options.collect(), softdeps: softdeps.collect(), blacklist: all(&body.blacklist) }
    }

    /// Lines of modprobe.d(5).
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (kmod, parameters) in &self.options {
            let parameters = parameters.iter().map(|(name, value)| {
                let quotes =
                    if value.contains(char::is_whitespace) && !value.contains('"') { "\"" } else { "" };
                format!(" {name}={quotes}{value}{quotes}")
            });
            lines.push(format!("options {kmod}{}", parameters.collect::<String>()));
        }
        for (kmod, pre, post) in &self.softdeps {
            let list = |word: &str, kmods: &[KmodName]| match kmods {
                [] => String::new(),
                kmods => {
                    format!(" {word}: {}", kmods.iter().map(KmodName::as_str).collect::<Vec<_>>().join(" "))
                }
            };
            lines.push(format!("softdep {kmod}{}{}", list("pre", pre), list("post", post)));
        }
        lines.extend(self.blacklist.iter().map(|kmod| format!("blacklist {kmod}")));
        lines
    }
}

/// The name as the kernel has it: `-` and `_` are the same to `modprobe`.
#[must_use]
pub fn underscored(name: &KmodName) -> KmodName {
    KmodName::parse(&name.as_str().replace('-', "_")).unwrap_or_else(|_| name.clone())
}
