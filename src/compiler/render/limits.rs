//! What a template may cost: a text that is parsed with little stack, and a rendering of a bounded number of steps.
//!
//! 1. [`admit`] reads the text before Handlebars does, whose parser recurses with every block and bracket.
//! 2. [`Cost::of`] walks what was parsed, with the lists of the context at hand, and adds up what rendering will do:
//!    a body counts once for each item of its list, and a partial wherever it stands.

use handlebars::template::{DecoratorTemplate, HelperTemplate, Parameter, TemplateElement};
use handlebars::{Handlebars, Path, Template};
use serde_json::Value;
use std::collections::BTreeMap;

/// Bytes that a template may have.
pub(super) const MAX_BYTES: usize = 64 << 10;
/// Tags (`{{…}}`) that a template may have.
pub(super) const MAX_TAGS: usize = 2_000;
/// How deep blocks may stand in each other.
pub(super) const MAX_BLOCKS: usize = 16;
/// How many brackets a tag may open.
pub(super) const MAX_BRACKETS: usize = 4;
/// How deep blocks and partials may stand in each other, over all templates; built-in ones do so eight deep.
pub(super) const MAX_DEEP: u64 = 48;
/// Steps that one rendering may take.
pub(super) const MAX_STEPS: u64 = 2_000_000;
/// Bytes that one rendering may make.
pub(super) const MAX_RENDERED: usize = 8 << 20;

/// Checks a text that is to be a template.
///
/// # Errors
/// The limit that it is beyond, or a kind of tag that templates do not have.
pub(super) fn admit(text: &str) -> Result<(), String> {
    if text.len() > MAX_BYTES {
        return Err(format!("it has {} bytes, and a template has at most {MAX_BYTES}", text.len()));
    }
    let (mut tags, mut open, mut rest) = (0, Vec::new(), text);
    while let Some((_, tag)) = rest.split_once("{{") {
        // Whatever an escape or a text in a tag may hide from Handlebars is looked at here all the same.
        rest = tag;
        tags += 1;
        let inside = tag.trim_start_matches(['~', ' ', '\t', '\n']);
        let inside =
            inside.split_once("}}").map_or(inside, |(inside, _)| inside).trim_end_matches('~').trim_end();
        if inside.starts_with("{{") || inside.starts_with("#*") || inside.starts_with('*') {
            return Err("raw blocks, decorators and inline partials are not for templates".into());
        }
        if !inside.starts_with('!') && inside.bytes().filter(|b| b"([{".contains(b)).count() > MAX_BRACKETS {
            return Err(format!("a tag opens at most {MAX_BRACKETS} brackets"));
        }
        match inside.as_bytes() {
            [b'#', ..] | [b'^', _, ..] => open.push(1),
            [b'/', ..] => drop(open.pop()),
            // Each stands within the one before it.
            _ if inside.starts_with("else ") => open.last_mut().into_iter().for_each(|deep| *deep += 1),
            _ => {}
        }
        if tags > MAX_TAGS {
            return Err(format!("it has more than {MAX_TAGS} tags"));
        }
        if open.iter().sum::<usize>() > MAX_BLOCKS {
            return Err(format!("its blocks are nested more than {MAX_BLOCKS} deep"));
        }
    }
    Ok(())
}

/// What rendering takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    steps: u64,
    bytes: u64,
    deep: u64,
}

impl Cost {
    /// Of a template for a context.
    ///
    /// # Errors
    /// It takes more than is allowed, or includes itself.
    pub(super) fn check(
        registry: &Handlebars<'static>,
        template: &str,
        context: &Value,
    ) -> Result<(), String> {
        let mut lists = Lists::default();
        lists.walk("", context);
        let mut walk = Walk { registry, lists, known: BTreeMap::new() };
        let cost = walk.named(template)?;
        if cost.deep > MAX_DEEP {
            return Err(format!("blocks and partials are nested more than {MAX_DEEP} deep"));
        }
        if cost.steps > MAX_STEPS {
            return Err(format!("rendering it takes more than {MAX_STEPS} steps"));
        }
        if cost.bytes > MAX_RENDERED as u64 {
            return Err(format!("it makes more than {MAX_RENDERED} bytes"));
        }
        Ok(())
    }

    fn add(&mut self, other: Self) {
        self.steps = self.steps.saturating_add(other.steps);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.deep = self.deep.max(other.deep);
    }

    fn times(self, number: u64) -> Self {
        let Self { steps, bytes, deep } = self;
        Self { steps: steps.saturating_mul(number), bytes: bytes.saturating_mul(number), deep }
    }
}

/// The longest list of each name in a context; a list within a list has none.
#[derive(Debug, Default)]
struct Lists {
    longest: BTreeMap<String, u64>,
}

impl Lists {
    fn walk(&mut self, name: &str, value: &Value) {
        match value {
            Value::Array(items) => {
                let longest = self.longest.entry(name.to_owned()).or_default();
                *longest = (*longest).max(items.len() as u64);
                items.iter().for_each(|item| self.walk("", item));
            }
            Value::Object(fields) => {
                let longest = self.longest.entry(name.to_owned()).or_default();
                *longest = (*longest).max(fields.len() as u64);
                fields.iter().for_each(|(name, field)| self.walk(name, field));
            }
            _ => {}
        }
    }

    /// The most items that a loop over this can have.
    fn most(&self, parameter: Option<&Parameter>) -> u64 {
        let any = || self.longest.values().copied().max().unwrap_or_default();
        let Some(Parameter::Path(Path::Relative((_, path)))) = parameter else { return any() };
        let name = path.rsplit(['/', '.']).next().unwrap_or_default();
        let name = if name == "this" { "" } else { name };
        self.longest.get(name).copied().unwrap_or_else(any)
    }
}

struct Walk<'r> {
    registry: &'r Handlebars<'static>,
    lists: Lists,
    /// What is known of each template; nothing while it is being walked.
    known: BTreeMap<String, Option<Cost>>,
}

impl Walk<'_> {
    fn named(&mut self, name: &str) -> Result<Cost, String> {
        match self.known.get(name) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => return Err(format!("`{name}` is included by what it includes itself")),
            None => {}
        }
        // A name that no template has is Handlebars' to report.
        let Some(template) = self.registry.get_template(name) else { return Ok(Cost::default()) };
        self.known.insert(name.to_owned(), None);
        let cost = self.template(template)?;
        self.known.insert(name.to_owned(), Some(cost));
        Ok(cost)
    }

    fn template(&mut self, template: &Template) -> Result<Cost, String> {
        let mut cost = Cost::default();
        for element in &template.elements {
            cost.add(self.element(element)?);
        }
        Ok(cost)
    }

    fn element(&mut self, element: &TemplateElement) -> Result<Cost, String> {
        let mut cost = Cost { steps: 1, bytes: 0, deep: 0 };
        match element {
            TemplateElement::RawString(text) => cost.bytes = text.len() as u64,
            TemplateElement::HelperBlock(block) => cost.add(self.block(block)?),
            TemplateElement::PartialExpression(partial) | TemplateElement::PartialBlock(partial) => {
                cost.add(self.partial(partial)?);
            }
            TemplateElement::HtmlExpression(_)
            | TemplateElement::Expression(_)
            | TemplateElement::Comment(_) => {}
            _ => return Err("decorators and inline partials are not for templates".into()),
        }
        Ok(cost)
    }

    fn block(&mut self, block: &HelperTemplate) -> Result<Cost, String> {
        let is_loop = block.name == Parameter::Name("each".into());
        let times = if is_loop { self.lists.most(block.params.first()) } else { 1 };
        let mut cost = self.body(block.template.as_ref())?.times(times);
        cost.add(self.body(block.inverse.as_ref())?);
        Ok(cost)
    }

    fn partial(&mut self, partial: &DecoratorTemplate) -> Result<Cost, String> {
        let name = match &partial.name {
            Parameter::Name(name) | Parameter::Path(Path::Relative((_, name))) if !name.starts_with('@') => {
                name
            }
            _ => return Err("a partial is one of the templates, by its name".into()),
        };
        let mut cost = self.named(name)?;
        cost.deep += 1;
        cost.add(self.body(partial.template.as_ref())?);
        Ok(cost)
    }

    fn body(&mut self, body: Option<&Template>) -> Result<Cost, String> {
        let mut cost = body.map_or(Ok(Cost::default()), |body| self.template(body))?;
        cost.deep += 1;
        Ok(cost)
    }
}

#[cfg(test)]
mod tests {
    use super::super::outline::Outline;
    use super::super::shape::{Shape, Unsafe};
    use super::super::templates::Templates;
    use super::*;
    use crate::text::source::{Sources, Span};
    use serde_json::json;

    /// Renders a template of one's own under the name `tools`, beside others.
    fn render(tools: &str, others: &[(&str, &str)], context: &Value) -> Result<String, String> {
        let mut templates = Templates::builtin();
        let span = Span::new(Sources::default().add("t.hbs", ""), 0, 0);
        for (name, text) in others.iter().chain(&[("tools", tools)]) {
            templates.replace(name, text, span).map_err(|fault| fault.reason)?;
        }
        let outline = Outline::of(context);
        let shape = Shape::new(templates.registry(), "tools", context);
        let filled = shape.and_then(|shape| shape.fill(&outline)).map_err(|Unsafe(reason)| reason)?;
        Ok(filled.text)
    }

    fn nested(blocks: usize) -> String {
        format!("RUN {}true{}", "{{#if x}}".repeat(blocks), "{{/if}}".repeat(blocks))
    }

    fn chained(elses: usize) -> String {
        format!("RUN {{{{#if x}}}}true{}{{{{/if}}}}", "{{else if x}}false".repeat(elses))
    }

    #[test]
    fn each_limit_is_met_from_both_sides() {
        let base = json!({ "x": "a", "list": vec!["a"; 100] });
        let loops = |each: &str, body: &str| format!("RUN true {body}{each}{{{{sq x}}}}");
        let cases = [
            (
                "RUN true".to_owned() + &"\n".repeat(MAX_BYTES - 8),
                "RUN true".to_owned() + &"\n".repeat(MAX_BYTES),
                "bytes",
            ),
            (
                "RUN ".to_owned() + &"{{x}}".repeat(MAX_TAGS),
                "RUN ".to_owned() + &"{{x}}".repeat(MAX_TAGS + 1),
                "tags",
            ),
            (nested(MAX_BLOCKS), nested(MAX_BLOCKS + 1), "deep"),
            (chained(MAX_BLOCKS - 1), chained(MAX_BLOCKS), "deep"),
            (nested(1), format!("RUN {{{{sq {}x{}}}}}", "(".repeat(5), ")".repeat(5)), "brackets"),
            (
                loops("", "{{#each list}}{{#each ../list}}{{/each}}{{/each}}"),
                loops(
                    "",
                    "{{#each list}}{{#each ../list}}{{#each ../../list}}{{#if x}}{{/if}}{{#if x}}{{/if}}{{#if x}}{{/if}}{{/each}}{{/each}}{{/each}}",
                ),
                "steps",
            ),
            (
                loops("", "{{#each list}}{{#each ../list}}aa{{/each}}{{/each}}"),
                loops(
                    "",
                    &format!(
                        "{{{{#each list}}}}{{{{#each ../list}}}}{}{{{{/each}}}}{{{{/each}}}}",
                        "a".repeat(840)
                    ),
                ),
                "bytes",
            ),
        ];
        for (fine, beyond, reason) in cases {
            let rendered = render(&fine, &[], &base);
            assert!(rendered.is_ok(), "{reason}: {rendered:?}");
            let refused = render(&beyond, &[], &base).unwrap_err();
            assert!(refused.contains(reason), "{reason}: {refused}");
        }
    }

    #[test]
    fn depth_is_counted_over_all_templates() {
        let context = json!({ "x": "a" });
        let blocks = |inner: &str| "{{#if x}}".repeat(16) + inner + &"{{/if}}".repeat(16);
        let last = Templates::names().find(|name| !["tools", "fetch"].contains(name)).unwrap();
        let fetch = blocks(&format!("{{{{> {last}}}}}"));
        let render = |depth| {
            let others = [("fetch", fetch.as_str()), (last, &nested(depth))];
            super::tests::render(&blocks("{{> fetch}}"), &others, &context)
        };
        assert_eq!(render(14).unwrap(), "RUN true");
        assert!(render(15).unwrap_err().contains("48 deep"));
    }

    #[test]
    fn values_are_counted_where_they_are_put_in() {
        let text = |bytes: usize| json!({ "x": "a".repeat(bytes) });
        let template = "RUN true \\\n    ".to_owned() + &vec!["{{sq x}}"; 1_000].join(" \\\n    ");
        assert!(render(&template, &[], &text(8_000)).is_ok());
        assert!(render(&template, &[], &text(8_400)).unwrap_err().contains("bytes"));
    }

    #[test]
    fn templates_include_others_and_never_themselves() {
        let context = json!({ "x": "a" });
        assert_eq!(render("{{> fetch}}", &[("fetch", "RUN true")], &context).unwrap(), "RUN true");
        for (tools, fetch) in [
            ("{{> fetch}}", "{{> tools}}"),
            ("{{> tools}}", ""),
            ("{{#*inline \"a\"}}{{> b}}{{/inline}}{{#*inline \"b\"}}{{> a}}{{/inline}}{{> a}}", ""),
            ("{{#*inline \"a\"}}{{> a}}{{/inline}}{{> a}}", ""),
            ("{{{{raw}}}}{{{{/raw}}}}", ""),
            ("{{#> fetch}}x{{/fetch}}", "{{> @partial-block}}{{> @partial-block}}"),
            ("{{> (lookup x)}}", ""),
        ] {
            assert!(render(tools, &[("fetch", fetch)], &context).is_err(), "{tools}");
        }
        // Each of twelve includes the next a hundred times: 100 to the 12th.
        let names: Vec<_> = Templates::names().filter(|name| *name != "tools").take(12).collect();
        let mut texts: Vec<_> =
            names.iter().skip(1).map(|next| format!("{{{{> {next}}}}}").repeat(100)).collect();
        texts.push("RUN true".into());
        let others: Vec<_> = names.iter().copied().zip(texts.iter().map(String::as_str)).collect();
        let refused = render(&format!("{{{{> {}}}}}", names[0]), &others, &context).unwrap_err();
        assert!(refused.contains("steps"), "{refused}");
    }
}
