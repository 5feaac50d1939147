//! One job: the engine builds, what came out is looked at, and only then does it get its name.

use super::advice::advice;
use super::built_file::{BuiltFile, Labels};
use super::failure::Failure;
use super::image_status::{ExpectedImage, Ids, Names, base_label, unpinned_bases, unpinned_source};
use super::jobs::Work;
use super::log::{Progress, Step, Trial};
use super::log_file::{Log, is_lost_race};
use super::proofs::Proofs;
use super::remote::Remote;
use crate::compiler::compile::Compiled;
use crate::compiler::plan::Target;
use crate::images::engine::{Engine, Image, Order, Secret, how};
use crate::system::fs::{Dir, Disk, Tree as _};
use crate::system::process::{Ended, Interrupt};
use crate::text::error::Error;
use crate::text::ids::{FilePath, ImageRef, RelPath};
use camino::Utf8Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Where engines write the ids of what they built.
const IDS: &str = "ids";
/// How often a build is tried that an engine could not even start.
const TRIES: u32 = 3;
/// Told of running jobs, by their places.
pub trait Watch: Sync {
    /// A job begins.
    fn started(&self, job: usize, name: &str);
    /// It has come to this instruction.
    fn step(&self, job: usize, step: &Step);
    /// It is tried again: the engine lost a race with itself.
    fn again(&self, job: usize, name: &str);
    /// It has ended.
    fn ended(&self, job: usize, name: &str, outcome: &Outcome);
    /// The scripts of its stages have warned of this.
    fn warned(&self, name: &str, text: &str);
    /// Something worth knowing, of no job in particular.
    fn aside(&self, line: &str);
}

/// What the image of a target has to stand before it gets its name.
pub trait Proof: Sync {
    /// Puts an image to the proof that has an id and no name yet.
    ///
    /// # Errors
    /// Why it does not stand it: such an image is never named, and so is built again.
    fn prove(&self, target: &Target, engine: &Engine, id: &str) -> Result<(), Box<Failure>>;
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What it makes is there, and was not before.
    Done(Done, Duration),
    /// It is not there.
    Failed(Box<Failure>),
    /// drvc was interrupted.
    Interrupted,
}

/// What a job did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// The engine built.
    Built,
    /// The engine built, and an earlier kernel's modules were tried.
    Tried(Trial),
    /// The image was there, and is in its registry now.
    Pushed,
    /// The image was there under another name.
    Named,
}

/// Everything that jobs have in common.
pub struct Builder<'a> {
    /// What is built.
    pub compiled: &'a Compiled,
    /// With what.
    pub engine: &'a Engine,
    /// Where images are to be as well.
    pub remote: Option<&'a Remote<'a>>,
    /// Words of the user's for every push.
    pub push_arguments: &'a [String],
    /// What only a build of this run can give.
    pub proofs: Proofs,
    /// The manifest's directory.
    pub disk: &'a Disk,
    /// The same, as a path to start the engine in.
    pub directory: &'a Utf8Path,
    /// The output directory beneath it.
    pub out: &'a RelPath,
    /// `.drvc` in the output directory.
    pub home: &'a Dir,
    /// What images are called.
    pub names: &'a Names,
    /// The ids of base images that no digest pins.
    pub bases: Mutex<Ids>,
    /// What secret mounts are given.
    pub secrets: &'a [Secret],
    /// What one build is given.
    pub timeout: Option<Duration>,
    /// Whether drvc was interrupted.
    pub interrupt: &'a Interrupt,
    /// What images have to stand before they count.
    pub proof: Option<&'a dyn Proof>,
    /// Told of what happens.
    pub watch: &'a dyn Watch,
}

impl Builder<'_> {
    /// Does one job.
    #[must_use]
    pub fn job(&self, at: usize, work: &Work) -> Outcome {
        let start = Instant::now();
        let name = work.name(self.compiled);
        self.watch.started(at, &name);
        let outcome = match self.attempt(at, work) {
            Ok(done) => Outcome::Done(done, start.elapsed()),
            Err(_) if self.interrupt.is_set() => Outcome::Interrupted,
            Err(failure) => Outcome::Failed(failure),
        };
        self.watch.ended(at, &name, &outcome);
        outcome
    }

    fn attempt(&self, at: usize, work: &Work) -> Result<Done, Box<Failure>> {
        let missing = || Box::new(Failure::plain("there is no such target".into(), None));
        let target = self.compiled.plan.targets.get(work.target()).ok_or_else(missing)?;
        let label = match work {
            Work::Stage { .. } | Work::Toolkit { .. } => None,
            Work::Target(_) | Work::Push(_) => self.base_label(target).map_err(plain)?,
        };
        match work {
            Work::Stage { .. } | Work::Toolkit { .. } => {}
            Work::Push(place) => return self.push(*place, label).map(|()| Done::Pushed).map_err(plain),
            Work::Target(place) => {
                // An engine that cannot list its images may still be able to build.
                if !self.proofs.any() && self.known_by_key(*place, label.as_deref()).unwrap_or(false) {
                    return self.push(*place, label).map(|()| Done::Named).map_err(plain);
                }
            }
        }
        let (id, trial) = self.build(at, work, target, label.as_deref())?;
        match work {
            Work::Stage { .. } | Work::Push(_) => {}
            Work::Toolkit { at, .. } => self.settle_toolkit(*at, target, &id)?,
            Work::Target(place) => {
                self.settle(*place, target, &id, label.as_deref())?;
                self.push(*place, label).map_err(plain)?;
            }
        }
        Ok(trial.map_or(Done::Built, Done::Tried))
    }

    /// Lets the engine build, and gives back the id of what came out, and what came of an earlier kernel's modules.
    fn build(
        &self,
        at: usize,
        work: &Work,
        target: &Target,
        base: Option<&str>,
    ) -> Result<(String, Option<Trial>), Box<Failure>> {
        let labels = match work {
            Work::Stage { .. } | Work::Push(_) => None,
            Work::Toolkit { at, .. } => self.compiled.json().toolkits.get(*at).map(|one| one.key.as_str()),
            Work::Target(place) => Some(self.key(*place)),
        };
        let labels = labels.map(|key| Labels { key, base });
        let place = (self.home, self.out);
        let file = BuiltFile::write(place, at, self.compiled.outputs(), self.output(work), labels.as_ref());
        let file = file.map_err(plain)?;
        let ids = self.home.make_dir(IDS).map_err(|cause| plain(self.cannot_write(cause)))?.0;
        let id_name = at.to_string();
        // What a run that was killed has left there is no id of what is built now.
        let _ = ids.remove_file(&id_name);
        let id_file = format!("{}/{}/{IDS}/{id_name}", self.out, crate::store::state::HOME);
        let order = Order {
            directory: self.directory,
            dockerfile: Utf8Path::new(&file.path),
            arch: target.at.arch,
            stage: match work {
                Work::Stage { name, .. } => Some(name),
                Work::Toolkit { .. } | Work::Target(_) | Work::Push(_) => None,
            },
            secrets: self.secrets,
            id_file: Utf8Path::new(&id_file),
        };
        let trial = self.run(at, work, &order)?;
        let id = match work {
            Work::Stage { .. } => Ok(String::new()),
            _ => self.read_id(&id_file),
        };
        let _ = ids.remove_file(&id_name);
        Ok((id?, trial))
    }

    /// Looks at a toolkit that was built, gives it its name, and pushes it where images are pushed.
    fn settle_toolkit(&self, at: usize, target: &Target, id: &str) -> Result<(), Box<Failure>> {
        let Some(toolkit) = self.compiled.json().toolkits.get(at) else { return Ok(()) };
        let image = self.engine.inspect_one(id).map_err(plain)?;
        if image.key() != Some(&*toolkit.key) || image.arch != target.at.arch.oci() {
            let reason = "what the engine has built is not the toolkit: it has not its key";
            return Err(Box::new(Failure::plain(reason.into(), Some("run `drvc build` again".into()))));
        }
        for name in [&toolkit.reference].into_iter().chain(&toolkit.tag) {
            let parsed = ImageRef::parse(name);
            let reference = parsed.map_err(|rule| plain(Error::new("use", name.as_str(), rule.0)))?;
            self.engine.tag(id, &reference).map_err(plain)?;
            if self.remote.is_some() {
                self.engine.push(&reference, self.push_arguments).map_err(plain)?;
            }
        }
        Ok(())
    }

    /// Whether the engine has an image of this key under any name; then it gets those of the target.
    fn known_by_key(&self, place: usize, base: Option<&str>) -> Result<bool, Error> {
        let Some(target) = self.compiled.plan.targets.get(place) else { return Ok(false) };
        if unpinned_source(self.compiled, target).is_some() {
            return Ok(false);
        }
        let images = self.engine.built(Some(self.key(place)))?;
        let fits = |image: &&Image| {
            let named = !image.names.is_empty();
            named
                && image.key() == Some(self.key(place))
                && image.arch == target.at.arch.oci()
                && image.base() == base
        };
        let Some(image) = images.iter().find(fits) else { return Ok(false) };
        self.names.own(place).try_for_each(|name| self.engine.tag(&image.id, name))?;
        Ok(true)
    }

    /// Sees to it that the registry has the target's image, where that is asked for.
    fn push(&self, place: usize, base: Option<String>) -> Result<(), Error> {
        let (Some(remote), Some(target)) = (self.remote, self.compiled.plan.targets.get(place)) else {
            return Ok(());
        };
        if let Some(own) = self.names.own(place).next() {
            self.engine.push(own, self.push_arguments)?;
        }
        let (key, arch) = (self.key(place).to_owned(), target.at.arch.oci().to_owned());
        remote.spread(place, &ExpectedImage { key, arch, base: Ok(base) })
    }

    fn key(&self, place: usize) -> &str {
        self.compiled.json().targets.get(place).map_or("", |target| &target.key)
    }

    /// Runs the engine, with a log, and again where it lost a race with itself.
    fn run(&self, at: usize, work: &Work, order: &Order<'_>) -> Result<Option<Trial>, Box<Failure>> {
        for left in (0..TRIES).rev() {
            let mut log = Log::begin(self.home, self.out, self.compiled, work).map_err(plain)?;
            let mut progress = Progress::new(self.stages(work));
            let mut lost_race = false;
            log.line(format!("+ {}\n", self.engine.command_line(order)).as_bytes());
            let ended = self.engine.build(order, self.timeout, |line| {
                log.line(line);
                lost_race |= is_lost_race(line);
                if let Some(step) = progress.line(line) {
                    self.watch.step(at, step);
                }
            });
            let reason = match ended {
                Ok(Ended::Code(0)) => {
                    let name = work.name(self.compiled);
                    progress.warnings().for_each(|text| self.watch.warned(&name, text));
                    let is_tried =
                        matches!(work, Work::Target(at) if self.compiled.json().first_of(*at).is_some());
                    return Ok(progress.trial().filter(|_| is_tried).cloned());
                }
                Ok(Ended::Code(_)) if lost_race && left > 0 => {
                    self.watch.again(at, &work.name(self.compiled));
                    continue;
                }
                Ok(Ended::TimedOut) => {
                    let limit = self.timeout.unwrap_or_default().as_secs();
                    format!("took longer than {limit} s, and was ended")
                }
                Ok(ended) => format!("{} {}", self.engine.kind(), how(ended)),
                Err(error) => return Err(plain(error)),
            };
            let (step, error, tail) = progress.failure();
            let log = Some(log.path);
            let help = advice(self.compiled, self.disk, step.as_ref(), error.as_deref());
            return Err(Box::new(Failure { reason, help, step, error, tail, log }));
        }
        Ok(None)
    }

    /// Looks at what was built, and gives it its names.
    fn settle(
        &self,
        place: usize,
        target: &Target,
        id: &str,
        base: Option<&str>,
    ) -> Result<(), Box<Failure>> {
        let key = self.key(place);
        let image = self.engine.inspect_one(id).map_err(plain)?;
        let refuse = |reason: String| {
            let help = "run `drvc build` again; what was built has no name, and is never used".to_owned();
            Err(Box::new(Failure::plain(reason, Some(help))))
        };
        if image.key() != Some(key) || image.base() != base {
            return refuse("what the engine has built is not the target: it has not its labels".into());
        }
        if image.arch != target.at.arch.oci() {
            return refuse(format!("the image is for {}, not {}", image.arch, target.at.arch.oci()));
        }
        if let Some(path) = self.changed_file(target) {
            return refuse(format!("`{path}` changed while the image was built"));
        }
        if let Some(proof) = self.proof {
            proof.prove(target, self.engine, id)?;
        }
        self.names.own(place).try_for_each(|name| self.engine.tag(id, name)).map_err(plain)
    }

    /// The first file of the build context that is no longer what the key was made of.
    fn changed_file(&self, target: &Target) -> Option<FilePath> {
        let stages = self.compiled.plan.graph.ancestry(target.root).into_iter();
        let files = stages.filter_map(|id| self.compiled.stages.get(id.index()));
        let mut files = files.flat_map(|stage| stage.files.iter());
        files
            .find(|(path, known)| {
                self.disk.again(path, known.form).map_or(true, |found| found.value != *known)
            })
            .map(|(path, _)| path.clone())
    }

    /// The label of the bases of a target that no digest pins; those that are not here are fetched.
    fn base_label(&self, target: &Target) -> Result<Option<String>, Error> {
        let (bases, arch) = (unpinned_bases(self.compiled, target), target.at.arch.oci());
        // Held while an image is fetched: a second job that needs it waits instead of fetching it too.
        let mut ids = self.bases.lock().unwrap_or_else(PoisonError::into_inner);
        while let Err(base) = base_label(&bases, arch, &ids) {
            let found = |image: ImageRef| self.engine.inspect(&[image]);
            let here = found(base.clone())?.into_iter().find(|image| image.arch == arch);
            let image = match here {
                Some(image) => image,
                None => {
                    self.engine.pull(&base, arch)?;
                    let none = || Error::new("find", base.as_str(), "it was fetched and is not there");
                    found(base.clone())?.into_iter().next().ok_or_else(none)?
                }
            };
            ids.insert((base, arch.to_owned()), image.id);
        }
        Ok(base_label(&bases, arch, &ids).unwrap_or_default())
    }

    /// The path of the Dockerfile beneath the output directory.
    fn output(&self, work: &Work) -> &str {
        match work {
            Work::Toolkit { at, .. } => {
                self.compiled.json().toolkits.get(*at).map(|toolkit| &toolkit.dockerfile)
            }
            _ => self.compiled.json().targets.get(work.target()).map(|target| &target.dockerfile),
        }
        .map_or("", String::as_str)
    }

    /// The names of the stages of a Dockerfile, in order; the last one, which has none there, is called by its image.
    fn stages(&self, work: &Work) -> Vec<String> {
        let path = RelPath::parse(self.output(work)).ok();
        let text = path.and_then(|path| self.compiled.outputs().get(&path)).map(|output| output.text());
        let text = text.unwrap_or_default();
        let froms = text.lines().filter_map(|line| line.strip_prefix("FROM "));
        let target = self.compiled.plan.targets.get(work.target());
        let image = match (work, target) {
            (Work::Toolkit { .. }, _) => "toolkit".to_owned(),
            (_, Some(target)) => self.compiled.plan.graph.node(target.root).stage(),
            (_, None) => String::new(),
        };
        froms
            .map(|from| from.split_once(" AS ").map_or(image.as_str(), |(_, name)| name).to_owned())
            .collect()
    }

    fn read_id(&self, path: &str) -> Result<String, Box<Failure>> {
        let read = RelPath::parse(path).map_err(|rule| rule.0.to_owned());
        let read = read.and_then(|path| self.disk.read(&path, 1000).map_err(|error| error.to_string()));
        let id = read.map_err(|cause| {
            plain(Error::new("read", path, format!("the engine left no id of what it built ({cause})")))
        })?;
        Ok(String::from_utf8_lossy(&id.value).trim().trim_start_matches("sha256:").to_owned())
    }

    fn cannot_write(&self, cause: std::io::Error) -> Error {
        Error::new("write to", format!("{}/{}", self.out, crate::store::state::HOME), cause)
    }
}

fn plain(error: Error) -> Box<Failure> {
    Box::new(Failure::plain(error.to_string(), error.next_step().map(str::to_owned)))
}
