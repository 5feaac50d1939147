//! The templates: built in, or the user's own in place of one.

use super::limits;
use super::token::{Form, has_token_characters, helper_token};
use crate::text::diag::nearest;
use crate::text::source::Span;
use handlebars::{Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderErrorReason};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Every template and partial by name.
const BUILTIN: &[(&str, &str)] = &[
    ("download", include_str!("templates/download.hbs")),
    ("fetch", include_str!("templates/fetch.hbs")),
    ("hints", include_str!("templates/hints.hbs")),
    ("in-tree", include_str!("templates/in-tree.hbs")),
    ("install", include_str!("templates/install.hbs")),
    ("install-apt", include_str!("templates/install-apt.hbs")),
    ("install-dnf", include_str!("templates/install-dnf.hbs")),
    ("install-microdnf", include_str!("templates/install-microdnf.hbs")),
    ("install-tdnf", include_str!("templates/install-tdnf.hbs")),
    ("install-yum", include_str!("templates/install-yum.hbs")),
    ("install-zypper", include_str!("templates/install-zypper.hbs")),
    ("kernel", include_str!("templates/kernel.hbs")),
    ("mirrors", include_str!("templates/mirrors.hbs")),
    ("module", include_str!("templates/module.hbs")),
    ("pack", include_str!("templates/pack.hbs")),
    ("repositories", include_str!("templates/repositories.hbs")),
    ("reuse", include_str!("templates/reuse.hbs")),
    ("root", include_str!("templates/root.hbs")),
    ("runtime", include_str!("templates/runtime.hbs")),
    ("scripts", include_str!("templates/scripts.hbs")),
    ("secrets", include_str!("templates/secrets.hbs")),
    ("with-login", include_str!("templates/with-login.hbs")),
    ("sign", include_str!("templates/sign.hbs")),
    ("source", include_str!("templates/source.hbs")),
    ("source-download", include_str!("templates/source-download.hbs")),
    ("source-git", include_str!("templates/source-git.hbs")),
    ("subscribe", include_str!("templates/subscribe.hbs")),
    ("toolkit", include_str!("templates/toolkit.hbs")),
    ("toolkit-apt", include_str!("templates/toolkit-apt.hbs")),
    ("toolkit-dnf", include_str!("templates/toolkit-dnf.hbs")),
    ("tools", include_str!("templates/tools.hbs")),
];

/// The image's two stages, which stand in one template because they are one node.
const IMAGE: (&str, &str) = ("image", "{{> pack}}\n\n{{> runtime}}");

/// A set of templates to render with.
pub struct Templates {
    registry: Handlebars<'static>,
    user: BTreeMap<String, Span>,
}

/// A name that no template has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTemplate {
    /// The most similar name.
    pub nearest: Option<&'static str>,
}

fn registry() -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(handlebars::no_escape);
    registry.register_helper("sq", Box::new(quoting(Form::Quoted)));
    registry.register_helper("json", Box::new(quoting(Form::Json)));
    registry.register_helper("glob", Box::new(quoting(Form::Glob)));
    for name in ["eq", "ne", "gt", "gte", "lt", "lte", "and", "or", "not", "len", "lookup", "log"] {
        registry.register_helper(name, Box::new(refuse));
    }
    for (name, text) in BUILTIN.iter().chain([&IMAGE]) {
        let parsed = registry.register_template_string(name, text);
        debug_assert!(parsed.is_ok(), "template {name} does not parse");
    }
    registry
}

impl Templates {
    /// The built-in ones.
    #[must_use]
    pub fn builtin() -> Self {
        static REGISTRY: LazyLock<Handlebars<'static>> = LazyLock::new(registry);
        Self { registry: REGISTRY.clone(), user: BTreeMap::new() }
    }

    /// The names that a user may replace.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    /// Each name, and what the template is given, as its first lines say.
    pub fn contexts() -> impl Iterator<Item = (&'static str, String)> {
        BUILTIN.iter().map(|(name, text)| {
            let comment = text.split("--}}").next().unwrap_or_default().trim_start_matches("{{!-- context: ");
            (*name, comment.split_whitespace().collect::<Vec<_>>().join(" "))
        })
    }

    /// Whether there is a template of this name.
    ///
    /// # Errors
    /// A name that there is no template of.
    pub fn check_name(name: &str) -> Result<(), UnknownTemplate> {
        match Self::names().any(|known| known == name) {
            true => Ok(()),
            false => Err(UnknownTemplate { nearest: nearest(name, Self::names()) }),
        }
    }

    /// Puts the user's template in place of the built-in one of that name.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn replace(&mut self, name: &str, text: &str, span: Span) -> Result<(), TemplateFault> {
        if has_token_characters(text) {
            return Err(TemplateFault { reason: "it holds control characters".into(), at: None });
        }
        limits::admit(text).map_err(|reason| TemplateFault { reason, at: None })?;
        self.registry.register_template_string(name, text).map_err(|error| {
            let reason = error.reason().to_string();
            // What the grammar would have allowed is listed in terms of the grammar alone.
            let reason = reason.split(": expected").next().unwrap_or_default().to_owned();
            TemplateFault { reason, at: error.pos() }
        })?;
        self.user.insert(name.into(), span);
        Ok(())
    }

    pub(super) const fn registry(&self) -> &Handlebars<'static> {
        &self.registry
    }

    /// Where a user's template was named; for a template that uses it, where that one was.
    pub(super) fn user_span(&self, name: &str) -> Option<Span> {
        self.user.get(name).or_else(|| self.user.values().next()).copied()
    }
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFault {
    /// What is wrong.
    pub reason: String,
    /// Line and column, from 1, where that is known.
    pub at: Option<(usize, usize)>,
}

/// A helper that says in which form the string is to be written.
fn quoting(
    form: Form,
) -> impl Fn(&Helper<'_>, &Handlebars<'_>, &Context, &mut RenderContext<'_, '_>, &mut dyn Output) -> HelperResult
{
    move |helper: &Helper<'_>,
          _: &Handlebars<'_>,
          _: &Context,
          _: &mut RenderContext<'_, '_>,
          out: &mut dyn Output| {
        let argument = helper.param(0).and_then(|param| param.value().as_str());
        let token = helper_token(argument, form)
            .map_err(|reason| RenderErrorReason::Other(format!("`{}` {reason}", helper.name())))?;
        out.write(&token)?;
        Ok(())
    }
}

/// Strings decide nothing: helpers that would look into them are switched off.
fn refuse(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    _: &mut dyn Output,
) -> HelperResult {
    Err(RenderErrorReason::Other(format!(
        "`{}` is not for templates: they decide on flags and lists alone",
        helper.name()
    ))
    .into())
}
