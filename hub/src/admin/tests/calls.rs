//! Every verb of the admin API: whom it lets through, and what it names.

use lumbung_proto::v1;
use lumbung_proto::v1::act_request::Act;
use lumbung_proto::v1::get_request::What;
use lumbung_telemetry::clock;

use super::{Side, next};
use crate::access::Right;
use crate::recap::tests::{house, loose};

/// Whom a call lets through.
#[derive(Clone, Copy, Debug)]
pub(super) enum Need {
    /// Whoever has an account.
    Nothing,
    /// Who has all of these.
    Rights(&'static [Right]),
    /// Who has this and sees the whole district.
    All(Right),
    /// Who keeps operators and has all rights of the one who is certified.
    Certify,
}

/// What a call names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// Nothing of a kecamatan.
    Nothing,
    /// An object of a kecamatan: for others it is not there.
    Object,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    Get(What),
    Act(Act),
    Watch(Vec<String>),
    ExportRecords(v1::ExportRecordsRequest),
    ExportRecap(v1::ExportRecapRequest),
}

impl Asked {
    /// The method, and the verb where it has several.
    pub(super) fn name(&self) -> (&'static str, String) {
        let verb = |shown: String| {
            shown.split(|it: char| !it.is_ascii_alphanumeric()).next().unwrap().to_owned()
        };
        match self {
            Self::Get(what) => ("Get", verb(format!("{what:?}"))),
            Self::Act(act) => ("Act", verb(format!("{act:?}"))),
            Self::Watch(_) => ("Watch", String::new()),
            Self::ExportRecords(_) => ("ExportRecords", String::new()),
            Self::ExportRecap(_) => ("ExportRecap", String::new()),
        }
    }
}

/// One way to ask.
pub(super) struct Call {
    pub(super) need: Need,
    pub(super) names: Names,
    pub(super) ask: Ask,
}

/// Asks about something of a side.
type Ask = fn(&mut Side) -> Asked;

/// A call in the lists below.
type Row = (Need, Names, Ask);

const SEE: Need = Need::Rights(&[Right::SeeVillages]);
const READ: Need = Need::Rights(&[Right::SeeRecords]);
const OPEN: Need = Need::Rights(&[Right::SeeRecords, Right::Reveal]);
const TAKE: Need = Need::Rights(&[Right::Export]);
const ACT: Need = Need::Rights(&[Right::Act]);
const ASK: Need = Need::Rights(&[Right::Act, Right::SeeRecords]);
const INFORM: Need = Need::Rights(&[Right::Inform]);
const KEYS: Need = Need::Rights(&[Right::ManageKeys]);
const KEEP: Need = Need::Rights(&[Right::ManageOperators]);

/// Every call.
pub(super) fn all() -> Vec<Call> {
    use Names::{Nothing, Object};
    let calls: &[Row] = &[
        (SEE, Nothing, |_| Asked::Watch(Vec::new())),
        (SEE, Object, |it| Asked::Watch(vec![it.village.clone()])),
        (TAKE, Object, |it| Asked::ExportRecords(records(it.village.clone(), String::new()))),
        (TAKE, Object, |it| Asked::ExportRecords(records(String::new(), it.kecamatan.clone()))),
        (SEE, Object, |it| Asked::ExportRecap(sheet(&it.village, false))),
        (SEE, Object, |it| Asked::ExportRecap(sheet(&it.kecamatan, true))),
    ];
    let calls =
        calls.iter().map(|(need, names, ask)| Call { need: *need, names: *names, ask: *ask });
    calls.chain(gets()).chain(acts()).collect()
}

fn records(village: String, kecamatan: String) -> v1::ExportRecordsRequest {
    let day = clock::today().checked_add(jiff::Span::new().days(7)).unwrap();
    v1::ExportRecordsRequest {
        kind: "warga".to_owned(),
        village,
        kecamatan,
        purpose: "Verifikasi bantuan 2026".to_owned(),
        keep_until: day.to_string(),
        ..Default::default()
    }
}

fn recap(region: &str, public: bool) -> v1::RecapAsked {
    v1::RecapAsked { region: region.to_owned(), public, ..Default::default() }
}

fn sheet(region: &str, public: bool) -> v1::ExportRecapRequest {
    v1::ExportRecapRequest { recap: Some(recap(region, public)), ..Default::default() }
}

fn gets() -> impl Iterator<Item = Call> {
    use Names::{Nothing, Object};
    let gets: Vec<Row> = vec![
        (Need::Nothing, Nothing, |_| Asked::Get(What::Who(v1::WhoAsked {}))),
        (SEE, Nothing, |_| Asked::Get(What::Villages(v1::VillagesAsked::default()))),
        (SEE, Object, |it| {
            Asked::Get(What::Villages(v1::VillagesAsked { codes: vec![it.village.clone()] }))
        }),
        (SEE, Object, |it| {
            Asked::Get(What::Village(v1::VillageAsked { code: it.village.clone() }))
        }),
        (READ, Nothing, |_| Asked::Get(What::Findings(v1::FindingsAsked::default()))),
        (READ, Object, |it| {
            let village = it.village.clone();
            Asked::Get(What::Findings(v1::FindingsAsked { village, ..Default::default() }))
        }),
        (SEE, Nothing, |_| Asked::Get(What::Quarantine(v1::QuarantineAsked::default()))),
        (SEE, Object, |it| {
            Asked::Get(What::Quarantine(v1::QuarantineAsked { village: it.village.clone() }))
        }),
        (SEE, Object, |it| {
            let village = it.stopped.clone();
            Asked::Get(What::Incidents(v1::IncidentsAsked { village, limit: 9 }))
        }),
        (SEE, Nothing, |_| Asked::Get(What::Sessions(v1::SessionsAsked {}))),
        (KEYS, Nothing, |_| Asked::Get(What::Tokens(v1::TokensAsked {}))),
        (KEYS, Nothing, |_| Asked::Get(What::Keys(v1::KeysAsked {}))),
        (KEEP, Nothing, |_| Asked::Get(What::Operators(v1::OperatorsAsked {}))),
        (Need::All(Right::Audit), Nothing, |_| Asked::Get(What::Audit(v1::AuditAsked::default()))),
        (Need::All(Right::Audit), Nothing, |_| {
            Asked::Get(What::AuditCheck(v1::AuditCheckAsked {}))
        }),
        (SEE, Object, |it| Asked::Get(What::Recap(recap(&it.village, false)))),
        (SEE, Object, |it| Asked::Get(What::Recap(recap(&it.kecamatan, true)))),
        (READ, Object, |it| {
            let (kind, village) = ("warga".to_owned(), it.village.clone());
            Asked::Get(What::Records(v1::RecordsAsked { kind, village, limit: 9 }))
        }),
        (SEE, Object, |it| Asked::Get(What::Needs(v1::NeedsAsked { village: it.stopped.clone() }))),
        (SEE, Nothing, |_| Asked::Get(What::Notices(v1::NoticesAsked { limit: 999 }))),
        (ACT, Object, |it| {
            Asked::Get(What::Diagnosis(v1::DiagnosisAsked { code: it.village.clone() }))
        }),
        (READ, Object, |it| Asked::Get(What::Finding(v1::FindingAsked { number: it.finding }))),
        (READ, Object, |it| {
            let (kind, region) = ("warga".to_owned(), it.village.clone());
            Asked::Get(What::Search(v1::SearchAsked { kind, region, ..Default::default() }))
        }),
        (OPEN, Nothing, |it| Asked::Get(What::Nik(v1::NikAsked { nik: it.nik.clone() }))),
        (READ, Object, |it| {
            let village = it.village.clone();
            Asked::Get(What::Person(v1::PersonAsked { village, id: loose() }))
        }),
        (READ, Object, |it| {
            let village = it.village.clone();
            Asked::Get(What::House(v1::HouseAsked { village, id: house(0) }))
        }),
        (OPEN, Object, |it| {
            Asked::Get(What::Reveal(v1::RevealAsked {
                village: it.village.clone(),
                id: loose(),
                numbers: true,
                specific: true,
                reason: "Permohonan surat 470".to_owned(),
            }))
        }),
        (SEE, Object, |it| {
            Asked::Get(What::Notice(v1::NoticeAsked { number: next(&mut it.notices) }))
        }),
        (SEE, Object, |it| {
            let region = it.village.clone();
            Asked::Get(What::Quality(v1::QualityAsked { region, stated: false }))
        }),
        (SEE, Object, |it| {
            let region = it.village.clone();
            Asked::Get(What::Quality(v1::QualityAsked { region, stated: true }))
        }),
        (SEE, Object, |it| {
            let region = it.kecamatan.clone();
            Asked::Get(What::Freshness(v1::FreshnessAsked { days: 9, region }))
        }),
        (SEE, Nothing, |_| Asked::Get(What::Versions(v1::VersionsAsked {}))),
        (SEE, Nothing, |_| Asked::Get(What::Maintenance(v1::MaintenanceAsked {}))),
        (SEE, Nothing, |_| Asked::Get(What::Publications(v1::PublicationsAsked {}))),
    ];
    gets.into_iter().map(|(need, names, ask)| Call { need, names, ask })
}

fn of(code: &str) -> v1::VillageAct {
    v1::VillageAct { code: code.to_owned(), reason: "uji".to_owned(), days: 1 }
}

fn account(it: &mut Side, name: String) -> v1::AccountAct {
    let kecamatan = vec![it.kecamatan.clone()];
    v1::AccountAct { name, role: "auditor".to_owned(), kecamatan, ..Default::default() }
}

fn notice(it: &Side, number: i64) -> v1::NoticeAct {
    let targets = if number == 0 { vec![it.village.clone()] } else { Vec::new() };
    let (title, text) = (Some("Uji".to_owned()), Some("Uji".to_owned()));
    v1::NoticeAct { number, title, text, category: Some(1), targets, ..Default::default() }
}

fn acts() -> impl Iterator<Item = Call> {
    use Names::{Nothing, Object};
    let acts: Vec<Row> = vec![
        (ACT, Object, |it| Asked::Act(Act::Sync(of(&it.village)))),
        (ACT, Object, |it| Asked::Act(Act::Prove(of(&it.village)))),
        (ACT, Object, |it| Asked::Act(Act::Hold(of(&it.village)))),
        (ACT, Object, |it| Asked::Act(Act::Release(of(&it.village)))),
        (KEYS, Object, |it| Asked::Act(Act::Revoke(of(&it.village)))),
        (ACT, Object, |it| {
            let code = it.village.clone();
            Asked::Act(Act::Budget(v1::BudgetAct { code, kilobytes_a_day: 1_000 }))
        }),
        (KEYS, Object, |it| {
            Asked::Act(Act::MakeToken(v1::TokenAct {
                code: it.village.clone(),
                address: "10.0.0.1:8710".to_owned(),
                days: 1,
                replaces: true,
            }))
        }),
        (KEYS, Object, |it| {
            Asked::Act(Act::CancelToken(v1::CancelTokenAct { number: next(&mut it.tokens) }))
        }),
        (ACT, Object, |it| {
            let number = next(&mut it.quarantined);
            Asked::Act(Act::Replay(v1::ReplayAct { number, village: String::new() }))
        }),
        (ACT, Object, |it| {
            let village = it.stopped.clone();
            Asked::Act(Act::Replay(v1::ReplayAct { number: 0, village }))
        }),
        (ACT, Object, |it| {
            let number = next(&mut it.quarantined);
            Asked::Act(Act::ReturnQuarantined(v1::NumberAct { number }))
        }),
        (KEEP, Object, |it| {
            let name = it.name();
            Asked::Act(Act::AddOperator(account(it, name)))
        }),
        (KEEP, Object, |it| {
            let name = it.operator.clone();
            let role = String::new();
            Asked::Act(Act::ChangeOperator(v1::AccountAct { role, ..account(it, name) }))
        }),
        (KEEP, Object, |it| {
            Asked::Act(Act::ResetOperator(v1::NameAct { name: it.operator.clone() }))
        }),
        (Need::Certify, Object, |it| {
            let (name, public_key) = (it.operator.clone(), vec![5; 32].into());
            Asked::Act(Act::CertifyOperator(v1::CertifyAct { name, public_key, days: 1 }))
        }),
        (KEEP, Object, |it| {
            Asked::Act(Act::RevokeCertificates(v1::NameAct { name: it.operator.clone() }))
        }),
        (ASK, Object, |it| {
            let (number, message) = (it.finding, "Siapa ini?".to_owned());
            Asked::Act(Act::AskFinding(v1::AskAct { number, message }))
        }),
        (ACT, Object, |it| {
            Asked::Act(Act::Contact(v1::ContactAct {
                code: it.village.clone(),
                name: "Rahayu Sendiri".to_owned(),
                telephone: "081200000000".to_owned(),
            }))
        }),
        (ACT, Object, |it| {
            let (code, words) = (it.village.clone(), "uji".to_owned());
            Asked::Act(Act::Remark(v1::RemarkAct { code, words }))
        }),
        (KEYS, Object, |it| Asked::Act(Act::OneMachineLeft(of(&it.stopped)))),
        (KEYS, Object, |it| Asked::Act(Act::ReleaseDamaged(of(&it.stopped)))),
        (KEYS, Object, |it| {
            Asked::Act(Act::Leftovers(v1::LeftoversAct { code: it.stopped.clone(), end: true }))
        }),
        (KEYS, Object, |it| {
            Asked::Act(Act::Leftovers(v1::LeftoversAct { code: it.stopped.clone(), end: false }))
        }),
        (INFORM, Object, |it| Asked::Act(Act::WriteNotice(notice(it, 0)))),
        (INFORM, Object, |it| {
            let only_try = true;
            Asked::Act(Act::WriteNotice(v1::NoticeAct { only_try, ..notice(it, 0) }))
        }),
        (INFORM, Object, |it| {
            let number = next(&mut it.notices);
            Asked::Act(Act::CorrectNotice(notice(it, number)))
        }),
        (INFORM, Object, |it| {
            let number = next(&mut it.notices);
            Asked::Act(Act::WithdrawNotice(v1::NumberAct { number }))
        }),
        (ACT, Object, |it| {
            let (region, reason) = (it.kecamatan.clone(), "uji".to_owned());
            Asked::Act(Act::StartMaintenance(v1::MaintenanceAct { region, hours: 1, reason }))
        }),
        (ACT, Object, |it| {
            Asked::Act(Act::EndMaintenance(v1::NumberAct { number: next(&mut it.windows) }))
        }),
        (Need::All(Right::Export), Nothing, |_| {
            let day = crate::recap::closed_period(clock::today()).to_string();
            Asked::Act(Act::Publish(v1::PublishAct { day }))
        }),
        (Need::All(Right::Act), Nothing, |_| Asked::Act(Act::TestAlerts(v1::TestAlertsAct {}))),
    ];
    acts.into_iter().map(|(need, names, ask)| Call { need, names, ask })
}
