//! Words written so that they read back as their value.

use super::EditError;
use crate::lexer::is_blank;

/// A value as a word of a text: as it is where that reads back the same, else in quotes.
///
/// # Errors
/// [`EditError::Nul`] for a value with a NUL byte, which no word can have.
pub fn quote(value: &[u8]) -> Result<Vec<u8>, EditError> {
    if value.contains(&0) {
        return Err(EditError::Nul);
    }
    if !value.is_empty() && !value.iter().any(|byte| needs_quotes(*byte)) {
        return Ok(value.to_vec());
    }
    let control = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let meaning = |byte: &u8| matches!(byte, b'"' | b'\\' | b'$');
    let mut out = Vec::with_capacity(value.len() + 2);
    // Nothing means anything between single quotes, which is easiest to read where much would.
    if value.iter().any(meaning) && !value.iter().any(|byte| *byte == b'\'' || control(byte)) {
        out.push(b'\'');
        out.extend_from_slice(value);
        out.push(b'\'');
        return Ok(out);
    }
    out.push(b'"');
    for byte in value {
        match byte {
            b'"' | b'\\' | b'$' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            byte => out.push(*byte),
        }
    }
    out.push(b'"');
    Ok(out)
}

fn needs_quotes(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b'#' | b'"' | b'\'' | b'\\' | b'\r' | b'\n')
}

/// A line's words with one space between them.
pub(super) fn joined(words: &[Vec<u8>]) -> Result<Vec<u8>, EditError> {
    if words.len() > crate::lexer::MAX_WORDS {
        return Err(EditError::TooManyWords);
    }
    let mut out = Vec::new();
    for word in words {
        if !out.is_empty() {
            out.push(b' ');
        }
        out.extend_from_slice(&quote(word)?);
    }
    Ok(out)
}
