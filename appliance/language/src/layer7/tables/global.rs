//! The rows of `global` (HAProxy manual, section 3).

use super::table;
use crate::layer7::keyword::{Keyword, Kind, Sections};

const USER: &str = "each of Lanai's processes has a user of its own, chosen when it is started";

table! { GLOBAL: Line, Sections::GLOBAL;
    "maxconn" "<number>" "1.3" "Most client connections at one time; 0 or left out leaves it to the process's limits."
        .once();
    "nbthread" "<number>" "1.8" "Worker threads; left out, as many as CPUs may be used.";
    "thread-groups" "<number>" "2.5" "Groups of threads; there is always one.";
    "hard-stop-after" "<time>" "1.8" "How long a stopping process may go on with its connections.";
    "tune.bufsize" "<size>" "1.4" "Bytes of one buffer, and so the limit of a message head.";
    "tune.maxrewrite" "<size>" "1.4" "Bytes of a buffer kept free for what rules add to a message head.";
    "crt-base" "<dir>" "1.5" "Directory that relative names of certificates start from."
        .once();
    "setenv" "<name> <value:text>" "1.7" "Sets an environment variable for the lines that follow.";
    "presetenv" "<name> <value:text>" "1.7" "Sets an environment variable unless it is set already.";
    "unsetenv" "<name>..." "1.7" "Removes environment variables.";
    "resetenv" "[<name>]..." "1.7" "Removes all environment variables but these.";
    "daemon" "" "1.3" "Puts the process into the background."
        .ignored("whoever starts the process decides that; on the command line it is -D");
    "master-worker" "[no-exit-on-failure]" "1.8" "Runs workers under a master process."
        .ignored("Lanai's parent process always supervises the engine");
    "user" "<name>" "1.3" "User of the process."
        .ignored(USER).once();
    "group" "<name>" "1.3" "Group of the process."
        .ignored(USER).once();
    "uid" "<number>" "1.3" "User of the process."
        .ignored(USER).once();
    "gid" "<number>" "1.3" "Group of the process."
        .ignored(USER).once();
    "chroot" "<dir>" "1.3" "Directory the process is locked into."
        .ignored("the engine runs confined without it, and file names keep their meaning").once();
    "pidfile" "<file>" "1.3" "File for the process number."
        .ignored("on the command line it is -p; the appliance needs none").once();
    "ulimit-n" "<number>" "1.3" "Most open files."
        .ignored("the limit is raised to what maxconn needs").once();
    "node" "<name>" "1.4" "Name of this box in statistics."
        .ignored("shown only where statistics name the box");
    "description" "<text>..." "1.4" "Describes this box in statistics."
        .ignored("shown only where statistics describe the box");
    "quiet" "" "1.3" "Prints no messages at start."
        .ignored("on the command line it is -q");
    "ca-base" "<dir>" "1.5" "Directory that relative names of authorities' certificates start from."
        .ignored("no keyword that names such a file is accepted yet").once();
    "log" "<target:text> [len <length:number 80..65535>] [format <format:name>] <facility:name> [<level:name> [<minlevel:name>]]" "1.3" "Where log lines go, for proxies with 'log global'."
        .negatable();
    "ssl-default-bind-options" "<option:text>..." "1.6" "TLS options for all binds that do not set them.";
    "tune.ssl.cachesize" "<number>" "1.5" "TLS sessions kept for resumption; 0 keeps none.";
    "stats socket" "<address:listen> [level {user|operator|admin}|mode <mode:octal>|expose-fd listeners]..." "1.3" "Where the runtime API listens.";
    "stats timeout" "<time>" "1.3" "How long a runtime API connection may be idle.";
    "stats maxconn" "<number>" "1.3" "Most runtime API connections at one time."
        .ignored("the number of runtime API connections is bounded in any case");
}
