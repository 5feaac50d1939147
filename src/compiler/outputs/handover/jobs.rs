//! From targets to jobs: as many as a service runs side by side, each with the targets that have most in common.

use crate::compiler::model::Pipeline;
use crate::compiler::outputs::{PlanJson, PlanTarget};
use crate::text::ids::Arch;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What one machine builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Job {
    /// What a person calls it: the system and the kernel, or the first of several.
    pub name: String,
    /// The architecture of its targets, as `uname -m` prints it.
    pub arch: String,
    /// The ids of its targets, or of its toolkits.
    pub targets: Vec<String>,
}

/// Jobs of two phases: toolkits fill the registry before the images that stand on them are built.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Jobs {
    /// The toolkits that the targets stand on.
    pub toolkits: Vec<Job>,
    /// The targets.
    pub images: Vec<Job>,
}

/// Targets that are built in one place: they have a toolkit, or the packages of a kernel, in common.
struct Unit {
    name: String,
    arch: String,
    targets: Vec<String>,
}

/// The jobs that build the targets wanted, at most `most` in each phase.
#[must_use]
pub fn jobs(plan: &PlanJson, wanted: &BTreeSet<String>, most: usize) -> Jobs {
    let targets: Vec<_> = plan.targets.iter().filter(|target| wanted.contains(&target.id)).collect();
    let needed: BTreeSet<&String> = targets.iter().filter_map(|target| target.toolkit.as_ref()).collect();
    let toolkits = plan.toolkits.iter().filter(|toolkit| needed.contains(&toolkit.id));
    let toolkits = toolkits.map(|toolkit| Unit {
        name: name(&toolkit.os, &toolkit.release, &toolkit.arch, &toolkit.kernel),
        arch: toolkit.arch.clone(),
        targets: vec![toolkit.id.clone()],
    });
    Jobs { toolkits: spread(toolkits.collect(), most), images: spread(units(plan, &targets), most) }
}

fn name(os: &str, release: &str, arch: &str, kernel: &str) -> String {
    format!("{os}-{release}-{arch} {kernel}")
}

fn units(plan: &PlanJson, targets: &[&PlanTarget]) -> Vec<Unit> {
    let heads = heads(plan);
    let mut units: BTreeMap<(&str, &str, &str, &str), Unit> = BTreeMap::new();
    for target in targets {
        let PlanTarget { os, release, arch, kernel, .. } = target;
        let name = name(os, release, arch, kernel);
        let unit = Unit { name, arch: arch.clone(), targets: Vec::new() };
        let head = heads.get(&(arch, os, release, kernel)).copied().unwrap_or(kernel);
        units.entry((arch, os, release, head)).or_insert(unit).targets.push(target.id.clone());
    }
    units.into_values().collect()
}

/// The kernel in whose job another one's targets are: those whose modules are tried on others are built on one machine, so that
/// no image has to be pushed in between.
fn heads(plan: &PlanJson) -> BTreeMap<(&str, &str, &str, &str), &str> {
    let mut heads: BTreeMap<(&str, &str, &str, &str), &str> = BTreeMap::new();
    // Of several images, one may try what another does not: all of a kernel come along.
    loop {
        let mut changed = false;
        for (at, target) in plan.targets.iter().enumerate() {
            let Some(first) = plan.first_of(at).and_then(|first| plan.targets.get(first)) else { continue };
            let key = |kernel| (&*target.arch, &*target.os, &*target.release, kernel);
            let of = |kernel| heads.get(&key(kernel)).copied().unwrap_or(kernel);
            let (own, other) = (of(target.kernel.as_str()), of(first.kernel.as_str()));
            let least = own.min(other);
            for kernel in [&*target.kernel, &*first.kernel, own, other] {
                changed |= heads.insert(key(kernel), least).unwrap_or(kernel) != least;
            }
        }
        if !changed {
            return heads;
        }
    }
}

/// Puts neighbouring units of one architecture together until there are few enough jobs, all of about one size.
fn spread(units: Vec<Unit>, most: usize) -> Vec<Job> {
    let all: usize = units.iter().map(|unit| unit.targets.len()).sum();
    let mut size = all.div_ceil(most.max(1)).max(1);
    loop {
        let jobs = filled(&units, size);
        // A job that takes everything of an architecture cannot grow.
        if jobs.len() <= most || size > all {
            return jobs;
        }
        size += size.div_ceil(16);
    }
}

fn filled(units: &[Unit], size: usize) -> Vec<Job> {
    let mut jobs: Vec<(Job, usize)> = Vec::new();
    for unit in units {
        match jobs.last_mut() {
            Some((job, parts)) if job.arch == unit.arch && job.targets.len() + unit.targets.len() <= size => {
                job.targets.extend(unit.targets.iter().cloned());
                *parts += 1;
            }
            _ => {
                let Unit { name, arch, targets } = unit;
                let job = Job { name: name.clone(), arch: arch.clone(), targets: targets.clone() };
                jobs.push((job, 1));
            }
        }
    }
    let named = jobs.into_iter().map(|(mut job, parts)| {
        if parts > 1 {
            job.name += &format!(" and {} more", parts - 1);
        }
        job
    });
    named.collect()
}

/// The first architecture of these jobs that no runner builds for.
#[must_use]
pub fn without_runner<'j>(jobs: &'j Jobs, pipeline: &Pipeline) -> Option<&'j str> {
    let has = |job: &Job| Arch::parse(&job.arch).is_some_and(|arch| pipeline.runners.contains_key(&arch));
    jobs.toolkits.iter().chain(&jobs.images).find(|job| !has(job)).map(|job| job.arch.as_str())
}

impl Job {
    /// The labels of the runner that it needs.
    pub(super) fn labels<'p>(&self, pipeline: &'p Pipeline) -> &'p [String] {
        let labels = Arch::parse(&self.arch).and_then(|arch| pipeline.runners.get(&arch));
        labels.map(Vec::as_slice).unwrap_or_default()
    }

    /// The options of `drvc build` that name its targets.
    pub(super) fn options(&self) -> String {
        let options: Vec<_> = self.targets.iter().map(|target| format!("--target {target}")).collect();
        options.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(arch: &str, number: usize, targets: usize) -> Unit {
        let targets = (0..targets).map(|at| format!("{arch}-{number}-{at}")).collect();
        Unit { name: format!("{arch}-{number}"), arch: arch.into(), targets }
    }

    #[test]
    fn few_units_are_a_job_each() {
        let jobs = spread((0..5).map(|number| unit("x86_64", number, 3)).collect(), 5);
        assert_eq!(jobs.len(), 5);
        assert_eq!(jobs[0].name, "x86_64-0");
        assert!(spread(Vec::new(), 5).is_empty());
    }

    #[test]
    fn many_units_share_jobs_evenly() {
        for (units, targets, most) in
            [(1000, 1, 256), (1000, 3, 256), (257, 2, 256), (10_000, 1, 200), (7, 1, 2)]
        {
            let all = |arch: &'static str| (0..units).map(move |number| unit(arch, number, targets));
            let jobs = spread(all("aarch64").chain(all("x86_64")).collect(), most);
            let sizes: Vec<_> = jobs.iter().map(|job| job.targets.len()).collect();
            assert!(jobs.len() <= most && jobs.len() * 2 >= most, "{units}: {} jobs", jobs.len());
            assert_eq!(sizes.iter().sum::<usize>(), 2 * units * targets);
            let mean = (2 * units * targets).div_ceil(jobs.len());
            assert!(sizes.iter().all(|size| *size <= 2 * mean), "{units}: {sizes:?}");
            assert!(jobs.iter().all(|job| job.targets.iter().all(|target| target.starts_with(&job.arch))));
        }
    }
}
