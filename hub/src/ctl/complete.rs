//! What a shell offers while a command is typed: codes of villages and
//! kecamatan, found by code or by name. From the roster that is built in; the
//! hub is not asked.

use std::ffi::{OsStr, OsString};

use clap::CommandFactory as _;
use clap_complete::engine::CompletionCandidate;
use clap_complete::env::{CompleteEnv, Shells};
use lumbung_domain::code_list::{CodeEntry, CodeList};
use lumbung_domain::region::roster;

use super::commands::Cli;
use crate::access::audit::Act;

/// The name of the command, as shells know it.
const NAME: &str = "lumbung-hubctl";

/// The variable by which a shell's script asks.
const ASKED_BY: &str = "LUMBUNG_LENGKAPI";

/// Answers a shell that asks what fits; `false` = none does.
pub(super) fn answered(args: &[OsString]) -> Result<bool, clap::Error> {
    let folder = std::env::current_dir().ok();
    CompleteEnv::with_factory(Cli::command)
        .var(ASKED_BY)
        .bin(NAME)
        .try_complete(args.iter().cloned(), folder.as_deref())
}

/// The script that makes a shell ask; `None` = not for this shell.
pub(super) fn script(shell: clap_complete::Shell) -> Option<Vec<u8>> {
    let shells = Shells::builtins();
    let shell = shells.completer(&shell.to_string())?;
    let mut script = Vec::new();
    shell.write_registration(ASKED_BY, NAME, NAME, NAME, &mut script).ok()?;
    Some(script)
}

/// Whether a code or one of the names begins as typed.
fn fits(typed: &str, code: &str, names: [&str; 2]) -> bool {
    let bare = |text: &str| text.replace('.', "");
    let begins = |name: &str| name.to_lowercase().starts_with(&typed.to_lowercase());
    code.starts_with(typed)
        || (typed.starts_with(|letter: char| letter.is_ascii_digit())
            && bare(code).starts_with(&bare(typed)))
        || names.into_iter().any(begins)
}

fn candidate(code: String, name: String) -> CompletionCandidate {
    CompletionCandidate::new(code).help(Some(name.into()))
}

/// Villages by code, by their name, or by that of their kecamatan.
pub(super) fn villages(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let mut found = Vec::new();
    for desa in roster().villages() {
        let kecamatan = roster().kecamatan_of(desa.kecamatan).map_or("", |it| it.name);
        let code = desa.code.to_string();
        if fits(&typed, &code, [desa.name, kecamatan]) {
            found.push(candidate(code, format!("{}, Kecamatan {kecamatan}", desa.full_name())));
        }
    }
    found
}

/// Kecamatan by code or name.
pub(super) fn kecamatan(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let all = roster().kecamatan().iter();
    let found = all.filter(|it| fits(&typed, &it.code.to_string(), [it.name, it.name]));
    found.map(|it| candidate(it.code.to_string(), format!("Kecamatan {}", it.name))).collect()
}

/// Everything a recap may be of, down to villages.
pub(super) fn regions(typed: &OsStr) -> Vec<CompletionCandidate> {
    let mut found = kecamatan(typed);
    found.extend(villages(typed));
    found
}

/// Codes of the audit log.
pub(super) fn acts(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let found = Act::ALL.into_iter().filter(|act| act.code().starts_with(&*typed));
    found.map(|act| candidate(act.code().to_owned(), act.words().0.to_owned())).collect()
}

/// Numbers of an official list, by number or label.
pub(super) fn labels<L: CodeList>(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let number = |entry: &CodeEntry| entry.code.to_string();
    let found = L::entries().iter().filter(|it| fits(&typed, &number(it), [it.label, it.label]));
    found.map(|it| candidate(number(it), it.label.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(found: &[CompletionCandidate]) -> Vec<String> {
        found.iter().map(|it| it.get_value().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn codes_are_found_by_code_and_by_name() {
        let all = villages(OsStr::new(""));
        assert_eq!(all.len(), roster().villages().len());
        let desa = &roster().villages()[0];
        let own = desa.code.to_string();
        for typed in [own.clone(), own.replace('.', ""), desa.name.to_uppercase()] {
            assert!(codes(&villages(OsStr::new(&typed))).contains(&own), "{typed}");
        }
        let kecamatan_of = roster().kecamatan_of(desa.kecamatan).unwrap();
        let by_kecamatan = codes(&villages(OsStr::new(kecamatan_of.name)));
        assert!(by_kecamatan.contains(&own) && by_kecamatan.len() < all.len());
        let name = kecamatan_of.name.to_lowercase();
        assert_eq!(codes(&kecamatan(OsStr::new(&name))), [desa.kecamatan.to_string()]);
        assert!(villages(OsStr::new("zzz")).is_empty());
    }
}
