//! Files of HAProxy's language on a command line: behind `-f` as HAProxy takes them, or alone.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

/// Such files and directories, in the order in which they were named.
#[derive(Clone, Debug, Default)]
pub(super) struct Named {
    pub(super) files: Vec<PathBuf>,
}

const ALONE: &str = "files";
const BEHIND_FLAG: &str = "flagged";

impl clap::Args for Named {
    fn augment_args(command: Command) -> Command {
        let file = |name: &'static str| {
            Arg::new(name)
                .value_name("FILE")
                .action(ArgAction::Append)
                .value_parser(value_parser!(PathBuf))
        };
        command
            .arg(
                file(ALONE)
                    .num_args(0..)
                    .help("HAProxy configuration: a file, or a directory of *.cfg; several are read in this order"),
            )
            .arg(file(BEHIND_FLAG).short('f').help("The same, as HAProxy takes it"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Named {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut named = Self::default();
        named.update_from_arg_matches(matches)?;
        Ok(named)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let mut found: Vec<(usize, PathBuf)> = Vec::new();
        for name in [ALONE, BEHIND_FLAG] {
            let places = matches.indices_of(name).into_iter().flatten();
            let paths = matches.get_many::<PathBuf>(name).into_iter().flatten();
            found.extend(places.zip(paths.cloned()));
        }
        found.sort_by_key(|(place, _)| *place);
        self.files = found.into_iter().map(|(_, path)| path).collect();
        Ok(())
    }
}
