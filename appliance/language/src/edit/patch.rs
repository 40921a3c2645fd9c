//! What an edit changes.

use std::ops::Range;

/// Bytes that go and bytes that come in their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// Bytes of the text before the edit.
    pub range: Range<usize>,
    /// What comes.
    pub text: Vec<u8>,
}

/// What an edit changes. Empty if everything is so already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// In the order of the text, apart from each other.
    replacements: Vec<Replacement>,
}

impl Patch {
    /// One replacement.
    pub(super) fn one(range: Range<usize>, text: impl Into<Vec<u8>>) -> Self {
        Self::of(vec![Replacement {
            range,
            text: text.into(),
        }])
    }

    /// Several that do not overlap.
    pub(crate) fn of(mut replacements: Vec<Replacement>) -> Self {
        replacements.retain(|part| !part.range.is_empty() || !part.text.is_empty());
        replacements.sort_by_key(|part| (part.range.start, part.range.end));
        Self { replacements }
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.replacements.is_empty()
    }

    /// The replacements, in the order of the text.
    pub fn replacements(&self) -> &[Replacement] {
        &self.replacements
    }

    /// The text with the replacements made.
    pub fn applied(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut at = 0;
        for part in &self.replacements {
            out.extend_from_slice(text.get(at..part.range.start).unwrap_or_default());
            out.extend_from_slice(&part.text);
            at = part.range.end.max(at);
        }
        out.extend_from_slice(text.get(at..).unwrap_or_default());
        out
    }
}
