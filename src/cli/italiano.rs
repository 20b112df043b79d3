//! Makes clap speak Italian: headings, help flags and the sentences for a command line that cannot be read.

use std::fmt::Write as _;

use clap::error::{ContextKind, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory};

use super::Uscita;

/// The command tree of `C`, with Italian headings all the way down.
pub(super) fn command<C: CommandFactory>() -> Command {
    let mut radice = translate(C::command()).disable_version_flag(true).arg(
        Arg::new("version")
            .short('V')
            .long("version")
            .action(ArgAction::Version)
            .help_heading(OPZIONI)
            .help("Mostra la versione"),
    );
    // Built here, so that the usage lines below are complete before anybody looks at them.
    radice.build();
    radice
}

const OPZIONI: &str = "Opzioni";

fn translate(comando: Command) -> Command {
    let comando = comando
        .help_template("{about-with-newline}\nUso: {usage}\n\n{all-args}{after-help}\n")
        .subcommand_help_heading("Comandi")
        .subcommand_value_name("COMANDO")
        .disable_help_subcommand(true)
        .disable_help_flag(true)
        .mut_args(|argomento| {
            let titolo = if argomento.is_positional() {
                "Argomenti"
            } else {
                OPZIONI
            };
            // Our helps say their defaults themselves; clap would say them in English.
            let valori = argomento.get_action().takes_values();
            argomento.help_heading(titolo).hide_default_value(valori)
        })
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .action(ArgAction::HelpLong)
                .help_heading(OPZIONI)
                .help("Mostra questo aiuto"),
        );
    comando.mut_subcommands(translate)
}

/// Tells why the command line cannot be read (or shows the help that was asked for).
pub(super) fn tell(error: &clap::Error) -> Uscita {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            out!("{}", help(error));
            Uscita::Fatto
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            eprint!("{}", help(error));
            Uscita::Uso
        }
        _ => {
            eprintln!("varco: {}", sentence(error));
            Uscita::Uso
        }
    }
}

/// A help page; the one word that clap lets nobody choose is chosen here.
fn help(error: &clap::Error) -> String {
    error.render().to_string().replace("[OPTIONS]", "[OPZIONI]")
}

/// One Italian sentence, with what to write instead where clap knows it.
fn sentence(error: &clap::Error) -> String {
    let testo = |quale: ContextKind| error.get(quale).map(ToString::to_string).unwrap_or_default();
    let argomento = testo(ContextKind::InvalidArg);
    let valore = testo(ContextKind::InvalidValue);
    let mut frase = match error.kind() {
        ErrorKind::UnknownArgument => format!("l'argomento {argomento} non esiste"),
        ErrorKind::InvalidSubcommand => {
            format!("il comando {} non esiste", testo(ContextKind::InvalidSubcommand))
        }
        ErrorKind::MissingRequiredArgument => format!("manca {argomento}"),
        ErrorKind::ArgumentConflict => {
            format!(
                "{argomento} non si può usare con {}",
                testo(ContextKind::PriorArg)
            )
        }
        ErrorKind::NoEquals | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("{argomento} richiede un altro numero di valori")
        }
        ErrorKind::InvalidValue if valore.is_empty() => format!("{argomento} richiede un valore"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let causa = std::error::Error::source(error)
                .map(|causa| format!(": {causa}"))
                .unwrap_or_default();
            format!("«{valore}» non è un valore di {argomento}{causa}")
        }
        // Kinds that our commands cannot raise, and those of a later clap: its own sentence is better than none.
        _ => error.kind().to_string(),
    };
    let ammessi = testo(ContextKind::ValidValue);
    if !ammessi.is_empty() {
        let _ = write!(frase, "; valori ammessi: {ammessi}");
    }
    for simile in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand] {
        let simile = testo(simile);
        if !simile.is_empty() {
            let _ = write!(frase, "; forse {simile}?");
        }
    }
    frase + ". Per l'aiuto: varco --help, varco COMANDO --help"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;

    #[test]
    fn the_command_tree_is_sound() {
        command::<Cli>().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_is_for_and_shows_an_example() {
        fn look(comando: &Command) {
            for figlio in comando.get_subcommands() {
                let lungo = figlio
                    .get_long_about()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                assert!(figlio.get_about().is_some(), "{} says nothing", figlio.get_name());
                if figlio.get_subcommands().next().is_none() {
                    assert!(lungo.contains("Esemp"), "{} shows no example", figlio.get_name());
                }
                look(figlio);
            }
        }
        look(&command::<Cli>());
    }

    #[test]
    fn a_wrong_command_line_is_told_in_italian() {
        let error = command::<Cli>()
            .try_get_matches_from(["varco", "sned"])
            .unwrap_err();
        let frase = sentence(&error);
        assert!(frase.starts_with("il comando sned non esiste"), "{frase}");
        assert!(frase.contains("send"), "{frase}");
        assert_eq!(tell(&error), Uscita::Uso);
    }

    #[test]
    fn help_is_asked_for_and_ends_well() {
        let error = command::<Cli>()
            .try_get_matches_from(["varco", "send", "--help"])
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DisplayHelp);
        let testo = help(&error);
        assert!(testo.contains("Uso: varco send [OPZIONI] <PERCORSO>"), "{testo}");
        assert!(
            !testo.contains("Usage:") && !testo.contains("Options:"),
            "{testo}"
        );
    }
}
