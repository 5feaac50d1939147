//! The targets of a Makefile, and which of them builds the modules.

use std::collections::BTreeMap;

/// How deep targets are followed through what they depend on.
const MAX_DEPTH: usize = 8;

/// A target: what it depends on, and its recipe.
#[derive(Default)]
struct Rule<'l> {
    needs: Vec<&'l str>,
    recipe: Vec<&'l str>,
}

/// The target to ask make for; none, where that is the one that it makes unasked.
pub(super) fn goal(lines: &[String]) -> Option<String> {
    let (order, rules) = rules(lines);
    let builds = |target: &&&str| {
        let is_call = |line: &&str| {
            let tidies =
                line.split_whitespace().any(|word| word.ends_with("clean") || word.ends_with("install"));
            (line.contains(" M=") || line.contains(" SUBDIRS=")) && !tidies
        };
        rules.get(**target).is_some_and(|rule| rule.recipe.iter().any(is_call))
    };
    let usual = ["modules", "all", "default"].into_iter().find(|target| rules.contains_key(target));
    let unasked = order.iter().find(|target| !target.starts_with('.') && !target.contains('%')).copied();
    let loads = |line: &str| {
        ["modprobe ", "insmod "].iter().any(|word| line.trim_start_matches(['@', '-']).starts_with(word))
    };
    let own = order.iter().filter(|target| !target.contains('%')).find(builds).copied();
    let fits = |target: &str| {
        let recipes = recipes(&rules, target, 0);
        !recipes.iter().any(|line| loads(line)) && own.is_none_or(|own| reaches(&rules, target, own, 0))
    };
    // A target that does not build them, or that loads them too, gives way to the one that calls the kernel's own.
    let chosen = match usual {
        Some(usual) if fits(usual) || own.is_none() => Some(usual),
        None if unasked.is_none_or(fits) => None,
        _ => own,
    };
    // A rule for whatever is asked for is no goal of its own.
    chosen.or_else(|| order.contains(&"%").then_some("modules")).map(str::to_owned)
}

fn rules(lines: &[String]) -> (Vec<&str>, BTreeMap<&str, Rule<'_>>) {
    let (mut order, mut rules) = (Vec::new(), BTreeMap::<&str, Rule<'_>>::new());
    let mut open: Vec<&str> = Vec::new();
    for line in lines {
        if line.starts_with('\t') {
            for target in &open {
                rules.entry(target).or_default().recipe.push(line.trim());
            }
            continue;
        }
        let Some((targets, needs)) = line.split_once(':').filter(|(left, right)| {
            !right.starts_with(['=', ':']) && !left.contains(['=', '(', '$']) && !left.trim().is_empty()
        }) else {
            continue;
        };
        let (needs, first) = needs.split_once(';').unwrap_or((needs, ""));
        open = targets.split_whitespace().collect();
        for target in &open {
            order.push(*target);
            let rule = rules.entry(target).or_default();
            rule.needs.extend(needs.split_whitespace());
            rule.recipe.extend(Some(first.trim()).filter(|first| !first.is_empty()));
        }
    }
    (order, rules)
}

/// The recipes of a target and of all that it depends on.
fn recipes<'l>(rules: &BTreeMap<&str, Rule<'l>>, target: &str, depth: usize) -> Vec<&'l str> {
    let Some(rule) = rules.get(target).filter(|_| depth < MAX_DEPTH) else { return Vec::new() };
    let needed = rule.needs.iter().flat_map(|target| recipes(rules, target, depth + 1));
    rule.recipe.iter().copied().chain(needed).collect()
}

/// Whether a target comes to another one, by what it depends on or by a call of make.
fn reaches(rules: &BTreeMap<&str, Rule<'_>>, target: &str, wanted: &str, depth: usize) -> bool {
    let Some(rule) = rules.get(target).filter(|_| depth < MAX_DEPTH) else { return false };
    let calls = || rule.recipe.iter().filter(|line| line.contains("MAKE)") || line.contains("make "));
    target == wanted
        // What a variable holds is not looked into: it may be the one.
        || rule.needs.iter().any(|target| target.contains('$') || reaches(rules, target, wanted, depth + 1))
        || calls().any(|line| {
            line.contains(" M=") || line.split_whitespace().any(|word| word == wanted || word == "-C")
        })
}
