//! Bytes as case files write them: text with the escapes `\r \n \t \0 \\ \xNN`.

/// Reads escaped text; says what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        match chars.next() {
            Some('r') => out.push(b'\r'),
            Some('n') => out.push(b'\n'),
            Some('t') => out.push(b'\t'),
            Some('0') => out.push(0),
            Some('\\') => out.push(b'\\'),
            // A space that must not be trimmed at the end of a line.
            Some('s') => out.push(b' '),
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                let byte = u8::from_str_radix(&digits, 16);
                out.push(byte.map_err(|_| format!("'\\x{digits}' is not a byte"))?);
            }
            other => return Err(format!("unknown escape '\\{}'", other.unwrap_or(' '))),
        }
    }
    Ok(out)
}

/// Writes bytes so that [`parse`] reads them back; long ones are cut in the middle.
pub(crate) fn show(bytes: &[u8]) -> String {
    const EDGE: usize = 1_000;
    if bytes.len() > 3 * EDGE {
        let (head, tail) = (&bytes[..EDGE], &bytes[bytes.len() - EDGE..]);
        return format!(
            "{} ...{} bytes... {}",
            show(head),
            bytes.len() - 2 * EDGE,
            show(tail)
        );
    }
    let mut out = String::new();
    for &byte in bytes {
        match byte {
            b'\r' => out.push_str("\\r"),
            b'\n' => out.push_str("\\n"),
            b'\\' => out.push_str("\\\\"),
            0x20..0x7f => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out
}

/// Whether `needle` occurs in `haystack`, and where.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return Some(0);
    }
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
