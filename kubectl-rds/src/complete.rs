//! Completion for kubectl, which asks a plugin's `kubectl_complete-<name>` for candidates.
//!
//! The answer is one candidate a line, perhaps with a tab and a description, and last a line with a colon and a number that says what
//! the shell may add. Source: kubectl, `pkg/cmd/plugin` and cobra's `ShellCompDirective`.

use std::fmt::Write as _;

use clap::{Arg, Command};

/// The shell may add the names of files.
const FILES: &str = ":0";

/// Nothing is added.
const NO_FILES: &str = ":4";

/// The script that kubectl looks for.
pub(crate) const SCRIPT: &str = include_str!("../kubectl_complete-rds");

/// The words that are to be completed, if this is what the command line asks for. It is no verb, or shells would offer it.
pub(crate) fn asked(mut line: impl Iterator<Item = String>) -> Option<Vec<String>> {
    (line.nth(1)? == "__complete").then(|| line.collect())
}

/// The candidates for the last of the words.
pub(crate) fn answer(command: &Command, words: &[String]) -> String {
    let (unfinished, words) = words.split_last().map_or(("", &[][..]), |(last, words)| (last.as_str(), words));
    let mut command = command;
    let mut value_of = None;
    for word in words {
        value_of = None;
        if let Some(next) = command.find_subcommand(word) {
            command = next;
        } else if word.starts_with('-') {
            value_of = command.get_arguments().find(|arg| names(arg).any(|name| name == *word) && takes_value(arg));
        }
    }
    if let Some(arg) = value_of {
        return values(arg, unfinished);
    }
    if unfinished.starts_with('-') {
        let flags = command.get_arguments().filter(|arg| !arg.is_positional() && !arg.is_hide_set());
        let flags = flags.filter_map(|arg| Some((format!("--{}", arg.get_long()?), arg.get_help())));
        return listed(flags.map(|(name, help)| (name, first_line(help))), unfinished, NO_FILES);
    }
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let mut verbs = verbs.map(|verb| (verb.get_name().to_owned(), first_line(verb.get_about()))).peekable();
    if verbs.peek().is_some() {
        return listed(verbs, unfinished, NO_FILES);
    }
    command.get_positionals().next().map_or_else(|| format!("{NO_FILES}\n"), |arg| values(arg, unfinished))
}

/// How a flag can be written.
fn names(arg: &Arg) -> impl Iterator<Item = String> {
    let long = arg.get_long().map(|long| format!("--{long}"));
    long.into_iter().chain(arg.get_short().map(|short| format!("-{short}")))
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

fn values(arg: &Arg, unfinished: &str) -> String {
    let possible = arg.get_possible_values();
    if possible.is_empty() {
        return format!("{FILES}\n");
    }
    let values = possible.iter().filter(|value| !value.is_hide_set());
    listed(values.map(|value| (value.get_name().to_owned(), first_line(value.get_help()))), unfinished, NO_FILES)
}

fn listed(candidates: impl Iterator<Item = (String, String)>, unfinished: &str, directive: &str) -> String {
    let mut out = String::new();
    for (name, help) in candidates.filter(|(name, _)| name.starts_with(unfinished)) {
        let tab = if help.is_empty() { "" } else { "\t" };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{name}{tab}{help}");
    }
    out + directive + "\n"
}

fn first_line(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).and_then(|text| text.lines().next().map(ToOwned::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Cli;

    fn candidates(words: &[&str]) -> (Vec<String>, String) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let mut command = Cli::command();
        command.build();
        let answer = answer(&command, &words);
        let mut lines: Vec<String> = answer.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect();
        let directive = lines.pop().unwrap();
        (lines, directive)
    }

    #[test]
    fn verbs_flags_and_values_are_completed() {
        for (words, expected, directive) in [
            (&[""][..], &["check", "completion"][..], NO_FILES),
            (&["ch"], &["check"], NO_FILES),
            (&["check", "--wa"], &["--warnings-as-errors"], NO_FILES),
            (&["check", "-o", ""], &["text", "json", "sarif"], NO_FILES),
            (&["check", "--output", "s"], &["sarif"], NO_FILES),
            (&["check", "-q", ""], &[], FILES),
            (&["check", "-f", "man"], &[], FILES),
            (&["completion", "z"], &["zsh"], NO_FILES),
        ] {
            let (found, last) = candidates(words);
            assert_eq!(
                (found.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), last.as_str()),
                (expected, directive),
                "{words:?}"
            );
        }
        assert!(candidates(&["check", "--"]).0.contains(&"--skip-templates".to_owned()));
    }
}
