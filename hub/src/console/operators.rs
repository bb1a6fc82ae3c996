//! Operators: who may sign in, as what, for which kecamatan, until when.

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use lumbung_domain::region::{KecamatanCode, roster};
use lumbung_telemetry::clock;
use maud::{Markup, html};

use super::form::{self, Field};
use super::frame::{Frame, Tab};
use super::guard::Viewer;
use super::tile::said;
use super::{ConsoleState, Trouble, whole};
use crate::access::{Account, AccountChange, End, NewAccount, Right, Role, SignInRefused};

/// Days a supporter's account may last.
const DAYS_MAX: i64 = 14;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

pub(super) fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/operator", get(list).post(add))
        .route("/operator/{name}", get(one).post(change))
        .route("/operator/{name}/sandi", post(reset))
}

/// The form's fields in the order they came: kecamatan may come many times.
type Fields = Vec<(String, String)>;

fn value<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
}

fn kecamatan_of(fields: &Fields) -> Option<Vec<KecamatanCode>> {
    let chosen = fields.iter().filter(|(key, _)| key == "kecamatan");
    chosen.map(|(_, code)| KecamatanCode::parse(code)).collect()
}

fn end_of(fields: &Fields) -> Option<End> {
    Some(match value(fields, "hari").trim() {
        "" => End::Never,
        text => {
            let days: i64 = text.parse().ok().filter(|days| (1..=3650).contains(days))?;
            End::At(clock::now_ms() + days * DAY_MS)
        }
    })
}

fn account_of(fields: &Fields) -> Option<NewAccount> {
    Some(NewAccount {
        name: value(fields, "nama").trim().to_owned(),
        role: Role::parse(value(fields, "peran"))?,
        kecamatan: kecamatan_of(fields)?,
        until_ms: match end_of(fields)? {
            End::At(ms) => Some(ms),
            End::Never | End::Stays => None,
        },
    })
}

fn change_of(account: &Account, fields: &Fields) -> Option<AccountChange> {
    // What the form was filled with comes back unless somebody wrote over it.
    let same = days_left(account).is_some_and(|days| value(fields, "hari").trim() == days);
    Some(AccountChange {
        role: Some(Role::parse(value(fields, "peran"))?),
        kecamatan: Some(kecamatan_of(fields)?),
        end: if same { End::Stays } else { end_of(fields)? },
        active: Some(value(fields, "tutup") != "ya"),
    })
}

/// The days until an account ends, as the form shows them.
fn days_left(account: &Account) -> Option<String> {
    let left_ms = account.until_ms? - clock::now_ms();
    Some(((left_ms + DAY_MS - 1).div_euclid(DAY_MS)).max(0).to_string())
}

fn role_fields(viewer: &Viewer, account: Option<&Account>) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let role = account.map_or(Role::KabupatenOperator, |account| account.role);
    let kecamatan = account.map_or(&[][..], |account| &account.kecamatan);
    let days = account.and_then(days_left).unwrap_or_default();
    html! {
        div class="field" {
            label for="peran" { (say("Peran", "Role")) }
            select id="peran" name="peran" {
                @for each in Role::ALL.into_iter().filter(|it| viewer.who.role().may_manage(*it)) {
                    option value=(each.name()) selected[each == role] {
                        (viewer.language.of(each.words()))
                    }
                }
            }
        }
        fieldset class="field checks" {
            legend { (say("Hanya kecamatan ini", "Only these kecamatan")) }
            small { (say("Tidak dipilih = seluruh kabupaten.", "None = the whole kabupaten.")) }
            @for each in roster().kecamatan() {
                label {
                    input type="checkbox" name="kecamatan" value=(each.code.compact())
                        checked[kecamatan.contains(&each.code)];
                    " " (each.name)
                }
            }
        }
        (Field {
            name: "hari",
            label: say("Berlaku berapa hari", "Valid for how many days"),
            kind: "number",
            value: &days,
            required: false,
            hint: Some(say("Kosong = tanpa batas. Dukungan teknis paling lama 14 hari.",
                           "Empty = no end. Technical support at most 14 days.")),
            ..Field::default()
        }.render())
    }
}

fn list_page(
    viewer: &Viewer,
    accounts: &[Account],
    wrong: Option<&str>,
    made: Option<(&str, &str)>,
) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let now_ms = clock::now_ms();
    let body = html! {
        h1 { (say("Operator", "Operators")) }
        @if let Some((name, password)) = made {
            div class="done" role="status" {
                p { (say("Sandi awal untuk ", "First password for ")) b { (name) } ": "
                    code { (password) } }
                p { (say("Sampaikan langsung kepada pemiliknya; sandi ini tidak akan \
                          ditampilkan lagi. Begitu masuk, ia diminta menggantinya. Bila belum \
                          dipakai dalam 72 jam, sandi ini tidak berlaku lagi.",
                         "Tell it to its owner in person; it will not be shown again. They are \
                          asked to change it as soon as they sign in. If it is not used within \
                          72 hours, it counts no longer.")) }
            }
        }
        div class="scroll" tabindex="0" role="region"
            aria-label=(say("Semua operator", "All operators")) {
            table class="stack operators" {
                caption class="unseen" { (say("Semua operator", "All operators")) }
                thead { tr {
                    th scope="col" { (say("Nama", "Name")) }
                    th scope="col" { (say("Peran", "Role")) }
                    th scope="col" { (say("Wilayah", "Region")) }
                    th scope="col" { (say("Dua langkah", "Two-step")) }
                    th scope="col" { (say("Keadaan", "State")) }
                } }
                tbody {
                    @for account in accounts {
                        tr {
                            th scope="row" { a href=(format!("/operator/{}", account.name)) { (account.name) } }
                            td { (viewer.language.of(account.role.words())) }
                            td { (regions(viewer, account)) }
                            td class="broad" data-label=(say("dua langkah:", "two-step:")) {
                                @if account.totp.is_some() { (say("ya", "yes")) } @else { (say("belum", "no")) } }
                            td { @if account.is_open(now_ms) { (say("aktif", "active")) }
                                @else { (say("ditutup", "closed")) } }
                        }
                    }
                }
            }
        }
        section class="narrow left" aria-labelledby="baru-judul" {
            h2 id="baru-judul" { (say("Operator baru", "New operator")) }
            (form::alert(wrong))
            form class="form" method="post" action="/operator" {
                (Field {
                    name: "nama",
                    label: say("Nama untuk masuk", "Name to sign in with"),
                    hint: Some(say("Huruf kecil, angka, titik, tanda hubung.",
                                   "Lower-case letters, digits, dots, dashes.")),
                    ..Field::default()
                }.render())
                (role_fields(viewer, None))
                button type="submit" { (say("Tambahkan", "Add")) }
            }
        }
    };
    Frame::of(viewer, say("Operator", "Operators"), Tab::Operators).page(&body)
}

fn regions(viewer: &Viewer, account: &Account) -> String {
    if account.kecamatan.is_empty() {
        return viewer.language.say("seluruh kabupaten", "whole kabupaten").to_owned();
    }
    let name = |code: &KecamatanCode| roster().kecamatan_of(*code).map(|it| it.name);
    account.kecamatan.iter().filter_map(name).collect::<Vec<_>>().join(", ")
}

async fn shown(
    state: &ConsoleState,
    viewer: &Viewer,
    status: StatusCode,
    wrong: Option<&str>,
    made: Option<(&str, &str)>,
) -> Result<Response, Trouble> {
    let accounts = state.gate.accounts(&viewer.who).await?;
    Ok((status, whole(list_page(viewer, &accounts, wrong, made))).into_response())
}

async fn list(State(state): State<ConsoleState>, viewer: Viewer) -> Result<Response, Trouble> {
    shown(&state, &viewer, StatusCode::OK, None, None).await
}

const UNREADABLE: (&str, &str) = (
    "Peran, kecamatan atau jumlah hari tidak dikenal. Tidak ada yang diubah.",
    "Role, kecamatan or number of days not known. Nothing was changed.",
);

async fn add(
    State(state): State<ConsoleState>,
    viewer: Viewer,
    Form(fields): Form<Fields>,
) -> Result<Response, Trouble> {
    viewer.who.must(Right::ManageOperators).map_err(SignInRefused::from)?;
    let wrong = StatusCode::UNPROCESSABLE_ENTITY;
    let Some(new) = account_of(&fields) else {
        return shown(&state, &viewer, wrong, Some(viewer.language.of(UNREADABLE)), None).await;
    };
    match state.gate.add(&viewer.who, &new).await {
        Ok(password) => {
            shown(&state, &viewer, StatusCode::OK, None, Some((&new.name, &password))).await
        }
        Err(error @ (SignInRefused::Failed(_) | SignInRefused::Refused(_))) => Err(error.into()),
        Err(error) => {
            let words = error.words();
            shown(&state, &viewer, wrong, Some(said(viewer.language, &words)), None).await
        }
    }
}

async fn named(state: &ConsoleState, viewer: &Viewer, name: &str) -> Result<Account, Trouble> {
    let accounts = state.gate.accounts(&viewer.who).await?;
    let found = accounts.into_iter().find(|account| account.name == name);
    found.ok_or_else(|| Trouble(StatusCode::NOT_FOUND, SignInRefused::Unknown.words()))
}

fn one_page(viewer: &Viewer, account: &Account, wrong: Option<&str>) -> Markup {
    let say = |id, en| viewer.language.say(id, en);
    let until_days = account.until_ms.map(|until| (until - clock::now_ms()) / DAY_MS + 1);
    let body = html! {
        h1 { (account.name) }
        p class="lead" {
            (viewer.language.of(account.role.words())) " · " (regions(viewer, account))
            @if let Some(days) = until_days.filter(|days| *days > 0 && *days <= DAYS_MAX) {
                " · " (say("berakhir ", "ends in ")) (days) (say(" hari lagi", " days"))
            }
        }
        @let used = &account.first_use;
        @if account.first_password || used.at_ms > 0 {
            p { (say("Sandi awal: ", "First password: "))
                @match used.at_ms {
                    0 => (say("belum dipakai", "not used yet")),
                    at_ms => {
                        (say("pertama dipakai ", "first used ")) (viewer.language.moment(at_ms, clock::now_ms()))
                        @if !used.from.is_empty() { (say(" dari ", " from ")) (used.from) }
                        @if account.first_password { (say(", belum diganti", ", not replaced yet")) }
                    }
                }
                "."
            }
        }
        div class="narrow left" {
            section aria-labelledby="ubah-judul" {
                h2 id="ubah-judul" { (say("Ubah", "Change")) }
                (form::alert(wrong))
                form class="form" method="post" action=(format!("/operator/{}", account.name)) {
                    (role_fields(viewer, Some(account)))
                    div class="field checks" {
                        label {
                            input type="checkbox" name="tutup" value="ya" checked[!account.active];
                            " " (say("Tutup: tidak boleh masuk", "Closed: may not sign in"))
                        }
                    }
                    p { small { (say("Semua sesinya berakhir saat ini juga.",
                                     "All its sessions end at once.")) } }
                    button type="submit" { (say("Simpan", "Save")) }
                }
            }
            section aria-labelledby="sandi-judul" {
                h2 id="sandi-judul" { (say("Lupa kata sandi", "Lost password")) }
                p { (say("Sandi awal baru menggantikan yang lama, dan kode dua langkah dilepas.",
                         "A new first password replaces the old one, and two-step codes are \
                          taken away.")) }
                form method="post" action=(format!("/operator/{}/sandi", account.name)) {
                    button class="button" type="submit" {
                        (say("Buat sandi awal baru", "Make a new first password"))
                    }
                }
            }
        }
    };
    Frame::of(viewer, &account.name, Tab::Operators).page(&body)
}

async fn one(
    State(state): State<ConsoleState>,
    Path(name): Path<String>,
    viewer: Viewer,
) -> Result<Response, Trouble> {
    let account = named(&state, &viewer, &name).await?;
    Ok(whole(one_page(&viewer, &account, None)).into_response())
}

async fn change(
    State(state): State<ConsoleState>,
    Path(name): Path<String>,
    viewer: Viewer,
    Form(fields): Form<Fields>,
) -> Result<Response, Trouble> {
    let account = named(&state, &viewer, &name).await?;
    let again = |words: &str| {
        let page = whole(one_page(&viewer, &account, Some(words)));
        Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
    };
    let Some(changed) = change_of(&account, &fields) else {
        return again(viewer.language.of(UNREADABLE));
    };
    match state.gate.change(&viewer.who, &name, &changed).await {
        Ok(()) => Ok(Redirect::to("/operator").into_response()),
        Err(error @ (SignInRefused::Failed(_) | SignInRefused::Refused(_))) => Err(error.into()),
        Err(error) => again(said(viewer.language, &error.words())),
    }
}

async fn reset(
    State(state): State<ConsoleState>,
    Path(name): Path<String>,
    viewer: Viewer,
) -> Result<Response, Trouble> {
    let password = state.gate.reset(&viewer.who, &name).await?;
    shown(&state, &viewer, StatusCode::OK, None, Some((&name, &password))).await
}
