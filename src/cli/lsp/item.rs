//! A proposal of completion.

/// What an item is, as the protocol counts.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(super) enum Icon {
    Variable = 6,
    Property = 10,
    Value = 12,
    Keyword = 14,
    Reference = 18,
}

/// One proposal.
pub(super) struct Item {
    pub(super) icon: Icon,
    /// What it is called, and unless `insert` says otherwise, what is written.
    pub(super) label: String,
    pub(super) detail: String,
    /// In Markdown.
    pub(super) documentation: String,
    pub(super) insert: Option<String>,
}

impl Item {
    pub(super) fn value(label: impl Into<String>, detail: impl Into<String>) -> Self {
        let (label, detail) = (label.into(), detail.into());
        Self { icon: Icon::Value, label, detail, documentation: String::new(), insert: None }
    }
}
