//! The rows of `server` lines (HAProxy manual, section 5.2).

use super::table;
use super::why::*;
use crate::layer7::keyword::{Keyword, Kind, Sections};

/// Where such a line may stand, and `default-server`.
const SERVING: Sections = Sections::BACK.and(Sections::PEERS).and(Sections::RING);

table! { SERVER: Server, SERVING;
    "addr" "<address>" "1.3" "Address that is checked, in place of the server's."
        .refused(NOT_YET, "leave it out; the server's own address is checked");
    "agent-check" "" "1.5" "Asks an agent beside the server for its state and weight."
        .refused(NOT_YET, "leave it out; the runtime API sets state and weight");
    "agent-send" "<text>" "1.7" "What the agent is sent when it is asked."
        .ignored(AGENT);
    "agent-inter" "<time 1..2147483647>" "1.5" "Time between questions to the agent."
        .default("inter").ignored(AGENT);
    "agent-addr" "<address>" "1.8" "Address of the agent."
        .ignored(AGENT);
    "agent-port" "<port>" "1.5" "Port of the agent."
        .ignored(AGENT);
    "no-agent-check" "" "1.8" "Does not ask an agent, whatever the default is."
        .ignored("no agent is ever asked");
    "backup" "" "1.3" "Is used only when all other servers are down."
        .refused(NOT_YET, "leave the server out, or give it weight 0 and set its weight at run time");
    "no-backup" "" "1.8" "Is used like the others, whatever the default is."
        .ignored("no server is a backup");
    "check" "" "1.3" "Checks the server's health.";
    "no-check" "" "1.8" "Does not check it, whatever the default is.";
    "check-reuse-pool" "" "3.2" "Checks over an idle connection."
        .refused(NOT_YET, "leave it out; a check makes a connection of its own");
    "no-check-reuse-pool" "" "3.2" "Does not check over an idle connection, whatever the default is."
        .ignored("a check always makes a connection of its own");
    "check-pool-conn-name" "<name:text>" "3.2" "Name of the idle connection that is checked over."
        .ignored("'check-reuse-pool', which it concerns, is refused");
    "check-send-proxy" "" "1.5" "Sends the PROXY protocol with checks."
        .refused(NOT_YET, "leave it out; nothing is sent in front of the data");
    "no-check-send-proxy" "" "2.7" "Sends no PROXY protocol with checks, whatever the default is."
        .ignored("it is never sent");
    "check-alpn" "<protocols:list>" "2.0" "Protocols that are offered inside a check's TLS."
        .ignored(NO_SERVER_TLS);
    "check-proto" "<protocol:name>" "2.2" "Protocol of checks."
        .refused(NOT_YET, "leave it out");
    "check-sni" "<name:text>" "1.8" "Server name that is asked for in a check's TLS."
        .ignored(NO_SERVER_TLS);
    "check-ssl" "" "1.5" "Checks over TLS."
        .refused(NOT_YET, "leave it out, with 'ssl'");
    "no-check-ssl" "" "1.8" "Does not check over TLS, whatever the default is."
        .ignored("checks are never made over TLS");
    "check-via-socks4" "" "2.0" "Checks over the SOCKS4 proxy."
        .ignored("'socks4', which it concerns, is refused");
    "cookie" "<value:text>" "1.3" "Value of the cookie for this server."
        .ignored("'cookie' of the backend, which it concerns, is refused");
    "disabled" "" "1.3" "Starts in maintenance."
        .refused(NOT_YET, "leave the server out, or set it to maintenance at run time");
    "enabled" "" "1.3" "Does not start in maintenance, whatever the default is."
        .ignored("no server does: 'disabled' is refused");
    "downinter" "<time 1..2147483647>" "1.3" "Time between checks of a server that is down."
        .default("inter");
    "fastinter" "<time 1..2147483647>" "1.3" "Time between checks while a server's state is changing."
        .default("inter");
    "healthcheck" "<name>" "3.4" "The healthcheck section that says how it is checked."
        .refused(NOT_YET, "write its 'option' and steps in the backend");
    "inter" "<time 1..2147483647>" "1.3" "Time between checks."
        .default("2s");
    "fall" "<number 1..2147483647>" "1.3" "Failed checks in a row after which a server is down."
        .default("3");
    "rise" "<number 1..2147483647>" "1.3" "Good checks in a row after which a server is up."
        .default("2");
    "port" "<port>" "1.3" "Port that is checked."
        .default("the server's port");
    "weight" "<number 0..256>" "1.3" "Share of the load, from 0 (none) to 256."
        .default("1");
    "maxconn" "<number>" "1.3" "Most connections to it at one time; 0 is no limit."
        .default("0");
    "strict-maxconn" "" "3.2" "Counts idle connections to it too."
        .refused(NOT_YET, "leave it out");
    "maxqueue" "<number>" "1.3" "Most requests that wait for it; others go elsewhere."
        .default("0, no limit")
        .refused(NOT_YET, "leave it out; 'timeout queue' bounds the wait");
    "minconn" "<number>" "1.3" "Most connections to it while there is little load."
        .refused(NOT_YET, "leave it out; 'maxconn' bounds its connections");
    "max-reuse" "<number -1..2147483647>" "2.0" "Requests over one connection before it is closed."
        .default("-1, no limit")
        .refused(NOT_YET, "leave it out");
    "pool-conn-name" "<expression>" "3.0" "Name by which idle connections are told apart."
        .refused(NOT_YET, "leave it out");
    "pool-low-conn" "<number>" "2.2" "Idle connections below which threads keep their own."
        .default("0").ignored(POOLS);
    "pool-max-conn" "<number -1..2147483647>" "1.9" "Most idle connections."
        .default("-1, no limit")
        .refused(NOT_YET, "leave it out; idle connections end by themselves");
    "pool-purge-delay" "<time>" "1.9" "Time in which half of the idle connections are closed."
        .default("5s").ignored(POOLS);
    "slowstart" "<time>" "1.3" "Time in which a server that comes up gets to its full weight."
        .refused(NOT_YET, "leave it out");
    "error-limit" "<number 1..2147483647>" "1.4" "Errors after which 'on-error' acts."
        .default("10").ignored("'observe', which it concerns, is refused");
    "observe" "{layer4|layer7}" "1.4" "Watches traffic for a server's errors."
        .refused(NOT_YET, "leave it out; checks find a server that is down");
    "on-error" "{fastinter|fail-check|sudden-death|mark-down}" "1.4" "What happens after too many errors in traffic."
        .default("fail-check").ignored("'observe', which it concerns, is refused");
    "on-marked-down" "shutdown-sessions" "1.5" "What happens to sessions of a server that goes down."
        .refused(NOT_YET, "leave it out; they go on while the server answers");
    "on-marked-up" "shutdown-backup-sessions" "1.5" "What happens to sessions of backup servers when it comes up."
        .ignored("'backup', which it concerns, is refused");
    "track" "<server:text>" "1.3" "Takes its state from another server, written BACKEND/SERVER."
        .refused(NOT_YET, "write 'check' for each server");
    "init-addr" "<methods:list>" "1.7" "How its name is resolved at the start, one way after the other."
        .default("last,libc")
        .refused(NOT_YET, "leave it out; names are resolved when a change is prepared");
    "init-state" "{fully-up|up|down|fully-down}" "3.1" "State before its first check."
        .default("up")
        .refused(NOT_YET, "leave it out");
    "resolvers" "<resolvers:name>" "1.6" "Name servers that resolve its name again and again."
        .refused(NOT_YET, "leave it out; names are resolved when a change is prepared");
    "resolve-opts" "<options:list>" "1.9" "How answers of name servers are taken."
        .ignored("'resolvers', which it concerns, is refused");
    "resolve-prefer" "{ipv4|ipv6}" "1.6" "Address family that is preferred."
        .default("ipv6").ignored("'resolvers', which it concerns, is refused");
    "resolve-net" "<networks:list>" "1.7" "Networks whose addresses are preferred."
        .ignored("'resolvers', which it concerns, is refused");
    "guid" "<text>" "3.0" "Name of the server that is unlike any other."
        .refused(NOT_YET, "leave it out; a server's name is enough here");
    "hash-key" "{id|addr|addr-port|guid}" "3.0" "What places a server on the hash's ring."
        .default("id").ignored("balance methods that hash are refused");
    "id" "<number 1..2147483647>" "1.3" "Number of the server in statistics."
        .refused(NOT_YET, "leave it out; servers are numbered in their order");
    "idle-ping" "<time>" "3.2" "Tests idle HTTP/2 connections with pings."
        .ignored(H2);
    "log-bufsize" "<number 1..2147483647>" "2.9" "Bytes that may wait to be sent to a log server."
        .ignored("'mode log', which it concerns, is refused");
    "log-proto" "{legacy|octet-count}" "2.2" "How log lines are told apart in a stream."
        .default("legacy")
        .ignored("rings and 'mode log', which it concerns, are refused");
    "cc" "<algorithm:text>" "3.3" "How TCP avoids congestion, by the kernel's name of it."
        .refused(NOT_YET, "leave it out, and choose one for all with 'net.ipv4.tcp_congestion_control' in the Services tab");
    "tcp-md5sig" "<password:text>" "3.3" "Signs each segment, as routers do for BGP."
        .refused(NOT_YET, "leave it out");
    "namespace" "<name>" "1.6" "Network namespace that it is reached in."
        .refused("the engine lives in one network namespace", "leave it out");
    "non-stick" "" "1.5" "Is never remembered in a stick table."
        .ignored(TABLES);
    "stick" "" "1.4" "May be remembered in a stick table, whatever the default is."
        .ignored(TABLES);
    "proto" "<protocol:name>" "1.9" "Protocol that is spoken, without asking the server."
        .refused(NOT_YET, "leave it out; HTTP/1.1 is spoken in mode http");
    "redir" "<prefix:text>" "1.3" "Sends clients to the server itself."
        .refused(NOT_YET, "leave it out");
    "send-proxy" "" "1.5" "Tells the server the client's address in the PROXY protocol's first version."
        .refused(NOT_YET, PROXY_INSTEAD);
    "no-send-proxy" "" "1.8" "Does not, whatever the default is."
        .ignored("it is never sent");
    "send-proxy-v2" "" "1.5" "Tells the server the client's address in the PROXY protocol's second version."
        .refused(NOT_YET, PROXY_INSTEAD);
    "no-send-proxy-v2" "" "1.8" "Does not, whatever the default is."
        .ignored("it is never sent");
    "send-proxy-v2-ssl" "" "1.5" "As send-proxy-v2, with what is known of the client's TLS."
        .refused(NOT_YET, PROXY_INSTEAD);
    "no-send-proxy-v2-ssl" "" "1.8" "Does not, whatever the default is."
        .ignored("it is never sent");
    "send-proxy-v2-ssl-cn" "" "1.5" "As send-proxy-v2-ssl, with the name of the client's certificate."
        .refused(NOT_YET, PROXY_INSTEAD);
    "no-send-proxy-v2-ssl-cn" "" "1.8" "Does not, whatever the default is."
        .ignored("it is never sent");
    "proxy-v2-options" "<options:proxyoptions>" "1.9" "What is told in the PROXY protocol's second version."
        .ignored("'send-proxy-v2', which it concerns, is refused");
    "set-proxy-v2-tlv-fmt" "[<format>]" "2.9" "A field of the PROXY protocol's second version."
        .ignored("'send-proxy-v2', which it concerns, is refused");
    "shard" "<number 1..2147483647>" "2.7" "Part of a peers section's tables that this peer gets."
        .ignored("a 'peers' section is refused");
    "socks4" "<address:endpoint>" "2.0" "SOCKS4 proxy that the server is reached over."
        .refused(NOT_YET, "leave it out");
    "source" "<address> [usesrc {client|clientip|hdr_ip(<header:text>)|<address>}] [interface <interface>]" "1.3" "Address that connections to it come from, perhaps with ports (`10.0.0.1:1025-65000`) that are handed out in turn.";
    "tcp-ut" "<time>" "1.6" "Time after which unacknowledged data ends a connection."
        .refused(NOT_YET, "leave it out; 'timeout server' ends silent connections");
    "tfo" "" "1.5" "Sends data with a connection's first packet (TCP Fast Open)."
        .ignored("it saves a round trip; no byte differs");
    "no-tfo" "" "2.1" "Does not, whatever the default is."
        .ignored("it is never done");
    "ws" "{auto|h1|h2}" "2.5" "Protocol in which WebSockets are passed on."
        .default("auto").ignored(H2);
}

table! { SERVER_TLS: Server, SERVING;
    "sni-auto" "" "3.3" "Asks a server for the name that its client asked for."
        .ignored(NO_SERVER_TLS);
    "no-sni-auto" "" "3.3" "Asks for no name by itself, whatever the default is."
        .ignored(NO_SERVER_TLS);
    "check-sni-auto" "" "3.3" "Asks for the name of its check's request in a check's TLS."
        .ignored(NO_SERVER_TLS);
    "no-check-sni-auto" "" "3.3" "Asks for no name by itself in a check's TLS, whatever the default is."
        .ignored(NO_SERVER_TLS);
    "renegotiate" "" "3.3" "Lets a server renew a TLS connection's keys."
        .ignored(NO_SERVER_TLS);
    "no-renegotiate" "" "3.3" "Lets no server renew a TLS connection's keys, whatever the default is."
        .ignored(NO_SERVER_TLS);
    "ktls" "{on|off}" "3.3" "Whether TLS records are left to the kernel."
        .ignored("they never are; no byte differs");
    "allow-0rtt" "" "1.8" "Passes on requests that came with a handshake's first packet."
        .ignored(NO_SERVER_TLS);
    "alpn" "<protocols:list>" "1.5" "Protocols that are offered inside TLS."
        .ignored(NO_SERVER_TLS);
    "npn" "<protocols:list>" "1.5" "Protocols that are offered in the way before ALPN."
        .deprecated("alpn").ignored(NO_SERVER_TLS);
    "ca-file" "<file:authorities>" "1.5" "Authorities that its certificate is verified with."
        .ignored(NO_SERVER_TLS);
    "crl-file" "<file:authorities>" "1.5" "Certificates that were revoked."
        .ignored(NO_SERVER_TLS);
    "crt" "<file:certificate>" "1.5" "Our own certificate and key, for a server that asks for one."
        .ignored(NO_SERVER_TLS);
    "ciphers" "<ciphers:text>" "1.5" "Cipher suites up to TLS 1.2."
        .ignored(NO_SERVER_TLS);
    "ciphersuites" "<ciphersuites:text>" "1.9" "Cipher suites of TLS 1.3."
        .ignored(NO_SERVER_TLS);
    "curves" "<curves:text>" "1.8" "Curves, in the order of preference."
        .ignored(NO_SERVER_TLS);
    "sigalgs" "<sigalgs:text>" "2.8" "Signature algorithms that are taken."
        .ignored(NO_SERVER_TLS);
    "client-sigalgs" "<sigalgs:text>" "2.8" "Signature algorithms of our own certificate."
        .ignored(NO_SERVER_TLS);
    "force-sslv3" "" "1.5" "Speaks SSLv3 only."
        .deprecated("ssl-min-ver and ssl-max-ver").ignored(NO_SERVER_TLS);
    "force-tlsv10" "" "1.5" "Speaks TLS 1.0 only."
        .deprecated("ssl-min-ver and ssl-max-ver").ignored(NO_SERVER_TLS);
    "force-tlsv11" "" "1.5" "Speaks TLS 1.1 only."
        .deprecated("ssl-min-ver and ssl-max-ver").ignored(NO_SERVER_TLS);
    "force-tlsv12" "" "1.5" "Speaks TLS 1.2 only."
        .deprecated("ssl-min-ver and ssl-max-ver").ignored(NO_SERVER_TLS);
    "force-tlsv13" "" "1.8" "Speaks TLS 1.3 only."
        .deprecated("ssl-min-ver and ssl-max-ver").ignored(NO_SERVER_TLS);
    "no-sslv3" "" "1.5" "Does not speak SSLv3."
        .deprecated("ssl-min-ver").ignored(NO_SERVER_TLS);
    "no-tlsv10" "" "1.5" "Does not speak TLS 1.0."
        .deprecated("ssl-min-ver").ignored(NO_SERVER_TLS);
    "no-tlsv11" "" "1.5" "Does not speak TLS 1.1."
        .deprecated("ssl-min-ver").ignored(NO_SERVER_TLS);
    "no-tlsv12" "" "1.5" "Does not speak TLS 1.2."
        .deprecated("ssl-min-ver").ignored(NO_SERVER_TLS);
    "no-tlsv13" "" "1.8" "Does not speak TLS 1.3."
        .deprecated("ssl-max-ver").ignored(NO_SERVER_TLS);
    "no-tls-tickets" "" "1.5" "Resumes no sessions with tickets."
        .ignored(NO_SERVER_TLS);
    "tls-tickets" "" "1.8" "Resumes sessions with tickets, whatever the default is."
        .ignored(NO_SERVER_TLS);
    "sni" "<expression>" "1.6" "Name that is asked for in the handshake."
        .ignored(NO_SERVER_TLS);
    "ssl" "" "1.5" "Speaks TLS with the server."
        .refused(NOT_YET, "leave it out, on a network you trust");
    "no-ssl" "" "1.8" "Does not speak TLS with it, whatever the default is."
        .ignored("TLS is never spoken with servers");
    "ssl-max-ver" "{SSLv3|TLSv1.0|TLSv1.1|TLSv1.2|TLSv1.3}" "1.8" "Newest TLS version that is spoken."
        .ignored(NO_SERVER_TLS);
    "ssl-min-ver" "{SSLv3|TLSv1.0|TLSv1.1|TLSv1.2|TLSv1.3}" "1.8" "Oldest TLS version that is spoken."
        .ignored(NO_SERVER_TLS);
    "ssl-reuse" "" "1.8" "Resumes TLS sessions, whatever the default is."
        .ignored(NO_SERVER_TLS);
    "no-ssl-reuse" "" "1.6" "Resumes no TLS sessions."
        .ignored(NO_SERVER_TLS);
    "verify" "[none|required]" "1.5" "Whether its certificate is verified."
        .default("required").ignored(NO_SERVER_TLS);
    "verifyhost" "<name:text>" "1.5" "Name that its certificate must have."
        .ignored(NO_SERVER_TLS);
    "no-verifyhost" "" "1.8" "Does not look at the certificate's name, whatever the default is."
        .ignored(NO_SERVER_TLS);
}
