//! Criteria of `acl` lines that say both what is fetched and how it is compared (HAProxy manual,
//! sections 7.3.3 to 7.3.6, "ACL derivatives").

use std::collections::HashMap;
use std::sync::LazyLock;

use super::pattern::Kind;

/// A row of the criteria's table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Criterion {
    pub(crate) name: &'static str,
    /// The fetch it stands for.
    pub(crate) fetch: &'static str,
    pub(crate) kind: Kind,
    pub(crate) since: &'static str,
    pub(crate) about: &'static str,
}

/// The criterion of this name.
pub(super) fn criterion(name: &str) -> Option<&'static Criterion> {
    static BY_NAME: LazyLock<HashMap<&str, &Criterion>> =
        LazyLock::new(|| CRITERIA.iter().map(|row| (row.name, row)).collect());
    BY_NAME.get(name).copied()
}

/// Rows: name, the fetch, how it is compared, the first version that has it, and one sentence.
macro_rules! criteria {
    ($($name:literal => $fetch:literal $kind:ident, $since:literal, $about:literal;)*) => {
        &[$(Criterion {
            name: $name,
            fetch: $fetch,
            kind: Kind::$kind,
            since: $since,
            about: $about,
        }),*]
    };
}

/// All of them.
pub(crate) const CRITERIA: &[Criterion] = criteria! {
    "base" => "base" Str, "1.5", "Host and path is the pattern.";
    "base_beg" => "base" Beg, "1.5", "Host and path begins with the pattern.";
    "base_dir" => "base" Dir, "1.5", "Host and path has a directory of that name.";
    "base_dom" => "base" Dom, "1.5", "Host and path has a domain of that name.";
    "base_end" => "base" End, "1.5", "Host and path ends with the pattern.";
    "base_len" => "base" Len, "1.5", "Host and path has a length in the range.";
    "base_reg" => "base" Reg, "1.5", "Host and path fits the regular expression.";
    "base_sub" => "base" Sub, "1.5", "Host and path contains the pattern.";
    "cook" => "req.cook" Str, "1.3", "A request cookie is the pattern.";
    "cook_beg" => "req.cook" Beg, "1.3", "A request cookie begins with the pattern.";
    "cook_dir" => "req.cook" Dir, "1.3", "A request cookie has a directory of that name.";
    "cook_dom" => "req.cook" Dom, "1.3", "A request cookie has a domain of that name.";
    "cook_end" => "req.cook" End, "1.3", "A request cookie ends with the pattern.";
    "cook_len" => "req.cook" Len, "1.5", "A request cookie has a length in the range.";
    "cook_reg" => "req.cook" Reg, "1.3", "A request cookie fits the regular expression.";
    "cook_sub" => "req.cook" Sub, "1.3", "A request cookie contains the pattern.";
    "hdr" => "req.hdr" Str, "1.3", "A request header is the pattern.";
    "hdr_beg" => "req.hdr" Beg, "1.3", "A request header begins with the pattern.";
    "hdr_dir" => "req.hdr" Dir, "1.3", "A request header has a directory of that name.";
    "hdr_dom" => "req.hdr" Dom, "1.3", "A request header has a domain of that name.";
    "hdr_end" => "req.hdr" End, "1.3", "A request header ends with the pattern.";
    "hdr_len" => "req.hdr" Len, "1.5", "A request header has a length in the range.";
    "hdr_reg" => "req.hdr" Reg, "1.3", "A request header fits the regular expression.";
    "hdr_sub" => "req.hdr" Sub, "1.3", "A request header contains the pattern.";
    "http_auth_group" => "http_auth_group" Group, "1.4", "The user belongs to one of the groups.";
    "method" => "method" Method, "1.3", "The method is one of those.";
    "path" => "path" Str, "1.3", "The path is the pattern.";
    "path_beg" => "path" Beg, "1.3", "The path begins with the pattern.";
    "path_dir" => "path" Dir, "1.3", "The path has a directory of that name.";
    "path_dom" => "path" Dom, "1.3", "The path has a domain of that name.";
    "path_end" => "path" End, "1.3", "The path ends with the pattern.";
    "path_len" => "path" Len, "1.5", "The path has a length in the range.";
    "path_reg" => "path" Reg, "1.3", "The path fits the regular expression.";
    "path_sub" => "path" Sub, "1.3", "The path contains the pattern.";
    "payload" => "req.payload" Bin, "1.5", "The payload is the bytes.";
    "payload_lv" => "req.payload_lv" Bin, "1.5", "The payload is the bytes.";
    "req.ssl_ver" => "req.ssl_ver" Version, "1.5", "The TLS version of the hello is in the range.";
    "req_rdp_cookie" => "req.rdp_cookie" Str, "1.4", "An RDP cookie is the pattern.";
    "req_rdp_cookie_cnt" => "req.rdp_cookie_cnt" Int, "1.4", "The number of RDP cookies is in the range.";
    "req_ssl_sni" => "req.ssl_sni" Str, "1.5", "The server name of the hello is the pattern.";
    "req_ssl_ver" => "req.ssl_ver" Version, "1.4", "The TLS version of the hello is in the range.";
    "req_ver" => "req.ver" Str, "1.3", "The HTTP version of the request is the pattern.";
    "resp_ver" => "res.ver" Str, "1.3", "The HTTP version of the response is the pattern.";
    "scook" => "res.cook" Str, "1.5", "A response cookie is the pattern.";
    "scook_beg" => "res.cook" Beg, "1.5", "A response cookie begins with the pattern.";
    "scook_dir" => "res.cook" Dir, "1.5", "A response cookie has a directory of that name.";
    "scook_dom" => "res.cook" Dom, "1.5", "A response cookie has a domain of that name.";
    "scook_end" => "res.cook" End, "1.5", "A response cookie ends with the pattern.";
    "scook_len" => "res.cook" Len, "1.5", "A response cookie has a length in the range.";
    "scook_reg" => "res.cook" Reg, "1.5", "A response cookie fits the regular expression.";
    "scook_sub" => "res.cook" Sub, "1.5", "A response cookie contains the pattern.";
    "shdr" => "res.hdr" Str, "1.3", "A response header is the pattern.";
    "shdr_beg" => "res.hdr" Beg, "1.3", "A response header begins with the pattern.";
    "shdr_dir" => "res.hdr" Dir, "1.3", "A response header has a directory of that name.";
    "shdr_dom" => "res.hdr" Dom, "1.3", "A response header has a domain of that name.";
    "shdr_end" => "res.hdr" End, "1.3", "A response header ends with the pattern.";
    "shdr_len" => "res.hdr" Len, "1.5", "A response header has a length in the range.";
    "shdr_reg" => "res.hdr" Reg, "1.3", "A response header fits the regular expression.";
    "shdr_sub" => "res.hdr" Sub, "1.3", "A response header contains the pattern.";
    "ssl_fc_sni_end" => "ssl_fc_sni" End, "1.5", "The server name of the TLS session ends with the pattern.";
    "ssl_fc_sni_reg" => "ssl_fc_sni" Reg, "1.5", "The server name of the TLS session fits the regular expression.";
    "url" => "url" Str, "1.3", "The URL is the pattern.";
    "url_beg" => "url" Beg, "1.3", "The URL begins with the pattern.";
    "url_dir" => "url" Dir, "1.3", "The URL has a directory of that name.";
    "url_dom" => "url" Dom, "1.3", "The URL has a domain of that name.";
    "url_end" => "url" End, "1.3", "The URL ends with the pattern.";
    "url_len" => "url" Len, "1.5", "The URL has a length in the range.";
    "url_reg" => "url" Reg, "1.3", "The URL fits the regular expression.";
    "url_sub" => "url" Sub, "1.3", "The URL contains the pattern.";
    "urlp" => "urlp" Str, "1.5", "A query parameter is the pattern.";
    "urlp_beg" => "urlp" Beg, "1.5", "A query parameter begins with the pattern.";
    "urlp_dir" => "urlp" Dir, "1.5", "A query parameter has a directory of that name.";
    "urlp_dom" => "urlp" Dom, "1.5", "A query parameter has a domain of that name.";
    "urlp_end" => "urlp" End, "1.5", "A query parameter ends with the pattern.";
    "urlp_len" => "urlp" Len, "1.5", "A query parameter has a length in the range.";
    "urlp_reg" => "urlp" Reg, "1.5", "A query parameter fits the regular expression.";
    "urlp_sub" => "urlp" Sub, "1.5", "A query parameter contains the pattern.";
};
