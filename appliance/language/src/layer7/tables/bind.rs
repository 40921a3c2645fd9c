//! The rows of `bind` lines (HAProxy manual, section 5.1).

use super::table;
use crate::layer7::keyword::{Keyword, Kind, Sections};

table! { BIND: Bind, Sections::FRONT_ONLY;
    "backlog" "<number>" "1.3" "Length of the accept queue.";
    "crt" "<file>" "1.5" "File with a certificate, its chain and its private key in PEM; may be repeated.";
    "interface" "<interface>" "1.5" "Takes only connections that come in by this device, and answers by it.";
    "maxconn" "<number>" "1.3" "Most connections at one time; 0 is no limit of its own.";
    "name" "<name>" "1.5" "Its name in statistics.";
    "no-tls-tickets" "" "1.5" "Issues no TLS session tickets.";
    "ssl" "" "1.5" "Speaks TLS with clients.";
    "ssl-max-ver" "{TLSv1.2|TLSv1.3}" "1.8" "Newest TLS version that is spoken.";
    "ssl-min-ver" "{TLSv1.2|TLSv1.3}" "1.8" "Oldest TLS version that is spoken.";
}
