//! Device detection (HAProxy manual, section 3.1): add-ons that a build of HAProxy may have.

use super::table;
use crate::layer7::keyword::{Keyword, Kind, Sections};
use crate::layer7::tables::why::{DEVICES_INSTEAD as INSTEAD, NO_DEVICES as WHY};

table! { DEVICES: Line, Sections::GLOBAL;
    "51degrees-data-file" "<file>" "1.6" "File of 51Degrees' device data."
        .refused(WHY, INSTEAD);
    "51degrees-property-name-list" "[<property:text>]..." "1.6" "Properties 51Degrees looks up."
        .refused(WHY, INSTEAD);
    "51degrees-property-separator" "<char:text>" "1.6" "What stands between 51Degrees' values."
        .default(",").refused(WHY, INSTEAD);
    "51degrees-cache-size" "<number>" "1.6" "Lookups 51Degrees remembers."
        .refused(WHY, INSTEAD);
    "51degrees-use-performance-graph" "{on|off}" "2.8" "Whether 51Degrees uses its performance graph."
        .refused(WHY, INSTEAD);
    "51degrees-use-predictive-graph" "{on|off}" "2.8" "Whether 51Degrees uses its predictive graph."
        .refused(WHY, INSTEAD);
    "51degrees-drift" "<number>" "2.8" "Drift 51Degrees allows in a match."
        .refused(WHY, INSTEAD);
    "51degrees-difference" "<number>" "2.8" "Difference 51Degrees allows in a match."
        .refused(WHY, INSTEAD);
    "51degrees-allow-unmatched" "{on|off}" "2.8" "Whether 51Degrees answers for devices it does not know."
        .refused(WHY, INSTEAD);
    "deviceatlas-json-file" "<file>" "1.6" "File of DeviceAtlas' data."
        .refused(WHY, INSTEAD);
    "deviceatlas-log-level" "<level:number>" "1.6" "How much DeviceAtlas logs."
        .default("0").refused(WHY, INSTEAD);
    "deviceatlas-properties-cookie" "<cookie:name>" "1.7" "Cookie in which DeviceAtlas' client part sends properties."
        .default("DAPROPS").refused(WHY, INSTEAD);
    "deviceatlas-separator" "<char:text>" "1.6" "What stands between DeviceAtlas' values."
        .default("|").refused(WHY, INSTEAD);
    "wurfl-data-file" "<file>" "1.7" "File of WURFL's device data."
        .refused(WHY, INSTEAD);
    "wurfl-information-list" "[<capability:text>]..." "1.7" "Capabilities WURFL looks up."
        .refused(WHY, INSTEAD);
    "wurfl-information-list-separator" "<char:text>" "1.7" "What stands between WURFL's values."
        .default(",").refused(WHY, INSTEAD);
    "wurfl-patch-file" "[<file>]..." "1.7" "Files that change WURFL's data."
        .refused(WHY, INSTEAD);
    "wurfl-cache-size" "<size>" "1.7" "Lookups WURFL remembers."
        .refused(WHY, INSTEAD);
}
