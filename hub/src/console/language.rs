//! The two languages of the console. Both texts stand side by side where they
//! are shown, so that neither can be missing.

/// What the pages speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Language {
    /// Bahasa Indonesia.
    #[default]
    Indonesian,
    /// English.
    English,
}

impl Language {
    /// The name of the cookie that keeps the choice.
    pub(super) const COOKIE: &'static str = "bahasa";

    /// The text of this language.
    pub(super) const fn say<T: Copy>(self, indonesian: T, english: T) -> T {
        match self {
            Self::Indonesian => indonesian,
            Self::English => english,
        }
    }

    /// One of two words, as enums give them.
    pub(super) const fn of<T: Copy>(self, both: (T, T)) -> T {
        self.say(both.0, both.1)
    }

    /// Its tag.
    pub(super) const fn tag(self) -> &'static str {
        self.say("id", "en")
    }

    /// The language with this tag; Indonesian for any other.
    pub(super) fn parse(tag: &str) -> Self {
        if tag == "en" { Self::English } else { Self::Indonesian }
    }
}
