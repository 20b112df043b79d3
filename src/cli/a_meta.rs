//! A file that has its name once it is whole: until then it lies beside it under another, readable by its owner alone, and is gone
//! when it comes to nothing.

use std::fs::{File, OpenOptions};
use std::io::BufWriter;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Half a file; dropped as such, it is removed.
pub(super) struct AMeta {
    file: PathBuf,
    parte: PathBuf,
}

impl AMeta {
    /// A new file, and where to write it. One that is there is never written over.
    pub(super) fn create(file: &Path) -> Result<(Self, BufWriter<File>)> {
        anyhow::ensure!(!file.exists(), "{} c'è già", file.display());
        let parte = file.with_added_extension("parte");
        let aperto = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&parte)
            .with_context(|| cannot(file))?;
        let file = file.to_owned();
        Ok((Self { file, parte }, BufWriter::new(aperto)))
    }

    /// All is written: on the disk, and under its name.
    pub(super) fn finish(self, scritto: BufWriter<File>) -> Result<()> {
        scritto
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)
            .and_then(|aperto| aperto.sync_all())
            .and_then(|()| std::fs::rename(&self.parte, &self.file))
            .with_context(|| cannot(&self.file))
    }
}

fn cannot(file: &Path) -> String {
    format!("impossibile scrivere {}", file.display())
}

impl Drop for AMeta {
    fn drop(&mut self) {
        // Under its name it is no half any more; a half that cannot be removed has its own.
        let _ = std::fs::remove_file(&self.parte);
    }
}
