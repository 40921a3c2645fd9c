//! The web UI as a browser uses it without a script: pages, cookies, forms; by curl.

use std::cell::RefCell;
use std::time::Duration;

use lanai_tests::run;
use tempfile::TempDir;

/// A browser with its cookies.
pub(crate) struct Browser {
    base: String,
    /// Of the session.
    cookie: RefCell<String>,
    /// What was asked and answered, for whoever has to find out why a test failed.
    trail: RefCell<Vec<String>>,
    place: TempDir,
}

/// A page, and where it was found after redirections.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) path: String,
    head: String,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn new(port: u16) -> Browser {
        Browser {
            base: format!("https://127.0.0.1:{port}"),
            cookie: RefCell::default(),
            trail: RefCell::default(),
            place: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Page {
        self.request(path, &[])
    }

    /// Sends the form of the page at `path`: its hidden fields, and these.
    pub(crate) fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let page = self.get(path);
        assert_eq!(page.status, 200, "{path}: {page:?}");
        let mut arguments = vec!["--header".to_owned(), format!("Origin: {}", self.base)];
        let hidden = ["csrf", "base"].iter().filter_map(|name| {
            let value = page.field(name)?;
            Some(((*name).to_owned(), value))
        });
        let given = fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        for (name, value) in hidden.chain(given) {
            // curl leaves out a field whose file is empty.
            if value.is_empty() {
                arguments.extend(["--data".to_owned(), format!("{name}=")]);
                continue;
            }
            // From a file, so that a value may begin with what curl takes for a word of its own.
            let file = self.place.path().join(format!("field-{name}"));
            std::fs::write(&file, value).unwrap();
            arguments.push("--data-urlencode".to_owned());
            arguments.push(format!("{name}@{}", file.display()));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.request(path, &arguments)
    }

    /// Follows redirections, as a browser does.
    fn request(&self, path: &str, arguments: &[&str]) -> Page {
        let mut page = self.ask(path, arguments);
        for _ in 0..5 {
            let Some(next) = page.header("location") else {
                break;
            };
            page = self.ask(&next, &[]);
        }
        page
    }

    fn ask(&self, path: &str, arguments: &[&str]) -> Page {
        let url = format!("{}{path}", self.base);
        let cookie = format!("Cookie: {}", self.cookie.borrow());
        let mut argv = vec![
            "curl",
            "--silent",
            "--insecure",
            "--max-time",
            "60",
            "--include",
        ];
        argv.extend(["--http1.1", "--header", &cookie]);
        argv.extend(arguments);
        argv.push(&url);
        let seen = run(&argv, Duration::from_secs(70));
        let (head, body) = seen.stdout.split_once("\r\n\r\n").unwrap_or_default();
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let page = Page {
            status: status.unwrap_or_default(),
            path: path.to_owned(),
            head: head.to_owned(),
            body: body.to_owned(),
        };
        let headers = ["date", "location", "set-cookie"].map(|name| page.header(name));
        let step = format!("{path}, {cookie:?}: {} {headers:?}", page.status);
        self.trail.borrow_mut().push(step);
        if let Some(cookie) = page.header("set-cookie") {
            let pair = cookie.split(';').next().unwrap().to_owned();
            *self.cookie.borrow_mut() = pair;
        }
        page
    }

    /// Logs in with the password of the console, and chooses one.
    pub(crate) fn first_login(&self, once: &str, password: &str) {
        self.login_once(once);
        self.choose(password);
    }

    /// Logs in with the password of the console.
    pub(crate) fn login_once(&self, once: &str) {
        let page = self.submit("/login", &[("name", "admin"), ("password", once)]);
        assert_eq!(
            (page.status, page.path.as_str()),
            (200, "/password"),
            "{:#?}\n{page:?}",
            self.trail
        );
    }

    /// Chooses the first password.
    pub(crate) fn choose(&self, password: &str) {
        let fields = [("new", password), ("again", password)];
        let page = self.submit("/password", &fields);
        assert_eq!(
            (page.status, page.path.as_str()),
            (200, "/"),
            "{:#?}\n{page:?}",
            self.trail
        );
    }

    pub(crate) fn login(&self, password: &str) {
        let page = self.submit("/login", &[("name", "admin"), ("password", password)]);
        assert_eq!(
            (page.status, page.path.as_str()),
            (200, "/"),
            "{:#?}\n{page:?}",
            self.trail
        );
    }

    /// Applies a text in one of the two editors.
    pub(crate) fn apply(&self, tab: &str, text: &str) {
        let page = self.submit(tab, &[("text", text), ("action", "apply")]);
        assert!(
            page.status == 200 && page.path.contains("applied="),
            "{tab} was not applied: {:#?}\n{page:?}",
            self.trail
        );
    }
}

impl Page {
    fn header(&self, name: &str) -> Option<String> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(this, _)| this.eq_ignore_ascii_case(name))?;
        Some(found.1.to_owned())
    }

    /// The value of a hidden field.
    fn field(&self, name: &str) -> Option<String> {
        let start = format!("name=\"{name}\" value=\"");
        let rest = self.body.split_once(&start)?.1;
        Some(rest.split('"').next()?.to_owned())
    }
}
