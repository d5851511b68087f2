//! The files of the repository, and the parts of a Markdown page.

use std::path::{Path, PathBuf};

/// Folders that hold no file of ours: build output, and packages.
const NOT_OURS: [&str; 6] = ["target", "node_modules", ".git", ".yarn", "dist", "dist-types"];

/// A line of a page, and what it is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Prose,
    Heading,
    Table,
    Code,
}

/// A text file of the repository.
#[derive(Debug)]
pub struct Page {
    /// Relative to the root of the repository.
    pub path: PathBuf,
    pub text: String,
}

impl Page {
    pub fn read(path: &str) -> Self {
        Self { path: path.into(), text: std::fs::read_to_string(root().join(path)).unwrap() }
    }

    /// Where a line is, as editors and terminals understand it.
    pub fn at(&self, number: usize) -> String {
        format!("{}:{number}", self.path.display())
    }

    /// The numbered lines, each with the part of the page that it belongs to.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str, Part)> {
        let mut is_code = false;
        self.text.lines().enumerate().map(move |(index, line)| {
            let is_fence = line.trim_start().starts_with("```");
            let part = match line.trim_start().chars().next() {
                _ if is_fence || is_code => Part::Code,
                Some('|') => Part::Table,
                Some('#') => Part::Heading,
                _ => Part::Prose,
            };
            is_code ^= is_fence;
            (index + 1, line, part)
        })
    }

    pub fn is_in(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file with this extension, read.
pub fn files(extension: &str) -> Vec<Page> {
    let mut found = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().to_string_lossy().into_owned();
            // Links are not followed.
            if entry.file_type().unwrap().is_dir() {
                if !NOT_OURS.contains(&&*name) {
                    folders.push(entry.path());
                }
            } else if entry.path().extension().is_some_and(|found| found == extension) {
                let path = entry.path().strip_prefix(root()).unwrap().to_owned();
                found.push(Page { text: std::fs::read_to_string(entry.path()).unwrap(), path });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

/// Every Markdown page.
pub fn pages() -> Vec<Page> {
    files("md")
}

/// Fails with all that was found.
#[track_caller]
pub fn expect_none(found: &[String]) {
    assert!(found.is_empty(), "{} found:\n{}", found.len(), found.join("\n"));
}
