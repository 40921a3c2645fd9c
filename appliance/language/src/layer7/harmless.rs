//! Keywords of `global` that nearly every configuration has and that have no effect here. Each row
//! says why ignoring it harms nobody.

use super::args::Args;
use super::draft::GlobalDraft;
use super::keyword::{Keyword, Sections};

const GLOBAL: Sections = Sections::GLOBAL;

const USER: &str = "each of Lanai's processes has a user of its own, chosen when it is started";

type Row = Keyword<GlobalDraft>;

pub(super) const KEYWORDS: &[Row] = &[
    Row::new(
        "daemon",
        GLOBAL,
        "",
        "Puts the process into the background.",
        no_argument,
    )
    .accepted("whoever starts the process decides that; on the command line it is -D"),
    Row::new(
        "master-worker",
        GLOBAL,
        "[no-exit-on-failure]",
        "Runs workers under a master process.",
        any_arguments,
    )
    .accepted("Lanai's parent process always supervises the engine"),
    Row::new(
        "user",
        GLOBAL,
        "<name>",
        "User of the process.",
        one_argument,
    )
    .accepted(USER)
    .once(),
    Row::new(
        "group",
        GLOBAL,
        "<name>",
        "Group of the process.",
        one_argument,
    )
    .accepted(USER)
    .once(),
    Row::new(
        "uid",
        GLOBAL,
        "<number>",
        "User of the process.",
        one_argument,
    )
    .accepted(USER)
    .once(),
    Row::new(
        "gid",
        GLOBAL,
        "<number>",
        "Group of the process.",
        one_argument,
    )
    .accepted(USER)
    .once(),
    Row::new(
        "chroot",
        GLOBAL,
        "<dir>",
        "Directory the process is locked into.",
        one_argument,
    )
    .accepted("the engine runs confined without it, and file names keep their meaning")
    .once(),
    Row::new(
        "pidfile",
        GLOBAL,
        "<file>",
        "File for the process number.",
        one_argument,
    )
    .accepted("on the command line it is -p; the appliance needs none")
    .once(),
    Row::new(
        "ulimit-n",
        GLOBAL,
        "<number>",
        "Most open files.",
        one_number,
    )
    .accepted("the limit is raised to what maxconn needs")
    .once(),
    Row::new(
        "node",
        GLOBAL,
        "<name>",
        "Name of this box in statistics.",
        one_argument,
    )
    .accepted("shown only where statistics name the box"),
    Row::new(
        "description",
        GLOBAL,
        "<text>",
        "Describes this box in statistics.",
        any_arguments,
    )
    .accepted("shown only where statistics describe the box"),
    Row::new(
        "quiet",
        GLOBAL,
        "",
        "Prints no messages at start.",
        no_argument,
    )
    .accepted("on the command line it is -q"),
    Row::new(
        "ca-base",
        GLOBAL,
        "<dir>",
        "Directory that relative names of authorities' certificates start from.",
        one_argument,
    )
    .accepted("no keyword that names such a file is accepted yet")
    .once(),
];

fn no_argument(_draft: &mut GlobalDraft, args: &mut Args<'_>) {
    args.end_of_line();
}

fn one_argument(_draft: &mut GlobalDraft, args: &mut Args<'_>) {
    if args.require("an argument").is_some() {
        args.end_of_line();
    }
}

fn one_number(_draft: &mut GlobalDraft, args: &mut Args<'_>) {
    args.only_number(0..=u32::MAX);
}

fn any_arguments(_draft: &mut GlobalDraft, args: &mut Args<'_>) {
    args.rest();
}
