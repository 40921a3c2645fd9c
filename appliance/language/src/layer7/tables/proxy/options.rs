//! `option ...`.

use super::table;
use crate::layer7::keyword::{Keyword, Kind, Modes, Sections};
use crate::layer7::tables::why::*;

table! { OPTIONS: Line, Sections::ALL;
    "option abortonclose" "" "1.3" "Gives up a request whose client has closed."
        .within(Sections::BACK).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out").negatable();
    "option accept-invalid-http-request" "" "1.3" "Takes requests that break HTTP's rules in harmless ways."
        .within(Sections::FRONT).modes(Modes::HTTP)
        .deprecated("option accept-unsafe-violations-in-http-request")
        .refused(NOT_YET, "leave it out; such requests are refused").negatable();
    "option accept-invalid-http-response" "" "1.3" "Takes responses that break HTTP's rules in harmless ways."
        .within(Sections::BACK).modes(Modes::HTTP)
        .deprecated("option accept-unsafe-violations-in-http-response")
        .refused(NOT_YET, "leave it out; such responses are refused").negatable();
    "option accept-unsafe-violations-in-http-request" "" "3.1" "Takes requests that break HTTP's rules, some of which are dangerous."
        .within(Sections::FRONT).modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out; such requests are refused").negatable();
    "option accept-unsafe-violations-in-http-response" "" "3.1" "Takes responses that break HTTP's rules, some of which are dangerous."
        .within(Sections::BACK).modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out; such responses are refused").negatable();
    "option allbackups" "" "1.3" "Shares the load among all backup servers, rather than use the first."
        .within(Sections::BACK)
        .ignored("it concerns servers with 'backup', which is refused").negatable();
    "option checkcache" "" "1.3" "Blocks responses with cookies that a cache might keep."
        .within(Sections::BACK).modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out").negatable();
    "option clitcpka" "" "1.3" "Has the kernel test silent clients with TCP keep-alives."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out; 'timeout client' ends silent connections").negatable();
    "option contstats" "" "1.3" "Counts bytes while a session goes on, not at its end."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .ignored("bytes are always counted while they pass").negatable();
    "option disable-h2-upgrade" "" "2.2" "Does not take HTTP/2 on connections that start as HTTP/1."
        .within(Sections::FRONT).modes(Modes::HTTP)
        .ignored(H2).negatable();
    "option dontlog-normal" "" "1.3" "Logs only what went wrong."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out, and filter where the lines arrive").negatable();
    "option dontlognull" "" "1.3" "Does not log connections that carried nothing."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .negatable();
    "option forwarded" "[proto|host|host-expr <expression>|by|by-expr <expression>|by_port|by_port-expr <expression>|for|for-expr <expression>|for_port|for_port-expr <expression>]..." "2.8" "Tells servers the client's address in a Forwarded header (RFC 7239)."
        .within(Sections::BACK).modes(Modes::HTTP)
        .refused(NOT_YET, "use 'option forwardfor'").negatable();
    "option forwardfor" "[except <network>|header <header>|if-none]..." "1.3" "Tells servers the client's address in a header."
        .modes(Modes::HTTP);
    "option originalto" "[except <network>|header <header>]..." "1.3" "Tells servers in a header which address the client connected to."
        .modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out");
    "option h1-case-adjust-bogus-client" "" "2.1" "Writes headers for clients in the case of h1-case-adjust."
        .within(Sections::FRONT).modes(Modes::HTTP)
        .ignored(CASE).negatable();
    "option h1-case-adjust-bogus-server" "" "2.1" "Writes headers for servers in the case of h1-case-adjust."
        .within(Sections::BACK).modes(Modes::HTTP)
        .ignored(CASE).negatable();
    "option use-small-buffers" "[queue] [l7-retries] [check]" "3.4" "Keeps waiting requests in small buffers."
        .within(Sections::BACK)
        .ignored("it concerns HAProxy's own memory; buffers are bounded in any case").negatable();
    "option http-buffer-request" "" "1.6" "Waits for a request's body before it goes on."
        .modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out").negatable();
    "option http-drop-request-trailers" "" "3.2" "Does not pass on what follows a chunked request."
        .within(Sections::DEFAULTS.and(Sections::BACKEND)).modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out").negatable();
    "option http-drop-response-trailers" "" "3.2" "Does not pass on what follows a chunked response."
        .within(Sections::FRONT).modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out").negatable();
    "option http-ignore-probes" "" "1.6" "Says nothing to connections that carried nothing."
        .within(Sections::FRONT).modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out; 'option dontlognull' keeps them out of the log").negatable();
    "option http-keep-alive" "" "1.5" "Keeps both connections open after a response."
        .modes(Modes::HTTP)
        .negatable();
    "option http-server-close" "" "1.4" "Closes the server's connection after a response, and keeps the client's."
        .modes(Modes::HTTP)
        .negatable();
    "option httpclose" "" "1.3" "Closes both connections after a response."
        .modes(Modes::HTTP)
        .negatable();
    "option http-no-delay" "" "1.5" "Has the kernel send each piece at once."
        .modes(Modes::HTTP)
        .ignored("sockets never wait for more to send").negatable();
    "option http-pretend-keepalive" "" "1.5" "Does not tell servers that their connection will be closed."
        .within(Sections::BACK).modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out").negatable();
    "option http-restrict-req-hdr-names" "{preserve|delete|reject}" "2.6" "What happens to requests with unusual header names."
        .modes(Modes::HTTP)
        .default("preserve")
        .refused(NOT_YET, "leave it out");
    "option http-use-proxy-header" "" "1.4" "Takes Proxy-Connection for Connection in requests."
        .within(Sections::FRONT).modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out").negatable();
    "option httplog" "[clf]" "1.3" "Logs each request with its timers and status."
        .modes(Modes::HTTP)
        .partly("'clf' is refused");
    "option httpslog" "" "2.5" "Logs each request with its timers, status and TLS."
        .within(Sections::FRONT).modes(Modes::HTTP)
        .refused(NOT_YET, "use 'option httplog'");
    "option tcplog" "[clf]" "1.3" "Logs each connection with its timers."
        .modes(Modes::STREAM)
        .partly("'clf' is refused");
    "option log-separate-errors" "" "1.3" "Logs what went wrong at a higher level."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out; a line tells by its status").negatable();
    "option logasap" "" "1.3" "Logs as soon as the response's head is there."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out; a line is written at the end").negatable();
    "option idle-close-on-response" "" "2.6" "Does not close idle clients while the process stops, but with their next response."
        .within(Sections::FRONT).modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out").negatable();
    "option independent-streams" "" "1.5" "Counts each direction's silence by itself."
        .modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out").negatable();
    "option nolinger" "" "1.3" "Closes connections with a reset."
        .refused(NOT_YET, "leave it out").negatable();
    "option persist" "" "1.3" "Sends a client to the server of its cookie, even when that is down."
        .within(Sections::BACK).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out").negatable();
    "option prefer-last-server" "" "1.5" "Stays with the server of the client's last request, as far as it can."
        .within(Sections::BACK).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out").negatable();
    "option redispatch" "[<number -2147483648..2147483647>]" "1.3" "Tries another server when the first does not answer."
        .within(Sections::BACK).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out").negatable();
    "option socket-stats" "" "1.4" "Counts for each bind by itself."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out").negatable();
    "option splice-auto" "" "1.3" "Moves data through pipes where that seems faster."
        .modes(Modes::STREAM)
        .ignored(SPLICE).negatable();
    "option splice-request" "" "1.3" "Moves requests' data through pipes."
        .modes(Modes::STREAM)
        .ignored(SPLICE).negatable();
    "option splice-response" "" "1.3" "Moves responses' data through pipes."
        .modes(Modes::STREAM)
        .ignored(SPLICE).negatable();
    "option srvtcpka" "" "1.3" "Has the kernel test silent servers with TCP keep-alives."
        .within(Sections::BACK)
        .refused(NOT_YET, "leave it out; 'timeout server' ends silent connections").negatable();
    "option tcp-smart-accept" "" "1.4" "Saves an acknowledgement at the start of a connection."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .ignored("it saves a packet; no byte differs").negatable();
    "option tcp-smart-connect" "" "1.4" "Sends data with the last packet of a connection's start."
        .within(Sections::BACK).modes(Modes::STREAM)
        .ignored("it saves a packet; no byte differs").negatable();
    "option tcpka" "" "1.3" "Has the kernel test silent clients and servers with TCP keep-alives."
        .refused(NOT_YET, "leave it out; timeouts end silent connections").negatable();
    "option transparent" "" "1.3" "Sends connections on to the address the client connected to."
        .within(Sections::BACK).modes(Modes::STREAM)
        .refused(NOT_YET, "write a 'server' line with the address").negatable();
}

// How servers are checked.
table! { CHECKS: Line, Sections::BACK;
    "option httpchk" "[<text> [<text> [<text> [<text>]]]]" "1.3" "Checks servers with an HTTP request."
        .within(Sections::BACK).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out; 'check' tries whether a server takes connections").negatable();
    "option tcp-check" "" "1.5" "Checks servers with a series of messages."
        .within(Sections::BACK)
        .refused(NOT_YET, "leave it out; 'check' tries whether a server takes connections").negatable();
    "option external-check" "" "1.6" "Checks servers with a program."
        .within(Sections::BACK)
        .refused(PROGRAMS, "leave it out; 'check' tries whether a server takes connections").negatable();
    "option ldap-check" "" "1.5" "Checks servers with a bind over LDAP."
        .within(Sections::BACK).modes(Modes::TCP)
        .refused(NOT_YET, "leave it out; 'check' tries whether a server takes connections").negatable();
    "option mysql-check" "[user <name> [post-41|pre-41]]" "1.4" "Checks servers with a MySQL handshake."
        .within(Sections::BACK).modes(Modes::TCP)
        .refused(NOT_YET, "leave it out; 'check' tries whether a server takes connections").negatable();
    "option pgsql-check" "user <name>" "1.5" "Checks servers with a PostgreSQL handshake."
        .within(Sections::BACK).modes(Modes::TCP)
        .refused(NOT_YET, "leave it out; 'check' tries whether a server takes connections").negatable();
    "option redis-check" "" "1.5" "Checks servers with Redis' PING."
        .within(Sections::BACK).modes(Modes::TCP)
        .refused(NOT_YET, "leave it out; 'check' tries whether a server takes connections").negatable();
    "option smtpchk" "[<hello:text> <domain:text>]" "1.3" "Checks servers with SMTP's greeting."
        .within(Sections::BACK).modes(Modes::TCP)
        .refused(NOT_YET, "leave it out; 'check' tries whether a server takes connections").negatable();
    "option spop-check" "" "1.7" "Checks SPOE agents with their protocol's greeting."
        .within(Sections::BACK).modes(Modes::TCP)
        .refused(NOT_YET, "leave it out; 'check' tries whether a server takes connections").negatable();
    "option ssl-hello-chk" "" "1.3" "Checks servers with the start of an SSLv3 handshake."
        .within(Sections::BACK).modes(Modes::STREAM)
        .refused("SSLv3 is forbidden (RFC 7568)", "leave it out; 'check' tries whether a server takes connections").negatable();
    "option log-health-checks" "" "1.4" "Logs each change of a check's result."
        .within(Sections::BACK)
        .refused(NOT_YET, "leave it out; changes of a server's state are logged").negatable();
}
