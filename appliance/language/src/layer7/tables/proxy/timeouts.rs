//! `timeout ...`.

use super::table;
use crate::layer7::keyword::{Keyword, Kind, Modes, Sections};
use crate::layer7::tables::why::*;

table! { TIMEOUTS: Line, Sections::ALL;
    "timeout client" "<time>" "1.3" "How long a client may be silent."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .default("no limit");
    "timeout server" "<time>" "1.3" "How long a server may be silent."
        .within(Sections::BACK)
        .default("no limit");
    "timeout connect" "<time>" "1.3" "How long connecting to a server may take."
        .within(Sections::BACK)
        .default("no limit");
    "timeout check" "<time>" "1.3" "How long a health check may take once it is connected."
        .within(Sections::BACK)
        .default("inter");
    "timeout queue" "<time>" "1.3" "How long a request may wait for a free server."
        .within(Sections::BACK).modes(Modes::STREAM)
        .default("timeout connect");
    "timeout http-keep-alive" "<time>" "1.4" "How long a client may take to start its next request."
        .modes(Modes::HTTP)
        .default("timeout http-request");
    "timeout http-request" "<time>" "1.3" "How long a client may take to send a request's head."
        .modes(Modes::HTTP)
        .default("timeout client");
    "timeout tunnel" "<time>" "1.5" "How long both sides may be silent once a tunnel stands."
        .within(Sections::BACK).modes(Modes::STREAM)
        .default("timeout client and timeout server");
    "timeout tarpit" "<time>" "1.3" "How long a tarpitted connection is held."
        .modes(Modes::HTTP)
        .default("timeout connect");
    "timeout client-fin" "<time>" "1.5" "How long a client may be silent after one side has ended."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .default("timeout client");
    "timeout server-fin" "<time>" "1.5" "How long a server may be silent after one side has ended."
        .within(Sections::BACK)
        .default("timeout server");
    "timeout client-hs" "<time>" "2.9" "How long a client's TLS handshake may take."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .default("timeout client")
        .refused(NOT_YET, "leave it out; 'timeout client' bounds the handshake too");
}
