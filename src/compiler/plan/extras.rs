//! Files that an image has beside its modules: from `firmware` and `file` to what is copied from which stage.

use super::builder::Builder;
use super::cell::Cell;
use super::scope::{BUILD_ROOT, slug};
use super::{ExtraFiles, Node, NodeId};
use crate::compiler::model::{Extra, ExtraFrom, Image, ModuleId, Template};
use crate::text::diag::{Code, Diagnostic};
use crate::text::ids::{ImageRef, RelPath};
use crate::text::source::Span;

impl Builder<'_> {
    /// What is copied for an `extra`, and the stage that it comes from.
    pub(super) fn extra(
        &mut self,
        extra: &Extra,
        image: &Image,
        cell: &Cell<'_>,
        modules: &[(ModuleId, NodeId)],
    ) -> Option<(ExtraFiles, NodeId)> {
        let (node, from, dir) = match &extra.from.value {
            ExtraFrom::Image(template) => {
                let (reference, node) = self.other_image(template, image, cell)?;
                (node, reference.to_string(), String::new())
            }
            ExtraFrom::Named { source, module } => {
                let built = modules.iter().find(|(id, _)| Some(*id) == *module).map(|(_, node)| *node);
                match (built, source) {
                    (Some(node), _) => (node, self.graph.node(node).stage(), self.tree(node)),
                    (None, Some(source)) => {
                        let (node, _) = self.source(*source, cell, image)?;
                        (node, self.graph.node(node).stage(), self.tree(node))
                    }
                    (None, None) => {
                        self.not_built(image, *module, extra.from.span);
                        return None;
                    }
                }
            }
        };
        let glob = self.scope(cell).text(&extra.glob);
        if let Node::Source(source) = self.graph.node(node)
            && let Some(link) = source.link_on(&glob)
        {
            let report =
                Diagnostic::new(Code::UnfitFile, format!("`{link}` of source `{}` is a link", source.name));
            let report = report.label(extra.glob.span, "engines follow it, each in its own way");
            self.report_once(report.help("name what the link leads to"));
            return None;
        }
        let glob = format!("{dir}/{glob}");
        Some((ExtraFiles { from, glob, to: extra.to.clone() }, node))
    }

    /// Another image that files come from, pinned.
    pub(super) fn other_image(
        &mut self,
        template: &Template,
        image: &Image,
        cell: &Cell<'_>,
    ) -> Option<(ImageRef, NodeId)> {
        let text = self.scope(cell).image(&image.layers.name).text(template).replace(['+', '~'], "_");
        let reference = self.parse(&text, template.span, "image reference", ImageRef::parse)?;
        let reference = self.pinned(&reference, cell, template.span);
        let node = self.graph.intern(Node::Base(reference.clone()), &[]);
        Some((reference, node))
    }

    /// The directory of a stage's files.
    fn tree(&self, node: NodeId) -> String {
        match self.graph.node(node) {
            Node::Module(module) => format!("{BUILD_ROOT}/{}", slug(&module.name)),
            Node::Source(source) => format!("{BUILD_ROOT}/{}", source.name),
            _ => String::new(),
        }
    }

    fn not_built(&mut self, image: &Image, module: Option<ModuleId>, span: Span) {
        let module = module.and_then(|module| self.inputs.model.modules.get(module.0));
        let Some(name) = module.map(|module| module.name.clone()) else { return };
        self.report_once(
            Diagnostic::new(
                Code::UnknownModule,
                format!("image `{}` takes files of module `{name}`, which is not in it", image.layers.name),
            )
            .label(span, "not built for this image")
            .label(image.layers.span, "this image")
            .help(format!("add `module \"{name}\"` to the image, or take the files from a source")),
        );
    }

    /// The name of a file that is downloaded: the last part of its URL.
    pub(super) fn file_name(&mut self, url: &str, span: Span) -> Option<RelPath> {
        let name = url.rsplit('/').next().unwrap_or_default();
        self.parse(name, span, "name of a file", RelPath::parse)
    }
}
