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
    BareKeyword = "bare-keyword", Error;
    ConflictingEntries = "conflicting-entries", Error;
    ConflictingNodes = "conflicting-nodes", Error;
    ControlCharacter = "control-character", Error;
    DanglingSlashdash = "dangling-slashdash", Error;
    DuplicateName = "duplicate-name", Error;
    DuplicateProperty = "duplicate-property", Error;
    ExceededLimit = "exceeded-limit", Error;
    IncompleteProfile = "incomplete-profile", Error;
    InvalidEscape = "invalid-escape", Error;
    InvalidMultiLineText = "invalid-multi-line-text", Error;
    InvalidRequirement = "invalid-requirement", Error;
    ListPunctuation = "list-punctuation", Error;
    MalformedPattern = "malformed-pattern", Error;
    MalformedProfileValue = "malformed-profile-value", Error;
    MisplacedHeader = "misplaced-header", Error;
    MissingArgument = "missing-argument", Error;
    MissingEnd = "missing-end", Error;
    MissingEntry = "missing-entry", Error;
    MissingKey = "missing-key", Error;
    MissingNode = "missing-node", Error;
    MissingNodeName = "missing-node-name", Error;
    MissingProperty = "missing-property", Error;
    MissingSpace = "missing-space", Error;
    MissingValue = "missing-value", Error;
    NewerDrvcRequired = "newer-drvc-required", Error;
    NewerEdition = "newer-edition", Error;
    NumberOutOfRange = "number-out-of-range", Error;
    OldRawText = "old-raw-text", Error;
    RepeatedNode = "repeated-node", Error;
    RunOnNode = "run-on-node", Error;
    StrayBrace = "stray-brace", Error;
    TypeAnnotation = "type-annotation", Error;
    UnexpectedArgument = "unexpected-argument", Error;
    UnexpectedBlock = "unexpected-block", Error;
    UnknownHole = "unknown-hole", Error;
    UnknownKeyword = "unknown-keyword", Error;
    UnknownNode = "unknown-node", Error;
    UnknownProfile = "unknown-profile", Error;
    UnknownProperty = "unknown-property", Error;
    UnknownValue = "unknown-value", Error;
    UnquotedNumber = "unquoted-number", Error;
    UnquotedText = "unquoted-text", Error;
    WrongType = "wrong-type", Error;
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
