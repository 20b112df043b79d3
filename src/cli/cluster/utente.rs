//! Who runs the server: ourselves, or, since PostgreSQL refuses to run as root, a user that may do nothing else.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// A user of the system, by numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Numeri {
    uid: u32,
    gid: u32,
}

/// The user of the server; `None` = whoever runs us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Utente(Option<Numeri>);

impl Utente {
    /// Ourselves; for root the owner of these data, if there are any, else `postgres`, else `nobody`.
    pub(super) fn choose(dati: Option<PathBuf>) -> Result<Self> {
        if !are_we_root()? {
            return Ok(Self(None));
        }
        if let Some(Ok(presenti)) = dati.map(fs::metadata)
            && presenti.uid() != 0
        {
            return Ok(Self(Some(Numeri {
                uid: presenti.uid(),
                gid: presenti.gid(),
            })));
        }
        let passwd = fs::read_to_string("/etc/passwd").context("impossibile leggere /etc/passwd")?;
        UTENTI
            .iter()
            .find_map(|nome| named(&passwd, nome))
            .map(|numeri| Self(Some(numeri)))
            .context(
                "PostgreSQL non si avvia come root, e qui non c'è né l'utente postgres né l'utente nobody",
            )
    }

    /// Makes a command run as this user.
    pub(super) fn run_as(self, comando: &mut Command) -> &mut Command {
        if let Some(Numeri { uid, gid }) = self.0 {
            comando.uid(uid).gid(gid);
        }
        comando
    }

    /// Gives a folder or a file to this user, and to no other.
    pub(super) fn give(self, percorso: &Path, modo: u32) -> Result<()> {
        let dare = || {
            if let Some(Numeri { uid, gid }) = self.0 {
                chown(percorso, Some(uid), Some(gid))?;
            }
            fs::set_permissions(percorso, Permissions::from_mode(modo))
        };
        dare().with_context(|| format!("impossibile affidare {} al server PostgreSQL", percorso.display()))
    }

    /// Refuses a folder that this user cannot come to, because one of those above it is closed.
    pub(super) fn check_way(self, cartella: &Path) -> Result<()> {
        let Some(numeri) = self.0 else {
            return Ok(());
        };
        for sopra in cartella.ancestors().skip(1) {
            let presente =
                fs::metadata(sopra).with_context(|| format!("impossibile vedere {}", sopra.display()))?;
            let passo = if presente.uid() == numeri.uid {
                0o100
            } else if presente.gid() == numeri.gid {
                0o010
            } else {
                0o001
            };
            if presente.mode() & passo == 0 {
                bail!(
                    "{}: il server PostgreSQL non gira come root (utente {}), e non può entrare in {}; scegliere \
                     una cartella raggiungibile da tutti, per esempio sotto /var/tmp",
                    cartella.display(),
                    numeri.uid,
                    sopra.display()
                );
            }
        }
        Ok(())
    }
}

const UTENTI: [&str; 2] = ["postgres", "nobody"];

fn are_we_root() -> Result<bool> {
    let id = Command::new("id")
        .arg("-u")
        .output()
        .context("il comando id non si avvia")?;
    Ok(id.stdout.trim_ascii() == b"0")
}

/// The user of a name, from the lines of /etc/passwd.
fn named(passwd: &str, nome: &str) -> Option<Numeri> {
    let mut campi = passwd
        .lines()
        .find_map(|riga| riga.strip_prefix(nome)?.strip_prefix(':'))?
        .split(':')
        .skip(1);
    Some(Numeri {
        uid: campi.next()?.parse().ok()?,
        gid: campi.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let passwd =
            "root:x:0:0::/root:/bin/sh\npostgres2:x:7:7::/:\npostgres:x:101:104:PostgreSQL:/var:/bin/sh\n";
        assert_eq!(named(passwd, "postgres"), Some(Numeri { uid: 101, gid: 104 }));
        assert_eq!(named(passwd, "nobody"), None);
    }

    #[test]
    fn a_folder_behind_a_closed_one_is_refused_with_the_name_of_that_one() {
        let cartella = tempfile::tempdir().unwrap();
        let dentro = cartella.path().join("pg");
        fs::create_dir(&dentro).unwrap();
        let altri = Utente(Some(Numeri {
            uid: 4_000_000,
            gid: 4_000_000,
        }));
        fs::set_permissions(cartella.path(), Permissions::from_mode(0o700)).unwrap();
        let errore = altri.check_way(&dentro).unwrap_err().to_string();
        let chiusa = format!("non può entrare in {};", cartella.path().display());
        assert!(errore.contains(&chiusa), "{errore}");
        fs::set_permissions(cartella.path(), Permissions::from_mode(0o711)).unwrap();
        altri.check_way(&dentro).unwrap();
    }
}
