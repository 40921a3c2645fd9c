//! Conditional blocks (HAProxy manual, section 2.4): lines that start with a dot, and what their
//! conditions may ask.

use super::table;
use crate::layer7::keyword::{Keyword, Kind, Sections};

table! { DIRECTIVES: Directive, Sections::NONE;
    ".if" "<condition:text>..." "2.4" "Counts the lines up to its .endif only if the condition holds.";
    ".elif" "<condition:text>..." "2.4" "Counts the lines that follow if no branch before did and the condition holds.";
    ".else" "" "2.4" "Counts the lines that follow if no branch before did.";
    ".endif" "" "2.4" "Ends the innermost .if.";
    ".diag" "[<message:text>]" "2.4" "Says something when diagnostics are wanted.";
    ".notice" "[<message:text>]" "2.4" "Says something.";
    ".warning" "[<message:text>]" "2.4" "Says something as a warning.";
    ".alert" "[<message:text>]" "2.4" "Says something and refuses the configuration.";
}

table! { PREDICATES: Predicate, Sections::NONE;
    "awslc_api_atleast" "(<number>)" "3.3" "Whether the TLS library is AWS-LC with at least this API number.";
    "awslc_api_before" "(<number>)" "3.3" "Whether the TLS library is AWS-LC with an older API number.";
    "defined" "(<name>)" "2.4" "Whether there is an environment variable of this name, even an empty one.";
    "enabled" "(<option:name>)" "2.8" "Whether something that can be turned off at the start is on, such as EPOLL.";
    "feature" "(<feature:name>)" "2.4" "Whether something is built in, such as THREAD.";
    "fips_mode" "" "3.5" "Whether the TLS library is in FIPS mode.";
    "openssl_version_atleast" "(<version:text>)" "2.5" "Whether the TLS library is OpenSSL of at least this version.";
    "openssl_version_before" "(<version:text>)" "2.5" "Whether the TLS library is OpenSSL of an older version.";
    "ssllib_name_startswith" "(<start:text>)" "2.5" "Whether the TLS library's name starts so.";
    "streq" "(<text>,<text>)" "2.4" "Whether two texts are the same.";
    "strneq" "(<text>,<text>)" "2.4" "Whether two texts differ.";
    "strstr" "(<text>,<text>)" "2.8" "Whether the first text contains the second.";
    "version_atleast" "(<version:text>)" "2.4" "Whether the language is that of this HAProxy version or a newer one.";
    "version_before" "(<version:text>)" "2.4" "Whether the language is that of an older HAProxy version.";
}
