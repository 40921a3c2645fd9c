//! `-v` and `-vv`. Tools look for `HAProxy version` (third word) and `TARGET  =`; the rest says who
//! we really are.

use crate::facts;

/// What `-v` prints.
pub(crate) fn short() -> String {
    format!(
        "HAProxy version {} {} - the language and interfaces this program follows\n\
         Status: Lanai {}, a load balancer of its own; it contains no code of HAProxy.\n\
         Running on: {}\n",
        facts::version(),
        facts::RELEASE_DATE,
        env!("CARGO_PKG_VERSION"),
        kernel(),
    )
}

/// What `-vv` prints.
pub(crate) fn detailed() -> String {
    let features = facts::facts()
        .features
        .into_iter()
        .map(|name| format!("+{name}"));
    let features: Vec<String> = features.collect();
    format!(
        "{}Build options :\n\
         \x20 TARGET  = linux-glibc\n\
         \n\
         Feature list : {}\n\
         \n\
         Default settings :\n\
         \x20 bufsize = 16384, maxrewrite = 1024, maxpollevents = 200\n\
         \n\
         Built with multi-threading support.\n\
         Built with TLS by : rustls with aws-lc-rs (TLSv1.2 TLSv1.3)\n\
         \n\
         Available polling systems :\n\
         \x20     epoll : pref=300,  test result OK\n\
         Total: 1 (1 usable), will use epoll.\n",
        short(),
        features.join(" "),
    )
}

/// What to print when the command line is not understood.
pub(crate) const USAGE: &str = "\
Usage : lanai proxy [-f <file|directory>]* [-c] [-d|-db|-D] [-W|-Ws] [-p <pidfile>] [-- <file>*]
  -f    a configuration file, or a directory whose *.cfg are read in order; may be repeated
  -c    check the configuration and exit: 0 good, 1 refused, 2 no listener
  -cc   evaluate the condition that follows and exit: 0 true, 1 false, 2 not understood
  -v    version; -vv also what it was built with
  -V    more messages; -q none
  -d    stay in the foreground and talk; -db only stay in the foreground
  -D    leave the terminal once everything listens
  -W    reload on SIGUSR2; -Ws also tell the service manager
  -dW   a warning at start is an error; -dD show suggestions of style
  -C    change to this directory first
  -L    the name among peers (default: the host's name)
  -n    the most connections of the process
  -p    write the process id to this file
  -sf   finish, -st stop the processes whose ids follow, once everything listens
  Accepted and without effect: -m, -N, -S, -x and every other -d flag.
";

fn kernel() -> String {
    nix::sys::utsname::uname().map_or_else(
        |_| "unknown".to_owned(),
        |name| {
            let part = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
            format!(
                "{} {} {}",
                part(name.sysname()),
                part(name.release()),
                part(name.machine())
            )
        },
    )
}
