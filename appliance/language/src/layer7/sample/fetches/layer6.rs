//! Fetches of the bytes in the buffers (HAProxy manual, section 7.3.5).

use super::{Fetch, fetches};

pub(super) const FETCHES: &[Fetch] = fetches! {
    "distcc_body" "<token>[,<occ>]" 1 (Text, Int) -> Bin, L6REQ|L6RES, "1.8", "Body of a distcc message's token.";
    "distcc_param" "<token>[,<occ>]" 1 (Text, Int) -> Int, L6REQ|L6RES, "1.8", "Number after a distcc message's token.";
    "payload" "<offset>,<length>" 2 (Int, Int) -> Bin, L6REQ|L6RES, "1.5" deprecated, "Bytes of the buffer at an offset.";
    "payload_lv" "<offset1>,<length>[,<offset2>]" 2 (Int, Int, Text) -> Bin, L6REQ|L6RES, "1.5" deprecated, "Bytes of the buffer whose length stands before them.";
    "rdp_cookie" "[<name>]" 0 (Text) -> Str, L6REQ, "1.5" deprecated, "An RDP cookie of the request.";
    "rdp_cookie_cnt" "[name]" 0 (Text) -> Int, L6REQ, "1.5" deprecated, "How many RDP cookies the request has.";
    "rep_ssl_hello_type" "" 0 () -> Int, L6RES, "1.5" deprecated, "Type of the TLS hello in the server's bytes.";
    "req.len" "" 0 () -> Int, L6REQ, "1.5", "Bytes of the request in the buffer.";
    "req.payload" "<offset>,<length>" 2 (Int, Int) -> Bin, L6REQ, "1.5", "Bytes of the request at an offset.";
    "req.payload_lv" "<offset1>,<length>[,<offset2>]" 2 (Int, Int, Text) -> Bin, L6REQ, "1.5", "Bytes of the request whose length stands before them.";
    "req.proto_http" "" 0 () -> Bool, HRQHP, "1.5", "Whether the request is HTTP.";
    "req.rdp_cookie" "[<name>]" 0 (Text) -> Str, L6REQ, "1.5", "An RDP cookie of the request.";
    "req.rdp_cookie_cnt" "[name]" 0 (Text) -> Int, L6REQ, "1.5", "How many RDP cookies the request has.";
    "req.ssl_alpn" "" 0 () -> Str, L6REQ, "2.0", "Protocols a TLS client hello in the buffer offers.";
    "req.ssl_ec_ext" "" 0 () -> Bool, L6REQ, "1.6", "Whether a TLS client hello in the buffer has the supported curves extension.";
    "req.ssl_hello_type" "" 0 () -> Int, L6REQ, "1.5", "Type of the TLS hello in the client's bytes.";
    "req.ssl_sni" "" 0 () -> Str, L6REQ, "1.5", "Server name a TLS client hello in the buffer asks for.";
    "req.ssl_st_ext" "" 0 () -> Int, L6REQ, "1.6", "Whether a TLS client hello in the buffer has a session ticket extension, and a ticket in it.";
    "req.ssl_ver" "" 0 () -> Int, L6REQ, "1.5", "Version a TLS client hello in the buffer asks for.";
    "req_len" "" 0 () -> Int, L6REQ, "1.4" deprecated, "Bytes of the request in the buffer.";
    "req_proto_http" "" 0 () -> Bool, HRQHP, "1.4" deprecated, "Whether the request is HTTP.";
    "req_ssl_hello_type" "" 0 () -> Int, L6REQ, "1.5" deprecated, "Type of the TLS hello in the client's bytes.";
    "req_ssl_sni" "" 0 () -> Str, L6REQ, "1.5" deprecated, "Server name a TLS client hello in the buffer asks for.";
    "req_ssl_ver" "" 0 () -> Int, L6REQ, "1.4" deprecated, "Version a TLS client hello in the buffer asks for.";
    "res.len" "" 0 () -> Int, L6RES, "1.5", "Bytes of the response in the buffer.";
    "res.payload" "<offset>,<length>" 2 (Int, Int) -> Bin, L6RES, "1.5", "Bytes of the response at an offset.";
    "res.payload_lv" "<offset1>,<length>[,<offset2>]" 2 (Int, Int, Text) -> Bin, L6RES, "1.5", "Bytes of the response whose length stands before them.";
    "res.ssl_hello_type" "" 0 () -> Int, L6RES, "1.5", "Type of the TLS hello in the server's bytes.";
};
