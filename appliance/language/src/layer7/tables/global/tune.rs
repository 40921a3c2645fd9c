//! Tuning (HAProxy manual, section 3.2).

use super::table;
use crate::layer7::keyword::{Keyword, Kind, Sections};
use crate::layer7::tables::why::*;

table! { TUNE: Line, Sections::GLOBAL;
    "busy-polling" "" "1.9" "Threads ask the kernel again and again rather than sleep."
        .ignored(WORK).negatable();
    "noepoll" "" "1.3" "Does not use epoll."
        .ignored(POLLER);
    "noevports" "" "2.0" "Does not use Solaris' event ports."
        .ignored(POLLER);
    "nokqueue" "" "1.3" "Does not use BSD's kqueue."
        .ignored(POLLER);
    "nopoll" "" "1.3" "Does not use poll."
        .ignored(POLLER);
    "nogetaddrinfo" "" "1.5" "Resolves names at the start with an older function."
        .ignored("names of servers are resolved when a change is prepared, with the system's resolver");
    "noreuseport" "" "1.7" "Does not set SO_REUSEPORT on listening sockets."
        .ignored("it is set only where two binds share a port");
    "nosplice" "" "1.3" "Does not move data through pipes."
        .ignored(SPLICE);
    "no-memory-trimming" "" "2.6" "Does not give free memory back to the system."
        .ignored(MEMORY);
    "tune.bufsize" "<size 1024..268435456>" "1.4" "Bytes of one buffer, and so the limit of a message head."
        .default("16384");
    "tune.bufsize.small" "<size>" "3.1" "Bytes of a small buffer."
        .default("1024").ignored(MEMORY);
    "tune.maxrewrite" "<size 0..268435456>" "1.4" "Bytes of a buffer kept free for what rules add to a message head."
        .default("1024");
    "tune.buffers.limit" "<number>" "1.6" "Most buffers of the process."
        .default("0, no limit").ignored(MEMORY);
    "tune.buffers.reserve" "<number>" "1.6" "Buffers kept for when memory is short."
        .default("2").ignored(MEMORY);
    "tune.memory.hot-size" "<size>" "2.8" "Memory each thread keeps for reuse."
        .default("524288").ignored(MEMORY);
    "tune.fail-alloc" "<percent:number 0..100>" "2.0" "Lets so many requests for memory fail, to try that out."
        .ignored("it is meant for HAProxy's developers");
    "tune.comp.maxlevel" "<number 1..9>" "1.5" "Highest level of compression."
        .default("1").ignored(COMPRESSION);
    "tune.zlib.memlevel" "<number 1..9>" "1.5" "Memory of one compression."
        .default("8").ignored(COMPRESSION);
    "tune.zlib.windowsize" "<number 8..15>" "1.5" "Window of one compression."
        .default("15").ignored(COMPRESSION);
    "tune.disable-fast-forward" "" "2.8" "Handles each piece of data on its way."
        .ignored(FORWARDING);
    "tune.disable-zero-copy-forwarding" "" "2.9" "Copies data between buffers on its way."
        .ignored(FORWARDING);
    "tune.applet.zero-copy-forwarding" "{on|off}" "3.0" "Whether answers of HAProxy's own services are copied on their way."
        .default("on").ignored(FORWARDING);
    "tune.pt.zero-copy-forwarding" "{on|off}" "2.9" "Whether data in TCP mode is copied on its way."
        .default("on").ignored(FORWARDING);
    "tune.h1.zero-copy-fwd-recv" "{on|off}" "2.9" "Whether received HTTP/1 data is copied on its way."
        .default("on").ignored(FORWARDING);
    "tune.h1.zero-copy-fwd-send" "{on|off}" "2.9" "Whether sent HTTP/1 data is copied on its way."
        .default("on").ignored(FORWARDING);
    "tune.epoll.mask-events" "<events:list>" "3.2" "Events of epoll that are not looked at."
        .ignored(WORK);
    "tune.events.max-events-at-once" "<number 1..10000>" "2.9" "Events handled before others have their turn."
        .default("100").ignored(WORK);
    "tune.fd.edge-triggered" "{on|off}" "2.2" "Whether epoll is used edge-triggered."
        .default("off").ignored("the engine's epoll always is");
    "tune.glitches.kill.cpu-usage" "<percent:number 0..100>" "3.2" "Closes connections with many protocol errors only when the process is busier than this."
        .default("0").ignored(H2);
    "tune.http.cookielen" "<number>" "1.5" "Longest cookie that is captured."
        .default("63")
        .ignored("captures of cookies are refused where they are asked for");
    "tune.http.logurilen" "<number>" "1.8" "Longest request line in log lines."
        .default("1024")
        .refused(NOT_YET, "leave it out; 'len' on the log line bounds the whole line");
    "tune.http.maxhdr" "<number 1..32767>" "1.5" "Most headers of a message."
        .default("101")
        .refused(NOT_YET, "leave it out; a message has 101 headers at most");
    "tune.idle-pool.shared" "{on|off}" "2.2" "Whether threads take idle server connections from one another."
        .default("on").ignored(POOLS);
    "tune.pool-high-fd-ratio" "<percent:number 0..100>" "2.0" "Share of the descriptors from which idle server connections are closed."
        .default("25").ignored(POOLS);
    "tune.pool-low-fd-ratio" "<percent:number 0..100>" "2.0" "Share of the descriptors from which server connections are no longer kept idle."
        .default("20").ignored(POOLS);
    "tune.takeover-other-tg-connections" "{none|restricted|full}" "3.2" "Whether idle server connections of other thread groups are used."
        .default("none").ignored(POOLS);
    "tune.idletimer" "<time 0..65535>" "1.5" "Silence after which a stream counts as idle, and is sent in small pieces again."
        .default("1s").ignored(FORWARDING);
    "tune.recv_enough" "<size>" "1.7" "Bytes after which a socket is not read again at once."
        .default("10136").ignored(FORWARDING);
    "tune.listener.default-shards" "{by-process|by-thread|by-group}" "2.8" "How many sockets a bind opens."
        .default("by-process").ignored("a bind has one socket, which all threads take connections from");
    "tune.listener.multi-queue" "{on|fair|off}" "2.0" "How connections are divided among threads."
        .default("on").ignored(WORK);
    "tune.max-checks-per-thread" "<number>" "2.9" "Health checks at one time and thread."
        .default("0, no limit").ignored(WORK);
    "tune.max-rules-at-once" "<number>" "3.2" "Rules evaluated before others have their turn."
        .default("50").ignored(WORK);
    "tune.maxaccept" "<number -1..2147483647>" "1.3" "Connections taken in a row before others have their turn."
        .default("4").ignored(WORK).first_counts();
    "tune.maxpollevents" "<number>" "1.3" "Events asked of the kernel at once."
        .default("200").ignored(WORK).first_counts();
    "tune.notsent-lowat.client" "<size>" "3.2" "Bytes not yet sent to a client above which no more are given to the kernel."
        .default("0, no limit").ignored(SOCKETS);
    "tune.notsent-lowat.server" "<size>" "3.2" "Bytes not yet sent to a server above which no more are given to the kernel."
        .default("0, no limit").ignored(SOCKETS);
    "tune.rcvbuf.backend" "<size>" "2.9" "Receive buffer of UDP sockets towards servers and log targets."
        .ignored(SOCKETS);
    "tune.rcvbuf.client" "<size>" "1.4" "Receive buffer of clients' sockets."
        .default("0, the kernel's choice").ignored(SOCKETS).first_counts();
    "tune.rcvbuf.frontend" "<size>" "2.9" "Receive buffer of UDP sockets that are listened on."
        .ignored(SOCKETS);
    "tune.rcvbuf.server" "<size>" "1.4" "Receive buffer of servers' sockets."
        .default("0, the kernel's choice").ignored(SOCKETS).first_counts();
    "tune.sndbuf.backend" "<size>" "2.9" "Send buffer of UDP sockets towards servers and log targets."
        .ignored(SOCKETS);
    "tune.sndbuf.client" "<size>" "1.4" "Send buffer of clients' sockets."
        .default("0, the kernel's choice").ignored(SOCKETS).first_counts();
    "tune.sndbuf.frontend" "<size>" "2.9" "Send buffer of UDP sockets that are listened on."
        .ignored(SOCKETS);
    "tune.sndbuf.server" "<size>" "1.4" "Send buffer of servers' sockets."
        .default("0, the kernel's choice").ignored(SOCKETS).first_counts();
    "tune.pattern.cache-size" "<number>" "1.6" "Lookups in lists of patterns that are remembered."
        .default("10000").ignored(WORK);
    "tune.peers.max-updates-at-once" "<number>" "2.7" "Table updates handled in one message to a peer."
        .default("200").ignored("a 'peers' section is refused");
    "tune.pipesize" "<size>" "1.5" "Size of pipes for splicing."
        .ignored(SPLICE);
    "tune.renice.runtime" "<priority:number -20..19>" "3.1" "Priority of the process while it runs."
        .ignored("priorities are set by whoever starts the process");
    "tune.renice.startup" "<priority:number -20..19>" "3.1" "Priority of the process while it starts."
        .ignored("priorities are set by whoever starts the process");
    "tune.ring.queues" "<number>" "3.0" "Queues in front of a ring of messages."
        .ignored("a 'ring' section is refused");
    "tune.runqueue-depth" "<number>" "1.9" "Tasks run before others have their turn."
        .ignored(WORK).first_counts();
    "tune.sched.low-latency" "{on|off}" "2.2" "Has urgent tasks run between any two others."
        .default("off").ignored(WORK);
    "tune.stick-counters" "<number 0..100>" "2.8" "Counters of stick tables that one stream can have."
        .default("3").ignored(TABLES);
    "tune.vars.global-max-size" "<size>" "1.6" "Most memory for variables of all scopes."
        .default("0, no limit").ignored(VARIABLES);
    "tune.vars.proc-max-size" "<size>" "1.7" "Most memory for variables of the process."
        .default("0, no limit").ignored(VARIABLES);
    "tune.vars.reqres-max-size" "<size>" "1.6" "Most memory for variables of a request or response."
        .default("0, no limit").ignored(VARIABLES);
    "tune.vars.sess-max-size" "<size>" "1.6" "Most memory for variables of a session."
        .default("0, no limit").ignored(VARIABLES);
    "tune.vars.txn-max-size" "<size>" "1.6" "Most memory for variables of a transaction."
        .default("0, no limit").ignored(VARIABLES);
}

// Of protocols and languages that are refused where they are asked for.
table! { TUNE_PROTOCOLS: Line, Sections::GLOBAL;
    "tune.h2.be.glitches-threshold" "<number>" "3.0" "Protocol errors after which an HTTP/2 connection to a server is closed."
        .default("0, no limit").ignored(H2);
    "tune.h2.be.initial-window-size" "<number 0..2147483647>" "2.8" "HTTP/2 window for data from servers."
        .ignored(H2);
    "tune.h2.be.max-concurrent-streams" "<number>" "2.8" "HTTP/2 streams on a connection to a server."
        .ignored(H2);
    "tune.h2.be.rxbuf" "<size>" "3.1" "Most bytes buffered of an HTTP/2 connection to a server."
        .ignored(H2);
    "tune.h2.fe.glitches-threshold" "<number>" "3.0" "Protocol errors after which a client's HTTP/2 connection is closed."
        .default("0, no limit").ignored(H2);
    "tune.h2.fe.initial-window-size" "<number 0..2147483647>" "2.8" "HTTP/2 window for data from clients."
        .ignored(H2);
    "tune.h2.fe.max-concurrent-streams" "<number>" "2.8" "HTTP/2 streams on a client's connection."
        .ignored(H2);
    "tune.h2.fe.max-total-streams" "<number>" "3.0" "HTTP/2 streams after which a client's connection is closed."
        .default("0, no limit").ignored(H2);
    "tune.h2.fe.rxbuf" "<size>" "3.1" "Most bytes buffered of a client's HTTP/2 connection."
        .ignored(H2);
    "tune.h2.header-table-size" "<number 0..65535>" "1.8" "Size of HTTP/2's table of headers."
        .default("4096").ignored(H2);
    "tune.h2.initial-window-size" "<number 0..2147483647>" "1.8" "HTTP/2 window of both sides."
        .default("65536").ignored(H2);
    "tune.h2.max-concurrent-streams" "<number>" "1.8" "HTTP/2 streams on a connection of either side."
        .default("100").ignored(H2);
    "tune.h2.max-frame-size" "<number 16384..16777215>" "2.0" "Largest HTTP/2 frame that is taken."
        .default("16384").ignored(H2);
    "tune.h2.zero-copy-fwd-send" "{on|off}" "2.9" "Whether sent HTTP/2 data is copied on its way."
        .default("on").ignored(H2);
    "no-quic" "" "2.8" "Takes no QUIC connections."
        .ignored(QUIC);
    "limited-quic" "" "2.9" "Takes QUIC connections with a TLS library that is not made for it."
        .ignored(QUIC);
    "tune.quic.cc-hystart" "{on|off}" "3.0" "Whether Cubic leaves its slow start early."
        .default("off").ignored(QUIC);
    "tune.quic.cc.cubic.min-losses" "<number>" "3.1" "Losses at once that Cubic takes for one."
        .default("1").ignored(QUIC);
    "tune.quic.disable-tx-pacing" "" "3.2" "Sends QUIC packets in bursts."
        .ignored(QUIC);
    "tune.quic.disable-udp-gso" "" "3.1" "Gives the kernel each QUIC packet by itself."
        .ignored(QUIC);
    "tune.quic.frontend.default-max-window-size" "<size 10240..4294967295>" "3.1" "Largest congestion window of a QUIC connection."
        .default("480k").ignored(QUIC);
    "tune.quic.frontend.glitches-threshold" "<number>" "3.0" "Protocol errors after which a QUIC connection is closed."
        .default("0, no limit").ignored(QUIC);
    "tune.quic.frontend.max-data-size" "<size>" "3.2" "Most bytes a QUIC client may send ahead."
        .default("0, from streams and bufsize").ignored(QUIC);
    "tune.quic.frontend.max-idle-timeout" "<time>" "2.6" "Silence after which a QUIC connection is over."
        .default("30s").ignored(QUIC);
    "tune.quic.frontend.max-streams-bidi" "<number>" "2.6" "Streams a QUIC client may open at once."
        .default("100").ignored(QUIC);
    "tune.quic.frontend.max-tx-mem" "<size>" "3.2" "Most memory for data on its way to QUIC clients."
        .ignored(QUIC);
    "tune.quic.frontend.stream-data-ratio" "<percent:number 0..100>" "3.2" "Share of a QUIC connection's window one stream may use."
        .default("90").ignored(QUIC);
    "tune.quic.max-frame-loss" "<number>" "2.8" "Losses of one QUIC frame after which the connection is closed."
        .default("10").ignored(QUIC);
    "tune.quic.reorder-ratio" "<percent:number 0..100>" "3.0" "Share of a window by which QUIC packets may overtake one another."
        .default("50").ignored(QUIC);
    "tune.quic.retry-threshold" "<number>" "2.6" "QUIC handshakes at one time from which clients must prove their address."
        .default("100").ignored(QUIC);
    "tune.quic.socket-owner" "{connection|listener}" "2.8" "Whether each QUIC connection has a socket."
        .default("connection").ignored(QUIC);
    "tune.quic.zero-copy-fwd-send" "{on|off}" "3.0" "Whether sent QUIC data is copied on its way."
        .default("on").ignored(QUIC);
    "tune.lua.bool-sample-conversion" "{normal|pre-3.1-bug}" "3.2" "Whether Lua sees booleans as such."
        .ignored(LUA);
    "tune.lua.burst-timeout" "<time>" "2.8" "Longest time a Lua function may run without a pause."
        .default("1s").ignored(LUA);
    "tune.lua.forced-yield" "<number>" "1.6" "Instructions after which Lua lets others run."
        .default("10000").ignored(LUA);
    "tune.lua.log.loggers" "{on|off}" "2.9" "Whether Lua's messages go to the log."
        .default("on").ignored(LUA);
    "tune.lua.log.stderr" "{on|auto|off}" "2.9" "Whether Lua's messages go to the console."
        .default("auto").ignored(LUA);
    "tune.lua.maxmem" "<megabytes:number>" "1.6" "Most memory for Lua."
        .default("0, no limit").ignored(LUA);
    "tune.lua.service-timeout" "<time>" "1.6" "Longest time a Lua service may run."
        .default("4s").ignored(LUA);
    "tune.lua.session-timeout" "<time>" "1.6" "Longest time Lua may run for one session."
        .default("4s").ignored(LUA);
    "tune.lua.task-timeout" "<time>" "1.6" "Longest time a Lua task may run."
        .default("no limit").ignored(LUA);
}
