//! Help in French: each text of the commands by its English one, which stands at the argument itself.

use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, Command};
use std::collections::BTreeMap;

/// English, French.
const TEXTS: &str = include_str!("help.fr.txt");
const TEMPLATE: &str = "{about-with-newline}\nUtilisation : {usage}\n\n{all-args}{after-help}";

/// The command with its help in French. A text without a French one stays English; a test finds it.
pub fn in_french(command: Command) -> Command {
    translated(command, &texts())
}

/// English texts and their French ones: two lines each, and an empty one after them.
fn texts() -> BTreeMap<&'static str, &'static str> {
    let pairs = TEXTS.split("\n\n").map(str::trim);
    pairs.filter_map(|pair| pair.split_once('\n')).collect()
}

fn translated(command: Command, texts: &BTreeMap<&str, &str>) -> Command {
    let about = command.get_about().map(ToString::to_string);
    let subcommands: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    let help = Arg::new("help").short('h').long("help");
    let version = Arg::new("version").short('V').long("version");
    let is_whole = command.get_version().is_some();
    let mut command = command
        .mut_args(|arg| argument(arg, texts))
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .arg(help.action(ArgAction::Help).help("Affiche cette aide"))
        .subcommand_help_heading("Commandes")
        .subcommand_value_name("COMMANDE")
        .help_template(TEMPLATE);
    if is_whole {
        let version = version.action(ArgAction::Version);
        command = command
            .disable_version_flag(true)
            .arg(version.help("Affiche la version"));
    }
    if let Some(about) = about {
        let about = french(&about, texts);
        command = command.about(about.clone()).long_about(about);
    }
    for name in subcommands {
        command = command.mut_subcommand(name, |sub| translated(sub, texts));
    }
    command
}

fn argument(arg: Arg, texts: &BTreeMap<&str, &str>) -> Arg {
    let Some(help) = arg.get_help().map(ToString::to_string) else {
        return arg;
    };
    let mut help = french(&help, texts);
    if !arg.get_action().takes_values() {
        return arg.help(help.clone()).long_help(help);
    }
    let values = arg.get_default_values().iter();
    let default: Vec<String> = values
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    if !default.is_empty() {
        help = format!("{help} [par défaut : {}]", default.join(" "));
    }
    let possible = arg.get_possible_values();
    if !possible.is_empty() {
        let names: Vec<&str> = possible.iter().map(PossibleValue::get_name).collect();
        help = format!("{help} [valeurs : {}]", names.join(", "));
    }
    arg.help(help.clone())
        .long_help(help)
        .hide_default_value(true)
        .hide_possible_values(true)
}

fn french(english: &str, texts: &BTreeMap<&str, &str>) -> String {
    let french = texts.get(english).copied();
    french.unwrap_or(english).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Arguments;
    use clap::CommandFactory;
    use std::collections::BTreeSet;

    fn english(command: &Command, found: &mut BTreeSet<String>) {
        found.extend(command.get_about().map(ToString::to_string));
        for arg in command.get_arguments() {
            found.extend(arg.get_help().map(ToString::to_string));
        }
        for sub in command.get_subcommands() {
            english(sub, found);
        }
    }

    #[test]
    fn every_text_has_a_french_one_and_none_is_left_over() {
        let mut there = BTreeSet::new();
        english(&Arguments::command(), &mut there);
        let translated: BTreeSet<String> = texts().keys().map(|&text| text.to_owned()).collect();
        assert_eq!(
            there.difference(&translated).collect::<Vec<_>>(),
            Vec::<&String>::new()
        );
        assert_eq!(
            translated.difference(&there).collect::<Vec<_>>(),
            Vec::<&String>::new()
        );
    }

    #[test]
    fn help_is_french_throughout() {
        let mut command = in_french(Arguments::command());
        let text = command.render_help().to_string();
        assert!(text.contains("Utilisation : comptoir"), "{text}");
        assert!(text.contains("Commandes:"), "{text}");
        assert!(text.contains("Affiche cette aide"), "{text}");
        let demo = command.find_subcommand_mut("demo").unwrap();
        let text = demo.render_long_help().to_string();
        assert!(text.contains("[par défaut : 500]"), "{text}");
        assert!(!text.contains("[default"), "{text}");
    }
}
