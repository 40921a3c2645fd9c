//! Words of HAProxy's manual that are not supported yet. They are named so that a person is told
//! that, and not that the word is unknown; a word leaves its list when it gets a row in a table.

/// Words separated by white space.
#[derive(Clone, Copy)]
pub(super) struct Words(&'static str);

impl Words {
    /// Whether this is one of them.
    pub(super) fn contains(self, word: &str) -> bool {
        self.0.split_ascii_whitespace().any(|known| known == word)
    }
}

/// Words of a line, by the number of their arguments.
pub(super) struct Arity {
    none: Words,
    one: Words,
    /// Arguments up to the end of the line.
    rest: Words,
}

impl Arity {
    /// How many arguments follow this word, if it is one of them.
    pub(super) fn of(&self, word: &str) -> Option<usize> {
        if self.none.contains(word) {
            Some(0)
        } else if self.one.contains(word) {
            Some(1)
        } else {
            self.rest.contains(word).then_some(usize::MAX)
        }
    }
}

/// Keywords of `global`.
pub(super) const GLOBAL: Words = Words(
    "anonkey busy-polling cluster-secret cpu-affinity cpu-map cpu-policy cpu-set debug.counters \
     default-path deviceatlas-json-file deviceatlas-log-level deviceatlas-properties-cookie \
     deviceatlas-separator dns-accept-family expose-deprecated-directives \
     expose-experimental-directives external-check fd-hard-limit force-cfg-parser-pause grace \
     h1-accept-payload-with-any-method h1-case-adjust h1-case-adjust-file \
     h1-do-not-close-on-insecure-transfer-encoding h2-workaround-bogus-websocket-clients \
     harden.reject-privileged-ports.quic harden.reject-privileged-ports.tcp \
     httpclient.resolvers.disabled httpclient.resolvers.id httpclient.resolvers.prefer \
     httpclient.retries httpclient.ssl.ca-file httpclient.ssl.verify httpclient.timeout.connect \
     insecure-fork-wanted insecure-setuid-wanted issuers-chain-path jwt.decrypt_alg_list \
     jwt.decrypt_enc_list key-base limited-quic localpeer log-send-hostname log-tag lua-load \
     lua-load-per-thread lua-prepend-path max-spread-checks max-threads-per-group \
     maxcompcpuusage maxcomprate maxconnrate maxpipes maxsessrate maxsslconn maxsslrate \
     maxzlibmem mworker-max-reloads no-memory-trimming noepoll noevports nogetaddrinfo nokqueue \
     noktls nopoll noreuseport nosplice numa-cpu-mapping ocsp-update.disable \
     ocsp-update.httpproxy ocsp-update.maxdelay ocsp-update.mindelay ocsp-update.mode \
     pp2-never-send-local prealloc-fd profiling.memory profiling.tasks server-state-base \
     server-state-file set-dumpable set-var spread-checks ssl-default-bind-ciphers \
     ssl-default-bind-ciphersuites ssl-default-bind-client-sigalgs ssl-default-bind-curves \
     ssl-default-bind-sigalgs ssl-default-server-ciphers ssl-default-server-ciphersuites \
     ssl-default-server-client-sigalgs ssl-default-server-curves ssl-default-server-options \
     ssl-default-server-sigalgs ssl-dh-param-file ssl-engine ssl-mode-async ssl-propquery \
     ssl-provider ssl-provider-path ssl-security-level ssl-server-verify \
     ssl-skip-self-issued-ca stats-file strict-limits tune.applet.zero-copy-forwarding \
     tune.buffers.limit tune.buffers.reserve tune.bufsize.large tune.bufsize.small \
     tune.cli.max-payload-size tune.comp.maxlevel tune.defaults.purge tune.disable-fast-forward \
     tune.disable-zero-copy-forwarding tune.epoll.mask-events tune.events.max-events-at-once \
     tune.fail-alloc tune.fd.edge-triggered tune.fd.tables tune.h1.be.glitches-threshold \
     tune.h1.fe.glitches-threshold tune.h1.zero-copy-fwd-recv tune.h1.zero-copy-fwd-send \
     tune.h2.be.glitches-threshold tune.h2.be.initial-window-size \
     tune.h2.be.max-concurrent-streams tune.h2.be.max-frames-at-once tune.h2.be.rxbuf \
     tune.h2.fe.glitches-threshold tune.h2.fe.initial-window-size \
     tune.h2.fe.max-concurrent-streams tune.h2.fe.max-frames-at-once tune.h2.fe.max-rst-at-once \
     tune.h2.fe.max-total-streams tune.h2.fe.rxbuf tune.h2.header-table-size \
     tune.h2.initial-window-size tune.h2.max-concurrent-streams tune.h2.max-frame-size \
     tune.h2.zero-copy-fwd-send tune.http.cookielen tune.http.logurilen tune.http.maxhdr \
     tune.idle-pool.shared tune.idletimer tune.lua.bool-sample-conversion \
     tune.lua.burst-timeout tune.lua.forced-yield tune.lua.log.loggers tune.lua.log.stderr \
     tune.lua.maxmem tune.lua.openlibs tune.lua.service-timeout tune.lua.session-timeout \
     tune.lua.task-timeout tune.max-checks-per-thread tune.max-rules-at-once tune.maxaccept \
     tune.maxpollevents tune.memory.hot-size tune.pattern.cache-size \
     tune.peers.max-updates-at-once tune.pipesize tune.pool-high-fd-ratio \
     tune.pool-low-fd-ratio tune.pt.zero-copy-forwarding tune.quic.be.cc.cubic-min-losses \
     tune.quic.be.cc.hystart tune.quic.be.cc.max-frame-loss tune.quic.be.cc.max-win-size \
     tune.quic.be.cc.reorder-ratio tune.quic.be.max-idle-timeout \
     tune.quic.be.sec.glitches-threshold tune.quic.be.stream.data-ratio \
     tune.quic.be.stream.max-concurrent tune.quic.be.stream.rxbuf tune.quic.be.tx.pacing \
     tune.quic.be.tx.udp-gso tune.quic.fe.cc.cubic-min-losses tune.quic.fe.cc.hystart \
     tune.quic.fe.cc.max-frame-loss tune.quic.fe.cc.max-win-size tune.quic.fe.cc.reorder-ratio \
     tune.quic.fe.max-idle-timeout tune.quic.fe.sec.glitches-threshold \
     tune.quic.fe.sec.retry-threshold tune.quic.fe.sock-per-conn tune.quic.fe.stream.data-ratio \
     tune.quic.fe.stream.max-concurrent tune.quic.fe.stream.max-total tune.quic.fe.stream.rxbuf \
     tune.quic.fe.tx.pacing tune.quic.fe.tx.udp-gso tune.quic.listen tune.quic.mem.tx-max \
     tune.quic.zero-copy-fwd-send tune.rcvbuf.backend tune.rcvbuf.client tune.rcvbuf.frontend \
     tune.rcvbuf.server tune.recv_enough tune.renice.runtime tune.renice.startup \
     tune.ring.queues tune.runqueue-depth tune.sched.low-latency tune.sndbuf.backend \
     tune.sndbuf.client tune.sndbuf.frontend tune.sndbuf.server tune.ssl.capture-buffer-size \
     tune.ssl.capture-cipherlist-size tune.ssl.certificate-compression \
     tune.ssl.default-dh-param tune.ssl.force-private-cache tune.ssl.hard-maxrecord \
     tune.ssl.keylog tune.ssl.keyupdate-rate-limit tune.ssl.lifetime tune.ssl.maxrecord \
     tune.ssl.ocsp-update.maxdelay tune.ssl.ocsp-update.mindelay tune.ssl.ssl-ctx-cache-size \
     tune.stick-counters tune.streams-elasticity tune.takeover-other-tg-connections \
     tune.vars.global-max-size tune.vars.proc-max-size tune.vars.reqres-max-size \
     tune.vars.sess-max-size tune.vars.txn-max-size tune.zlib.memlevel tune.zlib.windowsize \
     unix-bind warn-blocked-traffic-after wurfl-cache-size wurfl-data-file \
     wurfl-information-list wurfl-information-list-separator zero-warning",
);

/// First words of keywords of proxies.
pub(super) const PROXY: Words = Words(
    "be-unpublished capture clitcpka-cnt clitcpka-idle clitcpka-intvl compression cookie \
     declare disabled dispatch email-alert enabled error-log-format errorfile errorfiles \
     errorloc errorloc302 errorloc303 external-check filter filter-sequence force-be-switch \
     fullconn guid hash-balance-factor hash-preserve-affinity hash-type \
     http-check http-error http-send-name-header \
     id load-server-state-from-file log-format log-format-sd log-steps log-tag \
     max-keep-alive-queue max-session-srv-conns monitor-uri persist \
     rate-limit retry-on server-state-file-name server-template source srvtcpka-cnt \
     srvtcpka-idle srvtcpka-intvl stats stick stick-table tcp-check \
     unique-id-format unique-id-header use-fcgi-app ",
);

/// Second words of keywords whose first is supported with others.
pub(super) const SECOND_WORDS: &[(&str, Words)] = &[
    ("option", OPTIONS),
    ("timeout", Words("client-hs")),
    ("tcp-request", Words("inspect-delay")),
    ("tcp-response", Words("inspect-delay")),
];

const OPTIONS: Words = Words(
    "abortonclose allbackups checkcache clitcpka contstats disable-h2-upgrade dontlog-normal \
     external-check forwarded h1-case-adjust-bogus-client h1-case-adjust-bogus-server \
     http-buffer-request http-drop-request-trailers http-drop-response-trailers \
     http-ignore-probes http-no-delay http-pretend-keepalive http-restrict-req-hdr-names \
     http-use-proxy-header httpchk httpslog idle-close-on-response independent-streams \
     ldap-check log-health-checks log-separate-errors logasap mysql-check nolinger originalto \
     persist pgsql-check prefer-last-server redis-check redispatch smtpchk socket-stats \
     splice-auto splice-request splice-response spop-check srvtcpka ssl-hello-chk tcp-check \
     tcp-smart-accept tcp-smart-connect tcpka use-small-buffers",
);

/// Words of a `bind` line.
pub(super) const BIND: Arity = Arity {
    none: Words(
        "accept-proxy allow-0rtt defer-accept force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 \
     force-tlsv13 generate-certificates no-alpn no-ca-names no-sslv3 no-strict-sni no-tlsv10 \
     no-tlsv11 no-tlsv12 no-tlsv13 prefer-client-ciphers quic-force-retry strict-sni tfo \
     tls-tickets transparent v4v6 v6only",
    ),
    one: Words(
        "accept-netscaler-cip alpn ca-file ca-ignore-err ca-sign-file ca-sign-pass ca-verify-file \
     cc ciphers ciphersuites client-sigalgs crl-file crt-ignore-err crt-list curves default-crt \
     ecdhe expose-fd gid group guid-prefix id idle-ping label level mode mss namespace nice npn \
     process proto severity-output shards sigalgs tcp-md5sig tcp-ss tcp-ut thread \
     tls-ticket-keys uid user verify",
    ),
    rest: Words("ech ktls nbconn quic-cc-algo quic-socket"),
};

/// Words of a `server` line.
pub(super) const SERVER: Arity = Arity {
    none: Words(
        "agent-check allow-0rtt backup check-reuse-pool check-send-proxy check-sni-auto check-ssl \
     check-via-socks4 disabled enabled force-sslv3 force-tlsv10 force-tlsv11 force-tlsv12 \
     force-tlsv13 init-state no-agent-check no-backup no-check-reuse-pool no-check-send-proxy \
     no-check-sni-auto no-check-ssl no-renegotiate no-send-proxy no-send-proxy-v2 \
     no-send-proxy-v2-ssl no-send-proxy-v2-ssl-cn no-sni-auto no-ssl no-ssl-reuse no-sslv3 \
     no-tfo no-tls-tickets no-tlsv10 no-tlsv11 no-tlsv12 no-tlsv13 no-verifyhost non-stick \
     renegotiate send-proxy send-proxy-v2 send-proxy-v2-ssl send-proxy-v2-ssl-cn sni-auto ssl \
     ssl-reuse stick strict-maxconn tfo tls-tickets",
    ),
    one: Words(
        "addr agent-addr agent-inter agent-port agent-send alpn ca-file cc check-alpn \
     check-pool-conn-name check-proto check-sni ciphers ciphersuites client-sigalgs cookie \
     crl-file crt curves error-limit guid hash-key healthcheck id idle-ping init-addr \
     log-bufsize log-proto max-reuse maxqueue minconn namespace npn observe on-error \
     on-marked-down on-marked-up pool-conn-name pool-low-conn pool-max-conn pool-purge-delay \
     proto proxy-v2-options redir resolve-net resolve-opts resolve-prefer resolvers \
     set-proxy-v2-tlv-fmt shard sigalgs slowstart sni socks4 ssl-max-ver ssl-min-ver tcp-md5sig \
     tcp-ut track verify verifyhost ws",
    ),
    rest: Words("ktls source usesrc"),
};
