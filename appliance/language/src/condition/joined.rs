use std::ops::Range;

use lanai_diagnostics::Span;

use crate::lexer::Word;

/// Words joined by single spaces, and the way back.
pub(crate) struct Joined<'a> {
    pub(crate) text: String,
    /// Each word with where its value starts.
    words: Vec<(usize, &'a Word)>,
}

impl<'a> Joined<'a> {
    pub(crate) fn new(arguments: &'a [Word]) -> Self {
        let mut text = String::new();
        let mut words = Vec::with_capacity(arguments.len());
        for word in arguments {
            if !words.is_empty() {
                text.push(' ');
            }
            words.push((text.len(), word));
            text.push_str(&word.text());
        }
        Self { text, words }
    }

    /// Where a part of the text was written.
    pub(crate) fn span(&self, at: Range<usize>) -> Option<Span> {
        let place = |offset: usize| {
            let before = self.words.partition_point(|(start, _)| *start <= offset);
            let (start, word) = self.words.get(before.checked_sub(1)?)?;
            let inside = (offset - start).min(word.value.len());
            Some(word.span_of(inside..(inside + 1).min(word.value.len())))
        };
        let start = place(at.start)?;
        let end = place(at.end.saturating_sub(1).max(at.start))?;
        Some(start.to(end))
    }
}
