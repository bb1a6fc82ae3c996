//! What an operator does to one village: a page that says what will happen,
//! and only then the deed.
//!
//! Every deed asks for its right before it is even shown, changes something
//! only by POST, and ends on the village's page with a sentence about what
//! became of it. What can't be done is said on the page it was asked on.

mod deed;

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use lumbung_domain::id::{Kind, KindCode};
use lumbung_domain::region::{Desa, VillageCode};
use maud::{Markup, PreEscaped, html};

pub(super) use self::deed::{Deed, news};
use super::exporting::kind_words;
use super::form;
use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::language::Language;
use super::tile::said;
use super::village::named;
use super::{ConsoleState, Trouble, at_desk, whole};
use crate::desk::asks::Heard;
use crate::desk::machine::Leftovers;
use crate::desk::{Desk, DeskError};
use crate::invitation::Invitation;
use crate::words::Words;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new().route("/desa/{code}/tindakan/{deed}", get(ask).post(act))
}

/// The form's fields.
type Fields = Vec<(String, String)>;

fn value<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
}

/// The village and the deed in a path.
fn asked(code: &str, deed: &str) -> Result<(&'static Desa, Deed), DeskError> {
    Ok((named(code)?, Deed::parse(deed).ok_or(DeskError::NotThere)?))
}

/// What a deed came to.
enum Done {
    /// It is done; the sentence with this code says what follows.
    News(&'static str),
    /// A token, shown this once.
    Token(Invitation),
}

async fn ask(
    State(state): State<ConsoleState>,
    Path((code, deed)): Path<(String, String)>,
    viewer: Viewer,
) -> Result<Response, Trouble> {
    let (desa, deed) = asked(&code, &deed)?;
    at_desk(&state, viewer, move |desk, viewer| {
        viewer.who.must(deed.right()).map_err(DeskError::from)?;
        let before = Before::of(desk, viewer, desa.code, deed)?;
        let page = page(viewer, desa, deed, (&Fields::new(), &before), None);
        Ok(whole(page).into_response())
    })
    .await
}

async fn act(
    State(state): State<ConsoleState>,
    Path((code, deed)): Path<(String, String)>,
    viewer: Viewer,
    Form(fields): Form<Fields>,
) -> Result<Response, Trouble> {
    let (desa, deed) = asked(&code, &deed)?;
    at_desk(&state, viewer, move |desk, viewer| {
        match perform(desk, viewer, desa.code, deed, &fields) {
            Ok(Done::News(news)) => {
                let place = format!("/desa/{}?kabar={news}", desa.code);
                Ok(Redirect::to(&place).into_response())
            }
            Ok(Done::Token(invitation)) => {
                Ok(whole(token_page(viewer, &invitation)).into_response())
            }
            Err(DeskError::Unfit(why)) => {
                let before = Before::of(desk, viewer, desa.code, deed)?;
                let page =
                    page(viewer, desa, deed, (&fields, &before), Some(said(viewer.language, &why)));
                Ok((StatusCode::UNPROCESSABLE_ENTITY, whole(page)).into_response())
            }
            Err(error) => Err(error.into()),
        }
    })
    .await
}

fn perform(
    desk: &Desk,
    viewer: &Viewer,
    village: VillageCode,
    deed: Deed,
    fields: &Fields,
) -> Result<Done, DeskError> {
    let who = &viewer.who;
    let number = |name: &str, (id, en): (&str, &str)| {
        let text = value(fields, name).trim().replace('.', "");
        let wrong = || {
            DeskError::unfit(
                format!("{id} harus angka. Tidak ada yang diubah."),
                format!("{en} must be a number. Nothing has changed."),
            )
        };
        text.parse::<u64>().map_err(|_| wrong())
    };
    let news = match deed {
        Deed::Sync => match desk.sync_now(who, village)? {
            Heard::Asked => "ditanya",
            Heard::Dialled => "dihubungi",
            Heard::WhenItComes => "menunggu",
        },
        Deed::Prove => {
            desk.prove_now(who, village)?;
            "dibuktikan"
        }
        Deed::Hold => {
            let days = number("hari", ("Lama penahanan", "The number of days"))?;
            let days = u32::try_from(days).unwrap_or(u32::MAX);
            desk.hold(who, village, value(fields, "alasan"), days)?;
            "ditahan"
        }
        Deed::Release => {
            desk.release(who, village)?;
            "dilepas"
        }
        Deed::Budget => {
            desk.set_budget(who, village, number("kb", ("Kuota", "The budget"))?)?;
            "kuota"
        }
        Deed::Contact => {
            let (name, phone) = (value(fields, "nama"), value(fields, "telepon"));
            desk.set_contact(who, village, name, phone)?;
            "narahubung"
        }
        Deed::Remark => {
            desk.set_remark(who, village, value(fields, "catatan"))?;
            "catatan"
        }
        Deed::Token => return desk.invite(who, village, false).map(Done::Token),
        Deed::Replace => return desk.invite(who, village, true).map(Done::Token),
        Deed::Revoke => {
            desk.revoke(who, village, value(fields, "nama"), value(fields, "alasan"))?;
            "dicabut"
        }
        Deed::Twin => {
            desk.resolve_twin(who, village)?;
            "tinggal-satu"
        }
        Deed::Damaged => {
            desk.release_damaged(who, village)?;
            "boleh-dihapus"
        }
        Deed::Leftovers => match value(fields, "putusan") {
            "kembalikan" => {
                desk.settle_leftovers(who, village, Leftovers::Return)?;
                "dikembalikan"
            }
            "akhiri" => {
                desk.settle_leftovers(who, village, Leftovers::Forget)?;
                "diakhiri"
            }
            _ => {
                return Err(DeskError::unfit(
                    "Pilih salah satu: kembalikan atau akhiri. Tidak ada yang diubah.",
                    "Choose one: hand them back, or end them. Nothing has changed.",
                ));
            }
        },
    };
    Ok(Done::News(news))
}

/// What stands before a deed, to be shown in its form.
#[derive(Default)]
struct Before {
    nama: String,
    telepon: String,
    remark: String,
    kilobytes: u64,
    /// Kinds of records left over, and how many.
    leftovers: Vec<(String, u64)>,
}

impl Before {
    fn of(
        desk: &Desk,
        viewer: &Viewer,
        village: VillageCode,
        deed: Deed,
    ) -> Result<Self, DeskError> {
        let who = &viewer.who;
        // A village joins with its first token: nothing is known of it before.
        if deed == Deed::Token {
            desk.key(who, village)?;
        } else {
            desk.village(who, village)?;
        }
        let mut before = Self::default();
        match deed {
            Deed::Contact | Deed::Budget => {
                let sight = desk.sight(who)?;
                let upkeep = Desk::in_sight(&sight, village).and_then(|it| it.upkeep.clone());
                if let Some(upkeep) = upkeep {
                    before.kilobytes = upkeep.budget_bytes / 1_000;
                    if let Some(call) = upkeep.narahubung {
                        (before.nama, before.telepon) = (call.nama, call.telepon);
                    }
                }
            }
            Deed::Remark => {
                before.remark = desk.remark(who, village)?.map(|it| it.words).unwrap_or_default();
            }
            Deed::Leftovers => {
                let counted = desk.leftovers(who, village)?.into_iter();
                let name = |kind| kind_name(viewer.language, kind);
                before.leftovers = counted.map(|(kind, count)| (name(kind), count)).collect();
            }
            _ => {}
        }
        Ok(before)
    }
}

fn kind_name(language: Language, code: KindCode) -> String {
    let unknown = || format!("{} {}", language.say("jenis", "kind"), code.0);
    Kind::from_code(code).map_or_else(unknown, |kind| kind_words(kind, language).to_owned())
}

/// What will happen, and the button that makes it happen.
fn page(
    viewer: &Viewer,
    desa: &Desa,
    deed: Deed,
    (fields, before): (&Fields, &Before),
    wrong: Option<&str>,
) -> Markup {
    let language = viewer.language;
    let say = |id, en| language.say(id, en);
    let title = language.of(deed.title());
    let body = html! {
        div class="narrow" {
            p class="crumbs" { a href=(format!("/desa/{}", desa.code)) { (desa.full_name()) } }
            h1 { (title) }
            (form::alert(wrong))
            p { (language.of(deed.explanation())) }
            form class="form" method="post" {
                (deed::inputs(deed, language, desa, before, |name| value(fields, name)))
                button type="submit" class=[deed.is_grave().then_some("grave")] { (title) }
                a class="button" href=(format!("/desa/{}", desa.code)) { (say("Batal", "Cancel")) }
            }
        }
    };
    Frame::of(viewer, title, Tab::Villages).page(&body)
}

/// The token, the one time it can be seen; made to be printed.
fn token_page(viewer: &Viewer, invitation: &Invitation) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let Invitation { desa, text, expires_ms, replaces } = invitation;
    let title = if *replaces {
        say("Token pengganti", "Replacement token")
    } else {
        say("Token bergabung", "Joining token")
    };
    let body = html! {
        div class="narrow token" {
            h1 { (desa.full_name()) }
            p { b { (title) } ". " (say("Sekali pakai, berlaku sampai ", "Works once, until "))
                b { (said(viewer.language, &Words::moment(*expires_ms))) } "." }
            p class="alert" { (say(
                "Token ini hanya ditampilkan sekarang. Cetak halaman ini atau salin tokennya \
                 sebelum menutupnya.",
                "This token is shown only now. Print this page or copy the token before you close \
                 it.")) }
            @if let Some(code) = invitation.qr_svg() {
                div class="qr" role="img" aria-label=(say("Kode QR token", "QR code of the token")) {
                    (PreEscaped(code))
                }
            }
            pre class="message" { (text) }
            ol {
                li { (say("Pasang Lumbung di komputer desa.",
                          "Install Lumbung on the village's computer.")) }
                li { (say("Jalankan ", "Run ")) code { "lumbung-node join" }
                    (say(" lalu ketik atau pindai token di atas.",
                         " and type or scan the token above.")) }
                @if *replaces {
                    li { (say("Data desa yang sudah ada di kabupaten kembali dengan sendirinya; \
                               komputer lama tidak diterima lagi.",
                              "What the district holds of the village comes back by itself; the \
                               old machine is no longer accepted.")) }
                }
                li { (say("Setelah berhasil, musnahkan kertas ini.",
                          "When it worked, destroy this paper.")) }
            }
            p { small { (say(
                "Siapa pun yang memegang token ini dapat bergabung atas nama desa. Jangan difoto \
                 atau dikirim lewat grup.",
                "Whoever holds this token can join in the village's name. Don't photograph it or \
                 send it to a group.")) } }
            p class="files" { a class="button" href=(format!("/desa/{}", desa.code)) {
                (say("Kembali ke halaman desa", "Back to the village's page")) } }
        }
    };
    Frame::of(viewer, title, Tab::Villages).page(&body)
}
