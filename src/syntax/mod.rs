//! From text to [`ast`]: bounds first, then KDL, then the typed readers.

pub mod ast;
