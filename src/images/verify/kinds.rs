//! One macro for what reports may say: one kind, one code, one level.

/// An enum of kinds, each with the code that reports show and how much it matters. `Level` is the one where it is used.
macro_rules! kinds {
    ($(#[$about:meta])* $kinds:ident: $($(#[$doc:meta])* $name:ident = $code:literal, $level:ident;)*) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
        pub enum $kinds {
            $($(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl $kinds {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its code, as reports show it.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How much it matters.
            #[must_use]
            pub const fn level(self) -> Level {
                match self { $(Self::$name => Level::$level,)* }
            }
        }
    };
}

pub(crate) use kinds;
