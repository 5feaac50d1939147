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

/// What a diagnostic rests on. Where that is knowledge of operating systems, the knowledge may be wrong or end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// What the user's files say, and what was found in the world.
    Given,
    /// What a profile knows: an error that `unchecked=#true` lifts.
    Knowledge,
    /// What a profile does not know: a warning, never an error.
    Unknown,
}

macro_rules! codes {
    (@basis) => { Basis::Given };
    (@basis $basis:ident) => { Basis::$basis };
    ($($variant:ident = $name:literal, $severity:ident $(, $basis:ident)?;)*) => {
        /// The kind of a diagnostic. Its name is a noun phrase for the bad thing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

            /// What it rests on; where nothing is said below, on what is given.
            #[must_use]
            pub const fn basis(self) -> Basis {
                match self { $(Self::$variant => codes!(@basis $($basis)?)),* }
            }
        }
    };
}

impl Code {
    /// Whether resolving the lock again would settle it: what is missing in it, unused or contradicting.
    #[must_use]
    pub const fn is_drift(self) -> bool {
        matches!(self.severity(), Severity::Drift)
            || matches!(
                self,
                Self::BrokenLockEntry
                    | Self::ContradictingLockEntry
                    | Self::DuplicateLockEntry
                    | Self::MissingPlatform
            )
            || self.is_open()
    }

    /// Whether what it names waits for the lock and holds up its own targets only.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::UnlockedBuilder | Self::UnlockedKernels)
    }

    /// Whether it complains of something that is not there. In a file with other errors, that may only not have been
    /// understood.
    #[must_use]
    pub const fn is_absence(self) -> bool {
        matches!(
            self,
            Self::DeadSelector
                | Self::EmptyMatrix
                | Self::MissingKernel
                | Self::MissingSource
                | Self::UnknownKmod
                | Self::UnlockedBuilder
                | Self::UnlockedKernels
                | Self::UnsetVariable
                | Self::UnusedMirror
                | Self::UnusedName
        )
    }
}

codes! {
    AmbiguousMapping = "ambiguous-mapping", Error;
    AmbiguousText = "ambiguous-text", Error;
    ArchMismatch = "arch-mismatch", Error;
    BareKeyword = "bare-keyword", Error;
    BrokenLockEntry = "broken-lock-entry", Error;
    BrokenProfile = "broken-profile", Error;
    CommandLine = "command-line", Error;
    ConflictingEntries = "conflicting-entries", Error;
    ConflictingNodes = "conflicting-nodes", Error;
    ContradictingLockEntry = "contradicting-lock-entry", Error;
    ContradictoryKernel = "contradictory-kernel", Error, Knowledge;
    ControlCharacter = "control-character", Error;
    DanglingSlashdash = "dangling-slashdash", Error;
    DeadBuilder = "dead-builder", Error;
    DeadSelector = "dead-selector", Error;
    DependencyCycle = "dependency-cycle", Error;
    DuplicateLockEntry = "duplicate-lock-entry", Error;
    DuplicateName = "duplicate-name", Error;
    DuplicateProperty = "duplicate-property", Error;
    EditedLockEntry = "edited-lock-entry", Drift;
    EmptyMatrix = "empty-matrix", Error;
    EmptySource = "empty-source", Error;
    EndOfLifeRelease = "end-of-life-release", Warning;
    ExceededLimit = "exceeded-limit", Error;
    FlavorMismatch = "flavor-mismatch", Error;
    ForeignKernel = "foreign-kernel", Error, Knowledge;
    GuessedKernel = "guessed-kernel", Warning;
    IncompleteProfile = "incomplete-profile", Error;
    InvalidEscape = "invalid-escape", Error;
    InvalidMultiLineText = "invalid-multi-line-text", Error;
    InvalidRequirement = "invalid-requirement", Error;
    KernelOfAnotherRelease = "kernel-of-another-release", Error, Knowledge;
    LeftOutFile = "left-out-file", Warning;
    LfsPointer = "lfs-pointer", Error;
    ListPunctuation = "list-punctuation", Error;
    LockConflict = "lock-conflict", Error;
    MalformedCertificate = "malformed-certificate", Error;
    MalformedKernel = "malformed-kernel", Error;
    MalformedLock = "malformed-lock", Error;
    MalformedPattern = "malformed-pattern", Error;
    MalformedProfileValue = "malformed-profile-value", Error;
    MalformedReference = "malformed-reference", Error;
    MalformedSelector = "malformed-selector", Error;
    MalformedTemplate = "malformed-template", Error;
    MalformedValue = "malformed-value", Error;
    MergedCellsDiffer = "merged-cells-differ", Error;
    MisplacedHeader = "misplaced-header", Error;
    MisplacedSecret = "misplaced-secret", Error;
    MisplacedZ = "misplaced-z", Error;
    MissingArgument = "missing-argument", Error;
    MissingDirectory = "missing-directory", Error;
    MissingEnd = "missing-end", Error;
    MissingEntitlement = "missing-entitlement", Warning;
    MissingEntry = "missing-entry", Error;
    MissingInstall = "missing-install", Error;
    MissingKernel = "missing-kernel", Error;
    MissingKey = "missing-key", Error;
    MissingLogin = "missing-login", Error;
    MissingNeeds = "missing-needs", Warning;
    MissingNode = "missing-node", Error;
    MissingNodeName = "missing-node-name", Error;
    MissingPlatform = "missing-platform", Error;
    MissingProperty = "missing-property", Error;
    MissingRepository = "missing-repository", Error;
    MissingRunner = "missing-runner", Error;
    MissingSource = "missing-source", Error;
    MissingSpace = "missing-space", Error;
    MissingSubmodule = "missing-submodule", Error;
    MissingToolkit = "missing-toolkit", Error;
    MissingValue = "missing-value", Error;
    NeedlessStep = "needless-step", Warning;
    NewerDrvcRequired = "newer-drvc-required", Error;
    NewerEdition = "newer-edition", Error;
    NewerLock = "newer-lock", Error;
    NumberOutOfRange = "number-out-of-range", Error;
    OldRawText = "old-raw-text", Error;
    PackedFile = "packed-file", Warning;
    PathTooLong = "path-too-long", Error;
    PrivateKey = "private-key", Error;
    PublicToolkit = "public-toolkit", Warning;
    RepeatedCell = "repeated-cell", Error;
    RepeatedInclude = "repeated-include", Error;
    RepeatedNode = "repeated-node", Error;
    ReservedLabel = "reserved-label", Error;
    RunOnNode = "run-on-node", Error;
    RunningKernel = "running-kernel", Warning;
    SecretInManifest = "secret-in-manifest", Error;
    ShadowedMirror = "shadowed-mirror", Error;
    SharedTag = "shared-tag", Error;
    ShellVariable = "shell-variable", Error;
    StrayBrace = "stray-brace", Error;
    TooManyTargets = "too-many-targets", Error;
    TypeAnnotation = "type-annotation", Error;
    UnavailableBuilder = "unavailable-builder", Error;
    UnavailableKernel = "unavailable-kernel", Error;
    UnbalancedBrace = "unbalanced-brace", Error;
    UnexpandedText = "unexpanded-text", Warning;
    UnexpectedArgument = "unexpected-argument", Error;
    UnexpectedBlock = "unexpected-block", Error;
    UnfitFile = "unfit-file", Error;
    UnfitRepository = "unfit-repository", Error;
    UnknownHole = "unknown-hole", Error;
    UnknownKeyword = "unknown-keyword", Error;
    UnknownKmod = "unknown-kmod", Error;
    UnknownModule = "unknown-module", Error;
    UnknownNode = "unknown-node", Error;
    UnknownOs = "unknown-os", Error;
    UnknownProfile = "unknown-profile", Error;
    UnknownProperty = "unknown-property", Error;
    UnknownRelease = "unknown-release", Error;
    UnknownSetting = "unknown-setting", Error;
    UnknownSource = "unknown-source", Error;
    UnknownTemplate = "unknown-template", Error;
    UnknownToKmm = "unknown-to-kmm", Error;
    UnknownValue = "unknown-value", Error;
    UnknownVariable = "unknown-variable", Error;
    UnlockedBuilder = "unlocked-builder", Error;
    UnlockedHeaders = "unlocked-headers", Drift;
    UnlockedKernels = "unlocked-kernels", Error;
    UnmappedSetting = "unmapped-setting", Warning;
    UnpinnedImage = "unpinned-image", Drift;
    UnpinnedPackages = "unpinned-packages", Drift;
    UnpinnedSource = "unpinned-source", Drift;
    UnquotedNumber = "unquoted-number", Error;
    UnquotedText = "unquoted-text", Error;
    UnreadableFile = "unreadable-file", Error;
    UnreadableManifest = "unreadable-manifest", Error;
    UnsafeTemplate = "unsafe-template", Error;
    UnsetVariable = "unset-variable", Error;
    UnusedLockEntry = "unused-lock-entry", Drift;
    UnusedMirror = "unused-mirror", Warning;
    UnusedName = "unused-name", Warning;
    UnverifiedArch = "unverified-arch", Warning, Unknown;
    UnverifiedBase = "unverified-base", Warning, Unknown;
    UnverifiedBuilder = "unverified-builder", Warning, Unknown;
    UnverifiedEntitlement = "unverified-entitlement", Warning, Unknown;
    UnverifiedFlavor = "unverified-flavor", Warning, Unknown;
    UnverifiedKernel = "unverified-kernel", Warning, Unknown;
    UnverifiedProfile = "unverified-profile", Warning, Unknown;
    UnverifiedRelease = "unverified-release", Warning, Unknown;
    VariableOutOfPlace = "variable-out-of-place", Error;
    WideSource = "wide-source", Warning;
    WrongType = "wrong-type", Error;
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
