//! The rows of `server` lines (HAProxy manual, section 5.2).

use super::table;
use crate::layer7::keyword::{Keyword, Kind, Sections};

table! { SERVER: Server, Sections::BACK;
    "check" "" "1.3" "Checks the server's health.";
    "no-check" "" "1.8" "Does not, after a default-server that does.";
    "downinter" "<time>" "1.3" "Time between checks of a server that is down.";
    "fall" "<number>" "1.3" "Failed checks in a row after which a server is down.";
    "fastinter" "<time>" "1.3" "Time between checks while a server's state is changing.";
    "inter" "<time>" "1.3" "Time between checks.";
    "maxconn" "<number>" "1.3" "Most connections to it at one time; 0 is no limit.";
    "port" "<port>" "1.3" "Port that is checked.";
    "rise" "<number>" "1.3" "Good checks in a row after which a server is up.";
    "weight" "<number>" "1.3" "Share of the load, from 0 (none) to 256; 1 if left out.";
}
