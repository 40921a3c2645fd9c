//! What the console looks like.

use super::Shown;
use super::actions::MENU;

/// Notices on the screen at most, and letters of each: it has 24 lines of 80.
const NOTICES: usize = 4;
const LETTERS: usize = 230;
/// Interfaces on the screen at most.
const INTERFACES: usize = 6;

/// The whole screen.
pub(super) fn screen(shown: &Result<Shown, String>) -> String {
    let mut text = String::new();
    let mut line = |name: &str, what: &str| {
        text.push_str(&format!("  {name:<14}{what}\n"));
    };
    match shown {
        Ok(shown) => {
            line("Lanai", &format!("{} on {}", shown.version, shown.name));
            line("", "");
            match shown.links.split_first() {
                None => line("Web UI", "no address yet (menu: 1)"),
                Some((first, others)) => {
                    line("Web UI", first);
                    others.iter().take(2).for_each(|other| line("", other));
                }
            }
            if let Some(fingerprint) = &shown.fingerprint {
                let (half, rest) = fingerprint
                    .split_at_checked(48)
                    .unwrap_or((fingerprint, ""));
                line("Certificate", &format!("SHA-256 {half}"));
                line("", &format!("        {rest}"));
            }
            if let Some((user, password)) = &shown.login {
                line(
                    "Log in as",
                    &format!("{user}, one-time password {password}"),
                );
            }
            line("", "");
            for (name, nets) in shown.interfaces.iter().take(INTERFACES) {
                let nets = if nets.is_empty() {
                    "no address".to_owned()
                } else {
                    nets.join(", ")
                };
                line(name, &nets);
            }
            if let Some(device) = &shown.storage {
                line("Kept on", device);
            }
            for notice in shown.notices.iter().take(NOTICES) {
                line("Note", &short(notice));
            }
        }
        Err(reason) => {
            line("Lanai", "is starting");
            line("", &short(reason));
        }
    }
    text.push('\n');
    for (number, (_, name)) in MENU.iter().enumerate() {
        text.push_str(&format!("  {}  {name}\n", number + 1));
    }
    text.push_str("\n> ");
    text
}

/// Without what a terminal would obey, and not longer than a few lines.
fn short(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(LETTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_where_how_to_know_it_and_how_to_get_in() {
        let shown = Shown {
            version: "0.1.0".to_owned(),
            name: "lanai".to_owned(),
            links: vec!["https://10.0.2.15:4444/".to_owned()],
            fingerprint: Some("AB:".repeat(31) + "AB"),
            login: Some(("admin".to_owned(), "7k2m-9xqr-4t0d-hw3e".to_owned())),
            interfaces: vec![("eth0".to_owned(), vec!["10.0.2.15/24".to_owned()])],
            storage: None,
            notices: vec!["kept in memory\u{1b}[31m".to_owned()],
        };
        let text = screen(&Ok(shown.clone()));
        for part in [
            "https://10.0.2.15:4444/",
            "SHA-256 AB:AB",
            "admin, one-time password 7k2m-9xqr-4t0d-hw3e",
            "10.0.2.15/24",
            "kept in memory",
            "1  network address",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains('\u{1b}'), "nobody's escapes");
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        let nothing = screen(&Ok(Shown::default()));
        assert!(nothing.contains("no address yet"));
        assert!(!nothing.contains("password "), "{nothing}");
        assert!(screen(&Err("not there".to_owned())).contains("is starting"));
    }
}
