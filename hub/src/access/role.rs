//! Roles of operators and what each may do.

use std::fmt;

/// What an operator may be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// See which villages are fresh, late or wrong, and recaps.
    SeeVillages,
    /// See names of residents and their records, without identity numbers and
    /// without specific data (health, disability; UU 27/2022 article 4).
    SeeRecords,
    /// Show one person's identity number or specific data, with a reason.
    Reveal,
    /// Take records out of the system as a file.
    Export,
    /// Ask a village to sync, hold it, replay its quarantine, send a question.
    Act,
    /// Write notices to villages.
    Inform,
    /// Hand out and cancel tokens, revoke keys, replace machines.
    ManageKeys,
    /// Add, change and block operators.
    ManageOperators,
    /// Read the audit log.
    Audit,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 9] = [
        Self::SeeVillages,
        Self::SeeRecords,
        Self::Reveal,
        Self::Export,
        Self::Act,
        Self::Inform,
        Self::ManageKeys,
        Self::ManageOperators,
        Self::Audit,
    ];
}

impl Right {
    /// Whether a session must have proved a one-time code lately to use it:
    /// where data leaves or is opened, and where keys and accounts change.
    #[must_use]
    pub const fn asks_for_code(self) -> bool {
        matches!(self, Self::Reveal | Self::Export | Self::ManageKeys | Self::ManageOperators)
    }
}

/// What an operator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Works on the data of some kecamatan.
    KecamatanOperator,
    /// Works on the data of the kabupaten.
    KabupatenOperator,
    /// Keeps keys, machines and operators; sees no residents.
    Security,
    /// Reads everything masked, and the audit log.
    Auditor,
    /// Helps for a while: sees villages and may ask them to sync.
    Support,
    /// Everything: the first operator, and who stands in for them.
    Head,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::Head,
        Self::KabupatenOperator,
        Self::KecamatanOperator,
        Self::Security,
        Self::Auditor,
        Self::Support,
    ];

    /// Its stable name, as commands and the store write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KecamatanOperator => "kec.operator",
            Self::KabupatenOperator => "kab.operator",
            Self::Security => "kab.keamanan",
            Self::Auditor => "auditor",
            Self::Support => "dukungan",
            Self::Head => "kab.kepala",
        }
    }

    /// The role with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// What it is, for people.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::KecamatanOperator => ("Operator kecamatan", "Kecamatan operator"),
            Self::KabupatenOperator => ("Operator kabupaten", "District operator"),
            Self::Security => ("Petugas keamanan", "Security officer"),
            Self::Auditor => ("Auditor", "Auditor"),
            Self::Support => ("Dukungan teknis", "Technical support"),
            Self::Head => ("Kepala operator", "Head operator"),
        }
    }

    /// Whether it may.
    #[must_use]
    pub const fn may(self, right: Right) -> bool {
        match right {
            Right::SeeVillages => true,
            Right::SeeRecords => matches!(
                self,
                Self::Head | Self::KabupatenOperator | Self::KecamatanOperator | Self::Auditor
            ),
            Right::Reveal | Right::Export | Right::Inform => {
                matches!(self, Self::Head | Self::KabupatenOperator | Self::KecamatanOperator)
            }
            Right::Act => !matches!(self, Self::Auditor),
            Right::ManageKeys | Right::ManageOperators => {
                matches!(self, Self::Head | Self::Security)
            }
            Right::Audit => matches!(self, Self::Head | Self::Security | Self::Auditor),
        }
    }

    /// Whether it may make, change and reset accounts of a role: who keeps
    /// operators makes every one but a head, so that nobody rises to it alone.
    #[must_use]
    pub const fn may_manage(self, other: Self) -> bool {
        match self {
            Self::Head => true,
            _ => self.may(Right::ManageOperators) && !matches!(other, Self::Head),
        }
    }

    /// Whether it may all that another role may.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        Right::ALL.into_iter().all(|right| self.may(right) || !other.may(right))
    }

    /// Whether it is bound to some kecamatan.
    #[must_use]
    pub const fn is_of_kecamatan(self) -> bool {
        matches!(self, Self::KecamatanOperator)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_no_role_but_the_head_has_everything() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.name()), Some(role));
            let everything = Right::ALL.iter().all(|right| role.may(*right));
            assert_eq!(everything, role == Role::Head, "{role}");
        }
        assert_eq!(Role::parse("admin"), None);
    }
}
