//! From a compilation to images: what is to be built, in which order, how it went, and what to say of it.
//!
//! 1. [`choose`] finds the targets that the command line means.
//! 2. [`image_status::in_engine`] says of each whether its image exists, and if not, why.
//! 3. [`jobs::jobs`] makes builds of those that lack one, with what each has to wait for.
//! 4. [`schedule::run`] runs them, several at a time; [`builder::Builder::job`] is one of them.
//! 5. [`Failures`] puts those that failed for one reason together.

mod advice;
mod builder;
mod built_file;
mod choose;
pub mod copy_list;
mod failure;
mod from_stages;
mod item;
mod jobs;
mod log;
mod log_file;
mod proofs;
mod remote;
pub mod report;
mod reuse;
mod run;
mod schedule;
mod image_status;
pub mod stock;
mod toolkits;
mod verdict;

pub use builder::{Done, Outcome, Proof, Watch};
pub use choose::{BadChoice, Choice, choose};
pub use failure::{Failure, Failures, Group};
pub use from_stages::{StageFiles, files_of_stages};
pub use image_status::{Ids, Names, Place, unpinned_bases, unpinned_source};
pub use item::Item;
pub use log::{Step, Trial};
pub use proofs::{PREDICATE, PROVENANCE, Proofs, STATEMENT, is_provenance, is_signed};
pub use remote::{Lack as RegistryLack, Remote};
pub use run::{AfterFailure, BuildRun};
pub use verdict::{Verdict, Verdicts};
