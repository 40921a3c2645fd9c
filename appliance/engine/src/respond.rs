//! Answers of our own: error responses.

use std::io::Write;

/// Appends an error response in the form of a processed message: lower-case names, persistence as
/// the connection has it. Returns the length of the
/// head.
pub(crate) fn error(status: u16, close: bool, out: &mut Vec<u8>) -> usize {
    let (reason, body) = page(status);
    let close = if close { "connection: close\r\n" } else { "" };
    let start = out.len();
    put(
        out,
        format_args!(
            "HTTP/1.1 {status} {reason}\r\ncontent-length: {}\r\ncache-control: no-cache\r\n\
             content-type: text/html\r\n{close}\r\n{body}",
            body.len(),
        ),
    );
    out.len() - start - body.len()
}

/// Appends an error response to bytes that never became a request: the connection closes.
pub(crate) fn refusal(status: u16, out: &mut Vec<u8>) {
    let (reason, body) = page(status);
    put(
        out,
        format_args!(
            "HTTP/1.1 {status} {reason}\r\nContent-length: {}\r\nCache-Control: no-cache\r\n\
             Connection: close\r\nContent-Type: text/html\r\n\r\n{body}",
            body.len(),
        ),
    );
}

/// What HAProxy's `%B` counts for an [`error`].
pub(crate) fn logged_size(status: u16) -> u64 {
    let (reason, body) = page(status);
    let fields = "content-length".len()
        + body.len().to_string().len()
        + "cache-control".len()
        + "no-cache".len()
        + "content-type".len()
        + "text/html".len();
    (20 + 8 + 3 + reason.len() + fields + 1 + body.len()) as u64
}

fn page(status: u16) -> (&'static str, &'static str) {
    macro_rules! page {
        ($title:literal, $text:literal) => {
            (
                $title.split_at(4).1,
                concat!(
                    "<html><body><h1>",
                    $title,
                    "</h1>\n",
                    $text,
                    "\n</body></html>\n"
                ),
            )
        };
    }
    match status {
        400 => page!("400 Bad request", "This request breaks the rules of HTTP."),
        408 => page!(
            "408 Request Time-out",
            "The request was not complete in time."
        ),
        422 => page!(
            "422 Unprocessable Content",
            "The body of this request is coded in an unknown way."
        ),
        431 => page!(
            "431 Request Header Fields Too Large",
            "The head of this request is too large."
        ),
        502 => page!(
            "502 Bad Gateway",
            "The server's response was not valid, or broke off."
        ),
        503 => page!(
            "503 Service Unavailable",
            "No server can take this request now."
        ),
        504 => page!("504 Gateway Time-out", "The server did not answer in time."),
        _ => page!(
            "500 Internal Server Error",
            "The request could not be handled."
        ),
    }
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a Vec cannot fail");
}
