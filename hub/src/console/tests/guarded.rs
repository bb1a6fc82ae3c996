//! Each route, for each role and nobody, about what is of their own kecamatan
//! and about what is there in another one.

mod routes;

use std::collections::{BTreeSet, HashMap};

use self::routes::{Guarded, Names, Need};
use super::super::map::Map;
use super::*;
use crate::dataset::sqlite::tests::everything;
use crate::dataset::{Dataset as _, Scope};
use crate::recap::tests::{BORDERING, REFUSED, TWICE, bordering, dasawisma, house, loose};

/// Notices to the first village of each side.
const NOTICES: usize = 80;

/// What one kecamatan has.
#[derive(Clone)]
pub(super) struct Side {
    kecamatan: String,
    /// With a quarantine, a finding and notices.
    village: String,
    /// Stopped, with records left over.
    stopped: String,
    finding: i64,
    quarantined: Vec<i64>,
    notices: Vec<i64>,
    /// An operator of the kecamatan.
    operator: String,
    nik: String,
    /// The answer to a question about it that the head operator asked.
    ticket: String,
    made: u32,
}

impl Side {
    /// An entry in quarantine that nobody has touched.
    fn refused(&mut self) -> i64 {
        self.quarantined.pop().expect("more in quarantine")
    }

    /// A notice that nobody has touched.
    fn notice(&mut self) -> i64 {
        self.notices.pop().expect("more notices")
    }

    /// A name that no operator has.
    fn name(&mut self) -> String {
        self.made += 1;
        format!("baru.{}-{}", self.compact(6), self.made)
    }

    /// The first digits of its code.
    fn compact(&self, digits: usize) -> String {
        self.village.chars().filter(char::is_ascii_digit).take(digits).collect()
    }

    fn person(&self) -> String {
        format!("/warga/{}/{}", self.village, loose())
    }

    fn house(&self) -> String {
        format!("/rumah/{}/{}", self.village, house(0))
    }

    /// A sheet of single houses.
    fn group(&self) -> String {
        format!("wilayah={}/{}&tanggal=2026-12-31", self.village, dasawisma())
    }

    fn purpose(&self) -> String {
        let day = clock::today().checked_add(jiff::Span::new().days(7)).unwrap();
        format!("tujuan=Verifikasi+bantuan+2026&sampai={day}")
    }

    fn order(&self) -> String {
        format!("jenis=warga&wilayah={}&bentuk=csv&{}", self.village, self.purpose())
    }

    /// A third kecamatan, none of whose villages has ever sent anything: the
    /// same kinds of addresses, of things that are not there.
    fn nowhere() -> Self {
        Self {
            kecamatan: "35.05.03".to_owned(),
            village: "35.05.03.2001".to_owned(),
            stopped: "35.05.03.2003".to_owned(),
            finding: 999_999,
            quarantined: vec![999_999; 9],
            notices: vec![999_999; 9],
            operator: "tidak.ada".to_owned(),
            nik: TWICE[0].replace("0001", "0099"),
            ticket: "/cari/0000".to_owned(),
            made: 0,
        }
    }
}

/// The district of [`bordering`] with all that can be written about it.
async fn two_sides() -> (Console, [Side; 2]) {
    let (folder, dataset) = bordering();
    let dataset = Arc::new(dataset);
    let mut console = console_over(folder, Arc::clone(&dataset)).await;
    let square = |code: u64, left: f64| {
        let right = left + 0.1;
        serde_json::json!({
            "properties": { "kode": code },
            "geometry": { "type": "Polygon", "coordinates":
                [[[left, -8.0], [right, -8.0], [right, -8.1], [left, -8.1], [left, -8.0]]] },
        })
    };
    let squares = [square(BORDERING[0][0], 112.0), square(BORDERING[1][0], 112.1)];
    let map = serde_json::json!({ "features": squares }).to_string();
    console.state.map = Some(Arc::new(Map::parse(map.as_bytes()).unwrap()));
    console.address = serve(console.state.clone()).await;
    let head = console.gate.operator(&console.head).await.unwrap().unwrap();
    let mut sides = Vec::new();
    for (codes, nik) in BORDERING.iter().zip(TWICE) {
        let [village, _, stopped] = codes.map(|code| VillageCode::from_u64(code).unwrap());
        let scope = Scope::of_village(village);
        let finding = dataset.findings(&scope, true, 9).unwrap()[0].number;
        let waiting = dataset.quarantine(&scope).unwrap();
        assert_eq!(waiting.len() as u64, REFUSED);
        let operator = format!("petugas.{}", village.kecamatan().compact());
        let kecamatan = vec![village.kecamatan()];
        let new = NewAccount {
            name: operator.clone(),
            role: Role::KecamatanOperator,
            kecamatan,
            until_ms: None,
        };
        console.gate.add(&head, &new).await.unwrap();
        let mut side = Side {
            kecamatan: village.kecamatan().to_string(),
            village: village.to_string(),
            stopped: stopped.to_string(),
            finding,
            quarantined: waiting.iter().map(|entry| entry.number).collect(),
            notices: Vec::new(),
            operator,
            nik: nik.to_owned(),
            ticket: String::new(),
            made: 0,
        };
        let about = |path: &str, form: String| {
            let (head, path) = (console.head.clone(), path.to_owned());
            let console = &console;
            async move { console.post_as(&head, &path, &form, "http://hub").await }
        };
        let place = |answer: String| {
            let (_, place) = answer.split_once("location: ").expect("it was taken");
            place.split("\r\n").next().unwrap().to_owned()
        };
        for _ in 0..NOTICES {
            let form = format!("judul=Uji&isi=Uji&kategori=1&kirim=ya&desa={}", side.compact(10));
            let made = place(about("/informasi", form).await);
            side.notices.push(made.trim_start_matches("/informasi/").parse().unwrap());
        }
        let deed = |deed: &str| format!("/desa/{}/tindakan/{deed}", side.village);
        for (deed, form) in [
            (deed("narahubung"), "nama=Rahayu+Sendiri&telepon=081234500000"),
            (deed("catatan"), "catatan=Kantornya+pindah"),
            (deed("kuota"), "kb=12500"),
            (deed("tahan"), "alasan=Pindah+gedung&hari=3"),
        ] {
            place(about(&deed, form.to_owned()).await);
        }
        let question = format!("apa=warga&nama=sendiri&wilayah={}", side.village);
        side.ticket = place(about("/cari", question).await);
        sides.push(side);
    }
    (console, sides.try_into().unwrap_or_else(|_| panic!("two sides")))
}

impl Console {
    async fn answer(&self, session: &str, guarded: &Guarded, side: &mut Side) -> (String, String) {
        let (path, form) = (guarded.ask)(side);
        let answer = match guarded.method {
            "GET" if path == "/events" => {
                let mut stream = self.ask_as(session, &path).await;
                let mut seen = vec![0; 4_096];
                let read = stream.read(&mut seen).await.unwrap();
                String::from_utf8_lossy(&seen[..read]).into_owned()
            }
            "GET" => self.get_as(session, &path).await,
            _ => self.post_as(session, &path, &form, "http://hub").await,
        };
        (format!("{} {path}", guarded.method), answer)
    }
}

fn status(answer: &str) -> u32 {
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    status.and_then(|it| it.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer}"))
}

fn is_sent_to_sign_in(answer: &str) -> bool {
    answer.contains("location: /masuk")
}

/// Whether somebody was let through: shown it, done, or told what is wrong
/// with what they sent.
fn passed(guarded: &Guarded, answer: &str) -> bool {
    let leaves = guarded.route == "/keluar" || matches!(guarded.need, Need::Nothing);
    match status(answer) {
        200 | 204 | 422 => true,
        303 => leaves || !is_sent_to_sign_in(answer),
        _ => false,
    }
}

/// What another kecamatan's villages are called in any answer.
fn of_the_other(answer: &str) -> bool {
    answer.contains("35.05.02.2") || answer.contains("3505022")
}

/// Every role as it may be: of the whole kabupaten, and of some kecamatan.
fn everybody() -> impl Iterator<Item = (Role, bool)> {
    let all = Role::ALL.into_iter().flat_map(|role| [(role, false), (role, true)]);
    all.filter(|(role, is_bound)| *is_bound || !role.is_of_kecamatan())
}

#[test]
fn every_route_of_the_router_is_guarded() {
    let known: BTreeSet<_> =
        routes::all().iter().map(|it| (it.method, it.route.to_owned())).collect();
    let served = routes::of_the_router();
    assert!(served.len() > 60, "the sources are read otherwise now: {served:?}");
    let unknown: Vec<_> = served.difference(&known).collect();
    assert!(unknown.is_empty(), "say in guarded/routes.rs who may: {unknown:?}");
    let gone: Vec<_> = known.difference(&served).collect();
    assert!(gone.is_empty(), "no such route: {gone:?}");
}

#[tokio::test]
async fn nobody_gets_anything_without_a_session() {
    let (console, sides) = two_sides().await;
    let mut side = sides[0].clone();
    for guarded in routes::all() {
        let (asked, answer) = console.answer("", &guarded, &mut side).await;
        match guarded.need {
            Need::Nothing => assert!(passed(&guarded, &answer), "{asked}: {answer}"),
            _ if guarded.route == "/events" => assert_eq!(status(&answer), 401, "{answer}"),
            _ => {
                let sent = status(&answer) == 303 && is_sent_to_sign_in(&answer);
                assert!(sent, "{asked}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn each_role_gets_its_own_and_nothing_of_another_kecamatan() {
    let (console, [own, foreign]) = two_sides().await;
    let file = console._folder.path().join("hub.db");
    let (mut own, mut foreign) = (own, foreign);
    for (role, is_bound) in everybody() {
        let kecamatan: &[u64] = if is_bound { &[350_501] } else { &[] };
        let session = console.session_of(role, kecamatan).await;
        let may = |guarded: &Guarded| match guarded.need {
            Need::All(right) => role.may(right) && !is_bound,
            Need::Rights(rights) => rights.iter().all(|right| role.may(*right)),
            Need::Nothing | Need::Session => true,
        };
        let objects = || routes::all().into_iter().filter(|it| it.names == Names::Object);
        let before = everything(&file);
        // Nobody changes anything there; who sees all may, further down.
        for guarded in objects().filter(|_| is_bound) {
            let (asked, answer) = console.answer(&session, &guarded, &mut foreign.clone()).await;
            assert!(matches!(status(&answer), 403 | 404), "{role} {asked}: {answer}");
            assert!(!of_the_other(&answer), "{role} {asked}: {answer}");
            // What is there looks like what is not.
            let (_, nothing) = console.answer(&session, &guarded, &mut Side::nowhere()).await;
            let refused = guarded.route == "/operator";
            assert!(refused || same(&answer, &nothing), "{role} {asked}: {answer}\n{nothing}");
        }
        let after = everything(&file);
        for (table, rows) in &before {
            assert!(after[table] == *rows, "{role} changed {table}");
        }
        let sides = if is_bound { vec![&mut own] } else { vec![&mut own, &mut foreign] };
        for side in sides {
            let ends = |it: &Guarded| it.route == "/keluar";
            for guarded in routes::all().into_iter().filter(|it| !ends(it)) {
                let may = may(&guarded);
                let uses = side.clone();
                let (asked, answer) = console.answer(&session, &guarded, side).await;
                assert_eq!(passed(&guarded, &answer), may, "{role} {is_bound} {asked}: {answer}");
                if !may {
                    assert!(matches!(status(&answer), 403 | 404), "{role} {asked}: {answer}");
                    *side = uses;
                }
                assert!(!is_bound || !of_the_other(&answer), "{role} {asked}: {answer}");
            }
        }
        let out = routes::all().pop().unwrap();
        let (asked, answer) = console.answer(&session, &out, &mut own).await;
        assert!(passed(&out, &answer), "{asked}: {answer}");
        assert!(is_sent_to_sign_in(&console.get_as(&session, "/").await), "{role} has left");
    }
}

/// Whether two answers say the same: lines that are made anew for each aside.
fn same(one: &str, other: &str) -> bool {
    let said = |answer: &str| {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
        let head: Vec<_> = head.lines().filter(|it| !it.starts_with("date: ")).collect();
        let head: Vec<_> =
            head.into_iter().filter(|it| !it.starts_with("content-length: ")).collect();
        format!("{}\n{body}", head.join("\n"))
    };
    said(one) == said(other)
}

#[tokio::test]
async fn lists_of_all_leave_out_what_is_of_another_kecamatan_only() {
    let (console, [own, foreign]) = two_sides().await;
    let session = console.session_of(Role::Head, &[350_501]).await;
    let [first, second] = [&own, &foreign].map(|side| format!("href=\"/temuan/{}\"", side.finding));
    // What each list calls the two sides' things by, and that it has them.
    let names: HashMap<&str, [&str; 2]> = HashMap::from([
        ("/", ["/desa/35.05.01.2001", "/desa/35.05.02.2001"]),
        ("/desa", ["/desa/35.05.01.2001", "/desa/35.05.02.2001"]),
        ("/peta", ["/desa/35.05.01.2001", "/desa/35.05.02.2001"]),
        ("/perlu", ["/desa/35.05.01.2003", "/desa/35.05.02.2003"]),
        ("/temuan", [&*first, &*second]),
        ("/karantina", ["/desa/35.05.01.2001", "/desa/35.05.02.2001"]),
        ("/operator", ["petugas.350501", "petugas.350502"]),
    ]);
    for (path, [own, foreign]) in names {
        let all = console.get(path).await;
        assert!(all.contains(own) && all.contains(foreign), "{path}: {all}");
        let page = console.get_as(&session, path).await;
        assert!(page.contains(own) && !page.contains(foreign), "{path}: {page}");
    }
    let notices = console.get_as(&session, "/informasi").await;
    assert!(notices.contains(&format!("/informasi/{}", own.notices[NOTICES - 1])), "{notices}");
}
