//! What the router really has, read from the sources, and what each route is:
//! whom it lets through, and what it names. A route that stands in one and not
//! in the other fails the tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lumbung_telemetry::clock;

use super::Side;
use crate::access::Right;
use crate::console::acts::Deed;

/// Whom a route lets through.
#[derive(Clone, Copy, Debug)]
pub(super) enum Need {
    /// Anybody.
    Nothing,
    /// Whoever is signed in.
    Session,
    /// Who has all of these.
    Rights(&'static [Right]),
    /// Who has this and sees the whole district.
    All(Right),
}

/// What the address or the form names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// Nothing of a kecamatan: an answer holds what the asker sees.
    Nothing,
    /// An object of a kecamatan: for others it is not there.
    Object,
}

/// One way to ask one route.
pub(super) struct Guarded {
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    pub(super) need: Need,
    pub(super) names: Names,
    /// An address and a form about something of a kecamatan.
    pub(super) ask: Ask,
}

/// Says the address and the form about something of a side.
type Ask = Box<dyn Fn(&mut Side) -> (String, String)>;

fn get(
    route: &'static str,
    need: Need,
    names: Names,
    path: impl Fn(&mut Side) -> String + 'static,
) -> Guarded {
    let ask = Box::new(move |side: &mut Side| (path(side), String::new()));
    Guarded { method: "GET", route, need, names, ask }
}

/// The same address for everybody.
fn plain(route: &'static str, need: Need) -> Guarded {
    get(route, need, Names::Nothing, move |_| route.to_owned())
}

fn post(
    route: &'static str,
    need: Need,
    names: Names,
    ask: impl Fn(&mut Side) -> (String, String) + 'static,
) -> Guarded {
    Guarded { method: "POST", route, need, names, ask: Box::new(ask) }
}

/// A form that names nothing of a kecamatan.
fn form(route: &'static str, need: Need, form: &'static str) -> Guarded {
    post(route, need, Names::Nothing, move |_| (route.to_owned(), form.to_owned()))
}

/// What a deed's form needs to be complete.
const fn deed_form(deed: Deed) -> &'static str {
    match deed {
        Deed::Hold => "alasan=uji&hari=1",
        Deed::Budget => "kb=1000",
        Deed::Contact => "nama=Rahayu&telepon=081200000000",
        Deed::Remark => "catatan=uji",
        Deed::Revoke => "nama=Jaten&alasan=uji",
        Deed::Leftovers => "putusan=akhiri",
        Deed::Sync
        | Deed::Prove
        | Deed::Release
        | Deed::Token
        | Deed::Replace
        | Deed::Twin
        | Deed::Damaged => "",
    }
}

/// Every route of the console.
pub(super) fn all() -> Vec<Guarded> {
    use Names::{Nothing, Object};
    const SEE: Need = Need::Rights(&[Right::SeeVillages]);
    const READ: Need = Need::Rights(&[Right::SeeRecords]);
    const OPEN: Need = Need::Rights(&[Right::SeeRecords, Right::Reveal]);
    const TAKE: Need = Need::Rights(&[Right::Export]);
    const ACT: Need = Need::Rights(&[Right::Act]);
    const ASK: Need = Need::Rights(&[Right::Act, Right::SeeRecords]);
    const INFORM: Need = Need::Rights(&[Right::Inform]);
    const KEEP: Need = Need::Rights(&[Right::ManageOperators]);
    let mut all = vec![
        plain("/style.css", Need::Nothing),
        plain("/live.js", Need::Nothing),
        plain("/session.js", Need::Nothing),
        plain("/icon.svg", Need::Nothing),
        plain("/masuk", Need::Nothing),
        form("/masuk", Need::Nothing, "nama=bukan.siapa&sandi=salah"),
        plain("/awal", Need::Nothing),
        form("/awal", Need::Nothing, "kode=salah&nama=baru&sandi=a&ulang=a"),
        form("/bahasa", Need::Nothing, "ke=id"),
        form("/sesi", Need::Session, ""),
        plain("/akun", Need::Session),
        form("/akun/sandi", Need::Session, "lama=salah&baru=sapi+biru+di+sawah"),
        plain("/akun/kode", Need::Session),
        form("/akun/kode", Need::Session, "kunci=salah&kode=000000&sandi=salah"),
        form("/akun/bukti", Need::Session, "ke=%2F&kode=000000"),
        form("/akun/sesi", Need::Session, ""),
        plain("/", SEE),
        plain("/perlu", SEE),
        plain("/events", SEE),
        plain("/desa", SEE),
        plain("/peta", SEE),
        plain("/versi", SEE),
        get("/desa/{code}", SEE, Object, |it| format!("/desa/{}", it.village)),
        get("/desa/{code}", SEE, Object, |it| format!("/desa/{}", it.stopped)),
        get("/desa/{code}/diagnostik", ACT, Object, |it| {
            format!("/desa/{}/diagnostik", it.village)
        }),
        plain("/operator", KEEP),
        post("/operator", KEEP, Object, |it| {
            let form = format!("nama={}&peran=auditor&kecamatan={}", it.name(), it.compact(6));
            ("/operator".to_owned(), form)
        }),
        get("/operator/{name}", KEEP, Object, |it| format!("/operator/{}", it.operator)),
        post("/operator/{name}", KEEP, Object, |it| {
            let form = format!("peran=auditor&kecamatan={}", it.compact(6));
            (format!("/operator/{}", it.operator), form)
        }),
        post("/operator/{name}/sandi", KEEP, Object, |it| {
            (format!("/operator/{}/sandi", it.operator), String::new())
        }),
        plain("/audit", Need::All(Right::Audit)),
        plain("/temuan", READ),
        get("/temuan", READ, Object, |it| format!("/temuan?desa={}", it.village)),
        get("/temuan/{number}", READ, Object, |it| format!("/temuan/{}", it.finding)),
        post("/temuan/{number}", ASK, Object, |it| {
            (format!("/temuan/{}", it.finding), "pertanyaan=Siapa+ini%3F".to_owned())
        }),
        plain("/karantina", SEE),
        get("/karantina", SEE, Object, |it| format!("/karantina?desa={}", it.village)),
        post("/karantina/{number}/ulang", ACT, Object, |it| {
            (format!("/karantina/{}/ulang", it.refused()), String::new())
        }),
        post("/karantina/{number}/kembali", ACT, Object, |it| {
            (format!("/karantina/{}/kembali", it.refused()), String::new())
        }),
        plain("/informasi", SEE),
        post("/informasi", INFORM, Object, |it| {
            let text = "judul=Uji&isi=Uji&kategori=1&kirim=ya";
            ("/informasi".to_owned(), format!("{text}&desa={}", it.compact(10)))
        }),
        plain("/informasi/tulis", INFORM),
        get("/informasi/{number}", SEE, Object, |it| format!("/informasi/{}", it.notice())),
        get("/informasi/{number}/perbaiki", INFORM, Object, |it| {
            format!("/informasi/{}/perbaiki", it.notice())
        }),
        post("/informasi/{number}/perbaiki", INFORM, Object, |it| {
            let form = "versi=1&judul=Ralat&isi=Uji&kategori=1".to_owned();
            (format!("/informasi/{}/perbaiki", it.notice()), form)
        }),
        get("/informasi/{number}/tarik", INFORM, Object, |it| {
            format!("/informasi/{}/tarik", it.notice())
        }),
        post("/informasi/{number}/tarik", INFORM, Object, |it| {
            (format!("/informasi/{}/tarik", it.notice()), String::new())
        }),
        plain("/cari", READ),
        post("/cari", READ, Object, |it| {
            ("/cari".to_owned(), format!("apa=warga&nama=sendiri&wilayah={}", it.village))
        }),
        post("/cari/nik", OPEN, Nothing, |it| ("/cari/nik".to_owned(), format!("nik={}", it.nik))),
        get("/cari/syarat", READ, Object, |it| {
            format!("/cari/syarat?apa=warga&wilayah={}", it.kecamatan)
        }),
        // The ticket of somebody else: the way to a question of one's own.
        get("/cari/{ticket}", READ, Nothing, |it| it.ticket.clone()),
        get("/warga/{village}/{id}", READ, Object, |it| it.person()),
        post("/warga/{village}/{id}", OPEN, Object, |it| {
            (it.person(), "nomor=1&spesifik=1&alasan=Permohonan+surat+470".to_owned())
        }),
        get("/rumah/{village}/{id}", READ, Object, |it| it.house()),
        plain("/rekap", SEE),
        get("/rekap", SEE, Object, |it| format!("/rekap?wilayah={}", it.kecamatan)),
        get("/rekap", SEE, Object, |it| format!("/rekap?wilayah={}&umum=1", it.village)),
        get("/rekap/cetak", SEE, Object, |it| format!("/rekap/cetak?wilayah={}", it.village)),
        get("/rekap/{file}", SEE, Object, |it| format!("/rekap/rekap.csv?wilayah={}", it.village)),
        get("/rekap/{file}", SEE, Object, |it| {
            format!("/rekap/rekap.xlsx?wilayah={}&umum=1", it.kecamatan)
        }),
        post("/rekap/buka", OPEN, Object, |it| {
            let form = format!("{}&alasan=Surat+permohonan+7", it.group());
            ("/rekap/buka".to_owned(), form)
        }),
        post("/rekap/berkas", TAKE, Object, |it| {
            ("/rekap/berkas".to_owned(), format!("{}&bentuk=a4&{}", it.group(), it.purpose()))
        }),
        plain("/terbitan", SEE),
        post("/terbitan", Need::All(Right::Export), Nothing, |_| {
            let day = crate::recap::closed_period(clock::today());
            ("/terbitan".to_owned(), format!("tanggal={day}"))
        }),
        plain("/gambaran", SEE),
        get("/gambaran", SEE, Object, |it| format!("/gambaran?wilayah={}", it.village)),
        plain("/mutu", SEE),
        get("/mutu", SEE, Object, |it| format!("/mutu?wilayah={}", it.kecamatan)),
        plain("/ekspor", TAKE),
        post("/ekspor", TAKE, Object, |it| ("/ekspor".to_owned(), it.order())),
        post("/ekspor/berkas", TAKE, Object, |it| ("/ekspor/berkas".to_owned(), it.order())),
    ];
    for deed in Deed::ALL {
        let need = match deed.right() {
            Right::Act => ACT,
            Right::ManageKeys => Need::Rights(&[Right::ManageKeys]),
            other => panic!("{other:?} of {deed:?} is tried by nobody"),
        };
        let path = move |side: &Side| {
            let there = matches!(deed, Deed::Twin | Deed::Leftovers);
            let village = if there { &side.stopped } else { &side.village };
            format!("/desa/{village}/tindakan/{}", deed.code())
        };
        let route = "/desa/{code}/tindakan/{deed}";
        all.push(get(route, need, Object, move |it| path(it)));
        all.push(post(route, need, Object, move |it| (path(it), deed_form(deed).to_owned())));
    }
    // Last: it ends the session.
    all.push(form("/keluar", Need::Session, ""));
    all
}

/// The console's sources, without their tests.
fn sources() -> Vec<PathBuf> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![sources.join("console.rs")];
    let mut folders = vec![sources.join("console")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true if path.ends_with("tests") => {}
                true => folders.push(path),
                false if path.extension().is_some_and(|it| it == "rs") => files.push(path),
                false => {}
            }
        }
    }
    files
}

/// A text up to the bracket that closes the one before it.
fn within_brackets(text: &str) -> &str {
    let mut depth = 1;
    let end = text.char_indices().find(|(_, letter)| {
        depth += i32::from(*letter == '(') - i32::from(*letter == ')');
        depth == 0
    });
    &text[..end.expect("brackets that close").0]
}

/// Whether `word(` stands in a text, and not as the end of a longer word.
fn calls(text: &str, word: &str) -> bool {
    let call = format!("{word}(");
    text.match_indices(&call)
        .any(|(at, _)| !text[..at].ends_with(|it: char| it.is_ascii_alphanumeric() || it == '_'))
}

/// Ways to serve that this test would not see.
const UNSEEN: [&str; 9] = [
    ".nest(",
    ".nest_service(",
    ".route_service(",
    ".fallback_service(",
    ".method_not_allowed_fallback(",
    "MethodRouter",
    "MethodFilter",
    ".serve_dir(",
    "ServeDir",
];

/// Every method and route that the sources give the router.
pub(super) fn of_the_router() -> BTreeSet<(&'static str, String)> {
    let mut found = BTreeSet::new();
    for file in sources() {
        let text = std::fs::read_to_string(&file).unwrap();
        for word in UNSEEN {
            assert!(!text.contains(word), "{word} in {}: teach this test", file.display());
        }
        for (at, _) in text.match_indices(".route(") {
            let call = within_brackets(&text[at + ".route(".len()..]);
            let (_, rest) = call.split_once('"').expect("a path written out");
            let (path, serves) = rest.split_once('"').unwrap();
            for other in ["put", "patch", "delete", "any", "on", "head", "options", "trace"] {
                assert!(!calls(serves, other), "{other} {path}: teach this test");
            }
            let before = found.len();
            for (method, word) in [("GET", "get"), ("POST", "post")] {
                if calls(serves, word) {
                    assert!(found.insert((method, path.to_owned())), "{method} {path} twice");
                }
            }
            assert!(found.len() > before, "nothing serves {path}: {serves}");
        }
    }
    found
}
