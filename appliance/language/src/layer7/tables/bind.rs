//! The rows of `bind` lines (HAProxy manual, section 5.1).

use super::table;
use super::why::*;
use crate::layer7::keyword::{Keyword, Kind, Sections};

/// Where a `bind` line may stand.
const LISTENING: Sections = Sections::FRONT_ONLY
    .and(Sections::PEERS)
    .and(Sections::LOG_FORWARD);

table! { BIND: Bind, LISTENING;
    "accept-netscaler-cip" "<magic:number>" "1.7" "Takes the client's address from NetScaler's header in front of its data."
        .refused(NOT_YET, "leave it out, and have the balancer in front send no such header");
    "accept-proxy" "" "1.5" "Takes the client's address from the PROXY protocol in front of its data."
        .refused(NOT_YET, "leave it out, and have the balancer in front send no such header");
    "backlog" "<number>" "1.3" "Length of the accept queue."
        .default("the frontend's backlog");
    "defer-accept" "" "1.5" "Wakes nobody for a connection before its first data."
        .ignored("a connection without data is parked and costs next to nothing");
    "expose-fd" "listeners" "1.8" "Lets a new process ask for the listening sockets over the runtime API."
        .ignored("listening sockets are handed on by the parent process");
    "gid" "<number>" "1.3" "Group of a UNIX socket's path, as a number."
        .refused(NOT_YET, PERMISSIONS_INSTEAD);
    "group" "<name>" "1.3" "Group of a UNIX socket's path."
        .refused(NOT_YET, PERMISSIONS_INSTEAD);
    "guid-prefix" "<text>" "3.0" "Start of the listeners' names that are unlike any other."
        .refused(NOT_YET, "leave it out; 'name' is enough here");
    "id" "<number 1..2147483647>" "1.3" "Number of the listener in statistics."
        .refused(NOT_YET, "leave it out; listeners are numbered in their order");
    "idle-ping" "<time>" "3.2" "Tests idle HTTP/2 clients with pings."
        .ignored(H2);
    "interface" "<interface>" "1.5" "Takes only connections that come in by this device, and answers by it.";
    "label" "<label:text>" "3.2" "Name that is shown in place of the address."
        .refused(NOT_YET, "name it with 'name'");
    "level" "{user|operator|admin}" "1.5" "What a client of the runtime API may do."
        .default("operator")
        .refused("it belongs to 'stats socket'", "leave it out on a bind line");
    "maxconn" "<number>" "1.3" "Most connections at one time; 0 is no limit of its own.";
    "mode" "<permissions:octal>" "1.3" "Permissions of a UNIX socket's path."
        .refused(NOT_YET, PERMISSIONS_INSTEAD);
    "mss" "<number -65535..65535>" "1.5" "Largest TCP segment that clients are told of."
        .refused(NOT_YET, "leave it out; 'mtu' in the Services tab bounds it for a device");
    "name" "<name>" "1.5" "Its name in statistics.";
    "namespace" "<name>" "1.6" "Network namespace that is listened in."
        .refused("the engine lives in one network namespace", "leave it out");
    "nbconn" "<number>" "2.9" "Connections kept open to a reverse HTTP server."
        .refused(NOT_YET, "leave it out; reverse HTTP is not spoken");
    "nice" "<number -1024..1024>" "1.5" "Priority of its connections."
        .default("0").ignored(WORK);
    "process" "<set:process>" "1.3" "Threads that take its connections."
        .deprecated("thread")
        .ignored(THREADS);
    "proto" "<protocol:name>" "1.9" "Protocol that is spoken, without asking the client."
        .refused(NOT_YET, "leave it out; HTTP/1 is spoken in mode http");
    "cc" "<algorithm:text>" "3.3" "How TCP avoids congestion, by the kernel's name of it."
        .refused(NOT_YET, "leave it out, and choose one for all with 'net.ipv4.tcp_congestion_control' in the Services tab");
    "tcp-md5sig" "<password:text>" "3.3" "Signs each segment, as routers do for BGP."
        .refused(NOT_YET, "leave it out");
    "tcp-ss" "<mode:number 0..2>" "3.4" "Keeps the first packet of a connection, for rules to look at."
        .default("0").refused(NOT_YET, "leave it out");
    "quic-cc-algo" "<algorithm:text>" "2.7" "How QUIC avoids congestion."
        .default("cubic").ignored(QUIC);
    "quic-force-retry" "" "2.6" "Has every QUIC client prove its address."
        .ignored(QUIC);
    "quic-socket" "[connection|listener]" "2.9" "Whether each QUIC connection has a socket."
        .default("connection").ignored(QUIC);
    "severity-output" "{none|number|string}" "1.8" "How the runtime API shows how grave a message is."
        .default("none")
        .refused("it belongs to 'stats socket'", "leave it out on a bind line");
    "shards" "{by-thread|by-group|<number 1..4096>}" "2.5" "How many sockets are opened."
        .default("1")
        .ignored("a bind has one socket, which all threads take connections from");
    "tcp-ut" "<time>" "1.6" "Time after which unacknowledged data ends a connection."
        .refused(NOT_YET, "leave it out; 'timeout client' ends silent connections");
    "tfo" "" "1.5" "Takes data with a connection's first packet (TCP Fast Open)."
        .ignored("it saves a round trip; clients do without when the kernel does not offer it");
    "thread" "<set:threads>" "1.8" "Threads that take its connections."
        .default("all").ignored(THREADS);
    "transparent" "" "1.3" "Takes connections to the address even if the box does not have it.";
    "uid" "<number>" "1.3" "Owner of a UNIX socket's path, as a number."
        .refused(NOT_YET, PERMISSIONS_INSTEAD);
    "user" "<name>" "1.3" "Owner of a UNIX socket's path."
        .refused(NOT_YET, PERMISSIONS_INSTEAD);
    "v4v6" "" "1.5" "Takes IPv4 connections on an IPv6 address too."
        .refused(NOT_YET, "write a bind for each: ':80,[::]:80'");
    "v6only" "" "1.5" "Takes no IPv4 connections on an IPv6 address."
        .refused(NOT_YET, "leave it out, or name the addresses to listen on");
}

table! { BIND_TLS: Bind, LISTENING;
    "allow-0rtt" "" "1.8" "Takes requests with the first packet of a resumed TLS 1.3 session."
        .refused(NOT_YET, "leave it out; clients send their request after the handshake");
    "alpn" "<protocols:list>" "1.5" "Protocols that are offered inside TLS."
        .refused(NOT_YET, "leave it out; HTTP/1.1 is spoken");
    "no-alpn" "" "2.8" "Offers no protocols inside TLS."
        .ignored("none are offered in any case");
    "npn" "<protocols:list>" "1.5" "Protocols that are offered in the way before ALPN."
        .deprecated("alpn")
        .refused("no client uses it any more", "leave it out");
    "ca-file" "<file:authorities>" "1.5" "Authorities that clients' certificates are verified with."
        .refused(NOT_YET, CLIENT_CERTIFICATES);
    "ca-verify-file" "<file:authorities>" "2.2" "Authorities that verify and are not named to clients."
        .refused(NOT_YET, CLIENT_CERTIFICATES);
    "ca-ignore-err" "<errors:list>" "1.5" "Errors of authorities' certificates that do not end a handshake."
        .ignored("it concerns clients' certificates; 'ca-file' and 'verify' are refused");
    "crt-ignore-err" "<errors:list>" "1.5" "Errors of clients' certificates that do not end a handshake."
        .ignored("it concerns clients' certificates; 'ca-file' and 'verify' are refused");
    "crl-file" "<file:authorities>" "1.5" "Certificates that were revoked."
        .refused(NOT_YET, CLIENT_CERTIFICATES);
    "verify" "[none|optional|required]" "1.5" "Whether clients are asked for a certificate."
        .default("none")
        .refused(NOT_YET, CLIENT_CERTIFICATES);
    "no-ca-names" "" "1.8" "Does not name the authorities to clients."
        .ignored("clients are asked for no certificate");
    "ca-sign-file" "<file>" "1.6" "Authority that signs certificates made on the fly."
        .ignored(ON_THE_FLY);
    "ca-sign-pass" "<password:text>" "1.7" "Password of that authority's key."
        .ignored(ON_THE_FLY);
    "generate-certificates" "" "1.6" "Makes a certificate for each name a client asks for."
        .refused(NOT_YET, "name the certificates with 'crt'");
    "crt" "<file:certificate>" "1.5" "File with a certificate, its chain and its private key in PEM; may be repeated.";
    "crt-list" "<file:keys>" "1.5" "File that names certificates and what holds for each."
        .refused(NOT_YET, "name each certificate with 'crt'");
    "default-crt" "<file:certificate>" "3.0" "Certificate for clients that ask for no name of another."
        .refused(NOT_YET, "name it with the first 'crt'");
    "ciphers" "<ciphers:text>" "1.5" "Cipher suites up to TLS 1.2."
        .refused(CIPHERS, CIPHERS_INSTEAD);
    "ciphersuites" "<ciphersuites:text>" "1.9" "Cipher suites of TLS 1.3."
        .refused(CIPHERS, CIPHERS_INSTEAD);
    "curves" "<curves:text>" "1.8" "Curves, in the order of preference."
        .refused(CIPHERS, CIPHERS_INSTEAD);
    "ecdhe" "<curve:text>" "1.5" "Curve of ephemeral keys."
        .deprecated("curves")
        .refused(CIPHERS, CIPHERS_INSTEAD);
    "sigalgs" "<sigalgs:text>" "2.8" "Signature algorithms that are offered."
        .refused(CIPHERS, CIPHERS_INSTEAD);
    "client-sigalgs" "<sigalgs:text>" "2.8" "Signature algorithms of clients' certificates."
        .refused(CIPHERS, CIPHERS_INSTEAD);
    "prefer-client-ciphers" "" "1.8" "Takes the cipher the client likes best."
        .refused(CIPHERS, CIPHERS_INSTEAD);
    "force-sslv3" "" "1.5" "Speaks SSLv3 only."
        .deprecated("ssl-min-ver and ssl-max-ver").refused(OLD_TLS, OLD_TLS_INSTEAD);
    "force-tlsv10" "" "1.5" "Speaks TLS 1.0 only."
        .deprecated("ssl-min-ver and ssl-max-ver").refused(OLD_TLS, OLD_TLS_INSTEAD);
    "force-tlsv11" "" "1.5" "Speaks TLS 1.1 only."
        .deprecated("ssl-min-ver and ssl-max-ver").refused(OLD_TLS, OLD_TLS_INSTEAD);
    "force-tlsv12" "" "1.5" "Speaks TLS 1.2 only."
        .deprecated("ssl-min-ver and ssl-max-ver")
        .refused(NOT_YET, "write 'ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.2'");
    "force-tlsv13" "" "1.8" "Speaks TLS 1.3 only."
        .deprecated("ssl-min-ver and ssl-max-ver")
        .refused(NOT_YET, "write 'ssl-min-ver TLSv1.3'");
    "no-sslv3" "" "1.5" "Does not speak SSLv3."
        .deprecated("ssl-min-ver").ignored("it is never spoken");
    "no-tlsv10" "" "1.5" "Does not speak TLS 1.0."
        .deprecated("ssl-min-ver").ignored("it is never spoken");
    "no-tlsv11" "" "1.5" "Does not speak TLS 1.1."
        .deprecated("ssl-min-ver").ignored("it is never spoken");
    "no-tlsv12" "" "1.5" "Does not speak TLS 1.2."
        .deprecated("ssl-min-ver").refused(NOT_YET, "write 'ssl-min-ver TLSv1.3'");
    "no-tlsv13" "" "1.8" "Does not speak TLS 1.3."
        .deprecated("ssl-max-ver").refused(NOT_YET, "write 'ssl-max-ver TLSv1.2'");
    "no-tls-tickets" "" "1.5" "Issues no TLS session tickets.";
    "tls-tickets" "" "1.8" "Issues TLS session tickets, whatever the default is."
        .refused(NOT_YET, "leave 'no-tls-tickets' out of ssl-default-bind-options");
    "tls-ticket-keys" "<file:keys>" "1.6" "Keys of TLS session tickets, for boxes that share their sessions."
        .refused(NOT_YET, "leave it out; a client that comes to another box makes a new session");
    "ssl" "" "1.5" "Speaks TLS with clients.";
    "ssl-max-ver" "{SSLv3|TLSv1.0|TLSv1.1|TLSv1.2|TLSv1.3}" "1.8" "Newest TLS version that is spoken."
        .default("TLSv1.3")
        .partly("versions before TLS 1.2 are refused (RFC 7568, RFC 8996)");
    "ssl-min-ver" "{SSLv3|TLSv1.0|TLSv1.1|TLSv1.2|TLSv1.3}" "1.8" "Oldest TLS version that is spoken."
        .default("TLSv1.2")
        .partly("versions before TLS 1.2 are refused (RFC 7568, RFC 8996)");
    "ech" "<dir>" "3.3" "Keys with which clients encrypt the name they ask for."
        .refused(NOT_YET, "leave it out; the name is sent in clear text");
    "ktls" "{on|off}" "3.3" "Whether TLS records are left to the kernel."
        .ignored("they never are; no byte differs");
    "strict-sni" "" "1.5" "Ends the handshake of clients that ask for no name we have a certificate for."
        .refused(NOT_YET, "leave it out; such clients get the first certificate");
    "no-strict-sni" "" "3.2" "Takes clients that ask for another name, whatever the default is."
        .ignored("they are always taken");
}
