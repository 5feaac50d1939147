//! `image`: one driver container, with every value parsed.

use super::context::Lower;
use super::layers::{Layers, Merge, ModuleId, SourceId, replace};
use super::selector::Selector;
use super::text::{Template, Variable};
use crate::language::syntax::ast;
use crate::text::ids::{AbsPath, ImageRef, Invalid, KmodName, Name, RelPath};
use crate::text::source::Spanned;

/// One `image`.
#[derive(Clone, Debug)]
pub struct Image {
    /// Where it is built; everywhere if empty.
    pub only: Vec<Selector>,
    /// Its name and what is in it.
    pub layers: Layers<Name, ImageBody>,
}

/// The children of an `image`.
#[derive(Clone, Debug, Default)]
pub struct ImageBody {
    pub modules: Vec<Spanned<ModuleId>>,
    pub load: Vec<Spanned<KmodName>>,
    pub options: Vec<KmodOption>,
    pub softdeps: Vec<Softdep>,
    pub blacklist: Vec<KmodName>,
    pub replaces: Vec<KmodName>,
    pub repository: Option<Template>,
    pub tag: Option<Template>,
    pub base: Option<Spanned<Base>>,
    pub firmware: Vec<Extra>,
    pub files: Vec<Extra>,
    pub packages: Vec<Template>,
    pub labels: Vec<(String, Template)>,
    pub in_tree: Option<InTree>,
    pub reuse: Option<Reuse>,
}

/// `reuse LEVEL strict=`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reuse {
    /// What has to be the same on both kernels.
    pub level: ReuseLevel,
    /// Whether a build stops where an earlier kernel's modules do not serve.
    pub strict: bool,
}

/// What has to be the same for modules of one kernel to serve another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReuseLevel {
    /// Header files, options, and what the modules import.
    Headers,
    /// Options, and what the modules import.
    Abi,
}

impl ReuseLevel {
    /// The word of the manifest.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Headers => "headers",
            Self::Abi => "abi",
        }
    }
}

/// `option KMOD name=value …`
#[derive(Clone, Debug)]
pub struct KmodOption {
    /// The kernel module.
    pub kmod: Spanned<KmodName>,
    pub parameters: Vec<(KmodName, Template)>,
}

/// `softdep KMOD { pre …; post … }`
#[derive(Clone, Debug)]
pub struct Softdep {
    /// The kernel module.
    pub kmod: KmodName,
    /// Loaded before it.
    pub pre: Vec<KmodName>,
    /// Loaded after it.
    pub post: Vec<KmodName>,
}

/// What the runtime image stands on.
#[derive(Clone, Debug)]
pub enum Base {
    /// The distribution's small image with a package manager.
    Minimal,
    /// Its smallest, without one.
    Micro,
    /// Another image.
    Own(Template),
}

/// `firmware GLOB from= to=` or `file GLOB from= to=`
#[derive(Clone, Debug)]
pub struct Extra {
    /// A pattern, relative to where the files come from.
    pub glob: Template,
    /// Where they come from.
    pub from: Spanned<ExtraFrom>,
    /// The directory in the image.
    pub to: AbsPath,
}

/// Where files of an image come from.
#[derive(Clone, Debug)]
pub enum ExtraFrom {
    /// The module of that name where the image has it, else the source.
    Named {
        /// The source of that name.
        source: Option<SourceId>,
        /// The module of that name.
        module: Option<ModuleId>,
    },
    /// Another image.
    Image(Template),
}

/// Where firmware lies in an image.
const FIRMWARE: &str = "/opt/lib/firmware";

/// How dependencies on the kernel's own modules are met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum InTree {
    /// By a link to the node's own `/lib/modules/<kernel>`.
    #[default]
    Link,
    /// By copies in the image.
    Copy,
    /// Not at all: a driver that has one fails to build.
    None,
}

impl Merge for ImageBody {
    fn merge(&mut self, over: &Self) {
        self.modules.extend(over.modules.iter().cloned());
        self.load.extend(over.load.iter().cloned());
        self.options.extend(over.options.iter().cloned());
        self.softdeps.extend(over.softdeps.iter().cloned());
        self.blacklist.extend(over.blacklist.iter().cloned());
        self.replaces.extend(over.replaces.iter().cloned());
        replace(&mut self.repository, &over.repository);
        replace(&mut self.tag, &over.tag);
        replace(&mut self.base, &over.base);
        self.firmware.extend(over.firmware.iter().cloned());
        self.files.extend(over.files.iter().cloned());
        self.packages.extend(over.packages.iter().cloned());
        self.labels.extend(over.labels.iter().cloned());
        replace(&mut self.in_tree, &over.in_tree);
        replace(&mut self.reuse, &over.reuse);
    }
}

/// Lowers the body of an `image` or of an `on` in it.
pub(super) fn lower_image(lower: &mut Lower<'_>, body: &ast::ImageBody) -> ImageBody {
    let in_image = Variable::in_image;
    ImageBody {
        modules: body
            .modules
            .iter()
            .filter_map(|name| lower.names.module(name, &mut lower.diagnostics))
            .collect(),
        load: body.load.iter().filter_map(|kmod| Some(Spanned::new(lower.kmod(kmod)?, kmod.span))).collect(),
        options: body.options.iter().filter_map(|option| lower_option(lower, option)).collect(),
        softdeps: body.softdeps.iter().filter_map(|softdep| lower_softdep(lower, softdep)).collect(),
        blacklist: lower.kmods(&body.blacklist),
        replaces: lower.kmods(&body.replaces),
        repository: body.repository.as_ref().and_then(|text| lower.template(text, in_image)),
        tag: body.tag.as_ref().and_then(|text| lower.template(text, in_image)),
        base: body.base.as_ref().and_then(|base| {
            let value = match base.value.as_str() {
                "minimal" => Base::Minimal,
                "micro" => Base::Micro,
                _ => Base::Own(lower.patterned("image reference", base, in_image, ImageRef::parse)?),
            };
            Some(Spanned::new(value, base.span))
        }),
        firmware: body.firmware.iter().filter_map(|extra| lower_firmware(lower, extra)).collect(),
        files: body.files.iter().filter_map(|extra| lower_file(lower, extra)).collect(),
        packages: body.packages.iter().filter_map(|name| lower.package(name, in_image)).collect(),
        labels: body.labels.iter().filter_map(|label| lower.label(label, in_image)).collect(),
        in_tree: body.in_tree.as_ref().map(|mode| match mode.value.as_str() {
            "copy" => InTree::Copy,
            "none" => InTree::None,
            _ => InTree::Link,
        }),
        reuse: body.reuse.as_ref().map(|reuse| Reuse {
            level: if reuse.level.value == "abi" { ReuseLevel::Abi } else { ReuseLevel::Headers },
            strict: reuse.strict,
        }),
    }
}

fn lower_firmware(lower: &mut Lower<'_>, extra: &ast::Extra) -> Option<Extra> {
    let beneath = |text: &str| {
        RelPath::parse(text.trim_end_matches('/')).and_then(|to| AbsPath::parse(&format!("{FIRMWARE}/{to}")))
    };
    let to = match &extra.to {
        Some(to) => lower.parse("directory beneath /opt/lib/firmware", to, beneath),
        None => AbsPath::parse(FIRMWARE).ok(),
    };
    lower_extra(lower, extra, to)
}

fn lower_file(lower: &mut Lower<'_>, extra: &ast::Extra) -> Option<Extra> {
    let directory =
        |text: &str| AbsPath::parse(text.strip_suffix('/').filter(|to| !to.is_empty()).unwrap_or(text));
    let to = extra.to.as_ref().and_then(|to| lower.parse("directory", to, directory));
    lower_extra(lower, extra, to)
}

/// `license-file`: where certification looks for it.
pub(super) fn lower_license(lower: &mut Lower<'_>, extra: &ast::Extra) -> Option<Extra> {
    lower_extra(lower, extra, AbsPath::parse("/licenses").ok())
}

fn lower_extra(lower: &mut Lower<'_>, extra: &ast::Extra, to: Option<AbsPath>) -> Option<Extra> {
    let glob = lower.patterned("pattern", &extra.glob, Variable::in_source, |glob| {
        let plain: String =
            glob.chars().map(|c| if matches!(c, '*' | '?' | '[' | ']') { '_' } else { c }).collect();
        let fine = !glob.contains("**") && RelPath::parse(&plain).is_ok();
        if fine {
            Ok(())
        } else {
            Err(Invalid("a relative path of A-Z a-z 0-9 . _ + - with `*`, `?` or `[…]`"))
        }
    });
    let from = extra_from(lower, &extra.from)?;
    Some(Extra { glob: glob?, from: Spanned::new(from, extra.from.span), to: to? })
}

/// Where files of an image come from: the source and the module of that name, or an image.
fn extra_from(lower: &mut Lower<'_>, name: &ast::Text) -> Option<ExtraFrom> {
    let (source, module) = lower.names.either(name);
    if source.is_some() || module.is_some() {
        return Some(ExtraFrom::Named { source, module });
    }
    let unknown = lower.names.unknown_either(name)?;
    if name.value.contains(['/', ':', '{']) {
        let image = lower.patterned("image reference", name, Variable::in_image, ImageRef::parse);
        return image.map(ExtraFrom::Image);
    }
    lower.diagnostics.push(unknown);
    None
}

fn lower_option(lower: &mut Lower<'_>, option: &ast::KmodOption) -> Option<KmodOption> {
    let parameters = option.parameters.iter().filter_map(|parameter| {
        let name = lower.parse("module parameter", &parameter.key, KmodName::parse);
        let value = lower.template(&parameter.value, Variable::in_image);
        Some((name?, value?))
    });
    let parameters = parameters.collect();
    Some(KmodOption { kmod: Spanned::new(lower.kmod(&option.kmod)?, option.kmod.span), parameters })
}

fn lower_softdep(lower: &mut Lower<'_>, softdep: &ast::Softdep) -> Option<Softdep> {
    let (pre, post) = (lower.kmods(&softdep.pre), lower.kmods(&softdep.post));
    Some(Softdep { kmod: lower.kmod(&softdep.kmod)?, pre, post })
}
