//! The rows of lines with rules (HAProxy manual, section 4.2).

use super::table;
use super::why::NOT_YET;
use crate::layer7::keyword::{Keyword, Kind, Sections};

table! { RULES: Line, Sections::ALL;
    "acl" "<name> <criterion:text> [<value:text>]..." "1.3" "A named condition."
        .refused(NOT_YET, "leave it out, with what uses it");
    "use_backend" "<backend:name> [<condition>]" "1.3" "Where requests go for which a condition holds."
        .within(Sections::FRONT_ONLY).refused(NOT_YET, "use 'default_backend', with a frontend of its own for each backend");
    "use-server" "<server:name> <condition>" "1.5" "Server of requests for which a condition holds."
        .within(Sections::BACK_ONLY).refused(NOT_YET, "leave it out").strict();
    "http-request" "<action:text> [<argument:text>]..." "1.4" "Does something with a request."
        .refused(NOT_YET, "leave it out");
    "http-response" "<action:text> [<argument:text>]..." "1.5" "Does something with a response."
        .refused(NOT_YET, "leave it out");
    "http-after-response" "<action:text> [<argument:text>]..." "2.2" "Does something with every response, ours included."
        .refused(NOT_YET, "leave it out");
    "redirect" "{location|prefix|scheme} <target:text> [<argument:text>]..." "1.3" "Sends clients elsewhere."
        .within(Sections::PROXIES).refused(NOT_YET, "have a server do it");
    "tcp-request connection" "<action:text> [<argument:text>]..." "1.5" "Does something with a new connection."
        .within(Sections::FRONT).refused(NOT_YET, "leave it out");
    "tcp-request session" "<action:text> [<argument:text>]..." "1.7" "Does something with a session once its handshakes are done."
        .within(Sections::FRONT).refused(NOT_YET, "leave it out");
    "tcp-request content" "<action:text> [<argument:text>]..." "1.3" "Does something with what a client sends."
        .refused(NOT_YET, "leave it out");
    "tcp-response content" "<action:text> [<argument:text>]..." "1.5" "Does something with what a server sends."
        .within(Sections::BACK).refused(NOT_YET, "leave it out");
    "quic-initial" "<action:text> [<argument:text>]..." "3.1" "Does something with the first packet of a QUIC connection."
        .within(Sections::FRONT).refused(NOT_YET, "leave it out");
    "monitor fail" "<condition>" "1.3" "When monitor-uri is answered with an error."
        .within(Sections::FRONT_ONLY).refused(NOT_YET, "leave it out");
    "force-be-switch" "<condition>" "3.4" "When a backend is used although it takes no traffic."
        .within(Sections::FRONT_ONLY).ignored("'be-unpublished', which it concerns, is refused");
    "force-persist" "<condition>" "1.4" "When a client's cookie counts even if its server is down."
        .within(Sections::BACK_ONLY).refused(NOT_YET, "leave it out");
    "ignore-persist" "<condition>" "1.5" "When a client's cookie does not count."
        .within(Sections::BACK_ONLY).refused(NOT_YET, "leave it out");
}
