//! The rows of `defaults`, `frontend`, `listen` and `backend` (HAProxy manual, section 4).

use super::table;
use crate::layer7::keyword::{Keyword, Kind, Sections};

const FRONT: Sections = Sections::FRONT;
const BACK: Sections = Sections::BACK;
const ALL: Sections = Sections::ALL;

table! { PROXY: Line, ALL;
    "log" "{global|<target:text> [len <length:number 80..65535>] [format <format:name>] <facility:name> [<level:name> [<minlevel:name>]]}" "1.3" "Where log lines go."
        .within(ALL).negatable();
    "mode" "{http|tcp}" "1.3" "Whether HTTP is understood, or bytes are passed on."
        .within(ALL);
    "default_backend" "<backend:name>" "1.3" "Where requests go that no rule sent elsewhere."
        .within(FRONT);
    "balance" "[roundrobin]" "1.3" "How a server is chosen."
        .within(BACK);
    "maxconn" "<number>" "1.3" "Most connections at one time; 0 or left out, the global limit."
        .within(FRONT);
    "backlog" "<number>" "1.3" "Length of the accept queue; 0 or left out, the frontend's maxconn."
        .within(FRONT);
    "retries" "<number>" "1.3" "Attempts after the first to connect to a server."
        .within(BACK);
    "http-reuse" "{never|safe|aggressive|always}" "1.6" "Which requests may use an idle connection to a server."
        .within(BACK);
    "description" "<text>..." "1.4" "Describes the proxy in statistics."
        .within(ALL).ignored("shown only where statistics describe the proxy");
    "bind" "<address:listen> [<option:text>]..." "1.3" "Where connections are taken."
        .within(Sections::FRONT_ONLY);
    "server" "<name> <address> [<option:text>]..." "1.3" "A server of this backend."
        .within(Sections::BACK_ONLY).strict();
    "default-server" "<option:text>..." "1.4" "Words for all servers that follow."
        .within(BACK).strict();
    "timeout client" "<time>" "1.3" "How long a client may be silent."
        .within(FRONT);
    "timeout server" "<time>" "1.3" "How long a server may be silent."
        .within(BACK);
    "timeout connect" "<time>" "1.3" "How long connecting to a server may take."
        .within(BACK);
    "timeout check" "<time>" "1.3" "How long a health check may take once it is connected."
        .within(BACK);
    "timeout queue" "<time>" "1.3" "How long a request may wait for a free server."
        .within(BACK);
    "timeout http-keep-alive" "<time>" "1.4" "How long a client may take to start its next request."
        .within(ALL);
    "timeout http-request" "<time>" "1.3" "How long a client may take to send a request's head."
        .within(ALL);
    "timeout tunnel" "<time>" "1.5" "How long both sides may be silent once a tunnel stands."
        .within(BACK);
    "timeout tarpit" "<time>" "1.3" "How long a tarpitted connection is held."
        .within(ALL);
    "timeout client-fin" "<time>" "1.5" "How long a client may be silent after one side has ended."
        .within(FRONT);
    "timeout server-fin" "<time>" "1.5" "How long a server may be silent after one side has ended."
        .within(BACK);
    "option forwardfor" "[except <network>] [header <name>] [if-none]" "1.3" "Tells servers the client's address in a header."
        .within(ALL);
    "option http-keep-alive" "" "1.5" "Keeps both connections open after a response."
        .within(ALL).negatable();
    "option http-server-close" "" "1.4" "Closes the server's connection after a response, and keeps the client's."
        .within(ALL).negatable();
    "option httpclose" "" "1.3" "Closes both connections after a response."
        .within(ALL).negatable();
    "option httplog" "" "1.3" "Logs each request with its timers and status."
        .within(ALL);
    "option tcplog" "" "1.3" "Logs each connection with its timers."
        .within(ALL);
    "option dontlognull" "" "1.3" "Does not log connections that carried nothing."
        .within(FRONT).negatable();
}
