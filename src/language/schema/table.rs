//! The words to describe a language with: nodes, arguments, properties, their types and counts.

/// What may stand between a node's braces, or at the top of a file.
#[derive(Debug)]
pub struct Body {
    /// The nodes that may stand there.
    pub nodes: &'static [&'static Node],
    /// What holds among them.
    pub rules: &'static [Rule],
}

/// A node, in one place of a language.
#[derive(Debug)]
pub struct Node {
    pub name: &'static str,
    /// How often it may stand there.
    pub count: Count,
    /// What it says: one or more sentences, in the Markdown of CommonMark.
    pub description: &'static str,
    /// Its arguments, in order.
    pub arguments: &'static [Argument],
    pub properties: &'static [Property],
    /// Properties whose keys the user chooses.
    pub free: Option<FreeProperties>,
    /// What holds among its properties and arguments, which rules call by their names.
    pub rules: &'static [Rule],
    /// The nodes between its braces; no braces where there are none.
    pub body: &'static Body,
}

/// How often a node may stand in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Once, and it must.
    ExactlyOne,
    /// Once or not at all.
    AtMostOne,
    /// Once or more often.
    AtLeastOne,
    /// Any number of times.
    Any,
}

/// A value without a key.
#[derive(Debug)]
pub struct Argument {
    /// What stands for it in descriptions, in capitals: `NAME`.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What it says: a fragment.
    pub description: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// Whether more of it may follow; only the last argument may be so.
    pub repeats: bool,
}

/// A value with a key of the language.
#[derive(Debug)]
pub struct Property {
    /// The key.
    pub name: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// What it says: a fragment.
    pub description: &'static str,
    /// Whether it must be there.
    pub required: bool,
}

/// Values whose keys the user chooses.
#[derive(Clone, Copy, Debug)]
pub struct FreeProperties {
    /// What stands for a key in descriptions, in capitals.
    pub key: &'static str,
    /// What they say: a fragment.
    pub description: &'static str,
    /// Whether there must be one.
    pub required: bool,
}

/// The type of a value.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text; of several lines only where `lines` is set.
    Text {
        /// Whether it may hold line breaks and tabs.
        lines: bool,
    },
    /// A text that is a path, relative to the file that it stands in.
    Path,
    /// One of some texts.
    Enum(&'static Enum),
    /// A whole number between two others.
    Integer {
        /// The smallest.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// `#true` or `#false`.
    Bool,
}

/// Texts of which a value is one.
#[derive(Debug)]
pub struct Enum {
    /// What such a value is: `an architecture`.
    pub title: &'static str,
    /// The texts, and what each says.
    pub values: &'static [(&'static str, &'static str)],
    /// What others call the same things: a text, and the one that stands for it here.
    pub aliases: &'static [(&'static str, &'static str)],
}

/// Something that holds among the nodes of a body, or among the entries of a node.
#[derive(Debug)]
pub struct Rule {
    /// What holds.
    pub kind: RuleKind,
    /// Names, those that may stand together in one group.
    pub groups: &'static [&'static [&'static str]],
}

/// How many groups of a [`Rule`] may be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// One, and it must.
    ExactlyOne,
    /// One or none.
    AtMostOne,
    /// One or more.
    AtLeastOne,
}

impl Body {
    /// Nothing may stand there.
    pub const EMPTY: Self = Self { nodes: &[], rules: &[] };

    /// The node of this name, where it may stand there.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&'static Node> {
        self.nodes.iter().find(|node| node.name == name).copied()
    }
}

impl Node {
    /// A node with neither arguments nor properties nor body.
    #[must_use]
    pub const fn new(name: &'static str, count: Count, description: &'static str) -> Self {
        let (arguments, properties, rules) = (&[], &[], &[]);
        Self { name, count, description, arguments, properties, free: None, rules, body: &Body::EMPTY }
    }

    /// The property of this name.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties.iter().find(|property| property.name == name)
    }

    /// How many arguments there may be; `None` for any number.
    #[must_use]
    pub fn most_arguments(&self) -> Option<usize> {
        let repeats = self.arguments.last().is_some_and(|argument| argument.repeats);
        (!repeats).then_some(self.arguments.len())
    }
}

impl Argument {
    /// One that must be there.
    #[must_use]
    pub const fn one(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self { name, kind, description, required: true, repeats: false }
    }

    /// One that may be left out.
    #[must_use]
    pub const fn optional(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self { name, kind, description, required: false, repeats: false }
    }

    /// One or more.
    #[must_use]
    pub const fn some(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self { name, kind, description, required: true, repeats: true }
    }

    /// Any number, none included.
    #[must_use]
    pub const fn any(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self { name, kind, description, required: false, repeats: true }
    }
}

impl Property {
    /// One that must be there.
    #[must_use]
    pub const fn required(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self { name, kind, description, required: true }
    }

    /// One that may be left out.
    #[must_use]
    pub const fn optional(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self { name, kind, description, required: false }
    }
}

impl Kind {
    /// A text of one line.
    pub const TEXT: Self = Self::Text { lines: false };
    /// A text that may have several lines.
    pub const LINES: Self = Self::Text { lines: true };

    /// What such a value is, with its article.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Text { .. } | Self::Path => "a text",
            Self::Enum(choice) => choice.title,
            Self::Integer { .. } => "a whole number",
            Self::Bool => "`#true` or `#false`",
        }
    }
}

impl Node {
    /// How the node is written: `git URL branch=…`.
    #[must_use]
    pub fn usage(&self) -> String {
        let mut words = vec![self.name.to_owned()];
        for argument in self.arguments {
            let name =
                if argument.repeats { format!("{}…", argument.name) } else { argument.name.to_owned() };
            words.push(if argument.required { name } else { format!("[{name}]") });
        }
        for property in self.properties {
            let pair = format!("{}={}", property.name, property.kind.placeholder());
            words.push(if property.required { pair } else { format!("[{pair}]") });
        }
        if let Some(free) = self.free {
            let pair = format!("{}=VALUE…", free.key);
            words.push(if free.required { pair } else { format!("[{pair}]") });
        }
        if !self.body.nodes.is_empty() {
            words.push("{ … }".to_owned());
        }
        words.join(" ")
    }

    /// The first sentence of the description, as a fragment.
    #[must_use]
    pub fn summary(&self) -> String {
        let sentence = self.description.split_once(". ").map_or(self.description, |(first, _)| first);
        let mut letters = sentence.trim_end_matches('.').chars();
        letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
    }
}

impl Kind {
    /// What stands for such a value in descriptions.
    fn placeholder(self) -> &'static str {
        match self {
            Self::Text { .. } | Self::Path | Self::Enum(_) => "…",
            Self::Integer { .. } => "N",
            Self::Bool => "#true",
        }
    }
}
