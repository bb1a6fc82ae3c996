//! Every call of the admin API, for each role, about what is of their own
//! kecamatan and about what is there in another one; and the decisions that
//! only people make.

mod calls;

use std::collections::BTreeSet;
use std::sync::Arc;

use lumbung_domain::region::VillageCode;
use lumbung_identity::{OperatorPeer, PublicKey};
use lumbung_proto::v1;
use lumbung_proto::v1::act_request::Act;
use lumbung_proto::v1::admin_server::Admin as _;
use lumbung_proto::v1::get_request::What;
use lumbung_telemetry::clock;
use tokio_stream::StreamExt as _;

use self::calls::{Asked, Call, Names, Need};
use super::port::Certified;
use super::*;
use crate::access::gate::FIRST_PASSWORD_MS;
use crate::access::{NewAccount, Right, Role};
use crate::dataset::notices::{Addressee, Notices as _};
use crate::dataset::sqlite::SqliteDataset;
use crate::dataset::sqlite::tests::everything;
use crate::dataset::{Damaged as _, Dataset as _, Recovery as _, Scope};
use crate::desk::DeskParts;
use crate::live::Live;
use crate::puller::Wishes;
use crate::recap::RegionRef;
use crate::recap::tests::{BORDERING, TWICE, bordering};
use crate::registry::Registry as _;

/// Things of each side that a call may use up.
const SUPPLY: usize = 30;

/// What one kecamatan has.
#[derive(Clone)]
pub(super) struct Side {
    kecamatan: String,
    village: String,
    stopped: String,
    finding: i64,
    nik: String,
    operator: String,
    quarantined: Vec<i64>,
    notices: Vec<i64>,
    tokens: Vec<i64>,
    windows: Vec<i64>,
    made: u32,
}

fn next(supply: &mut Vec<i64>) -> i64 {
    supply.pop().expect("more of them")
}

impl Side {
    fn name(&mut self) -> String {
        self.made += 1;
        format!("baru.{}-{}", self.kecamatan.replace('.', ""), self.made)
    }

    /// A third kecamatan with nothing in it.
    fn nowhere() -> Self {
        let none = || vec![999_999; 9];
        Self {
            kecamatan: "35.05.03".to_owned(),
            village: "3505032001".to_owned(),
            stopped: "3505032003".to_owned(),
            finding: 999_999,
            nik: TWICE[0].replace("0001", "0099"),
            operator: "tidak.ada".to_owned(),
            quarantined: none(),
            notices: none(),
            tokens: none(),
            windows: none(),
            made: 0,
        }
    }
}

struct Hub {
    folder: tempfile::TempDir,
    dataset: Arc<SqliteDataset>,
    service: AdminService,
    /// Whoever is at the hub's own machine.
    head: Operator,
}

impl Hub {
    fn new() -> Self {
        let (folder, dataset) = bordering();
        let dataset = Arc::new(dataset);
        let gate = Gate::new(dataset.clone(), dataset.clone());
        let desk = Arc::new(Desk::new(DeskParts {
            counts: gate.counts().clone(),
            arrivals: crate::uplink::Arrivals::default(),
            dataset: dataset.clone(),
            audit: dataset.clone(),
            live: Arc::new(Live::default()),
            registry: dataset.clone(),
            wishes: Wishes::default(),
            identity: folder.path().join("identity"),
            letters: crate::alerting::config_file(folder.path()),
        }));
        let head = Operator::of_this_machine("uji");
        Self { folder, dataset, service: AdminService::new(desk, gate), head }
    }

    async fn side(&self, number: usize) -> Side {
        let [village, _, stopped] =
            BORDERING[number].map(|code| VillageCode::from_u64(code).unwrap());
        let scope = Scope::of_village(village);
        let desk = &self.service.desk;
        let now_ms = clock::now_ms();
        let notice = |_| {
            let asked = v1::NoticeAct {
                title: Some("Uji".to_owned()),
                text: Some("Uji".to_owned()),
                category: Some(1),
                targets: vec![village.compact()],
                ..Default::default()
            };
            act::at_desk(desk, &self.head, Act::WriteNotice(asked)).unwrap();
            desk.notices(&self.head, 1).unwrap()[0].notice.number
        };
        let token = |at: usize| {
            let hash = *blake3::hash(format!("{village} {at}").as_bytes()).as_bytes();
            self.dataset.add_token(hash, village, false, now_ms, now_ms + 86_400_000).unwrap()
        };
        let window = |_| {
            let region = RegionRef::Desa(village);
            desk.start_maintenance(&self.head, region, 9, "uji").unwrap().number
        };
        let operator = format!("petugas.{}", village.kecamatan().compact());
        let new = NewAccount {
            name: operator.clone(),
            role: Role::KecamatanOperator,
            kecamatan: vec![village.kecamatan()],
            until_ms: None,
        };
        self.service.gate.add(&self.head, &new).await.unwrap();
        let waiting = self.dataset.quarantine(&scope).unwrap();
        Side {
            kecamatan: village.kecamatan().to_string(),
            village: village.compact(),
            stopped: stopped.compact(),
            finding: self.dataset.findings(&scope, true, 9).unwrap()[0].number,
            nik: TWICE[number].to_owned(),
            operator,
            quarantined: waiting.iter().map(|entry| entry.number).collect(),
            notices: (0..SUPPLY).map(notice).collect(),
            tokens: (0..SUPPLY).map(token).collect(),
            windows: (0..SUPPLY).map(window).collect(),
            made: 0,
        }
    }

    /// A far-away operator's line.
    async fn certified(&self, role: Role, is_bound: bool) -> Certified {
        let own = VillageCode::from_u64(BORDERING[0][0]).unwrap().kecamatan();
        let bound = if is_bound { "-kec" } else { "" };
        let account = format!("uji.{}{bound}", role.name().replace('.', "-"));
        let kecamatan = if is_bound { vec![own] } else { Vec::new() };
        let until_ms = (role == Role::Support).then(|| clock::now_ms() + FIRST_PASSWORD_MS);
        let new = NewAccount { name: account.clone(), role, kecamatan, until_ms };
        self.service.gate.add(&self.head, &new).await.unwrap();
        let key = PublicKey(*blake3::hash(account.as_bytes()).as_bytes());
        self.service.gate.certify(&self.head, &account, key, 1).await.unwrap();
        Certified(OperatorPeer { account, key })
    }

    /// What a call comes to: all that was told, or why not.
    async fn answer(&self, line: &Certified, asked: Asked) -> Result<String, Status> {
        fn over<T>(line: &Certified, message: T) -> Request<T> {
            let mut request = Request::new(message);
            request.extensions_mut().insert(line.clone());
            request
        }
        let service = &self.service;
        async fn all<T: std::fmt::Debug>(items: Items<T>) -> Result<String, Status> {
            let items = items.collect::<Vec<_>>().await;
            let items = items.into_iter().collect::<Result<Vec<_>, _>>()?;
            Ok(format!("{items:?}"))
        }
        match asked {
            Asked::Get(what) => {
                let asked = v1::GetRequest { what: Some(what) };
                all(service.get(over(line, asked)).await?.into_inner()).await
            }
            Asked::Act(act) => {
                let asked = v1::ActRequest { act: Some(act) };
                Ok(format!("{:?}", service.act(over(line, asked)).await?.into_inner()))
            }
            Asked::Watch(codes) => {
                let asked = v1::WatchRequest { codes };
                let mut told = service.watch(over(line, asked)).await?.into_inner();
                Ok(format!("{:?}", told.next().await.expect("what is there now")?))
            }
            Asked::ExportRecords(asked) => {
                all(service.export_records(over(line, asked)).await?.into_inner()).await
            }
            Asked::ExportRecap(asked) => {
                all(service.export_recap(over(line, asked)).await?.into_inner()).await
            }
        }
    }
}

/// Whether somebody was let through: told, done, or told what is wrong with
/// what they asked.
fn passed(answer: &Result<String, Status>) -> bool {
    match answer {
        Ok(_) => true,
        Err(status) => status.code() == Code::FailedPrecondition,
    }
}

fn is_refused(answer: &Result<String, Status>) -> bool {
    matches!(answer, Err(status)
        if matches!(status.code(), Code::PermissionDenied | Code::NotFound))
}

fn may(call: &Call, role: Role, is_bound: bool) -> bool {
    match call.need {
        Need::Nothing => true,
        Need::Rights(rights) => rights.iter().all(|right| role.may(*right)),
        Need::All(right) => role.may(right) && !is_bound,
        // Nobody lets a key speak for more than they may themselves.
        Need::Certify => role.may(Right::ManageOperators) && role.covers(Role::KecamatanOperator),
    }
}

#[test]
fn every_call_of_the_api_is_tried() {
    let proto = include_str!("../../../proto/lumbung/v1/admin.proto");
    let within = |start: &str| {
        let (_, rest) = proto.split_once(start).expect("the file is read otherwise now");
        rest.split_once('}').unwrap().0
    };
    let verbs = |of: &str| {
        let lines = within(of).lines().filter_map(|line| line.split_once('=')).map(|it| it.0);
        let names = lines.filter_map(|line| line.split_whitespace().nth(1));
        names.map(|name| name.replace('_', "")).collect::<BTreeSet<_>>()
    };
    let tried: Vec<_> = calls::all().iter().map(|call| (call.ask)(&mut Side::nowhere())).collect();
    let of = |kind: &str| {
        let names = tried.iter().map(Asked::name).filter(|(method, _)| *method == kind);
        names.map(|(_, verb)| verb.to_lowercase()).collect::<BTreeSet<_>>()
    };
    assert_eq!(verbs("oneof what {"), of("Get"));
    assert_eq!(verbs("oneof act {"), of("Act"));
    let methods = within("service Admin {").split("rpc ").skip(1);
    let methods: BTreeSet<_> = methods.map(|rest| rest.split('(').next().unwrap()).collect();
    assert_eq!(methods, tried.iter().map(|asked| asked.name().0).collect());
}

#[tokio::test]
async fn nobody_gets_an_answer_without_a_certificate_that_counts() {
    let hub = Hub::new();
    let key = PublicKey([3; 32]);
    let line = Certified(OperatorPeer { account: "kepala".to_owned(), key });
    for call in calls::all() {
        let asked = (call.ask)(&mut Side::nowhere());
        let name = asked.name();
        let answer = hub.answer(&line, asked).await;
        let refused = answer.as_ref().is_err_and(|it| it.code() == Code::Unauthenticated);
        assert!(refused, "{name:?}: {answer:?}");
    }
}

#[tokio::test]
async fn each_role_gets_its_own_and_nothing_of_another_kecamatan() {
    let hub = Hub::new();
    let (mut own, mut foreign) = (hub.side(0).await, hub.side(1).await);
    let file = hub.folder.path().join("hub.db");
    let of_the_other = |told: &str| told.contains("3505022") || told.contains("35.05.02.2");
    for role in Role::ALL {
        for is_bound in [true, false] {
            if role.is_of_kecamatan() && !is_bound {
                continue;
            }
            let line = hub.certified(role, is_bound).await;
            let before = everything(&file);
            let objects = || calls::all().into_iter().filter(|it| it.names == Names::Object);
            for call in objects().filter(|_| is_bound) {
                let asked = (call.ask)(&mut foreign.clone());
                let name = asked.name();
                let answer = hub.answer(&line, asked).await;
                assert!(is_refused(&answer), "{role} {name:?}: {answer:?}");
                // What is there looks like what is not.
                let nothing = hub.answer(&line, (call.ask)(&mut Side::nowhere())).await;
                let said = |it: &Result<String, Status>| {
                    it.as_ref().map_err(|it| (it.code(), it.message().to_owned())).cloned()
                };
                let makes = name.1 == "AddOperator";
                assert!(makes || said(&answer) == said(&nothing), "{role} {name:?}: {nothing:?}");
            }
            let after = everything(&file);
            for (table, rows) in &before {
                assert!(after[table] == *rows, "{role} changed {table}");
            }
            let sides = if is_bound { vec![&mut own] } else { vec![&mut own, &mut foreign] };
            for side in sides {
                for call in calls::all() {
                    let (may, unused) = (may(&call, role, is_bound), side.clone());
                    let asked = (call.ask)(side);
                    let name = asked.name();
                    let answer = hub.answer(&line, asked).await;
                    assert_eq!(passed(&answer), may, "{role} {is_bound} {name:?}: {answer:?}");
                    if !may {
                        assert!(is_refused(&answer), "{role} {name:?}: {answer:?}");
                        *side = unused;
                    }
                    let told = answer.unwrap_or_else(|it| it.message().to_owned());
                    assert!(!is_bound || !of_the_other(&told), "{role} {name:?}: {told}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_only_people_decide_is_done_and_done_once() {
    let hub = Hub::new();
    let (own, other) = (hub.side(0).await, hub.side(1).await);
    let line = hub.certified(Role::Security, false).await;
    let state = |code: &str| hub.dataset.village(VillageCode::parse(code).unwrap()).unwrap();
    let decide = async |act: Act| hub.answer(&line, Asked::Act(act)).await;
    let twin =
        || Act::OneMachineLeft(v1::VillageAct { code: own.stopped.clone(), ..Default::default() });
    let before = state(&own.stopped);
    assert!(before.twin_ms > 0 && before.leftovers > 0);
    assert!(decide(twin()).await.unwrap().contains("penggabungan"));
    assert_eq!(state(&own.stopped).twin_ms, 0);
    assert!(state(&other.stopped).twin_ms > 0, "only the one that was named");
    assert_eq!(decide(twin()).await.unwrap_err().code(), Code::FailedPrecondition);
    let damaged =
        || Act::ReleaseDamaged(v1::VillageAct { code: own.village.clone(), ..Default::default() });
    assert_eq!(decide(damaged()).await.unwrap_err().code(), Code::FailedPrecondition);
    let village = VillageCode::parse(&own.village).unwrap();
    hub.dataset.note_damaged_store(village, 7, false, 8).unwrap();
    assert!(decide(damaged()).await.unwrap().contains("berkas rusaknya boleh dihapus"));
    assert!(hub.dataset.damaged_stores(village).unwrap().iter().all(|store| store.may_go));
    assert_eq!(decide(damaged()).await.unwrap_err().code(), Code::FailedPrecondition);
    for (side, end, words) in [(&own, false, "dikembalikan ke"), (&other, true, "diakhiri")] {
        let code = &side.stopped;
        let leftovers = || Act::Leftovers(v1::LeftoversAct { code: code.clone(), end });
        let count = state(code).leftovers;
        let told = decide(leftovers()).await.unwrap();
        assert!(told.contains(&format!("{count} catatan lama {words}")), "{told}");
        let village = VillageCode::parse(code).unwrap();
        let aside = hub.dataset.branch(&Scope::whole(), village, u32::MAX).unwrap();
        assert_eq!(aside.len() as u64, count, "{words}");
        // What goes back is left over until the village has written it anew.
        assert_eq!(state(code).leftovers, if end { 0 } else { count }, "{words}");
        if end {
            let again = decide(leftovers()).await.unwrap_err();
            assert_eq!(again.code(), Code::FailedPrecondition);
        }
    }
    // A record in quarantine goes back to its village and stays until it is
    // mended there.
    let village = VillageCode::parse(&own.village).unwrap();
    let due = || {
        let to = Addressee { village, log: None, software: "" };
        hub.dataset.due_notices(to, 0, clock::today(), 999).unwrap().len()
    };
    let (number, before) = (own.quarantined[0], due());
    let sent = decide(Act::ReturnQuarantined(v1::NumberAct { number })).await.unwrap();
    assert!(sent.contains("dikirim ke desa"), "{sent}");
    assert_eq!(due(), before + 1);
    assert!(hub.dataset.quarantined(&Scope::whole(), number).unwrap().is_some());
    let replayed = Act::Replay(v1::ReplayAct { number, ..Default::default() });
    assert!(decide(replayed).await.unwrap().contains("1 dari 1 catatan"));
    assert!(hub.dataset.quarantined(&Scope::whole(), number).unwrap().is_none());
}

#[tokio::test]
async fn a_list_with_codes_of_villages_names_them() {
    let hub = Hub::new();
    hub.side(0).await;
    let line = hub.certified(Role::KabupatenOperator, false).await;
    for (what, codes, names) in [
        (What::Findings(v1::FindingsAsked::default()), "villages", "names"),
        (What::Quarantine(v1::QuarantineAsked::default()), "village", "name"),
        (What::Incidents(v1::IncidentsAsked::default()), "village", "name"),
        (
            What::Records(v1::RecordsAsked { kind: "warga".to_owned(), ..Default::default() }),
            "village",
            "name",
        ),
    ] {
        let mut asked = Request::new(v1::GetRequest { what: Some(what.clone()) });
        asked.extensions_mut().insert(line.clone());
        let pages = hub.service.get(asked).await.unwrap().into_inner();
        let pages = pages.map(Result::unwrap).collect::<Vec<_>>().await;
        let at = |key| pages[0].columns.iter().position(|it| it.key == key).expect(key);
        let rows: Vec<_> = pages.iter().flat_map(|page| &page.rows).collect();
        assert!(!rows.is_empty(), "{what:?}");
        for row in rows {
            let code = row.cells[at(codes)].split(' ').next().unwrap();
            let name = words::name_of(VillageCode::parse(code).unwrap());
            let named = &row.cells[at(names)];
            assert!(name.starts_with("Desa ") && named.starts_with(&name), "{named}");
        }
    }
}
