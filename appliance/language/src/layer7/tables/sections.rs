//! The words that start sections, and the rows of all but `global` and the proxies
//! (HAProxy manual, sections 5.3, 6, 8.3.5, 10, 11 and 12).

use super::table;
use super::why::*;
use crate::layer7::keyword::{Keyword, Kind, Sections};

/// Of lines in a section that is refused, or that nothing that works refers to.
const WHOLE: &str = "its section as a whole says what becomes of it";

table! { SECTIONS: Section, Sections::NONE;
    "global" "" "1.3" "Settings of the process."
        .within(Sections::GLOBAL);
    "defaults" "[<name> [from <name>]|from <name>]" "1.3" "Settings that the proxies after it, or that name it, start from."
        .within(Sections::DEFAULTS);
    "frontend" "<name> [from <defaults:name>]" "1.3" "What clients connect to."
        .within(Sections::FRONTEND);
    "listen" "<name> [from <defaults:name>]" "1.3" "A frontend and a backend in one."
        .within(Sections::LISTEN);
    "backend" "<name> [from <defaults:name>]" "1.3" "A group of servers and how to choose among them."
        .within(Sections::BACKEND);
    "peers" "<name>" "1.5" "Boxes that share their stick tables."
        .within(Sections::PEERS)
        .refused("there are no peers in this version", "leave the section out");
    "resolvers" "<name>" "1.6" "Name servers that resolve servers' names again and again."
        .within(Sections::RESOLVERS)
        .ignored("the words that refer to it are refused");
    "mailers" "<name>" "1.6" "Mail servers for mails about servers."
        .within(Sections::MAILERS)
        .ignored("the words that refer to it are refused");
    "userlist" "<name>" "1.4" "Users and their passwords, for rules that ask for them."
        .within(Sections::USERLIST)
        .ignored("the words that refer to it are refused");
    "cache" "<name>" "1.8" "Room for responses that are answered again without asking a server."
        .within(Sections::CACHE)
        .ignored("the words that refer to it are refused");
    "ring" "<name>" "2.2" "A bounded queue of messages, for logs and traces."
        .within(Sections::RING)
        .ignored("the words that refer to it are refused");
    "log-forward" "<name>" "2.3" "Takes log lines from others and sends them on."
        .within(Sections::LOG_FORWARD)
        .refused(NOT_YET, "have a syslog server do it");
    "log-profile" "<name>" "3.1" "How log lines are written at each step of a session."
        .within(Sections::LOG_PROFILE)
        .ignored("the words that refer to it are refused");
    "http-errors" "<name>" "2.2" "A group of error pages."
        .within(Sections::HTTP_ERRORS)
        .ignored("the words that refer to it are refused");
    "healthcheck" "<name>" "3.4" "How servers that name it are checked."
        .within(Sections::HEALTHCHECK)
        .ignored("the words that refer to it are refused");
    "fcgi-app" "<name>" "2.1" "A FastCGI application and its parameters."
        .within(Sections::FCGI_APP)
        .ignored("the words that refer to it are refused");
    "program" "<name>" "2.0" "A program that is started beside the workers."
        .within(Sections::PROGRAM)
        .deprecated("the system's own way to start programs")
        .refused(PROGRAMS, "have the system start it");
    "crt-store" "[<name>]" "3.0" "Certificates with their files, by name."
        .within(Sections::CRT_STORE)
        .refused(NOT_YET, "name certificates with 'crt' on the bind lines");
    "traces" "" "3.1" "Which of HAProxy's own parts write a trace."
        .within(Sections::TRACES)
        .ignored("it concerns HAProxy's own parts, for its developers");
    "acme" "<name>" "3.2" "An authority that issues certificates by itself."
        .within(Sections::ACME)
        .ignored("the words that refer to it are refused");
}

table! { PEERS: Line, Sections::PEERS;
    "bind" "<address:listen> [<option:text>]..." "1.3" "Where this box takes its peers' connections."
        .ignored(WHOLE);
    "default-bind" "<option:text>..." "2.0" "Options of the section's bind line."
        .ignored(WHOLE);
    "default-server" "<option:text>..." "1.4" "Options for all peers that follow."
        .ignored(WHOLE);
    "disabled" "" "1.3" "Takes the section out of use."
        .ignored(WHOLE);
    "enabled" "" "1.3" "Has the section in use."
        .ignored(WHOLE);
    "log" "<target:text> [len <length:number 80..65535>] [format <format:name>] [sample <ranges:text>] [profile <profile:name>] <facility:name> [<level:name> [<minlevel:name>]]" "1.3" "Where the section's log lines go."
        .ignored(WHOLE);
    "peer" "<name> <address:endpoint> [<option:text>]..." "1.5" "A box, by its name and address."
        .ignored(WHOLE);
    "server" "<name> [<address:endpoint>] [<option:text>]..." "1.3" "A box, as a server line."
        .ignored(WHOLE);
    "shards" "<number 1..2147483647>" "2.5" "Parts that tables are divided into."
        .ignored(WHOLE);
    "table" "<name> type <type:text> [<argument:text>]..." "1.9" "A stick table that the boxes share."
        .ignored(WHOLE);
}

table! { RESOLVERS: Line, Sections::RESOLVERS;
    "accepted_payload_size" "<number 512..65535>" "1.8" "Largest answer that is taken, in bytes."
        .default("512").ignored(WHOLE);
    "nameserver" "<name> <address:nameserver> [<option:text>]..." "1.6" "A name server."
        .ignored(WHOLE);
    "parse-resolv-conf" "" "1.9" "Takes the name servers of the system's resolv.conf."
        .ignored(WHOLE);
    "hold" "{nx|obsolete|other|refused|timeout|valid} <time>" "1.6" "How long an answer holds, by its kind."
        .ignored(WHOLE);
    "resolve_retries" "<number>" "1.6" "How often a question is asked again."
        .default("3").ignored(WHOLE);
    "timeout" "{resolve|retry} <time>" "1.3" "Time between questions, and until one is asked again."
        .default("1s").ignored(WHOLE);
}

table! { OTHERS: Line, Sections::NONE;
    "mailer" "<name> <address:tcp>" "1.6" "A mail server."
        .within(Sections::MAILERS).ignored(WHOLE);
    "timeout mail" "<time>" "1.7" "How long sending a mail may take."
        .within(Sections::MAILERS).default("10s").ignored(WHOLE);
    "group" "<name> [users <users:list>]" "1.3" "A group of users."
        .within(Sections::USERLIST).ignored(WHOLE);
    "user" "<name> [password <password:text>|insecure-password <password:text>|groups <groups:list>]..." "1.3" "A user, with a password and groups."
        .within(Sections::USERLIST).ignored(WHOLE);
    "total-max-size" "<megabytes:number 1..4095>" "1.8" "Memory of the cache."
        .within(Sections::CACHE).ignored(WHOLE);
    "max-object-size" "<number>" "1.9" "Largest response that is kept."
        .within(Sections::CACHE).default("a 256th of the cache").ignored(WHOLE);
    "max-age" "<seconds:number>" "1.8" "How long a response is kept, at most."
        .within(Sections::CACHE).default("60").ignored(WHOLE);
    "early-hints" "{on|off|only} [ratio <number>]" "3.5" "Whether links are kept, for clients to be told early."
        .within(Sections::CACHE).default("off").ignored(WHOLE);
    "process-vary" "{on|off}" "2.4" "Whether responses that vary with headers are kept."
        .within(Sections::CACHE).default("off").ignored(WHOLE);
    "max-secondary-entries" "<number 1..2147483647>" "2.4" "Most responses of one address that vary with headers."
        .within(Sections::CACHE).default("10").ignored(WHOLE);
    "backing-file" "<file>" "2.7" "File that keeps the ring when the process ends."
        .within(Sections::RING).ignored(WHOLE);
    "description" "<text>..." "1.4" "Describes the ring."
        .within(Sections::RING).ignored(WHOLE);
    "format" "{iso|local|raw|rfc3164|rfc5424|short|priority|timed}" "1.3" "How messages are written."
        .within(Sections::RING).default("raw").ignored(WHOLE);
    "maxlen" "<number 1..2147483647>" "2.2" "Longest message, in bytes."
        .within(Sections::RING).default("1024").ignored(WHOLE);
    "server" "<name> <address:target> [<option:text>]..." "1.3" "Where messages are sent."
        .within(Sections::RING).ignored(WHOLE);
    "size" "<size>" "2.2" "Memory of the ring."
        .within(Sections::RING).ignored(WHOLE);
    "timeout connect" "<time>" "1.3" "How long connecting to the server may take."
        .within(Sections::RING).ignored(WHOLE);
    "timeout server" "<time>" "1.3" "How long the server may be silent."
        .within(Sections::RING).ignored(WHOLE);
    "backlog" "<number>" "1.3" "Length of the accept queue."
        .within(Sections::LOG_FORWARD).ignored(WHOLE);
    "bind" "<address:listen> [<option:text>]..." "1.3" "Where log lines are taken over TCP."
        .within(Sections::LOG_FORWARD).ignored(WHOLE);
    "dgram-bind" "<address:datagrams> [<option:text>]..." "2.3" "Where log lines are taken as datagrams."
        .within(Sections::LOG_FORWARD).ignored(WHOLE);
    "log" "{global|<target:text> [len <length:number 80..65535>] [format <format:name>] [sample <ranges:text>] [profile <profile:name>] <facility:name> [<level:name> [<minlevel:name>]]}" "1.3" "Where log lines are sent."
        .within(Sections::LOG_FORWARD).ignored(WHOLE);
    "maxconn" "<number>" "1.3" "Most connections at one time."
        .within(Sections::LOG_FORWARD).default("10").ignored(WHOLE);
    "timeout client" "<time>" "1.3" "How long a sender may be silent."
        .within(Sections::LOG_FORWARD).ignored(WHOLE);
    "option assume-rfc6587-ntf" "" "3.2" "Takes lines over TCP to be ended, not counted."
        .within(Sections::LOG_FORWARD).ignored(WHOLE);
    "option dont-parse-log" "" "3.2" "Sends lines on as they are."
        .within(Sections::LOG_FORWARD).ignored(WHOLE);
    "option host" "{replace|fill|keep|append}" "3.2" "What becomes of a line's host."
        .within(Sections::LOG_FORWARD).ignored(WHOLE);
    "log-tag" "<tag:text>" "1.5" "What lines call the program."
        .within(Sections::LOG_PROFILE).ignored(WHOLE);
    "on" "<step:name> [drop|format <format>|sd <format>]..." "1.3" "How the line of a step is written."
        .within(Sections::LOG_PROFILE).ignored(WHOLE);
    "errorfile" "<status:errorstatus> <file:page>" "1.3" "File that is sent in place of an error of our own."
        .within(Sections::HTTP_ERRORS).ignored(WHOLE);
    "type" "{httpchk|ldap-check|mysql-check|pgsql-check|redis-check|smtpchk|spop-check|ssl-hello-chk|tcp-check} [<argument:text>]..." "3.4" "What the check speaks, with what the option of this name takes."
        .within(Sections::HEALTHCHECK).ignored(WHOLE).once();
    "http-check" "{comment|connect|disable-on-404|expect|send|send-state|set-var(<variable:name>)|set-var-fmt(<variable:name>)|unset-var(<variable:name>)} [<argument:text>]..." "3.4" "A step of a check in HTTP."
        .within(Sections::HEALTHCHECK).ignored(WHOLE);
    "tcp-check" "{comment|connect|expect|send|send-lf|send-binary|send-binary-lf|set-var(<variable:name>)|set-var-fmt(<variable:name>)|unset-var(<variable:name>)} [<argument:text>]..." "3.4" "A step of a check over TCP."
        .within(Sections::HEALTHCHECK).ignored(WHOLE);
    "acl" "<name> <criterion:text> [<value:text>]..." "1.3" "A named condition."
        .within(Sections::FCGI_APP).ignored(WHOLE);
    "docroot" "<dir>" "2.1" "Directory of the application's files, on its own box."
        .within(Sections::FCGI_APP).ignored(WHOLE);
    "index" "<script:text>" "2.1" "Script for paths that end with a slash."
        .within(Sections::FCGI_APP).ignored(WHOLE);
    "log-stderr" "{global|<target:text> [len <length:number 80..65535>] [format <format:name>] [sample <ranges:text>] <facility:name> [<level:name> [<minlevel:name>]]}" "2.1" "Where the application's error messages go."
        .within(Sections::FCGI_APP).ignored(WHOLE);
    "pass-header" "<header> [<condition>]" "2.1" "A header that is passed on though it usually is not."
        .within(Sections::FCGI_APP).ignored(WHOLE);
    "path-info" "<regex>" "2.1" "How a path is cut into script and rest."
        .within(Sections::FCGI_APP).ignored(WHOLE);
    "option get-values" "" "2.1" "Asks the application for its limits."
        .within(Sections::FCGI_APP).ignored(WHOLE).negatable();
    "option keep-conn" "" "2.1" "Keeps the connection after a response."
        .within(Sections::FCGI_APP).ignored(WHOLE).negatable();
    "option max-reqs" "<number 1..2147483647>" "2.1" "Most requests at one time over a connection."
        .within(Sections::FCGI_APP).default("1").ignored(WHOLE);
    "option mpxs-conns" "" "2.1" "Sends several requests at one time over a connection."
        .within(Sections::FCGI_APP).ignored(WHOLE).negatable();
    "set-param" "<parameter:name> <format> [<condition>]" "2.1" "A parameter that the application is given."
        .within(Sections::FCGI_APP).ignored(WHOLE);
    "command" "<file> [<argument:text>]..." "1.3" "The program and its arguments."
        .within(Sections::PROGRAM).ignored(WHOLE);
    "user" "<name>" "1.3" "User of the program."
        .within(Sections::PROGRAM).ignored(WHOLE);
    "group" "<name>" "1.3" "Group of the program."
        .within(Sections::PROGRAM).ignored(WHOLE);
    "option start-on-reload" "" "2.0" "Starts the program anew when the configuration is."
        .within(Sections::PROGRAM).ignored(WHOLE).negatable();
    "crt-base" "<dir>" "1.5" "Directory that names of certificates start from."
        .within(Sections::CRT_STORE).ignored(WHOLE);
    "key-base" "<dir>" "3.0" "Directory that names of private keys start from."
        .within(Sections::CRT_STORE).ignored(WHOLE);
    "load" "{crt <file>|key <file>|alias <name:text>|ocsp <file>|issuer <file>|sctl <file>|ocsp-update {on|off}|acme <acme:name>|domains <domains:list>}..." "3.0" "A certificate with its files."
        .within(Sections::CRT_STORE).ignored(WHOLE);
    "trace" "<source:text> [<argument:text>]..." "2.7" "What one part writes into its trace, and where."
        .within(Sections::TRACES).ignored(WHOLE);
    "account-key" "<file>" "3.2" "Key of our account with the authority."
        .within(Sections::ACME).ignored(WHOLE);
    "bits" "<number 1024..16384>" "3.2" "Size of RSA keys that are made."
        .within(Sections::ACME).default("2048").ignored(WHOLE);
    "challenge" "{http-01|dns-01|HTTP-01|DNS-01}" "3.2" "How we prove that a name is ours."
        .within(Sections::ACME).default("http-01").ignored(WHOLE);
    "contact" "<address:text>" "3.2" "Mail address of the account."
        .within(Sections::ACME).ignored(WHOLE);
    "curves" "{P-256|P-384|P-521}" "1.8" "Curve of keys that are made."
        .within(Sections::ACME).default("P-384").ignored(WHOLE);
    "directory" "<url:text>" "3.2" "Address of the authority."
        .within(Sections::ACME).ignored(WHOLE);
    "keytype" "{RSA|ECDSA}" "3.2" "Kind of keys that are made."
        .within(Sections::ACME).default("ECDSA").ignored(WHOLE);
    "map" "<map:text>" "1.5" "Map that the answers to challenges are kept in."
        .within(Sections::ACME).ignored(WHOLE);
}

table! { LOAD: Load, Sections::CRT_STORE;
    "crt" "<file>" "3.0" "The certificate and its chain."
        .ignored(WHOLE);
    "key" "<file>" "3.0" "The certificate's private key, where it is in a file of its own."
        .ignored(WHOLE);
    "alias" "<name:text>" "3.0" "Name by which the certificate is referred to."
        .ignored(WHOLE);
    "ocsp" "<file>" "3.0" "An OCSP answer for the certificate."
        .ignored(WHOLE);
    "issuer" "<file>" "3.0" "The certificate of the authority that issued it."
        .ignored(WHOLE);
    "sctl" "<file>" "3.0" "Proofs that the certificate is in public logs."
        .ignored(WHOLE);
    "ocsp-update" "{on|off}" "3.0" "Whether OCSP answers are fetched for it."
        .default("off").ignored(WHOLE);
    "jwt" "{on|off}" "3.3" "Whether tokens may be verified or decrypted with it."
        .default("off").ignored(WHOLE);
    "acme" "<acme:name>" "3.2" "The acme section that has it issued and renewed."
        .ignored(WHOLE);
    "domains" "<domains:list>" "3.2" "Names it is issued for."
        .ignored(WHOLE);
}
