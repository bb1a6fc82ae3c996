//! What operators change from a command line.

mod notices;
mod village;

use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::region::{KecamatanCode, VillageCode, roster};
use lumbung_identity::PublicKey;
use lumbung_proto::v1;
use lumbung_proto::v1::act_request::Act;
use lumbung_telemetry::clock;
use tonic::Status;

use super::words;
use crate::access::{AccountChange, End, Gate, NewAccount, Operator, Right, Role};
use crate::desk::asks::Heard;
use crate::desk::witness::Issued;
use crate::desk::{Desk, DeskError};
use words::{gate_refused, name_of};

/// The longest an account may be asked for, days.
const DAYS_MAX: u32 = 3_650;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn said(sentence: impl Into<String>) -> v1::ActReply {
    v1::ActReply { sentence: sentence.into(), ..Default::default() }
}

/// What the desk wants typed before a key is revoked; the command has asked
/// its own question.
fn plain_name(code: VillageCode) -> &'static str {
    roster().village(code).map_or("", |desa| desa.name)
}

/// Does what is done at the desk.
pub(super) fn at_desk(desk: &Desk, who: &Operator, act: Act) -> Result<v1::ActReply, Status> {
    match act {
        Act::Sync(v1::VillageAct { code, .. }) => sync(desk, who, &code),
        Act::Prove(v1::VillageAct { code, .. }) => {
            let code = words::village(&code)?;
            desk.prove_now(who, code)?;
            Ok(said(format!(
                "{} dibuktikan baris demi baris begitu tersambung. Hasilnya: lumbung-hubctl \
                 describe village {code}",
                name_of(code)
            )))
        }
        Act::Hold(v1::VillageAct { code, reason, days }) => {
            let code = words::village(&code)?;
            desk.hold(who, code, &reason, days)?;
            Ok(said(format!(
                "{} ditahan {days} hari: tidak ada yang digabung sampai dilepas. Yang sudah \
                 tergabung tetap ada.",
                name_of(code)
            )))
        }
        Act::Release(v1::VillageAct { code, .. }) => {
            let code = words::village(&code)?;
            desk.release(who, code)?;
            Ok(said(format!("{} dilepas; penggabungan berjalan lagi.", name_of(code))))
        }
        Act::Revoke(v1::VillageAct { code, reason, .. }) => {
            let code = words::village(&code)?;
            desk.revoke(who, code, plain_name(code), &reason)?;
            Ok(said(format!(
                "Komputer {} tidak diterima lagi. Data yang sudah tergabung tetap ada. Untuk \
                 komputer baru buat token: lumbung-hubctl token create {code}",
                name_of(code)
            )))
        }
        Act::Budget(v1::BudgetAct { code, kilobytes_a_day }) => {
            let code = words::village(&code)?;
            desk.set_budget(who, code, kilobytes_a_day)?;
            Ok(said(format!("Berlaku sejak {} menghubungi hub berikutnya.", name_of(code))))
        }
        Act::MakeToken(asked) => make_token(desk, who, &asked),
        Act::CancelToken(v1::CancelTokenAct { number }) => {
            desk.cancel_token(who, number)?;
            Ok(said(format!("Token nomor {number} tidak berlaku lagi.")))
        }
        Act::Replay(v1::ReplayAct { number, village }) => {
            let of = words::maybe_village(&village)?;
            let (taken, tried) = replay(desk, who, number, of)?;
            let sentence = format!("{taken} dari {tried} catatan sekarang diterima.");
            Ok(v1::ActReply { sentence, done: taken, of: tried, ..Default::default() })
        }
        Act::ReturnQuarantined(v1::NumberAct { number }) => {
            let sent = desk.send_back(who, number)?;
            Ok(said(format!(
                "Alasannya dikirim ke desa sebagai informasi nomor {}. Begitu catatannya \
                 diperbaiki di desa, karantina ini hilang sendiri.",
                sent.number
            )))
        }
        Act::AskFinding(v1::AskAct { number, message }) => {
            let sent = desk.ask_villages(who, number, &message)?;
            Ok(said(format!(
                "Pertanyaan dikirim ke {} desa sebagai informasi nomor {}.",
                sent.villages, sent.number
            )))
        }
        Act::Contact(asked) => village::contact(desk, who, &asked),
        Act::Remark(asked) => village::remark(desk, who, &asked),
        Act::OneMachineLeft(v1::VillageAct { code, .. }) => {
            let code = words::village(&code)?;
            desk.resolve_twin(who, code)?;
            Ok(said(format!("Dicatat; penggabungan {} berjalan lagi.", name_of(code))))
        }
        Act::Leftovers(asked) => village::leftovers(desk, who, &asked),
        Act::ReleaseDamaged(v1::VillageAct { code, .. }) => {
            let code = words::village(&code)?;
            desk.release_damaged(who, code)?;
            Ok(said(format!(
                "Dicatat; komputer {} diberi tahu bahwa berkas rusaknya boleh dihapus.",
                name_of(code)
            )))
        }
        Act::WriteNotice(asked) => notices::write(desk, who, asked),
        Act::CorrectNotice(asked) => notices::correct(desk, who, asked),
        Act::WithdrawNotice(v1::NumberAct { number }) => {
            desk.withdraw_notice(who, number)?;
            Ok(said(format!(
                "Informasi nomor {number} ditarik; desa yang menerimanya diberi tahu."
            )))
        }
        Act::StartMaintenance(asked) => village::start_maintenance(desk, who, &asked),
        Act::EndMaintenance(v1::NumberAct { number }) => {
            desk.end_maintenance(who, number)?;
            Ok(said(format!("Pemeliharaan nomor {number} diakhiri.")))
        }
        Act::Publish(v1::PublishAct { day }) => {
            let day = words::day(&day)?;
            desk.publish(who, day)?;
            Ok(said(format!(
                "Rekap {day} diterbitkan; semua lembarnya dibaca dengan lumbung-hubctl recap \
                 --public dan tidak berubah lagi."
            )))
        }
        Act::TestAlerts(_) => village::test_alerts(desk, who),
        Act::AddOperator(_)
        | Act::ChangeOperator(_)
        | Act::ResetOperator(_)
        | Act::CertifyOperator(_)
        | Act::RevokeCertificates(_) => Err(Status::internal("accounts are the gate's")),
    }
}

fn sync(desk: &Desk, who: &Operator, code: &str) -> Result<v1::ActReply, Status> {
    let code = words::village(code)?;
    let name = name_of(code);
    Ok(said(match desk.sync_now(who, code)? {
        Heard::Asked => format!("{name} tersambung; ditanya sekarang apa yang baru."),
        Heard::Dialled => format!("{name} dihubungi sekarang."),
        Heard::WhenItComes => format!(
            "{name} tidak tersambung, dan node-nya yang menghubungi hub: sinkron berjalan begitu \
             ia tersambung."
        ),
    }))
}

/// Tries entries in quarantine again: one, or all (of a village). How many
/// are records now, and of how many.
fn replay(
    desk: &Desk,
    who: &Operator,
    number: i64,
    of: Option<VillageCode>,
) -> Result<(u64, u64), Status> {
    if number != 0 {
        let taken = desk.replay(who, number)?;
        return Ok((taken.into(), 1));
    }
    who.must(Right::Act).map_err(DeskError::from)?;
    let (mut taken, mut tried) = (0, 0);
    for entry in desk.quarantine(who, of)? {
        match desk.replay(who, entry.number) {
            Ok(is_taken) => (taken, tried) = (taken + u64::from(is_taken), tried + 1),
            // A newer entry of the record has taken its place meanwhile.
            Err(DeskError::NotThere) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok((taken, tried))
}

fn make_token(desk: &Desk, who: &Operator, asked: &v1::TokenAct) -> Result<v1::ActReply, Status> {
    let code = words::village(&asked.code)?;
    let address = (!asked.address.is_empty()).then_some(asked.address.as_str());
    let token = desk.invite_for(who, code, asked.replaces, asked.days, address);
    let token = token?;
    let sentence = format!(
        "Token {} untuk {}, sekali pakai, berlaku sampai {}.",
        if asked.replaces { "PENGGANTI" } else { "bergabung" },
        name_of(code),
        clock::display(token.expires_ms)
    );
    Ok(v1::ActReply { sentence, secret: token.text, ..Default::default() })
}

/// Does what is done to accounts; `None` = it concerns none.
pub(super) async fn of_accounts(
    gate: &Gate,
    desk: &Arc<Desk>,
    who: &Operator,
    act: &Act,
) -> Result<Option<v1::ActReply>, Status> {
    let reply = match act {
        Act::AddOperator(asked) => {
            let password = gate.add(who, &account(asked)?).await.map_err(gate_refused)?;
            let sentence =
                format!("Operator {} ditambahkan. Sandi awalnya, berlaku 72 jam:", asked.name);
            v1::ActReply { sentence, secret: password, ..Default::default() }
        }
        Act::ChangeOperator(asked) => {
            gate.change(who, &asked.name, &change(asked)?).await.map_err(gate_refused)?;
            said(match asked.blocked {
                true => format!("Operator {} diblokir; sesinya berakhir.", asked.name),
                false => format!("Operator {} diubah; sesinya berakhir.", asked.name),
            })
        }
        Act::ResetOperator(v1::NameAct { name }) => {
            let password = gate.reset(who, name).await.map_err(gate_refused)?;
            let sentence = format!("Sandi awal baru untuk {name}, berlaku 72 jam:");
            v1::ActReply { sentence, secret: password, ..Default::default() }
        }
        Act::CertifyOperator(asked) => certify(gate, desk, who, asked).await?,
        Act::RevokeCertificates(v1::NameAct { name }) => {
            let count = gate.revoke_certificates(who, name).await.map_err(gate_refused)?;
            said(format!("{count} sertifikat {name} tidak berlaku lagi, sejak sekarang."))
        }
        _ => return Ok(None),
    };
    Ok(Some(reply))
}

/// Lets the key that the operator made speak for the account.
async fn certify(
    gate: &Gate,
    desk: &Arc<Desk>,
    who: &Operator,
    asked: &v1::CertifyAct,
) -> Result<v1::ActReply, Status> {
    let key = PublicKey::from_slice(&asked.public_key)
        .ok_or_else(|| Status::invalid_argument("the public key has another length"))?;
    let until_ms = gate.certify(who, &asked.name, key, asked.days).await.map_err(gate_refused)?;
    let (desk, who, name) = (Arc::clone(desk), who.clone(), asked.name.clone());
    let issued =
        tokio::task::spawn_blocking(move || desk.issue_certificate(&who, &name, &key, until_ms));
    let issued = issued.await.map_err(|_| Status::unavailable("Hub sedang berhenti."))?;
    let Issued { certificate, anchors } = issued?;
    Ok(v1::ActReply {
        sentence: format!(
            "Sertifikat untuk {} berlaku sampai {}.",
            asked.name,
            clock::display(until_ms)
        ),
        certificate: Bytes::copy_from_slice(&certificate),
        anchors: anchors.iter().map(|root| Bytes::copy_from_slice(root)).collect(),
        ..Default::default()
    })
}

fn role(asked: &v1::AccountAct) -> Result<Role, Status> {
    Role::parse(&asked.role).ok_or_else(|| {
        let known: Vec<_> = Role::ALL.iter().map(|role| role.name()).collect();
        Status::invalid_argument(format!(
            "Peran {} tidak dikenal; pilih {}. Tidak ada yang diubah.",
            asked.role,
            known.join(", ")
        ))
    })
}

fn kecamatan(asked: &v1::AccountAct) -> Result<Vec<KecamatanCode>, Status> {
    asked.kecamatan.iter().map(|code| words::kecamatan(code)).collect()
}

/// When the account ends; `None` = not said.
fn until_ms(asked: &v1::AccountAct) -> Option<i64> {
    let days = i64::from(asked.days.min(DAYS_MAX));
    (days > 0).then(|| clock::now_ms() + days * DAY_MS)
}

fn account(asked: &v1::AccountAct) -> Result<NewAccount, Status> {
    let (role, kecamatan) = (role(asked)?, kecamatan(asked)?);
    Ok(NewAccount { name: asked.name.clone(), role, kecamatan, until_ms: until_ms(asked) })
}

fn change(asked: &v1::AccountAct) -> Result<AccountChange, Status> {
    let kecamatan = kecamatan(asked)?;
    Ok(AccountChange {
        role: if asked.role.is_empty() { None } else { Some(role(asked)?) },
        kecamatan: (asked.whole || !kecamatan.is_empty()).then_some(kecamatan),
        end: match until_ms(asked) {
            Some(until_ms) => End::At(until_ms),
            None if asked.endless => End::Never,
            None => End::Stays,
        },
        active: match (asked.blocked, asked.opened) {
            (true, _) => Some(false),
            (false, true) => Some(true),
            (false, false) => None,
        },
    })
}
