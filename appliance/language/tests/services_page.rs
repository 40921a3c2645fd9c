//! `docs/services.md` shows the tables that the Services language is read with.
//!
//! `UPDATE_EXPECT=1` writes them anew.
#![allow(
    clippy::panic,
    reason = "test code: an expectation that is not met must end the test"
)]

use std::fmt::Write as _;
use std::path::Path;

use lanai_language::services::{self, DirectiveInfo, KINDS, Source, Status};

#[test]
fn the_services_page_shows_the_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/services.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let (before, rest) = page.split_once(START).expect("the start of the tables");
    let (_, after) = rest.split_once(END).expect("the end of the tables");
    let wanted = format!("{before}{START}{}{END}{after}", tables());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &wanted).expect("the page can be written");
    }
    let page = std::fs::read_to_string(&path).expect("the page");
    assert_eq!(page, wanted, "UPDATE_EXPECT=1 writes the tables anew");
}

const START: &str = "<!-- generated -->\n";
const END: &str = "<!-- end -->\n";

fn tables() -> String {
    let mut page = String::new();
    for kind in KINDS {
        let argument = kind.argument();
        let space = if argument.is_empty() { "" } else { " " };
        let (name, about) = (kind.name(), kind.about());
        writeln!(page, "\n### `service {name}{space}{argument}`\n\n{about}").expect("text");
        writeln!(
            page,
            "\n| line | what it does | whose | applied |\n|---|---|---|---|"
        )
        .expect("text");
        for row in services::directives(kind) {
            writeln!(page, "{}", line(&row)).expect("text");
        }
    }
    writeln!(
        page,
        "\n## Services of ALOHA that are not here\n\n| service | why, and what instead |\n|---|---|"
    )
    .expect("text");
    for (name, why) in services::missing() {
        writeln!(page, "| `{name}` | {why} |").expect("text");
    }
    page.push_str(
        "\n## Kernel settings\n\nBeside these, every setting below `net.ipv4`, `net.ipv6`, `net.core`, `net.netfilter` \
         and `net.unix` may be set\nto words of printable characters; whether the kernel has it is seen when it is applied.\n\n\
         | setting | takes |\n|---|---|\n",
    );
    for (name, what) in services::kernel_settings() {
        writeln!(page, "| `{name}` | {what} |").expect("text");
    }
    page.push('\n');
    page
}

fn line(row: &DirectiveInfo) -> String {
    let whose = match row.source {
        Source::Aloha => "ALOHA",
        Source::Own => "ours",
    };
    let applied = match row.status {
        Status::Applied => "yes".to_owned(),
        Status::OnImage => "on the image".to_owned(),
        Status::Ignored(why) => format!("ignored: {why}"),
        Status::With(line) => format!("with `{line}`"),
        Status::Refused(why) => format!("refused: {why}"),
    };
    let times = if row.many { " May be repeated." } else { "" };
    let usage = row.usage().replace('|', "\\|");
    let about = row.about;
    format!("| `{usage}` | {about}{times} | {whose} | {applied} |")
}
