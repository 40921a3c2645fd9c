//! Heads as they go out: lower-case names, `name: value`, CRLF.

use super::head::{Field, Fields, Known, Span, forwarded_tokens, tokens};

/// Where a head is that was made to go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Place {
    /// In the output.
    Output,
    /// Where it came: it goes on byte for byte, and nothing was put into the output.
    Input,
}

/// Puts a head together. Parts of the input that stand side by side are copied at once: most of a
/// usual head goes on as it came.
pub(super) struct Writer<'a> {
    input: &'a [u8],
    out: &'a mut Vec<u8>,
    /// What is to be copied next.
    run: Span,
}

impl<'a> Writer<'a> {
    pub(super) fn new(input: &'a [u8], out: &'a mut Vec<u8>) -> Self {
        let run = Span::default();
        Self { input, out, run }
    }

    /// Appends a part of the input.
    pub(super) fn part(&mut self, part: Span) {
        if !self.run.extend(part) {
            self.flush();
            self.run = part;
        }
    }

    /// Appends something else.
    pub(super) fn text(&mut self, text: &[u8]) {
        self.flush();
        self.out.extend_from_slice(text);
    }

    /// Where to append more.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        self.flush();
        self.out
    }

    /// Ends it with the empty line. Appends nothing at all when the whole input goes on as it is.
    pub(super) fn end(mut self) -> Place {
        let fields = self.input.strip_suffix(b"\r\n");
        if self.out.is_empty() && fields.is_some_and(|fields| self.run.is(0, fields.len())) {
            return Place::Input;
        }
        self.text(b"\r\n");
        Place::Output
    }

    fn flush(&mut self) {
        self.out.extend_from_slice(self.run.of(self.input));
        self.run = Span::default();
    }

    /// Appends the fields that go on, without those that `dropped` names.
    ///
    /// `Connection` loses the tokens that concern this hop only, `TE` all but `trailers`.
    pub(super) fn fields(&mut self, fields: &Fields, dropped: &[Known]) {
        for field in fields {
            match field.known {
                Known::Connection => self.connection(field),
                Known::Te => {
                    let value = field.value.of(self.input);
                    if tokens(value).any(|t| t.eq_ignore_ascii_case(b"trailers")) {
                        self.text(b"te: trailers\r\n");
                    }
                }
                Known::Repeated => {}
                known if dropped.contains(&known) => {}
                _ if field.plain => self.part(field.line()),
                _ => {
                    self.part(field.name);
                    self.text(b": ");
                    self.part(field.value);
                    self.text(b"\r\n");
                }
            }
        }
    }

    fn connection(&mut self, field: &Field) {
        let input = self.input;
        let mut before: &[u8] = b"connection: ";
        for token in forwarded_tokens(field.value.of(input)) {
            self.text(before);
            self.text(token);
            before = b", ";
        }
        if before == b", " {
            self.text(b"\r\n");
        }
    }
}

/// Appends one field with its name in lower case.
pub(super) fn write_field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(name);
    if let Some(written) = out.get_mut(start..) {
        written.make_ascii_lowercase();
    }
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
