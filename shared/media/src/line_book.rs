//! A small text file that is only ever appended to, line by sealed line (see
//! [`lumbung_ledger::line`]): for facts that must outlive the stores. A torn
//! or damaged line costs itself alone and never swallows the next one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use lumbung_ledger::line;

/// The book, open for appending. The default one is in memory: it keeps
/// nothing.
#[derive(Debug, Default)]
pub struct LineBook {
    path: Option<PathBuf>,
    /// The file does not end with a line break: the last line is torn.
    torn: bool,
}

impl LineBook {
    /// Reads the book at `path`; there need be none yet. Gives the text of
    /// each line in order, `None` for one that is torn or damaged.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn open(path: PathBuf) -> io::Result<(Self, Vec<Option<String>>)> {
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read?,
        };
        let torn = bytes.last().is_some_and(|last| *last != b'\n');
        let lines = bytes.split(|byte| *byte == b'\n').filter(|text| !text.is_empty());
        let read = |text| std::str::from_utf8(text).ok().and_then(line::open).map(str::to_owned);
        Ok((Self { path: Some(path), torn }, lines.map(read).collect()))
    }

    /// Appends sealed lines; on disk when it returns.
    ///
    /// # Errors
    /// When the file can't be written. What is half written then costs its
    /// own line.
    pub fn append(&mut self, sealed: &str) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let fresh = !path.exists();
        let mut file = File::options().append(true).create(true).open(path)?;
        let text = if self.torn { format!("\n{sealed}") } else { sealed.to_owned() };
        self.torn = true;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        self.torn = false;
        if fresh && let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_costs_itself_and_not_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("book");
        let (mut book, lines) = LineBook::open(path.clone()).unwrap();
        assert!(lines.is_empty() && !path.exists());
        book.append(&(line::seal("satu") + &line::seal("dua"))).unwrap();
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 4]).unwrap();

        let (mut book, lines) = LineBook::open(path.clone()).unwrap();
        assert_eq!(lines, [Some("satu".to_owned()), None]);
        book.append(&line::seal("tiga")).unwrap();
        let (_, lines) = LineBook::open(path).unwrap();
        assert_eq!(lines, [Some("satu".to_owned()), None, Some("tiga".to_owned())]);
    }
}
