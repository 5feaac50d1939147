//! What of an image one Module of KMM can say: one load order, one set of parameters, one image for a kernel.

use super::super::{Files, Inputs};
use crate::compiler::model::Kmm;
use crate::compiler::plan::{ImageStage, Node, Target, underscored};
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{ImageRef, KmodName};
use crate::text::source::Span;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The targets of an image, and how all of them are loaded.
pub(super) struct Mapping<'a> {
    pub targets: Vec<&'a Target>,
    /// First to last; never empty.
    pub order: Vec<KmodName>,
    /// Of the module that is loaded last.
    pub parameters: Vec<String>,
    /// The modules of the kernel's own that give way, where they are the same on every kernel.
    pub replaces: Option<&'a [KmodName]>,
    pub blacklist: &'a [KmodName],
    pub firmware: bool,
}

/// The mapping of an image; nothing, and a report, where KMM cannot say it.
pub(super) fn mapping<'a>(
    inputs: &Inputs<'a>,
    settings: &Kmm,
    targets: Vec<&'a Target>,
    image: Span,
    files: &mut Files,
) -> Option<Mapping<'a>> {
    let (first, others) = targets.split_first()?;
    let stage = stage(inputs, first)?;
    let differs = |other: &&&Target| {
        let theirs = self::stage(inputs, other);
        other.modprobe != first.modprobe
            || theirs.is_none_or(|theirs| theirs.load != stage.load || theirs.firmware != stage.firmware)
    };
    if let Some(other) = others.iter().find(differs) {
        files.diagnostics.push(
            Diagnostic::new(
                Code::AmbiguousMapping,
                format!("image `{}` is not loaded in the same way on all kernels", first.image),
            )
            .label(image, "KMM has one load order and one set of options for it")
            .label(first.span, "this kernel has one")
            .label(other.span, "and this one another")
            .help("make two images of it, each with `only` for its kernels"),
        );
        return None;
    }
    refuse_two_images(&targets, image, files)?;
    let order = order(stage, &first.modprobe.softdeps);
    let Some(last) = order.last() else {
        unmapped(
            files,
            settings,
            image,
            format!("image `{}` loads nothing, so KMM has nothing to do", first.image),
            "add `load`, or leave it to something else",
        );
        return None;
    };
    let mut parameters = Vec::new();
    for (kmod, values) in &first.modprobe.options {
        if kmod == last {
            parameters.extend(values.iter().map(|(name, value)| format!("{name}={value}")));
        } else {
            let problem = format!("KMM gives parameters to `{last}` alone, not to `{kmod}`");
            let help =
                format!("make an image of its own that loads `{kmod}`, or set its defaults in the driver");
            unmapped(files, settings, image, problem, &help);
        }
    }
    let strays = first.modprobe.softdeps.iter().filter(|(kmod, ..)| !order.contains(kmod));
    for (kmod, ..) in strays {
        let problem = format!("the `softdep` of `{kmod}` does not reach KMM, which does not load it");
        unmapped(files, settings, image, problem, &format!("add `{kmod}` to `load`"));
    }
    if !first.modprobe.blacklist.is_empty() && settings.machine_config.is_none() {
        let problem = "KMM does not read `blacklist`, which would have to be on the nodes".into();
        let help = "add `machine-config \"worker\"` to `kmm`, and drvc writes a MachineConfig with it";
        unmapped(files, settings, image, problem, help);
    }
    let same = |target: &&&Target| {
        self::stage(inputs, target).is_some_and(|theirs| theirs.replaces == stage.replaces)
    };
    let replaces = (others.iter().filter(same).count() == others.len()).then_some(stage.replaces.as_slice());
    let blacklist = first.modprobe.blacklist.as_slice();
    Some(Mapping { order, parameters, replaces, blacklist, firmware: stage.firmware, targets })
}

/// Reports something that an output cannot say.
pub(super) fn unmapped(files: &mut Files, settings: &Kmm, image: Span, problem: String, help: &str) {
    files.diagnostics.push(
        Diagnostic::new(Code::UnmappedSetting, problem)
            .label(image, "of this image")
            .label(settings.span, "asked for here")
            .help(help),
    );
}

/// The image's own stage.
pub(super) fn stage<'a>(inputs: &Inputs<'a>, target: &Target) -> Option<&'a ImageStage> {
    match inputs.plan.graph.node(target.root) {
        Node::Image(stage) => Some(stage),
        _ => None,
    }
}

/// KMM looks for a kernel and for nothing else, so a kernel must have one image.
fn refuse_two_images(targets: &[&Target], image: Span, files: &mut Files) -> Option<()> {
    let mut seen: BTreeMap<&str, &Target> = BTreeMap::new();
    for &target in targets {
        let Some(other) = seen.insert(target.at.kernel.as_str(), target) else { continue };
        if reference(other) == reference(target) {
            continue;
        }
        files.diagnostics.push(
            Diagnostic::new(
                Code::AmbiguousMapping,
                format!("two targets are for kernel `{}`, and KMM knows no more of a node", target.at.kernel),
            )
            .label(image, "of this image")
            .label(target.span, format!("`{}`", target.id))
            .label(other.span, format!("`{}`", other.id))
            .help(
                "make two images of it, each with `only` and a `selector` of its own, or give both one `tag`",
            ),
        );
        return None;
    }
    Some(())
}

/// What is pulled for a target.
pub(super) fn reference(target: &Target) -> Option<&ImageRef> {
    target.pinned.as_ref().or_else(|| target.tags.first())
}

/// What is loaded, with what soft dependencies put before and after it.
fn order(stage: &ImageStage, softdeps: &[(KmodName, Vec<KmodName>, Vec<KmodName>)]) -> Vec<KmodName> {
    let mut order = stage.load.clone();
    for (kmod, pre, post) in softdeps {
        let Some(place) = order.iter().position(|known| known == kmod) else { continue };
        let new = |kmods: &[KmodName], order: &[KmodName]| -> Vec<KmodName> {
            kmods.iter().map(underscored).filter(|kmod| !order.contains(kmod)).collect()
        };
        let after = new(post, &order);
        order.splice(place + 1..place + 1, after);
        let before = new(pre, &order);
        order.splice(place..place, before);
    }
    order
}

/// The beginning of a mapping: which kernel has which image.
pub(super) fn entry(how: &str, kernel: &str, image: &str) -> Map<String, Value> {
    Map::from_iter([(how.into(), json!(kernel)), ("containerImage".into(), json!(image))])
}

/// The modules of the kernel's own that give way.
pub(super) fn removed(replaces: &[KmodName]) -> Option<(String, Value)> {
    let names: Vec<_> = replaces.iter().map(ToString::to_string).collect();
    (!names.is_empty()).then(|| ("inTreeModulesToRemove".to_owned(), json!(names)))
}
