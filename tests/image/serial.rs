//! The serial line of a machine: what it says, the console's screen, and the shell behind it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use lanai_tests::until;

use crate::machine::ANSWER;

/// What clears the screen before the console paints it.
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";
/// How a painted screen ends, whole.
const PROMPT: &str = "\r\n> ";
const LAST_OF_MENU: &str = "power off\r\n";

pub(crate) struct Serial {
    line: UnixStream,
    said: Arc<Said>,
    /// What was said before this was read before something was typed.
    mark: usize,
    /// Commands run in the shell so far.
    commands: usize,
}

/// All that was said, and a bell for more of it.
#[derive(Default)]
struct Said {
    text: Mutex<(String, bool)>,
    more: Condvar,
}

impl Serial {
    /// QEMU starts the machine when somebody listens to its line. What it says goes to `log` too.
    pub(crate) fn connect(socket: &Path, log: &Path) -> Serial {
        let line = until("QEMU's serial line", ANSWER, || {
            UnixStream::connect(socket).ok()
        });
        let said = Arc::<Said>::default();
        let (mut reader, heard) = (line.try_clone().unwrap(), Arc::clone(&said));
        // QEMU's own log of a line has some of it twice.
        let mut log = File::create(log).unwrap();
        std::thread::spawn(move || {
            let mut some = [0; 4096];
            loop {
                let count = reader.read(&mut some).unwrap_or_default();
                log.write_all(&some[..count]).unwrap();
                let mut text = heard.text.lock().unwrap();
                text.0.push_str(&String::from_utf8_lossy(&some[..count]));
                text.1 = count == 0;
                heard.more.notify_all();
                if count == 0 {
                    return;
                }
            }
        });
        Serial {
            line,
            said,
            mark: 0,
            commands: 0,
        }
    }

    pub(crate) fn all(&self) -> String {
        self.said.text.lock().unwrap().0.clone()
    }

    /// Until something more is said, or for this long.
    pub(crate) fn wait(&self, limit: Duration) {
        let text = self.said.text.lock().unwrap();
        drop(self.said.more.wait_timeout(text, limit).unwrap());
    }

    /// Waits for what `found` finds in what was said since something was typed last.
    #[track_caller]
    fn hears<T>(&mut self, what: &str, limit: Duration, found: impl Fn(&str) -> Option<T>) -> T {
        let end = Instant::now() + limit;
        let mut text = self.said.text.lock().unwrap();
        loop {
            if let Some(found) = found(&text.0[self.mark..]) {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || text.1 {
                let heard = text.0[self.mark..].to_owned();
                // The lock is the reader's too.
                drop(text);
                panic!("waited {limit:?} in vain for {what:?}; the serial line said:\n{heard}");
            }
            text = self.said.more.wait_timeout(text, left).unwrap().0;
        }
    }

    /// Waits until this was said since something was typed last.
    #[track_caller]
    pub(crate) fn says(&mut self, what: &str, limit: Duration) {
        self.hears(what, limit, |heard| heard.contains(what).then_some(()));
    }

    /// Waits for a question or an answer of the console.
    #[track_caller]
    pub(crate) fn asks(&mut self, what: &str) {
        self.says(what, ANSWER);
    }

    /// Waits until the latest screen, whole, has this on it; gives its lines without the menu.
    #[track_caller]
    pub(crate) fn screen(&mut self, part: &str, limit: Duration) -> String {
        self.screen_where(part, limit, |screen| screen.contains(part))
    }

    /// Waits until the latest screen, whole, is so.
    #[track_caller]
    pub(crate) fn screen_where(
        &mut self,
        what: &str,
        limit: Duration,
        is_so: impl Fn(&str) -> bool,
    ) -> String {
        self.hears(what, limit, |heard| {
            let whole = heard.rfind(&format!("{LAST_OF_MENU}{PROMPT}"))?;
            let screen = heard[..whole].rsplit_once(CLEAR)?.1;
            let screen = screen.replace('\r', "");
            is_so(&screen).then_some(screen)
        })
    }

    /// Types a line; what was said before is not looked at any more.
    #[track_caller]
    pub(crate) fn types(&mut self, line: &str) {
        self.mark = self.said.text.lock().unwrap().0.len();
        self.line.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Goes from the menu to a shell without prompt, echo and editing of lines, which would all
    /// stand between the answers.
    pub(crate) fn shell(&mut self) {
        self.types("4");
        self.asks("# ");
        // The quotes keep what is echoed from being what is said. Whatever is typed before that
        // would be the first shell's.
        self.types(
            "stty -echo; echo 'a plain shell'' reads'; \
             exec /bin/sh -c 'while read -r line; do eval \"$line\"; done'",
        );
        self.asks("a plain shell reads");
    }

    /// Runs a command in the shell and gives what it prints; it has to succeed.
    #[track_caller]
    pub(crate) fn inside(&mut self, command: &str) -> String {
        let (code, output) = self.tried(command);
        assert_eq!(code, 0, "{command}:\n{output}");
        output
    }

    /// Runs a command in the shell and gives its exit code and what it prints.
    #[track_caller]
    pub(crate) fn tried(&mut self, command: &str) -> (i32, String) {
        self.commands += 1;
        let (begin, end) = (
            format!(">>{}:\r\n", self.commands),
            format!("<<{}:", self.commands),
        );
        // A terminal takes lines of 4095 bytes.
        assert!(command.len() < 4000, "{} bytes", command.len());
        // init turns echo on again with each service that it starts.
        self.types(&format!(
            "echo '>>''{}:'; ( {command} ) </dev/null 2>&1; echo '{end}'$?'>>'",
            self.commands
        ));
        self.hears(command, ANSWER, |heard| {
            let (output, rest) = heard.rsplit_once(&end)?;
            let (code, _) = rest.split_once(">>\r\n")?;
            let (_, output) = output.split_once(&begin)?;
            Some((code.parse().ok()?, output.replace('\r', "")))
        })
    }

    /// Goes back to the menu.
    pub(crate) fn leaves_the_shell(&mut self) {
        self.types("stty echo; exit");
        self.screen("Web UI", ANSWER);
    }
}
