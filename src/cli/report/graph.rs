//! The graph of stages as SVG: one picture for each image, in which stages that differ only in their kernel are one.

use super::facts::Facts;
use crate::compiler::outputs::{GraphStage, graph};
use crate::text::diag::count;
use layout::core::base::Orientation;
use layout::core::format::{ClipHandle, RenderBackend};
use layout::core::geometry::Point;
use layout::core::style::StyleAttr;
use layout::std_shapes::shapes::{Arrow, Element, ShapeKind};
use layout::topo::layout::VisualGraph;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Of more stages than this no picture is made.
const MOST: usize = 150;
/// How wide a letter is, and what a box has around its longest line.
const LETTER: f64 = 7.3;
const AROUND: f64 = 24.0;
/// How high a box of two lines is.
const HEIGHT: f64 = 44.0;
/// How much of a name is shown, in characters.
const NAME: usize = 40;
/// Around the picture.
const MARGIN: f64 = 12.0;

/// The graph of an image.
#[derive(Debug, Serialize)]
pub(super) struct Picture {
    name: String,
    /// Its number on the page.
    number: usize,
    is_first: bool,
    about: String,
    svg: String,
}

/// A picture for each image that targets are chosen of.
pub(super) fn pictures(facts: &Facts<'_>) -> Vec<Picture> {
    let targets = &facts.compiled.json().targets;
    let mut images: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for target in facts.chosen.iter().filter_map(|at| targets.get(*at)) {
        images.entry(&target.image).or_default().insert(&target.id);
    }
    let picture = |(number, (image, ids)): (usize, (&str, BTreeSet<&str>))| {
        let whole = graph(&facts.compiled.plan, &facts.compiled.fingerprints, |id| ids.contains(id));
        let kernels: BTreeSet<&str> = targets.iter().map(|target| target.kernel.as_str()).collect();
        let boxes = Boxes::of(&whole.stages, &kernels);
        let svg = if boxes.boxes.len() > MOST { String::new() } else { boxes.svg() };
        let about = format!(
            "{} of {}, each kind once",
            count(whole.stages.len(), "stage"),
            count(ids.len(), "target")
        );
        Picture { name: image.to_owned(), number, is_first: number == 0, about, svg }
    };
    images.into_iter().enumerate().map(picture).collect()
}

/// What is drawn: boxes, and which use which.
struct Boxes {
    /// Kind, name, and how many stages.
    boxes: Vec<(String, String, usize)>,
    uses: BTreeSet<(usize, usize)>,
}

impl Boxes {
    fn of(stages: &[GraphStage], kernels: &BTreeSet<&str>) -> Self {
        let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut of_stage: BTreeMap<usize, usize> = BTreeMap::new();
        let mut boxes: Vec<(String, String, usize)> = Vec::new();
        let mut uses = BTreeSet::new();
        for stage in stages {
            let key = (stage.kind.clone(), without_kernel(&stage.name, kernels));
            let at = *places.entry(key.clone()).or_insert_with(|| {
                boxes.push((key.0, key.1, 0));
                boxes.len() - 1
            });
            if let Some(one) = boxes.get_mut(at) {
                one.2 += 1;
            }
            of_stage.insert(stage.id, at);
            uses.extend(stage.uses.iter().filter_map(|used| Some((*of_stage.get(&used.stage)?, at))));
        }
        uses.retain(|(from, to)| from != to);
        Self { boxes, uses }
    }

    fn svg(&self) -> String {
        let mut graph = VisualGraph::new(Orientation::LeftToRight);
        let mut handles = Vec::new();
        for (kind, name, number) in &self.boxes {
            let times = if *number > 1 { format!(" ×{number}") } else { String::new() };
            let (first, second) = (format!("{kind}{times}"), short(name));
            let letters = first.chars().count().max(second.chars().count());
            let size = Point::new(letters as f64 * LETTER + AROUND, HEIGHT);
            let shape = ShapeKind::new_box(&format!("{first}\n{second}"));
            let element = Element::create(shape, StyleAttr::simple(), Orientation::LeftToRight, size);
            handles.push(graph.add_node(element));
        }
        for (from, to) in &self.uses {
            if let (Some(from), Some(to)) = (handles.get(*from), handles.get(*to)) {
                graph.add_edge(Arrow::simple(""), *from, *to);
            }
        }
        let mut drawing = Drawing::default();
        graph.do_it(false, false, false, &mut drawing);
        drawing.finish()
    }
}

/// A name that is the same for every kernel.
fn without_kernel(name: &str, kernels: &BTreeSet<&str>) -> String {
    match name.rsplit_once(" for ") {
        Some((name, kernel)) if kernels.contains(kernel) => name.to_owned(),
        _ if kernels.contains(name) => "headers".to_owned(),
        _ => name.split_once('@').map_or(name, |(name, _)| name).to_owned(),
    }
}

fn short(name: &str) -> String {
    let length = name.chars().count();
    if length <= NAME {
        return name.to_owned();
    }
    format!("…{}", name.chars().skip(length - NAME + 1).collect::<String>())
}

/// What the layout draws, as SVG: colours are the page's.
#[derive(Default)]
struct Drawing {
    body: String,
    width: f64,
    height: f64,
}

impl Drawing {
    fn reach(&mut self, x: f64, y: f64) {
        self.width = self.width.max(x);
        self.height = self.height.max(y);
    }

    fn finish(self) -> String {
        let (width, height) = (self.width + MARGIN, self.height + MARGIN);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" aria-hidden=\"true\">{}</svg>",
            self.body
        )
    }
}

impl RenderBackend for Drawing {
    fn draw_rect(&mut self, xy: Point, size: Point, _: &StyleAttr, _: Option<String>, _: Option<ClipHandle>) {
        self.reach(xy.x + size.x, xy.y + size.y);
        let _ = write!(
            self.body,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"6\"/>",
            xy.x, xy.y, size.x, size.y
        );
    }

    fn draw_text(&mut self, xy: Point, text: &str, _: &StyleAttr) {
        let mut lines = text.lines();
        let (kind, name) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let _ = write!(
            self.body,
            "<text x=\"{x:.1}\" y=\"{:.1}\" class=\"k\">{}</text><text x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            xy.y - 3.0,
            handlebars::html_escape(kind),
            xy.y + 13.0,
            handlebars::html_escape(name),
            x = xy.x,
        );
    }

    fn draw_arrow(
        &mut self,
        path: &[(Point, Point)],
        _: bool,
        _: (bool, bool),
        _: &StyleAttr,
        _: Option<String>,
        _: &str,
    ) {
        let [start, end, rest @ ..] = path else { return };
        path.iter().for_each(|(_, at)| self.reach(at.x, at.y));
        let mut curve = format!(
            "M{:.1} {:.1}C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
            start.0.x, start.0.y, start.1.x, start.1.y, end.0.x, end.0.y, end.1.x, end.1.y
        );
        for (control, at) in rest {
            let _ = write!(curve, "S{:.1} {:.1} {:.1} {:.1}", control.x, control.y, at.x, at.y);
        }
        let _ = write!(self.body, "<path d=\"{curve}\" marker-end=\"url(#arrow)\"/>");
    }

    fn draw_line(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn draw_circle(&mut self, _: Point, _: Point, _: &StyleAttr, _: Option<String>) {}

    fn create_clip(&mut self, _: Point, _: Point, _: usize) -> ClipHandle {
        0
    }
}
