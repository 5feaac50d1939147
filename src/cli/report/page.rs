//! From what is known of a project to the data of the page, and from that to HTML.

use super::facts::{Facts, State};
use super::graph::{Picture, pictures};
use super::matrix::{System, systems};
use super::offers::Offers;
use super::targets::{Described, described, targets};
use crate::cli::next::{Step, steps};
use crate::compiler::outputs::NodesJson;
use crate::images::record::states;
use crate::store::history::uncompiled;
use crate::text::diag::{Clean, count};
use crate::text::error::Error;
use handlebars::Handlebars;
use serde::Serialize;

/// The data of the page.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    style: &'static str,
    version: &'static str,
    project: String,
    manifest: String,
    total: String,
    number: usize,
    counts: Vec<Tally>,
    is_recorded: bool,
    is_calm: bool,
    is_part: bool,
    steps: Vec<Step>,
    systems: Vec<System>,
    targets: Vec<Described>,
    left_out: Option<String>,
    pictures: Vec<Picture>,
    has_several: bool,
    nodes: Option<Coverage>,
    offers: Offers,
}

/// How many targets stand so.
#[derive(Debug, Serialize)]
struct Tally {
    class: &'static str,
    word: &'static str,
    number: usize,
}

/// Nodes of a cluster by kernels.
#[derive(Debug, Serialize)]
struct Coverage {
    summary: String,
    rows: Vec<CoverageRow>,
}

#[derive(Debug, Serialize)]
struct CoverageRow {
    kernel: String,
    arch: String,
    nodes: usize,
    image: String,
    class: &'static str,
    word: &'static str,
    by: String,
}

impl Page {
    /// Everything that the page says.
    pub(super) fn new(facts: &Facts<'_>, nodes: Option<NodesJson>, offers: Offers) -> Self {
        let Facts { compilation, compiled, disk, out, .. } = facts;
        let waiting = uncompiled(compiled, *disk, out);
        let known = states(compiled, facts.builds.as_ref());
        let steps = steps(compilation, waiting.len(), known.as_deref());
        let is_recorded = known.is_some();
        let states: Vec<State> = match known {
            Some(known) => known.into_iter().map(State::from).collect(),
            None => {
                let ids = compiled.json().targets.iter().map(|target| waiting.contains(&target.id));
                ids.map(|waits| if waits { State::ToCompile } else { State::Compiled }).collect()
            }
        };
        let of_chosen: Vec<State> = facts.chosen.iter().filter_map(|at| states.get(*at).copied()).collect();
        let counts = State::ALL.into_iter().map(|wanted| Tally {
            class: wanted.class(),
            word: wanted.word(),
            number: of_chosen.iter().filter(|state| **state == wanted).count(),
        });
        let described = described(facts, &states);
        let left = facts.chosen.len() - described.len();
        let left_out = (left > 0).then(|| format!("{} not described here", count(left, "target")));
        let pictures = pictures(facts);
        Self {
            style: include_str!("page.css"),
            version: env!("CARGO_PKG_VERSION"),
            project: compiled.model.project.name.to_string(),
            manifest: facts.manifest.to_owned(),
            total: count(facts.chosen.len(), "target"),
            number: facts.chosen.len(),
            counts: counts.filter(|tally| tally.number > 0).collect(),
            is_recorded,
            is_calm: of_chosen.iter().all(|state| state.is_calm()),
            is_part: facts.is_part,
            steps,
            systems: systems(facts, &states, &described),
            targets: targets(facts, &states, &described),
            left_out,
            has_several: pictures.len() > 1,
            pictures,
            nodes: nodes.map(coverage),
            offers,
        }
    }

    /// How many targets it is about.
    pub(super) const fn number(&self) -> usize {
        self.number
    }

    /// The page: every text is escaped for HTML by the template, and what is invisible or turns lines around is made
    /// visible.
    pub(super) fn to_html(&self) -> Result<Clean, Error> {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        let page = registry.render_template(include_str!("page.hbs"), self);
        page.map(|page| Clean::text(&page)).map_err(|cause| Error::new("write", "the page", cause))
    }
}

fn coverage(found: NodesJson) -> Coverage {
    let rows = found.kernels.iter().flat_map(|kernel| {
        kernel.images.iter().map(|image| {
            let (class, word) = match (image.targets.is_empty(), &image.excluded) {
                (false, _) => ("u", "covered"),
                (true, Some(_)) => ("x", "excluded"),
                (true, None) => ("f", "missed"),
            };
            CoverageRow {
                kernel: kernel.kernel.clone(),
                arch: kernel.arch.clone(),
                nodes: kernel.nodes.len(),
                image: image.image.clone(),
                class,
                word,
                by: image.excluded.clone().unwrap_or_else(|| image.tags.join(", ")),
            }
        })
    });
    let summary = format!("{} of {} covered", found.covered, count(found.nodes, "node"));
    Coverage { summary, rows: rows.collect() }
}
