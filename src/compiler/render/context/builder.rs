//! Builders into what their templates are given: tools, kernels and toolkit images, and what fetches sources.

use super::Pair;
use crate::compiler::plan::{self, KernelStage, ToolkitStage};
use crate::compiler::render::install::{Install, Repository};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct OnBase {
    base: String,
    repositories: Vec<Repository>,
    #[serde(flatten)]
    install: Install,
}

impl OnBase {
    pub(super) fn new(base: String, stage: &plan::OnBase) -> Self {
        Self {
            base,
            repositories: Repository::all(&stage.repositories, stage.install.manager),
            install: Install::new(&stage.install),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Kernel {
    from: String,
    kernel: String,
    kernel_dir: String,
    arch: String,
    dtk: bool,
    repositories: Vec<Repository>,
    scripts: Vec<Vec<String>>,
    #[serde(flatten)]
    install: Install,
}

impl Kernel {
    pub(super) fn new(from: String, stage: &KernelStage, scripts: Vec<Vec<String>>) -> Self {
        Self {
            from,
            kernel: stage.kernel.to_string(),
            kernel_dir: stage.kernel_dir.to_string(),
            arch: stage.arch.to_string(),
            dtk: stage.driver_toolkit,
            scripts,
            repositories: Repository::all(&stage.repositories, stage.install.manager),
            install: Install::new(&stage.install),
        }
    }
}

/// Context of `toolkit`. The kernel's own modules are in `in_tree`.
#[derive(Serialize)]
pub(super) struct Toolkit {
    from: String,
    kernel: String,
    kernel_dir: String,
    beside: Vec<String>,
    compiler: String,
    in_tree: Install,
    kernel_version: String,
    rt_kernel_version: String,
    rhel_version: String,
    labels: Vec<Vec<Pair>>,
    scripts: Vec<Vec<String>>,
    #[serde(flatten)]
    install: Install,
}

impl Toolkit {
    pub(super) fn new(from: String, stage: &ToolkitStage, scripts: Vec<Vec<String>>) -> Self {
        Self {
            from,
            kernel: stage.kernel.to_string(),
            kernel_dir: stage.kernel_dir.to_string(),
            beside: stage.beside.iter().map(ToString::to_string).collect(),
            compiler: stage.compiler.as_ref().map_or("gcc".into(), ToString::to_string),
            in_tree: Install::new(&stage.in_tree),
            kernel_version: stage.kernel_version.clone(),
            rt_kernel_version: stage.rt_kernel_version.clone(),
            rhel_version: stage.rhel_version.clone(),
            labels: Pair::rows(Pair::all(stage.labels.iter().map(|(name, value)| (name, value))), 6),
            scripts,
            install: Install::new(&stage.install),
        }
    }
}
