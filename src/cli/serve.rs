//! `quiver serve`: settings from flags, environment and file, then the server.

use std::{collections::BTreeMap, env, path::PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches, ValueHint, value_parser};

use super::Failure;
use crate::{
    app,
    config::{Config, SETTINGS, Setting},
    telemetry,
};

/// What the flags say; they are checked together with the other sources.
#[derive(Debug)]
pub struct Arguments {
    file: Option<PathBuf>,
    flags: BTreeMap<&'static str, String>,
}

/// The variable that names the settings' file.
const FILE_VARIABLE: &str = "QUIVER_CONFIG";

const AFTER_HELP: &str = "Every setting can also be set in the environment (QUIVER_MAX_ROWS for --max-rows) or in the \
    TOML file of --config (max_rows = 500). Flags override the environment, the environment overrides the file, the \
    file overrides the defaults.";

impl clap::Args for Arguments {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .value_hint(ValueHint::FilePath)
            .help(format!("A TOML file of settings [{FILE_VARIABLE}]"));
        command.arg(file).args(SETTINGS.iter().map(argument)).after_help(AFTER_HELP)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn argument(setting: &Setting) -> Arg {
    let default = if setting.default.is_empty() { String::new() } else { format!(" [{}]", setting.default) };
    let argument = Arg::new(setting.flag).long(setting.flag).help(format!("{}{default}", setting.help));
    if setting.value.is_empty() {
        return argument.action(ArgAction::SetTrue);
    }
    argument.value_name(setting.value)
}

impl FromArgMatches for Arguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let written = |setting: &Setting| match setting.value {
            "" => matches.get_flag(setting.flag).then(|| "true".to_owned()),
            _ => matches.get_one::<String>(setting.flag).cloned(),
        };
        let flags = SETTINGS.iter().filter_map(|setting| Some((setting.flag, written(setting)?))).collect();
        Ok(Self { file: matches.get_one("config").cloned(), flags })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Serves until a signal ends it.
pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let file = arguments.file.clone().or_else(|| env::var_os(FILE_VARIABLE).map(PathBuf::from));
    let flag = |name: &str| arguments.flags.get(name).cloned();
    let variable = |name: &str| env::var(name).ok();
    let config = Config::read(&flag, &variable, file.as_deref()).map_err(Failure::usage)?;
    telemetry::start(config.log_format, &config.log);
    app::run(&config).map_err(|error| Failure::Failed(error.to_string()))
}
