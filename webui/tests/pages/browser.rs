//! A browser that keeps its cookie, follows nothing by itself, and runs no script.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use lanai_control::{Author, Control, Role};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::support;

/// Good enough for every rule of ours.
pub(crate) const PASSWORD: &str = "a quiet porch at sunset";
const HOST: &str = "box.example:4444";

/// A box and a browser.
pub(crate) struct Browser {
    pub(crate) control: Control,
    router: Router,
    pub(crate) cookie: Option<String>,
    _dir: Option<TempDir>,
}

/// What came back.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Browser {
    /// Nobody is logged in, and there are no users.
    pub(crate) async fn stranger() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let control = support::open(dir.path()).await;
        Self {
            router: lanai_webui::router(control.clone(), "porch <1>"),
            control,
            cookie: None,
            _dir: Some(dir),
        }
    }

    /// An administrator is logged in.
    pub(crate) async fn admin() -> Self {
        let mut browser = Self::stranger().await;
        browser.log_in("admin", Role::Admin).await;
        browser
    }

    /// Another browser at the same box.
    pub(crate) fn another(&self) -> Self {
        Self {
            control: self.control.clone(),
            router: self.router.clone(),
            cookie: None,
            _dir: None,
        }
    }

    /// Adds a user with [`PASSWORD`] and logs them in.
    pub(crate) async fn log_in(&mut self, name: &str, role: Role) {
        let author = Author::new("test", "test");
        self.control.add_user(name, role, &author).await.unwrap();
        self.control
            .set_password(name, PASSWORD, &author)
            .await
            .unwrap();
        let page = self
            .post("/login", &[("name", name), ("password", PASSWORD)])
            .await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        assert!(self.cookie.is_some());
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let request = Request::get(path).header("sec-fetch-site", "same-origin");
        self.send(request, Body::empty()).await
    }

    /// A form of one of our own pages.
    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let origin = [("origin", "https://box.example:4444")];
        self.post_from(&origin, path, form).await
    }

    /// A form with the headers that say where it comes from.
    pub(crate) async fn post_from(
        &mut self,
        from: &[(&str, &str)],
        path: &str,
        form: &[(&str, &str)],
    ) -> Page {
        let pairs = form
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        let mut request =
            Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in from {
            request = request.header(*name, *value);
        }
        self.send(request, Body::from(body)).await
    }

    /// A multipart form; the last field is a file.
    pub(crate) async fn upload(
        &mut self,
        path: &str,
        form: &[(&str, &str)],
        file: &str,
        content: &str,
    ) -> Page {
        let mut body = String::new();
        for (name, value) in form {
            body += &format!(
                "--xx\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
        }
        body += &format!(
            "--xx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n{content}\r\n--xx--\r\n"
        );
        let request = Request::post(path)
            .header("origin", "https://box.example:4444")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=xx");
        self.send(request, Body::from(body)).await
    }

    pub(crate) async fn send(&mut self, request: axum::http::request::Builder, body: Body) -> Page {
        let mut request = request.header(header::HOST, HOST);
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, format!("other=1; {cookie}"));
        }
        let request = request.body(body).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(
                cookie.contains("; Path=/; Secure; HttpOnly; SameSite=Strict")
                    && !cookie.contains("Domain"),
                "{cookie}"
            );
            let pair = cookie.split(';').next().unwrap();
            self.cookie = (!cookie.contains("Max-Age=0")).then(|| pair.to_owned());
        }
        Page {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap(),
        }
    }

    /// The token that this session's forms carry.
    pub(crate) async fn csrf(&mut self) -> String {
        self.get("/layer7").await.value("csrf")
    }

    /// Puts a change on trial, past the pages.
    pub(crate) async fn on_trial(&self) {
        let files = self.control.live_files().await.unwrap();
        let within = "5m".parse().unwrap();
        let author = Author::new("test", "test");
        let applied = self
            .control
            .apply_on_trial(files, author, "", None, within)
            .await;
        assert!(applied.unwrap().trial.is_some());
    }

    /// haproxy.cfg as it is live.
    pub(crate) async fn layer7(&self) -> String {
        self.control
            .live_files()
            .await
            .unwrap()
            .text("haproxy.cfg")
            .into_owned()
    }

    /// Number of the live revision.
    pub(crate) async fn live(&self) -> i64 {
        self.control.live_revision().await.unwrap().unwrap().id.0
    }

    /// Sends the LB Layer7 editor's form as the page of `GET /layer7` would.
    pub(crate) async fn edit(&mut self, action: &str, text: &str) -> Page {
        let page = self.get("/layer7").await;
        let (csrf, base) = (page.value("csrf"), page.value("base"));
        self.edit_on(&csrf, &base, action, text).await
    }

    /// The same with a token and a base of one's own.
    pub(crate) async fn edit_on(
        &mut self,
        csrf: &str,
        base: &str,
        action: &str,
        text: &str,
    ) -> Page {
        // A browser sends the line ends of forms as CR LF.
        let text = text.replace('\n', "\r\n");
        let form = [
            ("csrf", csrf),
            ("base", base),
            ("text", text.as_str()),
            ("comment", "because"),
            ("action", action),
        ];
        self.post("/layer7", &form).await
    }
}

impl Page {
    /// Where it leads.
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.headers[header::LOCATION].to_str().unwrap()
    }

    /// Value of the first field of this name.
    pub(crate) fn value(&self, name: &str) -> String {
        let at = self
            .body
            .find(&format!("name=\"{name}\""))
            .unwrap_or_else(|| panic!("no {name} in {}", self.body));
        let rest = &self.body[at..];
        let rest = &rest[rest.find("value=\"").unwrap() + 7..];
        decode(&rest[..rest.find('"').unwrap()])
    }

    /// What the text field of this id holds, as a browser reads it.
    pub(crate) fn textarea(&self, id: &str) -> String {
        let at = self
            .body
            .find(&format!("id=\"{id}\""))
            .unwrap_or_else(|| panic!("no {id} in {}", self.body));
        let rest = &self.body[at..];
        let rest = &rest[rest.find('>').unwrap() + 1..];
        let text = &rest[..rest.find("</textarea>").unwrap()];
        // The first line end belongs to the tag.
        decode(text.strip_prefix('\n').unwrap())
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.body.contains(text)
    }
}

fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    let one = |byte| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(one).collect()
}

fn decode(html: &str) -> String {
    html.replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#38;", "&")
}
