//! Where connections come from and go to.

use super::table;
use crate::layer7::keyword::{Keyword, Kind, Modes, Sections};
use crate::layer7::tables::why::*;

table! { GENERAL: Line, Sections::ALL;
    "mode" "{tcp|http|log|spop}" "1.3" "Whether HTTP is understood, bytes are passed on, or log lines."
        .default("tcp")
        .partly("log and spop are refused");
    "bind" "<address:listen> [<option:text>]..." "1.3" "Where connections are taken."
        .within(Sections::FRONT_ONLY).modes(Modes::STREAM)
        .partly("some kinds of addresses are refused (QUIC, MPTCP, abstract sockets)");
    "backlog" "<number>" "1.3" "Length of the accept queue; 0 or left out, the frontend's maxconn."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .default("maxconn");
    "maxconn" "<number>" "1.3" "Most connections at one time; 0 or left out, the global limit."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .default("the global maxconn");
    "default_backend" "<backend:name>" "1.3" "Where requests go that no rule sent elsewhere."
        .within(Sections::FRONT).modes(Modes::STREAM);
    "balance" "{roundrobin|static-rr|leastconn|first|source|log-hash|sticky|random|random(<draws:number 1..2147483647>)|hdr(<header:text>) [use_domain_only]|hash <expression>|rdp-cookie|rdp-cookie(<cookie:name>)|uri [whole|path-only|len <number>|depth <number>]...|url_param <parameter:name> [check_post [<number>]]}" "1.3" "How a server is chosen."
        .within(Sections::BACK)
        .default("roundrobin")
        .partly("methods other than roundrobin are refused");
    "hash-type" "{map-based|consistent} [none|sdbm|djb2|wt6|crc32] [avalanche]" "1.4" "How a hash is made into a server."
        .within(Sections::BACK)
        .default("map-based")
        .ignored("only balance methods that hash need it, which cannot be run yet");
    "hash-balance-factor" "<percent:number 0..65535>" "1.7" "Most load of a server, in percent of the average, when a hash chose it."
        .within(Sections::BACK).modes(Modes::STREAM)
        .default("0, no limit")
        .ignored("only balance methods that hash need it, which cannot be run yet");
    "hash-preserve-affinity" "{always|maxconn|maxqueue}" "3.2" "Whether a hashed request goes elsewhere when its server is full."
        .within(Sections::BACK).modes(Modes::HTTP)
        .default("always")
        .ignored("only balance methods that hash need it, which cannot be run yet");
    "server" "<name> <address> [<option:text>]..." "1.3" "A server of this backend."
        .within(Sections::BACK_ONLY)
        .strict()
        .partly("some kinds of addresses are refused (abstract sockets, ports counted from the client's)");
    "default-server" "<option:text>..." "1.4" "Options for all servers that follow."
        .within(Sections::BACK).modes(Modes::STREAM)
        .strict();
    "server-template" "<prefix:name> <count:text> <address> [<option:text>]..." "1.8" "Several servers with one name and numbers after it."
        .within(Sections::BACK_ONLY)
        .strict()
        .refused(NOT_YET, "write a 'server' line for each");
    "dispatch" "<address:endpoint>" "1.3" "The one address that all requests go to."
        .within(Sections::BACK_ONLY).modes(Modes::STREAM)
        .deprecated("a server line")
        .refused(NOT_YET, "write a 'server' line with this address");
    "transparent" "" "1.3" "Sends connections on to the address the client connected to."
        .within(Sections::BACK).modes(Modes::STREAM)
        .deprecated("a server line with address 0.0.0.0")
        .refused(NOT_YET, "write a 'server' line with the address").negatable();
    "retries" "<number>" "1.3" "Attempts after the first to connect to a server."
        .within(Sections::BACK).modes(Modes::STREAM)
        .default("3");
    "retry-on" "{none|conn-failure|empty-response|junk-response|response-timeout|0rtt-rejected|all-retryable-errors|401|403|404|408|421|425|429|500|501|502|503|504}..." "2.0" "After which failures a request is sent again."
        .within(Sections::BACK).modes(Modes::STREAM)
        .default("conn-failure")
        .refused(NOT_YET, "leave it out; a connection that fails is tried again");
    "http-reuse" "{never|safe|aggressive|always}" "1.6" "Which requests may use an idle connection to a server."
        .within(Sections::BACK).modes(Modes::HTTP)
        .default("safe");
    "fullconn" "<number>" "1.3" "Connections at which servers reach their maxconn, when they have a minconn."
        .within(Sections::BACK).modes(Modes::STREAM)
        .default("a tenth of the frontends' maxconn")
        .ignored("it concerns servers with 'minconn', which is refused");
    "max-keep-alive-queue" "<number -1..2147483647>" "1.5" "Goes to another server rather than wait for the last one, when so many wait."
        .within(Sections::BACK).modes(Modes::HTTP)
        .default("-1, no limit")
        .ignored("'option prefer-last-server', which it concerns, is refused");
    "max-session-srv-conns" "<number>" "1.9" "Idle server connections kept for one client's connection."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .default("5").ignored(POOLS);
    "source" "<address> [usesrc {client|clientip|hdr_ip(<header:text>)|<address>}] [interface <interface>]" "1.3" "Address that connections to servers come from."
        .within(Sections::BACK).modes(Modes::STREAM);
    "rate-limit sessions" "<number>" "1.3" "Most new sessions a second."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .default("0, no limit")
        .refused(NOT_YET, "leave it out; 'maxconn' bounds the connections at one time");
    "disabled" "" "1.3" "Takes the proxy out of use."
        .refused(NOT_YET, "put '#' before the section's lines");
    "enabled" "" "1.3" "Brings a proxy into use whose defaults section said 'disabled'."
        .ignored("every proxy is in use: 'disabled' is refused");
    "description" "<text>..." "1.4" "Describes the proxy in statistics."
        .within(Sections::PROXIES)
        .ignored("shown only where statistics describe the proxy");
    "id" "<number 1..2147483647>" "1.3" "Number of the proxy in statistics."
        .within(Sections::PROXIES)
        .refused(NOT_YET, "leave it out; proxies are numbered in their order").once();
    "guid" "<text>" "3.0" "Name of the proxy that is unlike any other."
        .within(Sections::PROXIES)
        .refused(NOT_YET, "leave it out; a proxy's name is enough here").once();
    "log" "{global|<target:text> [len <length:number 80..65535>] [format <format:name>] [sample <ranges:text>] [profile <profile:name>] <facility:name> [<level:name> [<minlevel:name>]]}" "1.3" "Where log lines go."
        .negatable()
        .partly("'sample', 'profile', the formats timed and iso, and targets other than UDP, a UNIX socket or a descriptor are refused");
    "log-tag" "<tag:text>" "1.5" "What log lines call the program."
        .refused(NOT_YET, "leave it out; log lines say 'haproxy'");
    "log-steps" "<steps:list>" "3.1" "At which steps of a session log lines are written."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .default("close")
        .refused(NOT_YET, "leave it out; a line is written at the end");
    "ssl-f-use" "[<option:text>]..." "3.2" "Certificate for all TLS binds of this frontend."
        .within(Sections::FRONT_ONLY).modes(Modes::STREAM)
        .refused(NOT_YET, "write 'crt FILE' on the bind lines");
    "use-fcgi-app" "<app:name>" "2.1" "FastCGI application that the servers run."
        .within(Sections::BACK_ONLY).modes(Modes::STREAM)
        .strict()
        .refused("FastCGI is not spoken", "have the application behind an HTTP server");
    "compression algo" "{identity|gzip|deflate|raw-deflate}..." "1.5" "How responses are compressed."
        .modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out, or have the servers compress");
    "compression algo-req" "{identity|gzip|deflate|raw-deflate}" "2.8" "How requests are compressed."
        .modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out");
    "compression algo-res" "{identity|gzip|deflate|raw-deflate}..." "2.8" "How responses are compressed."
        .modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out, or have the servers compress");
    "compression type" "<type:text>..." "1.5" "Types of content that are compressed."
        .modes(Modes::HTTP)
        .ignored("only 'compression algo' makes it count, which is refused");
    "compression type-req" "<type:text>..." "2.8" "Types of content that are compressed in requests."
        .ignored("only 'compression algo-req' makes it count, which is refused");
    "compression type-res" "<type:text>..." "2.8" "Types of content that are compressed in responses."
        .ignored("only 'compression algo-res' makes it count, which is refused");
    "compression minsize-req" "<size>" "3.2" "Smallest request body that is compressed."
        .modes(Modes::HTTP)
        .ignored("only 'compression algo-req' makes it count, which is refused");
    "compression minsize-res" "<size>" "3.2" "Smallest response body that is compressed."
        .modes(Modes::HTTP)
        .ignored("only 'compression algo-res' makes it count, which is refused");
    "compression offload" "" "1.5" "Has servers answer uncompressed."
        .within(Sections::PROXIES).modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out");
    "compression direction" "{request|response|both}" "2.8" "Which direction is compressed."
        .modes(Modes::HTTP)
        .default("response")
        .ignored("only 'compression algo' makes it count, which is refused");
    "errorfile" "<status> <file:page>" "1.3" "File that is sent in place of an error of our own."
        .modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out; errors are answered with HAProxy's own pages");
    "errorfiles" "<name> [<status>]..." "2.2" "Takes error pages from an http-errors section."
        .modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out; errors are answered with HAProxy's own pages");
    "errorloc" "<status> <url:text>" "1.3" "Address the client is sent to (302) in place of an error of our own."
        .modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out; errors are answered with HAProxy's own pages");
    "errorloc302" "<status> <url:text>" "1.3" "Address the client is sent to (302) in place of an error of our own."
        .modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out; errors are answered with HAProxy's own pages");
    "errorloc303" "<status> <url:text>" "1.3" "Address the client is sent to (303) in place of an error of our own."
        .modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out; errors are answered with HAProxy's own pages");
    "email-alert from" "<sender:text>" "1.6" "Sender of mails about servers."
        .ignored(MAIL);
    "email-alert level" "{emerg|alert|crit|err|warning|notice|info|debug}" "1.6" "Which messages are sent by mail."
        .default("alert").ignored(MAIL);
    "email-alert mailers" "<mailers:name>" "1.6" "Mail servers that mails about servers go to."
        .refused("mails are not sent", "watch the log, or the statistics");
    "email-alert myhostname" "<name>" "1.6" "What we call ourselves to mail servers."
        .ignored(MAIL);
    "email-alert to" "<receiver:text>" "1.6" "Receiver of mails about servers."
        .ignored(MAIL);
    "external-check command" "<file>" "1.6" "Program that checks servers."
        .within(Sections::BACK)
        .ignored("'option external-check', which it concerns, is refused");
    "external-check path" "<path:text>" "1.6" "PATH of the program that checks servers."
        .within(Sections::BACK)
        .ignored("'option external-check', which it concerns, is refused");
    "clitcpka-cnt" "<number>" "2.3" "Unanswered TCP keep-alives after which a client is gone."
        .within(Sections::FRONT)
        .ignored("'option clitcpka', which it concerns, is refused");
    "clitcpka-idle" "<time>" "2.3" "Silence before TCP keep-alives to a client."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .ignored("'option clitcpka', which it concerns, is refused");
    "clitcpka-intvl" "<time>" "2.3" "Time between TCP keep-alives to a client."
        .within(Sections::FRONT).modes(Modes::STREAM)
        .ignored("'option clitcpka', which it concerns, is refused");
    "srvtcpka-cnt" "<number>" "2.3" "Unanswered TCP keep-alives after which a server's connection is gone."
        .within(Sections::BACK)
        .ignored("'option srvtcpka', which it concerns, is refused");
    "srvtcpka-idle" "<time>" "2.3" "Silence before TCP keep-alives to a server."
        .within(Sections::BACK)
        .ignored("'option srvtcpka', which it concerns, is refused");
    "srvtcpka-intvl" "<time>" "2.3" "Time between TCP keep-alives to a server."
        .within(Sections::BACK)
        .ignored("'option srvtcpka', which it concerns, is refused");
    "be-unpublished" "" "3.5" "The backend takes no traffic until it is published at run time."
        .within(Sections::BACK_ONLY)
        .refused(NOT_YET, "leave it out, and no frontend names the backend until it is wanted");
    "filter-sequence" "{request|response} <filters:list>" "3.4" "In which order filters see what passes."
        .within(Sections::PROXIES).modes(Modes::STREAM)
        .ignored("filters are refused where they are declared");
    "filter" "<filter:name> [<argument:text>]..." "1.7" "Has a filter see or change what passes."
        .within(Sections::PROXIES).modes(Modes::STREAM)
        .refused(NOT_YET, "leave it out");
    "monitor-uri" "<path:text>" "1.3" "Path that is answered with 200, for who watches us."
        .within(Sections::FRONT).modes(Modes::HTTP)
        .refused(NOT_YET, "have such requests go to a server");
    "http-send-name-header" "[<header>]" "1.5" "Header in which a server is told its name."
        .within(Sections::BACK).modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out");
}

table! { PERSISTENCE: Line, Sections::BACK;
    "cookie" "<name> [rewrite|insert|prefix|indirect|nocache|postonly|preserve|httponly|secure|domain <domain:text>|maxidle <idle:text>|maxlife <life:text>|dynamic|attr <attribute:text>]..." "1.3" "Keeps a client with its server by a cookie."
        .within(Sections::BACK).modes(Modes::HTTP)
        .refused(NOT_YET, "leave it out, if the servers share their sessions");
    "dynamic-cookie-key" "<key:text>" "1.8" "Secret from which servers' cookies are made."
        .within(Sections::BACK).modes(Modes::HTTP)
        .ignored("'cookie', which it concerns, is refused");
    "persist rdp-cookie" "" "1.4" "Keeps a client of Remote Desktop with its server."
        .within(Sections::BACK).modes(Modes::TCP)
        .refused(NOT_YET, "leave it out");
    "load-server-state-from-file" "{global|local|none}" "1.6" "Where the states of servers are restored from at the start."
        .within(Sections::BACK)
        .default("none")
        .ignored("states set at run time are kept by Lanai's parent process");
    "server-state-file-name" "[use-backend-name|<file>]" "1.6" "File from which the states of servers are restored at the start."
        .within(Sections::BACK_ONLY)
        .ignored("states set at run time are kept by Lanai's parent process");
}
