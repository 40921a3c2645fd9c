//! `stats ...`: the statistics page.

use super::table;
use crate::layer7::keyword::{Keyword, Kind, Modes, Sections};
use crate::layer7::tables::why::*;

table! { STATISTICS: Line, Sections::ALL;
    "stats enable" "" "1.3" "Shows the statistics page."
        .modes(Modes::HTTP)
        .refused(NO_PAGE, PAGE_INSTEAD);
    "stats uri" "<path:text>" "1.3" "Path of the statistics page; it also enables it."
        .modes(Modes::HTTP)
        .default("/haproxy?stats")
        .refused(NO_PAGE, PAGE_INSTEAD);
    "stats auth" "<login:text>" "1.3" "A user and password of the statistics page, with a colon between; it also enables it."
        .modes(Modes::HTTP)
        .refused(NO_PAGE, PAGE_INSTEAD);
    "stats admin" "<condition>" "1.5" "Who may change servers on the statistics page."
        .within(Sections::PROXIES).modes(Modes::HTTP)
        .refused(NO_PAGE, PAGE_INSTEAD);
    "stats http-request" "{allow|deny|auth [realm <realm:text>]} [<condition>]" "1.5" "Who may see the statistics page."
        .within(Sections::PROXIES).modes(Modes::HTTP)
        .refused(NO_PAGE, PAGE_INSTEAD);
    "stats scope" "<proxy:text>" "1.3" "A proxy that the statistics page shows; it also enables it."
        .modes(Modes::HTTP)
        .refused(NO_PAGE, PAGE_INSTEAD);
    "stats realm" "<realm:text>" "1.3" "What the browser is told when it asks for a password; it also enables the page."
        .modes(Modes::HTTP)
        .refused(NO_PAGE, PAGE_INSTEAD);
    "stats refresh" "<time>" "1.3" "How often the statistics page is loaded again; it also enables it."
        .modes(Modes::HTTP)
        .refused(NO_PAGE, PAGE_INSTEAD);
    "stats show-version" "" "3.4" "Shows the version; it also enables the page."
        .modes(Modes::HTTP)
        .refused(NO_PAGE, PAGE_INSTEAD);
    "stats hide-version" "" "1.3" "Does not show the version; it also enables the page."
        .modes(Modes::HTTP)
        .refused(NO_PAGE, PAGE_INSTEAD);
    "stats show-desc" "[<text>]..." "1.4" "Shows a description; it also enables the page."
        .modes(Modes::HTTP)
        .refused(NO_PAGE, PAGE_INSTEAD);
    "stats show-legends" "" "1.4" "Shows more about each proxy; it also enables the page."
        .modes(Modes::HTTP)
        .refused(NO_PAGE, PAGE_INSTEAD);
    "stats show-modules" "" "2.3" "Shows the modules' counters; it also enables the page."
        .modes(Modes::HTTP)
        .refused(NO_PAGE, PAGE_INSTEAD);
    "stats show-node" "[<name>]" "1.4" "Shows the name of the box; it also enables the page."
        .modes(Modes::HTTP)
        .refused(NO_PAGE, PAGE_INSTEAD);
}
