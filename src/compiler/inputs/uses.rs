//! What modules and images do with a source: which of its files are inputs although they are no source by their names.

use crate::compiler::model::{Build, Extra, ExtraFrom, Model, ModuleBody, SourceId, Step, Template};

#[derive(Debug, Default)]
pub(super) struct Uses {
    /// The texts of the modules' steps.
    pub steps: String,
    /// What images take from it, as globs.
    pub taken: Vec<String>,
    /// Whether a module is finished, and nothing is built.
    pub finished: bool,
    /// The directories that modules are built in, as seen from the source.
    pub dirs: Vec<String>,
}

impl Uses {
    /// What the modules and images of a manifest do with a source.
    pub fn of(source: SourceId, model: &Model) -> Self {
        let mut uses = Self::default();
        for module in &model.modules {
            let bodies =
                || std::iter::once(&module.base).chain(module.overlays.iter().map(|overlay| &overlay.body));
            let used = bodies().filter_map(|body| body.source.as_ref()).filter(|used| used.source == source);
            let dirs = uses.dirs.len();
            uses.dirs.extend(used.map(|used| used.dir.as_ref().map_or(".".into(), text)));
            if uses.dirs.len() > dirs {
                bodies().for_each(|body| uses.module(body));
            }
        }
        for image in &model.images {
            let layers = &image.layers;
            let bodies =
                std::iter::once(&layers.base).chain(layers.overlays.iter().map(|overlay| &overlay.body));
            let extras = bodies.flat_map(|body| body.firmware.iter().chain(&body.files));
            extras.for_each(|extra| uses.extra(source, extra));
        }
        uses
    }

    fn module(&mut self, body: &ModuleBody) {
        let steps: &[Step] = match body.build.as_ref().map(|build| &build.value) {
            Some(Build::Prebuilt) => {
                self.finished = true;
                self.taken.extend(body.outputs.iter().map(|output| text(&output.glob)));
                &[]
            }
            Some(Build::Steps(steps)) => steps,
            None => &[],
        };
        let mut add = |words: &[Template]| words.iter().for_each(|word| self.steps += &(text(word) + "\n"));
        for step in steps {
            match step {
                Step::Make(words, variables) => {
                    add(words);
                    variables.iter().for_each(|(_, value)| add(std::slice::from_ref(value)));
                }
                Step::Run(words) => add(words),
                Step::Script(script) => add(std::slice::from_ref(script)),
            }
        }
    }

    fn extra(&mut self, of: SourceId, extra: &Extra) {
        if matches!(&extra.from.value, ExtraFrom::Named { source: Some(source), .. } if *source == of) {
            self.taken.push(text(&extra.glob));
        }
    }
}

/// A text in which every variable may be anything.
fn text(template: &Template) -> String {
    template.evaluate(|_| "*".into())
}
