//! TLS (HAProxy manual, sections 3.1 and 3.2).

use super::table;
use crate::layer7::keyword::{Keyword, Kind, Sections};
use crate::layer7::tables::why::*;

table! { TLS: Line, Sections::GLOBAL;
    "ca-base" "<dir>" "1.5" "Directory that relative names of authorities' certificates start from."
        .ignored("no keyword that names such a file can be run yet").once();
    "crt-base" "<dir>" "1.5" "Directory that relative names of certificates start from."
        .once();
    "key-base" "<dir>" "3.0" "Directory that relative names of private keys start from, in a crt-store."
        .ignored("only a crt-store names such files, which cannot be run yet").once();
    "issuers-chain-path" "<dir>" "2.2" "Directory of chains that complete certificates without one."
        .refused(NOT_YET, "put the chain into the certificate's own file");
    "ssl-load-extra-files" "[none|all|bundle|sctl|ocsp|issuer|key]..." "2.2" "Which files beside a certificate are read with it."
        .default("all")
        .ignored("a certificate is read from its own file alone, with its key and chain");
    "ssl-load-extra-del-ext" "" "2.3" "Takes the ending off a certificate's name before others are added."
        .ignored("a certificate is read from its own file alone, with its key and chain");
    "ssl-default-bind-options" "[ssl-min-ver {SSLv3|TLSv1.0|TLSv1.1|TLSv1.2|TLSv1.3}|ssl-max-ver {SSLv3|TLSv1.0|TLSv1.1|TLSv1.2|TLSv1.3}|no-tls-tickets|tls-tickets|no-sslv3|no-tlsv10|no-tlsv11|no-tlsv12|no-tlsv13|force-sslv3|force-tlsv10|force-tlsv11|force-tlsv12|force-tlsv13|prefer-client-ciphers|strict-sni]..." "1.6" "TLS options for all binds that do not set them."
        .partly("only versions from TLS 1.2 on and no-tls-tickets are taken");
    "ssl-default-bind-ciphers" "<ciphers:text>" "1.5" "Cipher suites up to TLS 1.2, for all binds that name none."
        .refused(CIPHERS, CIPHERS_INSTEAD);
    "ssl-default-bind-ciphersuites" "<ciphersuites:text>" "1.9" "Cipher suites of TLS 1.3, for all binds that name none."
        .refused(CIPHERS, CIPHERS_INSTEAD);
    "ssl-default-bind-curves" "<curves:text>" "2.2" "Curves, for all binds that name none."
        .refused(CIPHERS, CIPHERS_INSTEAD);
    "ssl-default-bind-sigalgs" "<sigalgs:text>" "2.8" "Signature algorithms, for all binds that name none."
        .refused(CIPHERS, CIPHERS_INSTEAD);
    "ssl-default-bind-client-sigalgs" "<sigalgs:text>" "2.8" "Signature algorithms of clients' certificates, for all binds that name none."
        .refused(CIPHERS, CIPHERS_INSTEAD);
    "ssl-default-server-options" "[ssl-min-ver {SSLv3|TLSv1.0|TLSv1.1|TLSv1.2|TLSv1.3}|ssl-max-ver {SSLv3|TLSv1.0|TLSv1.1|TLSv1.2|TLSv1.3}|no-tls-tickets|tls-tickets|no-sslv3|no-tlsv10|no-tlsv11|no-tlsv12|no-tlsv13|force-sslv3|force-tlsv10|force-tlsv11|force-tlsv12|force-tlsv13]..." "1.6" "TLS options for all servers that do not set them."
        .ignored(NO_SERVER_TLS);
    "ssl-default-server-ciphers" "<ciphers:text>" "1.5" "Cipher suites up to TLS 1.2, for all servers that name none."
        .ignored(NO_SERVER_TLS);
    "ssl-default-server-ciphersuites" "<ciphersuites:text>" "1.9" "Cipher suites of TLS 1.3, for all servers that name none."
        .ignored(NO_SERVER_TLS);
    "ssl-default-server-curves" "<curves:text>" "2.9" "Curves, for all servers that name none."
        .ignored(NO_SERVER_TLS);
    "ssl-default-server-sigalgs" "<sigalgs:text>" "2.9" "Signature algorithms, for all servers that name none."
        .ignored(NO_SERVER_TLS);
    "ssl-default-server-client-sigalgs" "<sigalgs:text>" "2.9" "Signature algorithms of our own certificate, for all servers that name none."
        .ignored(NO_SERVER_TLS);
    "ssl-server-verify" "[none|required]" "1.5" "Whether servers' certificates are verified where nothing else is said."
        .default("required")
        .ignored(NO_SERVER_TLS);
    "ssl-dh-param-file" "<file:keys>" "1.6" "Diffie-Hellman parameters for binds whose certificate file has none."
        .ignored(NO_DH);
    "ssl-engine" "<engine:name> [algo <algorithms:list>]" "1.8" "Hardware engine of OpenSSL."
        .refused(NO_OPENSSL, "leave it out");
    "ssl-mode-async" "" "1.8" "Lets OpenSSL engines work beside other requests."
        .ignored(NO_OPENSSL);
    "ssl-propquery" "<query:text>" "2.6" "Which of OpenSSL's providers are asked for an algorithm."
        .refused(NO_OPENSSL, "leave it out");
    "ssl-provider" "<provider:name>" "2.6" "Provider that OpenSSL loads."
        .refused(NO_OPENSSL, "leave it out");
    "ssl-provider-path" "<dir>" "2.6" "Directory of OpenSSL's providers."
        .refused(NO_OPENSSL, "leave it out");
    "ssl-security-level" "<number 0..5>" "3.0" "OpenSSL's level of security."
        .refused(NO_OPENSSL, "leave it out; what is offered corresponds to level 2 or more");
    "ssl-skip-self-issued-ca" "" "2.2" "Does not send an authority's own certificate at a chain's end."
        .refused(NOT_YET, "take it out of the certificate's file, which is sent as it is");
    "ocsp-update.disable" "[on|off]" "3.0" "Fetches no OCSP answers, whatever else is said."
        .default("off").ignored(OCSP);
    "ocsp-update.httpproxy" "<address>" "3.0" "HTTP proxy over which OCSP answers are fetched."
        .ignored(OCSP);
    "ocsp-update.maxdelay" "<seconds:number>" "3.0" "Longest time between two fetches of an OCSP answer."
        .default("3600").ignored(OCSP);
    "ocsp-update.mindelay" "<seconds:number>" "3.0" "Shortest time between two fetches of an OCSP answer."
        .default("300").ignored(OCSP);
    "ocsp-update.mode" "[on|off]" "3.0" "Whether OCSP answers are fetched where nothing else is said."
        .default("off")
        .refused("OCSP answers are neither fetched nor sent", "leave it out");
    "tune.ssl.ocsp-update.maxdelay" "<seconds:number>" "2.8" "Old name of ocsp-update.maxdelay."
        .deprecated("ocsp-update.maxdelay").default("3600").ignored(OCSP);
    "tune.ssl.ocsp-update.mindelay" "<seconds:number>" "2.8" "Old name of ocsp-update.mindelay."
        .deprecated("ocsp-update.mindelay").default("300").ignored(OCSP);
    "acme.scheduler" "{auto|off}" "3.2" "Whether certificates of an acme section are renewed by themselves."
        .default("auto")
        .ignored("an 'acme' section is refused, so that there is nothing to renew");
    "tune.ssl.cachesize" "<number 0..2147483647>" "1.5" "TLS sessions kept for resumption; 0 keeps none."
        .default("20000");
    "tune.ssl.lifetime" "<seconds:number>" "1.5" "How long a TLS session may be resumed."
        .default("300")
        .refused(NOT_YET, "leave it out; 'tune.ssl.cachesize 0' allows no resumption by session id");
    "tune.ssl.force-private-cache" "" "1.5" "Keeps TLS sessions for each process apart."
        .ignored("there is one process, whose threads share the sessions");
    "tune.ssl.ssl-ctx-cache-size" "<number>" "1.6" "Certificates made on the fly that are remembered."
        .default("1000")
        .ignored("certificates made on the fly ('generate-certificates') are refused");
    "tune.ssl.default-dh-param" "<bits:number>" "1.5" "Size of Diffie-Hellman parameters."
        .default("2048").ignored(NO_DH);
    "tune.ssl.maxrecord" "<number>" "1.5" "Most bytes in a TLS record at the start of a transfer."
        .default("0, no limit")
        .refused(NOT_YET, "leave it out; records are as large as what there is to send");
    "tune.ssl.hard-maxrecord" "<number>" "2.6" "Most bytes in any TLS record."
        .default("0, no limit")
        .refused(NOT_YET, "leave it out; records are as large as what there is to send");
    "tune.ssl.keylog" "{on|off}" "2.2" "Remembers TLS secrets for log lines."
        .default("off")
        .refused(NOT_YET, "leave it out");
    "tune.ssl.capture-buffer-size" "<number>" "2.5" "Bytes of a ClientHello kept for sample fetches."
        .default("0")
        .refused(NOT_YET, "leave it out").once();
    "tune.ssl.capture-cipherlist-size" "<number>" "1.8" "Old name of tune.ssl.capture-buffer-size."
        .deprecated("tune.ssl.capture-buffer-size").default("0")
        .refused(NOT_YET, "leave it out").once();
}
