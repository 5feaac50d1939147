//! Bounds what a profile file may hold, before anything is made of it: a hostile one must not cost time or memory.

use crate::language::kdl::Node;
use crate::text::diag::{Code, Diagnostic, Diagnostics};
use crate::text::source::Span;

/// Nodes in a file. The largest built-in one has a tenth of it.
const NODES: usize = 1_000;
/// Arguments of all nodes together.
const ARGUMENTS: usize = 2_000;
/// Patterns, of which each takes a moment to compile.
const PATTERNS: usize = 64;
/// Systems that the nodes of one line may run.
const RUNS: usize = 16;

/// Whether a file keeps within the bounds; where it does not, says so.
pub(super) fn keeps(nodes: &[Node], found: &mut Diagnostics) -> bool {
    let mut counts = [
        Count { what: "nodes", most: NODES, seen: 0, past: None },
        Count { what: "arguments", most: ARGUMENTS, seen: 0, past: None },
        Count { what: "patterns", most: PATTERNS, seen: 0, past: None },
    ];
    let mut runs = None;
    let mut open: Vec<&Node> = nodes.iter().collect();
    while let Some(node) = open.pop() {
        let name = node.name.value.as_str();
        let [all, arguments, patterns] = &mut counts;
        all.add(1, node);
        arguments.add(node.arguments.len(), node);
        patterns.add(usize::from(matches!(name, "kernel" | "foreign")), node);
        if name == "line" {
            runs = runs.or(node.all("runs").nth(RUNS));
        }
        open.extend(node.children());
    }
    let before = found.len();
    for count in counts {
        if let Some(place) = count.past {
            found.push(exceeded(count.what, count.most, "profile", place));
        }
    }
    if let Some(node) = runs {
        found.push(exceeded("systems", RUNS, "line", node.name.span));
    }
    found.len() == before
}

struct Count {
    what: &'static str,
    most: usize,
    seen: usize,
    past: Option<Span>,
}

impl Count {
    fn add(&mut self, number: usize, node: &Node) {
        self.seen += number;
        if self.seen > self.most {
            self.past.get_or_insert(node.name.span);
        }
    }
}

fn exceeded(what: &str, most: usize, owner: &str, place: Span) -> Diagnostic {
    Diagnostic::new(Code::ExceededLimit, format!("too many {what} in a {owner}"))
        .label(place, format!("a {owner} has at most {most} {what}"))
        .help("a release that follows a pattern, such as `release \"4.18.{z}\"`, stands for many")
}
