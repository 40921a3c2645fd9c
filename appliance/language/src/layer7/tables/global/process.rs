//! Process management, limits and debugging (HAProxy manual, sections 3.1, 3.3 and 3.4).

use super::table;
use crate::layer7::keyword::{Keyword, Kind, Sections};
use crate::layer7::tables::why::*;

table! { PROCESS: Line, Sections::GLOBAL;
    "maxconn" "<number>" "1.3" "Most client connections at one time; 0 or left out leaves it to the process's limits."
        .default("what the limit of open files allows").first_counts();
    "nbthread" "<number 1..1024>" "1.8" "Worker threads."
        .default("as many as CPUs may be used");
    "thread-groups" "<number 1..16>" "2.5" "Groups of threads; here there is always one."
        .default("1")
        .partly("more than one group has no effect, which is warned of");
    "thread-group" "<group:number 1..16> [<range:list>]..." "2.5" "Which threads make up a group."
        .refused("threads are not divided into groups", "leave it out; 'nbthread' says how many threads there are");
    "thread-hard-limit" "<number 1..1024>" "3.0" "Most threads that are started, whatever else is said."
        .refused(NOT_YET, "write 'nbthread' with the number wanted");
    "hard-stop-after" "<time>" "1.8" "How long a stopping process may go on with its connections."
        .default("no limit");
    "close-spread-time" "{infinite|<time>}" "2.6" "Spreads the closing of idle connections over this time when the process stops."
        .refused(NOT_YET, "leave it out; 'hard-stop-after' bounds a stop");
    "grace" "<time>" "1.3" "Waits this long between the signal to stop and stopping."
        .refused(NOT_YET, "leave it out; connections are drained while a process stops");
    "daemon" "" "1.3" "Puts the process into the background."
        .ignored("whoever starts the process decides that; on the command line it is -D").negatable();
    "master-worker" "[no-exit-on-failure]" "1.8" "Runs workers under a master process."
        .ignored("Lanai's parent process always supervises the engine").negatable();
    "mworker-max-reloads" "<number>" "2.0" "Ends a worker that lived through more reloads than this."
        .ignored("an engine goes on through changes; one that was replaced is bounded by hard-stop-after");
    "user" "<name>" "1.3" "User of the process."
        .ignored(USER).first_of("user/uid");
    "group" "<name>" "1.3" "Group of the process."
        .ignored(USER).first_of("group/gid");
    "uid" "<number>" "1.3" "User of the process, as a number."
        .ignored(USER).first_of("user/uid");
    "gid" "<number>" "1.3" "Group of the process, as a number."
        .ignored(USER).first_of("group/gid");
    "chroot" "<dir>" "1.3" "Directory the process is locked into."
        .ignored("the engine runs confined without it, and file names keep their meaning").first_counts();
    "setcap" "<capabilities:list>" "2.9" "Linux capabilities the process keeps when it changes its user."
        .ignored("each of Lanai's processes keeps exactly the capabilities its work needs");
    "pidfile" "<file>" "1.3" "File for the process number."
        .ignored("on the command line it is -p; the appliance needs none").first_counts();
    "ulimit-n" "<number>" "1.3" "Most open files."
        .ignored("the limit is raised to what maxconn needs").first_counts();
    "fd-hard-limit" "<number>" "2.6" "Never more open files than this, whatever the system allows."
        .default("1048576")
        .ignored("the limit is raised to what maxconn needs and no further").first_counts();
    "prealloc-fd" "" "2.8" "Has the kernel make room for all descriptors at the start."
        .ignored("it only moves a pause of the kernel to the start");
    "strict-limits" "" "2.1" "Does not start when the system's limits are too low."
        .default("on")
        .ignored("limits that are too low are always an error").negatable();
    "set-dumpable" "[on|off|libs]" "2.0" "Lets the kernel write a core file when the process dies."
        .ignored("it concerns core files only; the engine's stacks are in its log").negatable();
    "node" "<name>" "1.4" "Name of this box in statistics."
        .ignored("shown only where statistics name the box");
    "description" "<text>..." "1.4" "Describes this box in statistics."
        .ignored("shown only where statistics describe the box");
    "quiet" "" "1.3" "Prints no messages at start."
        .ignored("on the command line it is -q").negatable();
    "zero-warning" "" "2.2" "Refuses a configuration that has warnings."
        .refused(NOT_YET, "leave it out, and give -dW on the command line").negatable();
    "quick-exit" "" "2.7" "Ends without giving memory back piece by piece."
        .ignored("the process always ends that way");
    "anonkey" "<key:number 0..4294967295>" "2.7" "Key with which names are hidden in dumps."
        .ignored("this version's dumps show names as they are");
    "debug.counters" "{on|off}" "3.2" "Keeps HAProxy's own debug counters."
        .ignored("Lanai has no such counters");
    "force-cfg-parser-pause" "<time>" "3.1" "Waits while the configuration is read, to try out slow starts."
        .ignored("it only slows the start down, and is meant for HAProxy's developers");
    "stress-level" "<number 0..9>" "3.2" "Turns on HAProxy's own stress tests."
        .ignored("it is meant for HAProxy's developers");
    "warn-blocked-traffic-after" "<time 1..1000>" "3.1" "Warns when a thread was busy for so long that traffic waited."
        .default("100ms")
        .ignored("the engine's watchdog always watches its threads");
    "profiling.memory" "{on|off}" "2.4" "Counts the memory each part asks for."
        .ignored(PROFILE);
    "profiling.tasks" "{auto|on|off}" "1.9" "Measures the time each task takes."
        .default("auto")
        .ignored(PROFILE);
    "cluster-secret" "<secret:text>" "2.6" "Secret that boxes of one cluster share, from which QUIC tokens are made."
        .ignored(QUIC).first_counts();
    "cpu-map" "<threads:mapped> <cpus>..." "1.5" "Binds threads to CPUs."
        .ignored(CPUS);
    "cpu-policy" "{none|efficiency|first-usable-node|group-by-2-ccx|group-by-2-clusters|group-by-3-ccx|group-by-3-clusters|group-by-4-ccx|group-by-4-clusters|group-by-ccx|group-by-cluster|performance|resource}" "3.2" "How CPUs are chosen for threads."
        .default("first-usable-node")
        .ignored(CPUS);
    "cpu-set" "{reset|drop-cpu <set:text>|only-cpu <set:text>|drop-node <set:text>|only-node <set:text>|drop-cluster <set:text>|only-cluster <set:text>|drop-core <set:text>|only-core <set:text>|drop-thread <set:text>|only-thread <set:text>}..." "3.2" "Which CPUs may be used."
        .ignored(CPUS);
    "numa-cpu-mapping" "" "2.4" "Keeps all threads on the CPUs of one node."
        .default("on")
        .ignored(CPUS).negatable();
    "default-path" "{current|config|parent|origin <dir>}" "2.4" "Directory that relative file names start from."
        .default("current")
        .refused(NOT_YET, "write file names from the root, or leave it out");
    "setenv" "<name> <value:text>" "1.7" "Sets an environment variable for the lines that follow.";
    "presetenv" "<name> <value:text>" "1.7" "Sets an environment variable unless it is set already.";
    "unsetenv" "[<name>]..." "1.7" "Removes environment variables.";
    "resetenv" "[<name>]..." "1.7" "Removes all environment variables but these.";
    "set-var" "<variable:name> <expression>" "1.6" "Sets a variable of the process when it starts."
        .refused(NOT_YET, "leave it out; an environment variable ('setenv') can hold a fixed value");
    "set-var-fmt" "<variable:name> <format>" "2.5" "Sets a variable of the process to a formatted text when it starts."
        .refused(NOT_YET, "leave it out; an environment variable ('setenv') can hold a fixed value");
    "expose-deprecated-directives" "" "3.0" "Lets deprecated keywords without a successor be used in silence."
        .ignored("such keywords are reported in any case");
    "expose-experimental-directives" "" "2.4" "Lets experimental keywords be used."
        .ignored("an experimental keyword is refused by its own name");
    "external-check" "[preserve-env]" "1.6" "Lets backends check servers by starting a program."
        .refused(PROGRAMS, "use 'option httpchk' or 'option tcp-check'");
    "insecure-fork-wanted" "" "2.2" "Lets the process start others while it runs."
        .ignored(PROGRAMS).negatable();
    "insecure-setuid-wanted" "" "2.2" "Lets programs that are started change their user."
        .ignored(PROGRAMS).negatable();
    "h1-accept-payload-with-any-method" "" "2.6" "Takes a body with HTTP/1.0 requests of any method."
        .refused(NOT_YET, "leave it out; such requests are refused, for they can hide another one");
    "h1-case-adjust" "<from:header> <to:header>" "2.1" "Writes a header's name in this case for peers that need it."
        .refused(NOT_YET, "leave it out; names are sent in lower case, and their case means nothing (RFC 9110)");
    "h1-case-adjust-file" "<file>" "2.1" "File of header names with the case they are written in."
        .refused(NOT_YET, "leave it out; names are sent in lower case, and their case means nothing (RFC 9110)");
    "h1-do-not-close-on-insecure-transfer-encoding" "" "3.1" "Keeps a connection whose message had both a length and chunks."
        .refused(NOT_YET, "leave it out; such a message is refused, for it can hide another one");
    "h2-workaround-bogus-websocket-clients" "" "2.5" "Does not offer WebSocket over HTTP/2 to clients that do it wrong."
        .ignored(H2).negatable();
    "harden.reject-privileged-ports.tcp" "{on|off}" "3.0" "Refuses clients whose TCP port is below 1024."
        .default("off")
        .refused(NOT_YET, "leave it out, or filter such clients on the network");
    "harden.reject-privileged-ports.quic" "{on|off}" "3.0" "Refuses clients whose QUIC port is below 1024."
        .default("on")
        .ignored(QUIC);
    "http-err-codes" "<range:text>..." "3.0" "Which statuses count as a client's errors in stick tables."
        .default("400-499")
        .ignored(TABLES);
    "http-fail-codes" "<range:text>..." "3.0" "Which statuses count as a server's failures in stick tables."
        .default("500-599 -501 -505")
        .ignored(TABLES);
    "pp2-never-send-local" "" "2.2" "Sends PROXY instead of LOCAL with health checks, as before 2.1."
        .refused(NOT_YET, "leave it out, unless a server takes checks for failed without it");
    "localpeer" "<name>" "2.2" "Name of this box among its peers."
        .ignored("there are no peers in this version; a 'peers' section is refused");
    "dns-accept-family" "<families:list>" "3.2" "Whether resolvers take IPv4 or IPv6 addresses."
        .default("ipv4,ipv6")
        .refused(NOT_YET, "leave it out; names of servers are resolved when a change is prepared");
    "log" "<target:text> [len <length:number 80..65535>] [format <format:name>] [sample <ranges:text>] [profile <profile:name>] <facility:name> [<level:name> [<minlevel:name>]]" "1.3" "Where log lines go, for proxies with 'log global'."
        .negatable()
        .partly("'sample', 'profile', the formats timed and iso, and targets other than UDP, a UNIX socket or a descriptor are refused");
    "log-send-hostname" "[<name>]" "1.5" "Sends a host name with log lines."
        .refused(NOT_YET, "write 'format rfc3164' or 'format rfc5424' on the log line").first_counts();
    "log-tag" "<tag:text>" "1.5" "What log lines call the program."
        .default("haproxy")
        .refused(NOT_YET, "leave it out; log lines say 'haproxy'");
    "lua-load" "<file> [<argument:text>]..." "1.6" "Loads a Lua program that all threads share."
        .refused(NO_LUA, LUA_INSTEAD);
    "lua-load-per-thread" "<file> [<argument:text>]..." "2.4" "Loads a Lua program once for each thread."
        .refused(NO_LUA, LUA_INSTEAD);
    "lua-prepend-path" "<path:text> [path|cpath]" "2.2" "Where Lua programs look for others first."
        .ignored(LUA);
    "server-state-base" "<dir>" "1.6" "Directory that names of server state files start from."
        .ignored("no keyword that names such a file can be run yet").first_counts();
    "server-state-file" "<file>" "1.6" "File from which the states of servers are restored at the start."
        .refused("states set at run time are kept by Lanai's parent process", "leave it out").first_counts();
    "stats socket" "<address:listen> [level {user|operator|admin}|mode <mode:octal>|user <name>|uid <number>|group <name>|gid <number>|expose-fd listeners|severity-output {none|number|string}|accept-proxy|thread <threads>|process <set:process>|name <name>|id <id:number>|maxconn <number>|backlog <number>|nice <number -1024..1024>]..." "1.3" "Where the runtime API listens."
        .partly("words other than level, mode and expose-fd are refused");
    "stats timeout" "<time>" "1.3" "How long a runtime API connection may be idle."
        .default("10s");
    "stats maxconn" "<number 1..2147483647>" "1.3" "Most runtime API connections at one time."
        .default("10")
        .ignored("the number of runtime API connections is bounded in any case");
    "stats-file" "<file>" "3.0" "File from which counters are restored at the start."
        .refused(NOT_YET, "leave it out; counters go on through a change, and start anew with a new engine");
    "unix-bind" "[prefix <prefix:text>|mode <mode:octal>|user <name>|uid <number>|group <name>|gid <number>]..." "1.5" "What holds for all UNIX sockets that are listened on."
        .refused(NOT_YET, "leave it out; write the whole path on each line");
    "httpclient.resolvers.disabled" "{on|off}" "2.8" "Makes no resolvers section of its own for HAProxy's HTTP client."
        .default("off").ignored(CLIENT);
    "httpclient.resolvers.id" "<name>" "2.6" "Which resolvers HAProxy's HTTP client asks."
        .default("default").ignored(CLIENT);
    "httpclient.resolvers.prefer" "{ipv4|ipv6}" "2.6" "Which address family HAProxy's HTTP client prefers."
        .default("ipv6").ignored(CLIENT);
    "httpclient.retries" "<number>" "2.9" "How often HAProxy's HTTP client tries again."
        .default("3").ignored(CLIENT);
    "httpclient.ssl.ca-file" "<file>" "2.6" "Authorities HAProxy's HTTP client trusts."
        .default("@system-ca").ignored(CLIENT);
    "httpclient.ssl.verify" "[none|required]" "2.6" "Whether HAProxy's HTTP client verifies servers."
        .default("required").ignored(CLIENT);
    "httpclient.timeout.connect" "<time>" "2.9" "How long HAProxy's HTTP client may take to connect."
        .default("5s").ignored(CLIENT);
    "maxcompcpuusage" "<percent:number 0..100>" "1.5" "Compresses less when the process is busier than this."
        .default("100").ignored(COMPRESSION);
    "maxcomprate" "<number>" "1.5" "Most kilobytes a second that are compressed."
        .default("0, no limit").ignored(COMPRESSION);
    "maxzlibmem" "<megabytes:number>" "1.5" "Most memory for compression."
        .default("0, no limit").ignored(COMPRESSION);
    "maxconnrate" "<number>" "1.5" "Most new connections a second."
        .default("0, no limit")
        .refused(NOT_YET, "leave it out; 'maxconn' bounds the connections at one time").first_counts();
    "maxsessrate" "<number>" "1.5" "Most new sessions a second."
        .default("0, no limit")
        .refused(NOT_YET, "leave it out; 'maxconn' bounds the connections at one time").first_counts();
    "maxsslconn" "<number>" "1.5" "Most TLS connections at one time."
        .default("0, no limit")
        .refused(NOT_YET, "leave it out; write 'maxconn' on the binds that speak TLS");
    "maxsslrate" "<number>" "1.5" "Most TLS handshakes a second."
        .default("0, no limit")
        .refused(NOT_YET, "leave it out; 'maxconn' bounds the connections at one time").first_counts();
    "maxpipes" "<number>" "1.3" "Most pipes for splicing."
        .default("a quarter of maxconn").ignored(SPLICE).first_counts();
    "max-spread-checks" "<time>" "1.5" "Spreads the first health checks over no more than this time."
        .ignored("the first checks of all servers are made at once");
    "spread-checks" "<percent:number 0..50>" "1.3" "Lengthens the time between health checks at random by so much."
        .default("0")
        .refused(NOT_YET, "leave it out; give servers different 'inter' times").first_counts();
}
