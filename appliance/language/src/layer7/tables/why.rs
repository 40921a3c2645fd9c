//! Reasons that several rows share.

pub(in crate::layer7) const NOT_YET: &str = "it is not built yet";

pub(super) const USER: &str =
    "each of Lanai's processes has a user of its own, chosen when it is started";

pub(super) const QUIC: &str =
    "it concerns QUIC, which is not spoken; a bind that asks for it is refused";

pub(super) const H2: &str =
    "it concerns HTTP/2, which is not spoken; a bind or server that asks for it is refused";

pub(super) const LUA: &str = "it concerns Lua programs, which are refused where they are loaded";

pub(super) const NO_LUA: &str = "Lua programs are not run";

pub(super) const LUA_INSTEAD: &str = "say it with http-request rules";

pub(super) const NO_DEVICES: &str = "device detection needs a library that is not built in";

pub(super) const DEVICES_INSTEAD: &str = "leave it out, as for a HAProxy built without it";

pub(super) const CPUS: &str = "the kernel places the threads; no result depends on it";

pub(super) const PROFILE: &str = "it only measures HAProxy's own parts";

pub(super) const PROGRAMS: &str = "the engine can start no program";

pub(super) const TABLES: &str =
    "it concerns stick tables, which are refused where they are declared";

pub(super) const CLIENT: &str =
    "HAProxy's own HTTP client is used by Lua, OCSP and ACME, which are refused";

pub(super) const COMPRESSION: &str =
    "it bounds compression, which is refused where it is asked for";

pub(super) const SPLICE: &str = "data is not moved through pipes; no byte differs";

pub(super) const WORK: &str = "it divides HAProxy's own work; no byte differs";

pub(super) const MEMORY: &str = "it concerns HAProxy's own memory; buffers are bounded in any case";

pub(super) const FORWARDING: &str = "it concerns how HAProxy moves bytes; no byte differs";

pub(super) const POOLS: &str =
    "idle server connections pass between threads and are bounded in any case";

pub(super) const CIPHERS: &str =
    "the TLS library offers what is safe today, and reads no lists of OpenSSL's";

pub(super) const CIPHERS_INSTEAD: &str =
    "leave it out: TLS 1.2 and 1.3 are offered with authenticated ciphers and forward secrecy only";

pub(super) const NO_SERVER_TLS: &str =
    "it concerns TLS with servers, which is refused where a server asks for it";

pub(super) const NO_OPENSSL: &str = "the TLS library is not OpenSSL";

pub(super) const NO_DH: &str = "finite-field Diffie-Hellman is not offered";

pub(super) const TOKENS: &str = "no converter that decrypts tokens can be run yet";

pub(super) const OCSP: &str =
    "OCSP answers are not fetched; 'ocsp-update' is refused where it is asked for";

pub(super) const POLLER: &str = "the engine waits with epoll, and Linux always has it";

pub(super) const SOCKETS: &str = "the kernel sizes a socket's buffers by itself; no byte differs";

pub(super) const VARIABLES: &str = "variables are refused where rules set them";

pub(super) const MAIL: &str = "mails are not sent; 'email-alert mailers' is refused";

pub(super) const CASE: &str = "'h1-case-adjust', which it concerns, is refused";

pub(super) const NO_PAGE: &str = "the statistics page is not served on a proxy's port";

pub(super) const PAGE_INSTEAD: &str =
    "see the Status page of the web UI, or ask the runtime API ('stats socket')";

pub(super) const HTTPCHK: &str = "'option httpchk', which it concerns, is refused";

pub(super) const TCPCHK: &str = "'option tcp-check', which it concerns, is refused";

pub(super) const PERMISSIONS_INSTEAD: &str = "leave it out; 'stats socket' has 'mode' for its path";

pub(super) const THREADS: &str = "all threads take its connections";

pub(super) const CLIENT_CERTIFICATES: &str =
    "leave it out, or have the servers ask for certificates behind 'mode tcp'";

pub(super) const ON_THE_FLY: &str = "'generate-certificates', which it concerns, is refused";

pub(super) const OLD_TLS: &str = "RFC 7568 and RFC 8996 forbid it";

pub(super) const OLD_TLS_INSTEAD: &str = "write 'ssl-min-ver TLSv1.2', or leave it out";

pub(super) const AGENT: &str = "'agent-check', which it concerns, is refused";

pub(super) const PROXY_INSTEAD: &str = "use 'option forwardfor' in mode http";
