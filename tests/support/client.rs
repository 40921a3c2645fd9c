//! A person's client: curl, on one of the hosts.

use crate::lab::Lab;

/// What curl saw.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status; 0 when there was no answer.
    pub status: u16,
    /// Body, lossy, surrounding white space removed.
    pub body: String,
    /// curl's exit code: 0, or 7 refused, 28 timed out, 52 empty reply, 56 reset...
    pub exit: i32,
}

/// One request, to be sent from a host.
pub struct Curl<'a> {
    lab: &'a Lab,
    role: &'a str,
    arguments: Vec<String>,
}

impl<'a> Curl<'a> {
    /// Gives up after `seconds`.
    #[must_use]
    pub fn patience(self, seconds: u32) -> Curl<'a> {
        self.with(&["--max-time", &seconds.to_string()])
    }

    /// More of curl's own arguments.
    #[must_use]
    pub fn with(mut self, arguments: &[&str]) -> Curl<'a> {
        self.arguments
            .extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// Sends it.
    #[track_caller]
    #[must_use]
    pub fn get(self, url: &str) -> Response {
        let mut argv = vec![
            "curl",
            "--silent",
            "--insecure",
            "--write-out",
            "\n%{http_code}",
        ];
        argv.extend(self.arguments.iter().map(String::as_str));
        argv.push(url);
        let seen = self.lab.run(self.role, &argv);
        let (body, status) = seen.stdout.rsplit_once('\n').unwrap_or_default();
        Response {
            status: status.parse().unwrap_or_default(),
            body: body.trim().to_owned(),
            exit: seen.code,
        }
    }
}

impl Lab {
    /// A client on a host. It checks no certificate: the tests make their own.
    #[must_use]
    pub fn client<'a>(&'a self, role: &'a str) -> Curl<'a> {
        Curl {
            lab: self,
            role,
            arguments: Vec::new(),
        }
        .with(&["--max-time", "10"])
    }
}
