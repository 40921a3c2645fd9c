//! A minimal client of the runtime API: one command, half close, read to the end.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Sends `line` (without its line feed) and gives the whole answer.
pub(crate) fn ask(socket: &Path, line: &str) -> Result<String, String> {
    let mut stream = UnixStream::connect(socket).map_err(|e| format!("stats socket: {e}"))?;
    let limit = Some(Duration::from_secs(5));
    stream
        .set_read_timeout(limit)
        .and_then(|()| stream.set_write_timeout(limit))
        .expect("a time that is not zero");
    let mut answer = Vec::new();
    stream
        .write_all(format!("{line}\n").as_bytes())
        .and_then(|()| stream.shutdown(Shutdown::Write))
        .and_then(|()| stream.read_to_end(&mut answer))
        .map_err(|e| format!("stats socket: {e}"))?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// One field of `show stat`.
pub(crate) fn stat(
    socket: &Path,
    proxy: &str,
    service: &str,
    field: &str,
) -> Result<String, String> {
    let answer = ask(socket, "show stat")?;
    let mut lines = answer.lines();
    let header = lines
        .next()
        .and_then(|l| l.strip_prefix("# "))
        .ok_or("show stat: no header")?;
    let column = header.split(',').position(|name| name == field);
    let column = column.ok_or(format!("show stat: no field '{field}'"))?;
    let row = lines
        .map(|line| line.split(',').collect::<Vec<_>>())
        .find(|row| row.first() == Some(&proxy) && row.get(1) == Some(&service))
        .ok_or(format!("show stat: no line of {proxy}/{service}"))?;
    let value = row.get(column).copied().unwrap_or_default();
    // `* ` says that the next check is running this very moment.
    Ok(value.trim_start_matches("* ").to_owned())
}

/// `show servers state` of a backend: name, operational and administrative state, weight, initial
/// weight, and the check's state without whether one runs this very moment.
pub(crate) fn servers(socket: &Path, backend: &str) -> Result<String, String> {
    let answer = ask(socket, &format!("show servers state {backend}"))?;
    let mut out = String::new();
    for line in answer.lines().skip(2).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split(' ').collect();
        let [_, _, _, name, _, operation, admin, weight, initial, ..] = words.as_slice() else {
            return Err(format!("show servers state: '{line}' is too short"));
        };
        let checks: u32 = words
            .get(13)
            .and_then(|word| word.parse().ok())
            .ok_or_else(|| format!("show servers state: no check state in '{line}'"))?;
        let checks = checks & !1;
        out += &format!("{name} {operation} {admin} {weight} {initial} {checks}; ");
    }
    Ok(out)
}
