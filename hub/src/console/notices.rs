//! Notices: what was told to whom, and how far it has come.

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use lumbung_domain::code_list::{Code, CodeList as _, KategoriInformasi};
use lumbung_domain::informasi::{Informasi, Keberlakuan, Sasaran};
use lumbung_domain::region::{KecamatanCode, VillageCode, roster};
use lumbung_telemetry::clock;
use maud::{Markup, html};

use super::form::{self, Field};
use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::tile::{full_name, when};
use super::{ConsoleState, Page, Trouble, at_desk, whole};
use crate::access::Right;
use crate::dataset::notices::{DeliveryState, ListedNotice, NoticeDetail, NoticeVillage, Reach};
use crate::desk::DeskError;
use crate::notices::Draft;

/// Notices on one page.
const SHOWN_MAX: u32 = 200;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/informasi", get(list).post(write))
        .route("/informasi/tulis", get(blank))
        .route("/informasi/{number}", get(one))
        .route("/informasi/{number}/tarik", get(sure).post(withdraw))
}

type Fields = Vec<(String, String)>;

fn value<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
}

/// Whom a text field names: codes of kecamatan and villages, in any order.
fn targets(fields: &Fields) -> Option<Vec<Sasaran>> {
    let chosen = fields.iter().filter(|(key, _)| key == "kecamatan").map(|(_, code)| code.as_str());
    let typed = value(fields, "desa").split(|letter: char| letter == ',' || letter.is_whitespace());
    let mut sasaran = Vec::new();
    if value(fields, "semua") == "ya" {
        return Some(vec![Sasaran::Kabupaten]);
    }
    for code in chosen {
        sasaran.push(Sasaran::Kecamatan(KecamatanCode::parse(code)?));
    }
    for code in typed.filter(|code| !code.is_empty()) {
        let desa = VillageCode::parse(code).ok().and_then(|code| roster().village(code))?;
        sasaran.push(Sasaran::Desa(desa.code));
    }
    Some(sasaran)
}

fn draft(fields: &Fields) -> Option<Draft> {
    let day = |name: &str| match value(fields, name) {
        "" => Some(None),
        text => text.parse().ok().map(Some),
    };
    let kategori = match value(fields, "kategori") {
        "" => None,
        text => Some(text.parse().ok().and_then(Code::<KategoriInformasi>::new)?),
    };
    Some(Draft {
        judul: value(fields, "judul").trim().to_owned(),
        isi: value(fields, "isi").trim().to_owned(),
        kategori,
        terbit: Some(day("terbit")?.unwrap_or_else(clock::today)),
        berlaku_sampai: day("sampai")?,
    })
}

async fn list(State(state): State<ConsoleState>, viewer: Viewer) -> Result<Page, Trouble> {
    at_desk(&state, viewer, |desk, viewer| {
        let notices = desk.notices(&viewer.who, SHOWN_MAX)?;
        Ok(whole(list_page(viewer, &notices)))
    })
    .await
}

fn list_page(viewer: &Viewer, notices: &[ListedNotice]) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let body = html! {
        h1 { (say("Informasi untuk desa", "Notices to villages")) }
        p class="lead" { (say(
            "Ditulis sekali di sini, sampai ke semua desa yang dituju begitu tersambung, lewat \
             internet atau stik. Tanda terimanya dihitung dari catatan desa sendiri.",
            "Written once here, reaches every village it is for as soon as it connects, by \
             internet or by stick. Receipts are counted from the villages' own records.")) }
        @if viewer.who.may(Right::Inform) {
            p { a class="button" href="/informasi/tulis" { (say("Tulis informasi", "Write a notice")) } }
        }
        @if notices.is_empty() {
            p class="calm" { (say("Belum ada informasi.", "No notices yet.")) }
        }
        ul class="findings" {
            @for listed in notices {
                @let informasi = &listed.notice.informasi;
                li {
                    h3 { a href=(format!("/informasi/{}", listed.notice.number)) { (informasi.judul) } }
                    p { (status(viewer, informasi)) " · " (target_words(viewer, &informasi.sasaran)) }
                    (progress(viewer, listed.reach))
                    small { (when(listed.notice.changed_ms, clock::now_ms())) (say(" oleh ", " by "))
                        (listed.notice.written_by) }
                }
            }
        }
    };
    Frame::of(viewer, say("Informasi", "Notices"), Tab::Notices).page(&body)
}

fn status(viewer: &Viewer, informasi: &Informasi) -> &'static str {
    viewer.language.of(match informasi.keberlakuan(clock::today()) {
        Keberlakuan::BelumTerbit => ("belum terbit", "not yet in force"),
        Keberlakuan::Berlaku => ("berlaku", "in force"),
        Keberlakuan::Berakhir => ("berakhir", "ended"),
        Keberlakuan::Ditarik => ("ditarik", "withdrawn"),
    })
}

fn target_words(viewer: &Viewer, sasaran: &[Sasaran]) -> String {
    let say = |id: &'static str, en: &'static str| viewer.language.say(id, en);
    let one = |sasaran: &Sasaran| match sasaran {
        Sasaran::Kabupaten => say("seluruh kabupaten", "the whole kabupaten").to_owned(),
        Sasaran::Kecamatan(code) => {
            let name = roster().kecamatan_of(*code).map_or("?", |kecamatan| kecamatan.name);
            format!("Kecamatan {name}")
        }
        Sasaran::Desa(village) => full_name(*village),
        Sasaran::Rt(village, _) => {
            format!("{} {}", say("satu RT di", "one RT in"), full_name(*village))
        }
    };
    let few: Vec<_> = sasaran.iter().take(4).map(one).collect();
    let more = sasaran.len().saturating_sub(few.len());
    let more = if more > 0 { format!(" + {more}") } else { String::new() };
    format!("{}{more}", few.join(", "))
}

/// How far a notice has come, as a bar and in words.
fn progress(viewer: &Viewer, reach: Reach) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    html! {
        div class="progress" {
            progress value=(reach.delivered) max=(reach.targeted.max(1))
                aria-label=(say("Sampai", "Delivered")) {}
            span {
                (say("sampai ", "delivered ")) b { (reach.delivered) } (say(" dari ", " of ")) (reach.targeted)
                (say(" desa, dibaca ", " villages, read in ")) b { (reach.read) }
            }
        }
    }
}

fn form_page(viewer: &Viewer, fields: &Fields, wrong: Option<&str>) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let scope = viewer.who.scope();
    let chosen = |code: &str| fields.iter().any(|(key, value)| key == "kecamatan" && value == code);
    let own = roster().kecamatan().iter().filter(|kecamatan| {
        roster().villages_of(kecamatan.code).any(|desa| scope.holds(desa.code))
    });
    let body = html! {
        h1 { (say("Tulis informasi", "Write a notice")) }
        (form::alert(wrong))
        form class="form wide-form" method="post" action="/informasi" {
            (Field {
                name: "judul",
                label: say("Judul", "Title"),
                value: value(fields, "judul"),
                ..Field::default()
            }.render())
            div class="field" {
                label for="isi-informasi" { (say("Isi", "Text")) }
                textarea id="isi-informasi" name="isi" rows="8" required { (value(fields, "isi")) }
                small { (say("Jangan tulis NIK, nama orang atau data kesehatan: informasi ini dibaca banyak orang.",
                             "No NIK, names of people or health data: many people read this.")) }
            }
            div class="field" {
                label for="kategori" { (say("Kategori", "Category")) }
                select id="kategori" name="kategori" {
                    @for entry in KategoriInformasi::entries() {
                        option value=(entry.code)
                            selected[value(fields, "kategori") == entry.code.to_string()] { (entry.label) }
                    }
                }
            }
            div class="pair" {
                (Field {
                    name: "terbit",
                    label: say("Berlaku mulai", "In force from"),
                    kind: "date",
                    value: value(fields, "terbit"),
                    required: false,
                    hint: Some(say("Kosong = hari ini.", "Empty = today.")),
                    ..Field::default()
                }.render())
                (Field {
                    name: "sampai",
                    label: say("Berlaku sampai", "In force until"),
                    kind: "date",
                    value: value(fields, "sampai"),
                    required: false,
                    hint: Some(say("Kosong = sampai ditarik.", "Empty = until withdrawn.")),
                    ..Field::default()
                }.render())
            }
            fieldset class="field checks" {
                legend { (say("Untuk siapa", "For whom")) }
                @if scope.is_whole() {
                    label {
                        input type="checkbox" name="semua" value="ya" checked[value(fields, "semua") == "ya"];
                        " " b { (say("Seluruh kabupaten", "The whole kabupaten")) }
                    }
                }
                @for kecamatan in own {
                    label {
                        input type="checkbox" name="kecamatan" value=(kecamatan.code.compact())
                            checked[chosen(&kecamatan.code.compact())];
                        " " (kecamatan.name)
                    }
                }
            }
            (Field {
                name: "desa",
                label: say("Desa tertentu (kode, dipisah spasi)", "Certain villages (codes, by spaces)"),
                value: value(fields, "desa"),
                required: false,
                ..Field::default()
            }.render())
            button type="submit" { (say("Kirim", "Send")) }
        }
    };
    Frame::of(viewer, say("Tulis informasi", "Write a notice"), Tab::Notices).page(&body)
}

async fn blank(viewer: Viewer) -> Result<Page, Trouble> {
    viewer.who.must(Right::Inform).map_err(DeskError::from)?;
    Ok(whole(form_page(&viewer, &Vec::new(), None)))
}

async fn write(
    State(state): State<ConsoleState>,
    viewer: Viewer,
    Form(fields): Form<Fields>,
) -> Result<Response, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        viewer.who.must(Right::Inform).map_err(DeskError::from)?;
        let again = |words: &str| {
            let page = whole(form_page(viewer, &fields, Some(words)));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        };
        let say = |id, en| viewer.language.say(id, en);
        let (Some(draft), Some(sasaran)) = (draft(&fields), targets(&fields)) else {
            return again(say(
                "Tanggal, kategori atau kode desa tidak dikenal. Informasi belum dikirim.",
                "A date, the category or a village's code is not known. Nothing was sent.",
            ));
        };
        if sasaran.is_empty() {
            return again(say(
                "Pilih dulu untuk siapa informasi ini. Informasi belum dikirim.",
                "Choose for whom this is. Nothing was sent.",
            ));
        }
        match desk.inform(&viewer.who, draft, sasaran) {
            Ok(made) => Ok(Redirect::to(&format!("/informasi/{}", made.number)).into_response()),
            Err(DeskError::Unfit(words)) => again(&words),
            Err(error) => Err(error.into()),
        }
    })
    .await
}

async fn one(
    State(state): State<ConsoleState>,
    Path(number): Path<i64>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        let detail = desk.notice(&viewer.who, number)?;
        Ok(whole(one_page(viewer, &detail)))
    })
    .await
}

fn one_page(viewer: &Viewer, detail: &NoticeDetail) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let notice = &detail.listed.notice;
    let informasi = &notice.informasi;
    let day = |day: Option<jiff::civil::Date>| day.map(lumbung_domain::recap::tanggal_indonesia);
    let body = html! {
        p class="crumbs" { a href="/informasi" { (say("Informasi", "Notices")) } " / " (notice.number) }
        h1 { (informasi.judul) }
        p class="lead" {
            (status(viewer, informasi))
            @if let Some(from) = day(informasi.terbit) { (say(", mulai ", ", from ")) (from) }
            @if let Some(until) = day(informasi.berlaku_sampai) { (say(", sampai ", ", until ")) (until) }
            " · " (target_words(viewer, &informasi.sasaran))
        }
        div class="side letter" { @for line in informasi.isi.lines() { p { (line) } } }
        p { small { (say("Ditulis ", "Written ")) (when(notice.changed_ms, clock::now_ms()))
            (say(" oleh ", " by ")) (notice.written_by)
            @if informasi.versi > 1 { (say(", versi ", ", version ")) (informasi.versi) } } }
        section aria-labelledby="terima" {
            h2 id="terima" { (say("Tanda terima", "Receipts")) }
            (progress(viewer, detail.listed.reach))
            (receipts(viewer, &detail.villages))
        }
        @if viewer.who.may(Right::Inform) && !informasi.ditarik {
            p { a class="button" href=(format!("/informasi/{}/tarik", notice.number)) {
                (say("Tarik informasi ini", "Withdraw this notice"))
            } }
        }
    };
    Frame::of(viewer, &informasi.judul, Tab::Notices).page(&body)
}

fn receipts(viewer: &Viewer, villages: &[NoticeVillage]) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let now_ms = clock::now_ms();
    let time = |at_ms: i64| if at_ms > 0 { when(at_ms, now_ms) } else { "-".to_owned() };
    html! {
        div class="scroll" {
            table {
                caption class="unseen" { (say("Tanda terima per desa", "Receipts by village")) }
                thead { tr {
                    th scope="col" { (say("Desa", "Village")) }
                    th scope="col" { (say("Keadaan", "State")) }
                    th scope="col" { (say("Diterima", "Received")) }
                    th scope="col" { (say("Dibaca", "Read")) }
                    th scope="col" class="n" { (say("RT membaca", "RT that read")) }
                } }
                tbody {
                    @for village in villages {
                        tr {
                            th scope="row" { a href=(format!("/desa/{}", village.village)) { (full_name(village.village)) } }
                            td { (match village.state {
                                DeliveryState::Queued => say("menunggu desa tersambung", "waits for the village"),
                                DeliveryState::Delivered => say("sampai", "delivered"),
                                DeliveryState::NodeTooOld => say("program desa terlalu lama", "the node is too old"),
                            }) }
                            td { (time(village.received_ms)) }
                            td { (time(village.read_ms.unwrap_or(0))) }
                            td class="n" { (village.rt_read) }
                        }
                    }
                }
            }
        }
    }
}

async fn sure(
    State(state): State<ConsoleState>,
    Path(number): Path<i64>,
    viewer: Viewer,
) -> Result<Page, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        viewer.who.must(Right::Inform).map_err(DeskError::from)?;
        let detail = desk.notice(&viewer.who, number)?;
        let say = |id, en| viewer.language.say(id, en);
        let body = html! {
            h1 { (say("Tarik informasi ini?", "Withdraw this notice?")) }
            p { b { (detail.listed.notice.informasi.judul) } }
            p { (say("Desa yang sudah menerimanya diberi tahu bahwa informasi ini tidak berlaku lagi. \
                      Ini tidak bisa dibatalkan.",
                     "Villages that have it are told that it no longer holds. This can't be undone.")) }
            form method="post" action=(format!("/informasi/{number}/tarik")) {
                button class="button" type="submit" { (say("Ya, tarik", "Yes, withdraw")) }
                " " a href=(format!("/informasi/{number}")) { (say("Batal", "Cancel")) }
            }
        };
        Ok(whole(Frame::of(viewer, say("Tarik informasi", "Withdraw a notice"), Tab::Notices).page(&body)))
    })
    .await
}

async fn withdraw(
    State(state): State<ConsoleState>,
    Path(number): Path<i64>,
    viewer: Viewer,
) -> Result<Response, Trouble> {
    at_desk(&state, viewer, move |desk, viewer| {
        desk.withdraw_notice(&viewer.who, number)?;
        Ok(Redirect::to(&format!("/informasi/{number}")).into_response())
    })
    .await
}
