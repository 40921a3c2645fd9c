//! ACLs that are always there (HAProxy manual, section 7.4).

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use lanai_diagnostics::{FileId, Span};
use lanai_model::Origin;

use super::test::test;
use super::{Reach, Read};
use crate::lexer;
use crate::outcome::Sink;

/// A row of the table of predefined ACLs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Predefined {
    pub(crate) name: &'static str,
    /// What it stands for, as after the name of an `acl` line.
    pub(crate) means: &'static str,
    pub(crate) since: &'static str,
    pub(crate) about: &'static str,
}

macro_rules! predefined {
    ($($name:literal = $means:literal, $since:literal, $about:literal;)*) => {
        &[$(Predefined { name: $name, means: $means, since: $since, about: $about }),*]
    };
}

/// All of them.
pub(crate) const PREDEFINED: &[Predefined] = predefined! {
    "FALSE" = "always_false", "1.3", "Never true.";
    "HTTP" = "req.proto_http", "1.4", "The request is valid HTTP.";
    "HTTP_1.0" = "req.ver 1.0", "1.3", "The request is HTTP/1.0.";
    "HTTP_1.1" = "req.ver 1.1", "1.3", "The request is HTTP/1.1.";
    "HTTP_2.0" = "req.ver 2.0", "2.4", "The request is HTTP/2.";
    "HTTP_3.0" = "req.ver 3.0", "2.5", "The request is HTTP/3.";
    "HTTP_CONTENT" = "req.hdr_val(content-length) gt 0", "1.3", "The request announces a body.";
    "HTTP_URL_ABS" = "url_reg ^[^/:]*://", "1.3", "The request's URL is absolute.";
    "HTTP_URL_SLASH" = "url_beg /", "1.3", "The request's URL begins with a slash.";
    "HTTP_URL_STAR" = "url *", "1.3", "The request's URL is an asterisk.";
    "LOCALHOST" = "src 127.0.0.1/8 ::1", "1.3", "The client is on this box.";
    "METH_CONNECT" = "method CONNECT", "1.3", "The method is CONNECT.";
    "METH_DELETE" = "method DELETE", "2.4", "The method is DELETE.";
    "METH_GET" = "method GET HEAD", "1.3", "The method is GET or HEAD.";
    "METH_HEAD" = "method HEAD", "1.3", "The method is HEAD.";
    "METH_OPTIONS" = "method OPTIONS", "1.3", "The method is OPTIONS.";
    "METH_POST" = "method POST", "1.3", "The method is POST.";
    "METH_PUT" = "method PUT", "2.4", "The method is PUT.";
    "METH_TRACE" = "method TRACE", "1.3", "The method is TRACE.";
    "RDP_COOKIE" = "req.rdp_cookie_cnt gt 0", "1.4", "The request has an RDP cookie.";
    "REQ_CONTENT" = "req.len gt 0", "1.3", "Bytes of the request are there.";
    "TRUE" = "always_true", "1.3", "Always true.";
    "WAIT_END" = "wait_end", "1.3", "The time to inspect contents is over.";
};

/// The test a predefined ACL stands for.
pub(super) fn predefined(name: &str) -> Option<Read> {
    static BY_NAME: LazyLock<HashMap<&str, (Arc<lanai_model::layer7::Test>, Reach)>> =
        LazyLock::new(|| {
            PREDEFINED
                .iter()
                .filter_map(|row| Some((row.name, build(row)?)))
                .collect()
        });
    let (test, reach) = BY_NAME.get(name)?;
    Some(Read {
        test: test.clone(),
        reach: *reach,
        references: Vec::new(),
    })
}

fn build(row: &Predefined) -> Option<(Arc<lanai_model::layer7::Test>, Reach)> {
    let words = lexer::words(row.means.as_bytes(), FileId::default(), 0, None).ok()?;
    let origin = Origin {
        file: row.name.into(),
        line: 0,
    };
    let read = test(&words, Span::default(), &origin, &mut Sink::default()).ok()?;
    Some((read.test, read.reach))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_can_be_read() {
        for row in PREDEFINED {
            assert!(predefined(row.name).is_some(), "{}", row.name);
        }
    }
}
