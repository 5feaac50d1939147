//! Every way to be wrong, by name. `docs/diagnostics.md` has a section and `tests/ui/` a manifest for each.

use schemars::JsonSchema;
use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is written; exit code 1.
    Error,
    /// The lock and the manifest disagree: a warning, and exit code 3 under `--locked` or `--check`.
    Drift,
    /// Worth knowing; nothing is held up.
    Warning,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Drift => "drift",
            Self::Warning => "warning",
        }
    }
}

macro_rules! codes {
    ($($variant:ident = $name:literal, $severity:ident;)*) => {
        /// The kind of a diagnostic. Its name is a noun phrase for the bad thing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "docs/diagnostics.md has a section for each, held by a test")]
        pub enum Code { $($variant),* }

        impl Code {
            /// All codes, in alphabetical order of their names.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name that users see.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// How bad it is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),* }
            }
        }
    };
}

codes! {
    DuplicateName = "duplicate-name", Error;
    UnknownNode = "unknown-node", Error;
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
