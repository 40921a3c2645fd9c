//! What is captured, logged, kept and checked.

use super::table;
use crate::layer7::keyword::{Keyword, Kind, Modes, Sections};
use crate::layer7::tables::why::*;

table! { SAMPLES: Line, Sections::ALL;
    "http-error" "status <status> [<argument:text>]..." "2.2" "The answer in place of an error of our own."
        .modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out; errors are answered with HAProxy's own pages");
    "tcp-request inspect-delay" "<time>" "1.3" "How long is waited for what rules look at in a request."
        .modes(Modes::STREAM)
        .ignored("'tcp-request content', which it concerns, is refused");
    "tcp-response inspect-delay" "<time>" "1.5" "How long is waited for what rules look at in a response."
        .within(Sections::BACK).modes(Modes::STREAM)
        .ignored("'tcp-response content', which it concerns, is refused");
    "capture cookie" "<name> len <number>" "1.3" "Keeps a cookie for log lines."
        .within(Sections::FRONT_ONLY).modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out");
    "capture request" "header <header> len <number>" "1.3" "Keeps a request's header for log lines."
        .within(Sections::FRONT_ONLY).modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out");
    "capture response" "header <header> len <number>" "1.3" "Keeps a response's header for log lines."
        .within(Sections::FRONT_ONLY).modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out");
    "declare capture" "{request|response} len <number>" "1.6" "Makes room for what rules capture."
        .within(Sections::FRONT_ONLY).modes(Modes::STREAM)
        .ignored("rules that capture are refused");
    "log-format" "<format>" "1.5" "What a log line says."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .refused(NOT_YET, "use 'option httplog' or 'option tcplog'");
    "log-format-sd" "<format>" "1.6" "What the structured part of a log line says (RFC 5424)."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out");
    "error-log-format" "<format>" "2.5" "What the log line of a connection says that never became a session."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out");
    "unique-id-format" "<format>" "1.5" "What a request's own number looks like."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out");
    "unique-id-header" "<header>" "1.5" "Header in which servers are told a request's own number."
        .within(Sections::FRONT).modes(Modes::HTTP)
        .ignored("'unique-id-format', which it concerns, is refused");
    "stick-table" "type <type:text> [<argument:text>]..." "1.4" "A table of clients and what is known of them."
        .within(Sections::PROXIES).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out");
    "stick match" "<expression> [table <table:name>] [<condition>]" "1.4" "Sends a client to the server that a table remembers."
        .within(Sections::BACK_ONLY).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out");
    "stick on" "<expression> [table <table:name>] [<condition>]" "1.4" "Remembers a client's server in a table, and sends it there."
        .within(Sections::BACK_ONLY).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out");
    "stick store-request" "<expression> [table <table:name>] [<condition>]" "1.4" "Remembers a client's server in a table, by its request."
        .within(Sections::BACK_ONLY).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out");
    "stick store-response" "<expression> [table <table:name>] [<condition>]" "1.5" "Remembers a client's server in a table, by the response."
        .within(Sections::BACK_ONLY).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out");
    "http-check comment" "<text>" "2.2" "Names a step of an HTTP check, for its log line."
        .within(Sections::BACK).modes(Modes::STREAM)
        .ignored(HTTPCHK);
    "http-check connect" "[<argument:text>]..." "2.2" "Opens a connection for an HTTP check."
        .within(Sections::BACK).modes(Modes::STREAM)
        .ignored(HTTPCHK);
    "http-check disable-on-404" "" "1.3" "Takes a server out of the load when its check is answered with 404."
        .within(Sections::BACK).modes(Modes::STREAM)
        .ignored(HTTPCHK);
    "http-check expect" "<argument:text>..." "1.5" "What the answer of an HTTP check must be."
        .within(Sections::BACK).modes(Modes::STREAM)
        .ignored(HTTPCHK);
    "http-check send" "[<argument:text>]..." "2.2" "The request of an HTTP check."
        .within(Sections::BACK).modes(Modes::STREAM)
        .ignored(HTTPCHK);
    "http-check send-state" "" "1.4" "Tells a server its state in its HTTP check."
        .within(Sections::BACK).modes(Modes::STREAM)
        .ignored(HTTPCHK);
    "http-check set-var" "<expression>" "2.2" "Sets a variable in an HTTP check."
        .within(Sections::BACK).modes(Modes::STREAM)
        .ignored(HTTPCHK);
    "http-check set-var-fmt" "<format>" "2.5" "Sets a variable to a formatted text in an HTTP check."
        .within(Sections::BACK).modes(Modes::STREAM)
        .ignored(HTTPCHK);
    "http-check unset-var" "" "2.2" "Removes a variable in an HTTP check."
        .within(Sections::BACK).modes(Modes::STREAM)
        .ignored(HTTPCHK);
    "tcp-check comment" "<text>" "2.2" "Names a step of a check, for its log line."
        .within(Sections::BACK)
        .ignored(TCPCHK);
    "tcp-check connect" "[<argument:text>]..." "1.5" "Opens a connection for a check."
        .within(Sections::BACK)
        .ignored(TCPCHK);
    "tcp-check expect" "<argument:text>..." "1.5" "What a server must send in a check."
        .within(Sections::BACK)
        .ignored(TCPCHK);
    "tcp-check send" "<data:text> [comment <text>]" "1.5" "Sends text in a check."
        .within(Sections::BACK)
        .ignored(TCPCHK);
    "tcp-check send-lf" "<format> [comment <text>]" "2.2" "Sends a formatted text in a check."
        .within(Sections::BACK)
        .ignored(TCPCHK);
    "tcp-check send-binary" "<hex:text> [comment <text>]" "1.5" "Sends bytes in a check."
        .within(Sections::BACK)
        .ignored(TCPCHK);
    "tcp-check send-binary-lf" "<hex:format> [comment <text>]" "2.2" "Sends bytes, written as a format, in a check."
        .within(Sections::BACK)
        .ignored(TCPCHK);
    "tcp-check set-var" "<expression>" "2.2" "Sets a variable in a check."
        .within(Sections::BACK)
        .ignored(TCPCHK);
    "tcp-check set-var-fmt" "<format>" "2.5" "Sets a variable to a formatted text in a check."
        .within(Sections::BACK)
        .ignored(TCPCHK);
    "tcp-check unset-var" "" "2.2" "Removes a variable in a check."
        .within(Sections::BACK)
        .ignored(TCPCHK);
}
