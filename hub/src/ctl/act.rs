//! Acts: done through the API; what is secret goes to standard output alone.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use bytes::Bytes;
use lumbung_identity::{CertificateDer, Key, OperatorFile};
use lumbung_proto::v1;
use lumbung_proto::v1::act_request::Act;
use lumbung_proto::v1::admin_client::AdminClient;
use tonic::transport::Channel;

use super::care;
use super::commands::{
    AccountArgs, ChangeArgs, Command, OperatorsCommand, QuarantineCommand, Sure, SyncCommand,
    TokenCommand,
};
use super::outcome::{Exit, Failure};

/// Does a command that changes something.
pub(super) async fn run(
    admin: &mut AdminClient<Channel>,
    command: Command,
) -> Result<Exit, Failure> {
    if let Command::Sync(SyncCommand::Now { villages }) = command {
        return sync(admin, villages).await;
    }
    if let Command::Operators(OperatorsCommand::Certificate { name, out, days }) = command {
        return certificate(admin, name, &out, days).await;
    }
    let Some(act) = act(command)? else {
        return Err(Failure::new(Exit::Usage, "Perintah ini tidak dikenal."));
    };
    let reply = admin.act(v1::ActRequest { act: Some(act) }).await?.into_inner();
    eprintln!("{}", reply.sentence);
    if !reply.secret.is_empty() {
        writeln!(io::stdout(), "{}", reply.secret)?;
    }
    Ok(if reply.done < reply.of { Exit::Partial } else { Exit::Done })
}

pub(super) fn on(code: String, reason: String) -> v1::VillageAct {
    v1::VillageAct { code, reason, days: 0 }
}

/// What the command does; `None` = nothing.
fn act(command: Command) -> Result<Option<Act>, Failure> {
    Ok(Some(match command {
        Command::Prove { village } => Act::Prove(on(village, String::new())),
        Command::Hold { village, reason, days } => {
            Act::Hold(v1::VillageAct { code: village, reason, days })
        }
        Command::Release { village } => Act::Release(on(village, String::new())),
        Command::Revoke { village, reason, sure } => {
            confirm(&sure, &village, "Komputer desa ini tidak akan diterima lagi")?;
            Act::Revoke(on(village, reason))
        }
        Command::Token(TokenCommand::Create { village, address, days, replace }) => {
            Act::MakeToken(v1::TokenAct {
                code: village,
                address: address.unwrap_or_default(),
                days,
                replaces: replace,
            })
        }
        Command::Token(TokenCommand::Cancel { number }) => {
            Act::CancelToken(v1::CancelTokenAct { number })
        }
        Command::Quarantine(QuarantineCommand::Replay { number, village }) => {
            Act::Replay(v1::ReplayAct {
                number: number.unwrap_or(0),
                village: village.unwrap_or_default(),
            })
        }
        Command::Operators(OperatorsCommand::Add(args)) => Act::AddOperator(account(args)),
        Command::Operators(OperatorsCommand::Change(args)) => Act::ChangeOperator(change(args)),
        Command::Operators(OperatorsCommand::RevokeCertificates { name, sure }) => {
            confirm(&sure, &name, "Semua sertifikatnya tidak berlaku lagi")?;
            Act::RevokeCertificates(v1::NameAct { name })
        }
        Command::Operators(OperatorsCommand::Reset { name, sure }) => {
            confirm(&sure, &name, "Sandinya diganti dan semua sesinya berakhir")?;
            Act::ResetOperator(v1::NameAct { name })
        }
        Command::Quarantine(QuarantineCommand::Return { number }) => {
            Act::ReturnQuarantined(v1::NumberAct { number })
        }
        other => return care::act(other),
    }))
}

/// Makes a key, has it certified and writes all that a far-away operator
/// needs into one private file.
async fn certificate(
    admin: &mut AdminClient<Channel>,
    name: String,
    out: &Path,
    days: u32,
) -> Result<Exit, Failure> {
    let failed = |words: String| Failure::new(Exit::Failed, words);
    let key =
        Key::generate().map_err(|error| failed(format!("Kunci tidak bisa dibuat: {error}")))?;
    let public_key = Bytes::copy_from_slice(&key.public().0);
    let act = Some(Act::CertifyOperator(v1::CertifyAct { name, public_key, days }));
    let reply = admin.act(v1::ActRequest { act }).await?.into_inner();
    let file = OperatorFile {
        key,
        certificate: CertificateDer::from(reply.certificate.to_vec()),
        roots: reply.anchors.iter().map(|root| CertificateDer::from(root.to_vec())).collect(),
    };
    file.save(out).map_err(|error| failed(format!("Berkas tidak bisa ditulis: {error}")))?;
    eprintln!("{} Berkas rahasianya: {}.", reply.sentence, out.display());
    Ok(Exit::Done)
}

fn account(args: AccountArgs) -> v1::AccountAct {
    let AccountArgs { name, role, kecamatan, days } = args;
    v1::AccountAct { name, role, kecamatan, days, ..Default::default() }
}

fn change(args: ChangeArgs) -> v1::AccountAct {
    let ChangeArgs { name, role, kecamatan, whole, days, endless, block, open } = args;
    let (role, days) = (role.unwrap_or_default(), days.unwrap_or(0));
    v1::AccountAct { name, role, kecamatan, days, blocked: block, whole, endless, opened: open }
}

/// Asks several villages; some may be out of reach.
async fn sync(admin: &mut AdminClient<Channel>, villages: Vec<String>) -> Result<Exit, Failure> {
    let (mut done, count) = (0, villages.len());
    let mut last = None;
    for village in villages {
        let act = Some(Act::Sync(on(village.clone(), String::new())));
        match admin.act(v1::ActRequest { act }).await {
            Ok(reply) => {
                eprintln!("{}", reply.into_inner().sentence);
                done += 1;
            }
            Err(status) => {
                let failure = Failure::from(status);
                eprintln!("{village}: {}", failure.words);
                last = Some(failure.exit);
            }
        }
    }
    Ok(match last {
        None => Exit::Done,
        Some(exit) if count == 1 || done == 0 => exit,
        Some(_) => Exit::Partial,
    })
}

/// Passes who is sure: `--yes`, or the subject typed again.
pub(super) fn confirm(sure: &Sure, subject: &str, what: &str) -> Result<(), Failure> {
    if sure.yes {
        return Ok(());
    }
    let unsure = |words: &str| Err(Failure::new(Exit::Usage, words.to_owned()));
    if !io::stdin().is_terminal() {
        return unsure("Tambahkan --yes bila memang dimaksud. Tidak ada yang diubah.");
    }
    eprint!("{what}. Ketik {subject} untuk melanjutkan: ");
    io::stderr().flush()?;
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed)?;
    match typed.trim() == subject {
        true => Ok(()),
        false => unsure("Tidak sama. Tidak ada yang diubah."),
    }
}
