//! Settings that HAProxy has since 3.3 (manual of its version 3.5, section 3). A text that asks
//! `version_atleast` before it uses one of them is read like any other.

use super::table;
use crate::layer7::keyword::{Keyword, Kind, Sections};
use crate::layer7::tables::why::*;

table! { RECENT: Line, Sections::GLOBAL;
    "cpu-affinity" "<how:text> [<division:text>]" "3.4" "How threads are bound to the CPUs that were chosen."
        .ignored(CPUS);
    "max-threads-per-group" "<number 1..64>" "3.4" "Most threads of one group."
        .default("16").ignored("threads are not divided into groups");
    "noktls" "" "3.3" "Does not leave TLS records to the kernel."
        .ignored("they never are");
    "jwt.decrypt_alg_list" "<algorithms:text>" "3.4" "Algorithms that the keys of encrypted tokens may use."
        .ignored(TOKENS);
    "jwt.decrypt_enc_list" "<algorithms:text>" "3.4" "Algorithms that encrypted tokens may use."
        .ignored(TOKENS);
    "shm-stats-file" "<name:text>" "3.3" "Shared memory with the counters, which outlive the process there."
        .refused("counters are not kept in shared memory", "leave it out");
    "shm-stats-file-max-objects" "<number>" "3.3" "Most proxies and servers of one thread group in that memory."
        .ignored("'shm-stats-file', which it concerns, is refused");
    "ssl-passphrase-cmd" "<command:text>..." "3.3" "Program that prints the password of a private key."
        .refused(PROGRAMS, "take the password off the key, for example with `openssl pkey`");
    "tune.bufsize.large" "<size>" "3.4" "Bytes of a large buffer."
        .default("0, no large buffers").ignored(MEMORY);
    "tune.cli.max-payload-size" "<size>" "3.4" "Longest payload of a command of the runtime API."
        .default("128k").refused(NOT_YET, "leave it out");
    "tune.defaults.purge" "[<kinds:list>]" "3.4" "Forgets defaults once the configuration is read."
        .ignored(MEMORY);
    "tune.fd.tables" "{shared|per-thread-group}" "3.5" "Whether thread groups share one table of descriptors."
        .default("shared").ignored("threads are not divided into groups");
    "tune.h1.be.glitches-threshold" "<number>" "3.4" "Closes an HTTP/1 connection to a server after so many protocol errors."
        .default("0, never").refused(NOT_YET, "leave it out");
    "tune.h1.fe.glitches-threshold" "<number>" "3.4" "Closes an HTTP/1 connection of a client after so many protocol errors."
        .default("0, never").refused(NOT_YET, "leave it out");
    "tune.h2.be.max-frames-at-once" "<number>" "3.4" "Frames of a server handled before others have their turn."
        .default("0, no limit").ignored(H2);
    "tune.h2.fe.max-frames-at-once" "<number>" "3.4" "Frames of a client handled before others have their turn."
        .default("0, no limit").ignored(H2);
    "tune.h2.fe.max-rst-at-once" "<number>" "3.4" "Resets of a client handled before others have their turn."
        .default("0, no limit").ignored(H2);
    "tune.h2.log-errors" "{none|connection|stream}" "3.4" "Which protocol errors are logged."
        .default("stream").ignored(H2);
    "tune.lua.openlibs" "[<libraries:list>]" "3.4" "Libraries that Lua programs have."
        .default("all").ignored(LUA);
    "tune.quic.listen" "{on|off}" "3.3" "Whether QUIC is listened for."
        .default("on").ignored(QUIC);
    "tune.quic.mem.tx-max" "<size>" "3.3" "Most memory for what is sent over QUIC."
        .ignored(QUIC);
    "tune.ssl.certificate-compression" "{auto|off}" "3.4" "Whether certificates are compressed in the handshake."
        .default("auto").ignored("they never are; a handshake has the same outcome");
    "tune.ssl.keyupdate-rate-limit" "<number>" "3.5" "Closes a connection that renews its keys more often a second."
        .default("100").refused(NOT_YET, "leave it out");
    "tune.streams-elasticity" "<percent:number 100..2147483647>" "3.4" "Streams that are offered to clients, by the number of their connections."
        .ignored(H2);
}

// Settings of QUIC, for connections of clients (`fe`) and to servers (`be`).
table! { RECENT_QUIC: Line, Sections::GLOBAL;
    "tune.quic.be.cc.cubic-min-losses" "<number>" "3.3" "Losses before CUBIC sends less."
        .ignored(QUIC);
    "tune.quic.fe.cc.cubic-min-losses" "<number>" "3.3" "Losses before CUBIC sends less."
        .ignored(QUIC);
    "tune.quic.be.cc.hystart" "{on|off}" "3.3" "Whether slow start ends by HyStart++."
        .ignored(QUIC);
    "tune.quic.fe.cc.hystart" "{on|off}" "3.3" "Whether slow start ends by HyStart++."
        .ignored(QUIC);
    "tune.quic.be.cc.max-frame-loss" "<number>" "3.3" "Closes a connection after one piece of data was lost so often."
        .ignored(QUIC);
    "tune.quic.fe.cc.max-frame-loss" "<number>" "3.3" "Closes a connection after one piece of data was lost so often."
        .ignored(QUIC);
    "tune.quic.be.cc.max-win-size" "<size>" "3.3" "Largest window of congestion control."
        .ignored(QUIC);
    "tune.quic.fe.cc.max-win-size" "<size>" "3.3" "Largest window of congestion control."
        .ignored(QUIC);
    "tune.quic.be.cc.reorder-ratio" "<percent:number 0..100>" "3.3" "Share of the window that may come out of order before it counts as lost."
        .ignored(QUIC);
    "tune.quic.fe.cc.reorder-ratio" "<percent:number 0..100>" "3.3" "Share of the window that may come out of order before it counts as lost."
        .ignored(QUIC);
    "tune.quic.be.max-idle-timeout" "<time>" "3.3" "Silence after which a connection is closed."
        .ignored(QUIC);
    "tune.quic.fe.max-idle-timeout" "<time>" "3.3" "Silence after which a connection is closed."
        .ignored(QUIC);
    "tune.quic.be.sec.glitches-threshold" "<number>" "3.3" "Closes a connection after so many protocol errors."
        .ignored(QUIC);
    "tune.quic.fe.sec.glitches-threshold" "<number>" "3.3" "Closes a connection after so many protocol errors."
        .ignored(QUIC);
    "tune.quic.be.stream.data-ratio" "<percent:number 0..100>" "3.3" "Share of the connection's data that one stream may have."
        .ignored(QUIC);
    "tune.quic.fe.stream.data-ratio" "<percent:number 0..100>" "3.3" "Share of the connection's data that one stream may have."
        .ignored(QUIC);
    "tune.quic.be.stream.max-concurrent" "<number>" "3.3" "Most streams at one time."
        .ignored(QUIC);
    "tune.quic.fe.stream.max-concurrent" "<number>" "3.3" "Most streams at one time."
        .ignored(QUIC);
    "tune.quic.be.stream.rxbuf" "<size>" "3.3" "Bytes of one stream that may wait to be read."
        .ignored(QUIC);
    "tune.quic.fe.stream.rxbuf" "<size>" "3.3" "Bytes of one stream that may wait to be read."
        .ignored(QUIC);
    "tune.quic.be.tx.pacing" "{on|off}" "3.3" "Whether packets are sent at an even pace."
        .ignored(QUIC);
    "tune.quic.fe.tx.pacing" "{on|off}" "3.3" "Whether packets are sent at an even pace."
        .ignored(QUIC);
    "tune.quic.be.tx.udp-gso" "{on|off}" "3.3" "Whether the kernel cuts data into packets."
        .ignored(QUIC);
    "tune.quic.fe.tx.udp-gso" "{on|off}" "3.3" "Whether the kernel cuts data into packets."
        .ignored(QUIC);
    "tune.quic.fe.sec.retry-threshold" "<number>" "3.3" "Half-open connections from which on addresses are verified."
        .ignored(QUIC);
    "tune.quic.fe.sock-per-conn" "{default-on|force-off}" "3.3" "Whether each connection has a socket of its own."
        .ignored(QUIC);
    "tune.quic.fe.stream.max-total" "<number>" "3.4" "Streams after which a connection is closed."
        .ignored(QUIC);
}
