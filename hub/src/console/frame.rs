//! The frame of every page: head, navigation, who is signed in, language.

use lumbung_domain::region::NAMA_KABUPATEN;
use lumbung_telemetry::clock;
use maud::{DOCTYPE, Markup, html};

use super::guard::Viewer;
use super::language::Language;
use crate::access::gate::IDLE_AT_LEAST_MS;
use crate::access::{Operator, Right};

/// The pages in the navigation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Villages,
    Search,
    Recap,
    Charts,
    Quality,
    Export,
    Findings,
    Quarantine,
    Notices,
    Operators,
    Audit,
    None,
}

/// What is around a page's content.
pub(super) struct Frame<'a> {
    who: Option<&'a Operator>,
    language: Language,
    title: &'a str,
    tab: Tab,
    live: bool,
    /// Where the page loads itself anew.
    reloads: Option<String>,
}

impl<'a> Frame<'a> {
    /// Around a page of a signed-in operator.
    pub(super) const fn of(viewer: &'a Viewer, title: &'a str, tab: Tab) -> Self {
        Self {
            who: Some(&viewer.who),
            language: viewer.language,
            title,
            tab,
            live: false,
            reloads: None,
        }
    }

    /// Around a page for anybody.
    pub(super) const fn outside(language: Language, title: &'a str, tab: Tab) -> Self {
        Self { who: None, language, title, tab, live: false, reloads: None }
    }

    /// The page changes by itself; without a script it does so by loading
    /// `anew`, if its reader has asked for that.
    pub(super) fn live(mut self, anew: Option<String>) -> Self {
        self.live = true;
        self.reloads = anew;
        self
    }

    /// The tabs this operator has, in order.
    fn tabs(&self) -> Vec<(Tab, &'static str, &'static str)> {
        let Some(who) = self.who else { return Vec::new() };
        let say = |id, en| self.language.say(id, en);
        let all = [
            (Right::SeeVillages, Tab::Villages, "/", say("Desa", "Villages")),
            (Right::SeeRecords, Tab::Search, "/cari", say("Cari", "Search")),
            (Right::SeeVillages, Tab::Recap, "/rekap", say("Rekap", "Recap")),
            (Right::SeeVillages, Tab::Charts, "/gambaran", say("Gambaran", "Charts")),
            (Right::SeeVillages, Tab::Quality, "/mutu", say("Mutu", "Quality")),
            (Right::Export, Tab::Export, "/ekspor", say("Ekspor", "Export")),
            (Right::SeeRecords, Tab::Findings, "/temuan", say("Temuan", "Findings")),
            (Right::Act, Tab::Quarantine, "/karantina", say("Karantina", "Quarantine")),
            (Right::Inform, Tab::Notices, "/informasi", say("Informasi", "Notices")),
            (Right::ManageOperators, Tab::Operators, "/operator", say("Operator", "Operators")),
            (Right::Audit, Tab::Audit, "/audit", say("Buku catatan", "Audit")),
        ];
        // The audit log is of all villages in one.
        let sees = |right| right != Right::Audit || who.scope().is_whole();
        let may = all.into_iter().filter(|(right, ..)| who.may(*right) && sees(*right));
        may.map(|(_, tab, href, text)| (tab, href, text)).collect()
    }

    /// The whole page.
    pub(super) fn page(&self, body: &Markup) -> Markup {
        let say = |id, en| self.language.say(id, en);
        html! {
            (DOCTYPE)
            html lang=(self.language.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · Lumbung " (NAMA_KABUPATEN) }
                    link rel="stylesheet" href="/style.css";
                    link rel="icon" href="/icon.svg" type="image/svg+xml";
                    @if self.live {
                        @if let Some(anew) = &self.reloads {
                            noscript { meta http-equiv="refresh" content=(format!("60;url={anew}")); }
                        }
                        script src="/live.js" defer {}
                    }
                    @if self.who.is_some() { script src="/session.js" defer {} }
                }
                body {
                    a class="skip" href="#isi" { (say("Langsung ke isi", "Skip to content")) }
                    header class="top" {
                        div class="wide" {
                            a class="brand" href="/" { b { "Lumbung" } " " span { (NAMA_KABUPATEN) } }
                            nav class="pages" aria-label=(say("Halaman", "Pages")) {
                                @for (tab, href, text) in self.tabs() {
                                    a href=(href) aria-current=[(tab == self.tab).then_some("page")] {
                                        (text)
                                    }
                                }
                            }
                            (self.corner())
                        }
                    }
                    main id="isi" class="wide" { (body) }
                    (self.session())
                }
            }
        }
    }

    /// When the session ends for want of use, and the warning before that.
    fn session(&self) -> Markup {
        let say = |id, en| self.language.say(id, en);
        let now_ms = clock::now_ms();
        let ends = self.language.moment(now_ms + IDLE_AT_LEAST_MS, now_ms);
        html! {
            @if self.who.is_some() {
                footer class="wide session" {
                    p id="sesi" data-lama=(IDLE_AT_LEAST_MS) { small {
                        (say("Bila tidak dipakai, sesi Anda berakhir pukul ",
                             "Unless it is used, your session ends at ")) (ends) "."
                    } }
                    p id="sesi-peringatan" class="alert" role="alert" hidden {
                        span data-segera=(say("Sesi Anda segera berakhir karena tidak dipakai. ",
                                              "Your session is about to end for want of use. "))
                            data-berakhir=(say(
                                "Sesi Anda sudah berakhir. Pesan yang sedang ditulis tidak hilang: \
                                 kirim saja, lalu masuk lagi.",
                                "Your session has ended. A message that is being written is not \
                                 lost: send it, then sign in again.")) {}
                        " " button type="button" class="button" {
                            (say("Tetap masuk", "Stay signed in")) }
                    }
                }
            }
        }
    }

    /// Language and session.
    fn corner(&self) -> Markup {
        let say = |id, en| self.language.say(id, en);
        html! {
            div class="corner" {
                form method="post" action="/bahasa" {
                    button class="plain" name="ke" value=(say("en", "id"))
                        lang=(say("en", "id")) { (say("English", "Indonesia")) }
                }
                @if let Some(who) = self.who {
                    a class="who-am-i" href="/akun"
                        title=(self.language.of(who.role().words())) { (who.name()) }
                    form method="post" action="/keluar" {
                        button class="plain" { (say("Keluar", "Sign out")) }
                    }
                }
            }
        }
    }
}
