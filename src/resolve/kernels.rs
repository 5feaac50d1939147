//! What `match` and `latest` ask for -> kernels, from package repositories.

use super::answer::Answer;
use super::work::Work;
use crate::compiler::plan;
use crate::knowledge::lock::{Consulted, KernelQuery, Want};
use crate::resolve::repository::{self, Gpgv, KernelLookup, Problem};
use crate::system::fs::{Reader, Tree};
use crate::system::http::Client;
use crate::text::error::Error;
use crate::text::ids::{KernelText, RelPath};

/// A file with the keys of a repository is smaller than this, in bytes.
const KEYS_LIMIT: u64 = 4 << 20;

impl Work<'_> {
    /// The kernels of every question among `wants` that is about kernels; those that were passed over become notes.
    /// A repository is read once, however many questions it answers.
    pub(super) fn kernels(
        &self,
        wants: Vec<Want>,
        told: &dyn Fn(Want),
    ) -> Vec<(Want, Result<Answer, Problem>)> {
        if wants.is_empty() {
            return Vec::new();
        }
        let lock = Consulted::new(&self.parts.lock);
        let inputs = self.parts.inputs(&lock, self.sources, self.request);
        let is_wanted =
            |request: &plan::KernelRequest<'_>| wants.contains(&Want::Kernels(request.query.clone()));
        let mut kernel_requests: Vec<_> =
            plan::kernel_requests(&inputs).into_iter().filter(is_wanted).collect();
        kernel_requests.sort_by(|left, right| left.query.cmp(&right.query));
        kernel_requests.dedup_by(|left, right| left.query == right.query);
        let (tree, client) = (self.tree, self.resolver.client());
        let keys = |path: &RelPath| keys(tree, client, path);
        let asking = KernelLookup {
            fetch: self.resolver.repositories(),
            keys: &keys,
            subscribed: self.resolver.is_subscribed(),
            answered: &|query| told(Want::Kernels(query.clone())),
        };
        let answers = asking.answer(&kernel_requests);
        let answer = |(query, answer): repository::Answer| {
            let answer = answer.map(|answered| {
                for (kernel, missing) in &answered.passed_over {
                    let missing: Vec<_> = missing.iter().map(|package| format!("`{package}`")).collect();
                    let place = self.old_kernels(&query, kernel).map(|place| format!("; {place}"));
                    self.resolver.note(format!(
                        "passed over {kernel} of {} {}: {} is not offered{}",
                        query.os,
                        query.release,
                        missing.join(", "),
                        place.unwrap_or_default()
                    ));
                }
                let repository::Answered { kernels, other_packages, .. } = answered;
                Answer::Kernels { kernels, other_packages }
            });
            (Want::Kernels(query), answer)
        };
        answers.into_iter().map(answer).collect()
    }
}

impl Work<'_> {
    /// Where a kernel may be that has left the repositories, as its profile knows it.
    fn old_kernels(&self, query: &KernelQuery, kernel: &KernelText) -> Option<String> {
        let profile = self.parts.profiles.get(query.os.as_str())?;
        let release = profile.release(query.release.as_str()).ok()?;
        let kernel = profile.kernel(kernel.as_str()).ok()?;
        profile.packages(&kernel, &release, query.arch).ok()?.old_kernels
    }
}

/// The keys in a file beside the manifest.
pub(super) fn keys(tree: &dyn Tree, client: &Client, path: &RelPath) -> Result<Gpgv, Error> {
    let bytes = Reader::new(tree).read(path, KEYS_LIMIT);
    let bytes = bytes.map_err(|cause| Error::new("read", path.as_str(), cause.to_string()))?;
    Gpgv::new(client.environment(), client.interrupt(), path.as_str(), &bytes)
}
