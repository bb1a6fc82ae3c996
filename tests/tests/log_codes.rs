//! The codes of log lines stay: whoever watches for one must not miss it
//! because its words were polished.
//!
//! `log_codes.txt` holds every code that leaves the programs at INFO or above,
//! with the words it was made for. To reword a line, give the event the code
//! that stands there (`code = "..."`) and change the words in the list. For
//! events that are new, `LUMBUNG_WRITE_CODES=1` writes the list anew: what it
//! takes away is to be read before it is kept.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders of what the programs are made of.
const CRATES: [&str; 2] = ["hub", "node"];

/// The code an event gets that names none, as `shared/telemetry/src/lines.rs`
/// makes it.
fn made(module: &str, words: &str) -> String {
    let hash = words
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{module}-{:04x}", hash >> 16 ^ hash & 0xffff)
}

/// The string literals of an event, each with what stands before it.
fn literals(mut rest: &str) -> Vec<(String, String)> {
    let (mut depth, mut before, mut found) = (1, String::new(), Vec::new());
    while depth > 0 {
        let mut chars = rest.chars();
        let c = chars.next().unwrap();
        rest = chars.as_str();
        match c {
            '"' => {
                let (mut text, mut chars) = (String::new(), rest.chars());
                loop {
                    match chars.next().unwrap() {
                        '"' => break,
                        // A line that goes on loses its break and its margin.
                        '\\' => match chars.next().unwrap() {
                            '\n' => chars = chars.as_str().trim_start().chars(),
                            escaped => text.push(escaped),
                        },
                        c => text.push(c),
                    }
                }
                rest = chars.as_str();
                if depth == 1 {
                    found.push((before.trim_end().to_owned(), text));
                }
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        before.push(c);
    }
    found
}

/// `code words` of every event of one file.
fn events(text: &str, module: &str, codes: &mut BTreeSet<String>) {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    for level in ["info", "warn", "error"] {
        for rest in text.split(&format!("tracing::{level}!(")).skip(1) {
            let literals = literals(rest);
            let code = literals.iter().find(|(before, _)| before.ends_with("code ="));
            let is_words = |before: &str| before.is_empty() || before.ends_with(',');
            let words = literals.iter().find(|(before, _)| is_words(before));
            let (_, words) = words.unwrap_or_else(|| panic!("an event of {module} has no words"));
            let code = code.map(|(_, code)| code.clone());
            assert!(
                code.is_some() || !words.contains('{'),
                "the code of \"{words}\" would change with what it says: name one"
            );
            let code = code.unwrap_or_else(|| made(module, words));
            codes.insert(format!("{code} {words}"));
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

#[test]
fn no_code_changes_with_its_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let shared = fs::read_dir(root.join("shared")).unwrap();
    let shared = shared.map(|entry| entry.unwrap().path());
    let mut codes = BTreeSet::new();
    for folder in CRATES.map(|name| root.join(name)).into_iter().chain(shared) {
        let source = folder.join("src");
        let mut files = Vec::new();
        sources(&source, &mut files);
        for file in files {
            let inside = file.strip_prefix(&source).unwrap().with_extension("");
            let first = inside.iter().next().unwrap().to_string_lossy().into_owned();
            let module = match first.as_str() {
                "lib" | "main" => format!("lumbung_{}", folder.file_name().unwrap().display()),
                _ => first,
            };
            events(&fs::read_to_string(&file).unwrap(), &module, &mut codes);
        }
    }
    let path = root.join("tests/tests/log_codes.txt");
    if std::env::var("LUMBUNG_WRITE_CODES").is_ok_and(|it| it == "1") {
        let lines: Vec<_> = codes.iter().map(|line| format!("{line}\n")).collect();
        fs::write(&path, lines.concat()).unwrap();
    }
    let list = fs::read_to_string(path).unwrap();
    let kept: BTreeSet<_> = list.lines().map(str::to_owned).collect();
    let gone: Vec<_> = kept.difference(&codes).collect();
    let new: Vec<_> = codes.difference(&kept).collect();
    assert!(
        gone.is_empty() && new.is_empty(),
        "log_codes.txt holds what no event says any more: {gone:#?}, and lacks: {new:#?}"
    );
    let numbers: BTreeSet<_> = kept.iter().map(|line| line.split(' ').next()).collect();
    assert_eq!(numbers.len(), kept.len(), "one code stands for two kinds of events");
}

#[test]
fn a_code_is_made_as_the_log_makes_it() {
    // The same stands in a test of the log itself.
    assert_eq!(made("puller", "link lost"), "puller-03ec");
    let mut codes = BTreeSet::new();
    let text = "tracing::warn!(code = \"WCH-1\", village = %v(\"x\"), \"told \\\n    twice\");";
    events(text, "puller", &mut codes);
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), ["WCH-1 told twice"]);
}
