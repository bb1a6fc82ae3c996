//! The audit log against what villages witnessed of it, and certificates for
//! operators, which the district's authority issues.

use std::time::Duration;

use lumbung_identity::{Authority, CertificateDer, PublicKey};
use lumbung_telemetry::clock;

use super::{Desk, DeskError};
use crate::access::witness::Witness;
use crate::access::{Operator, Right};

/// A witness against the log as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// What the village holds.
    pub witness: Witness,
    /// Whether the log passes through the head that the village holds.
    pub passes: bool,
}

/// A certificate with the roots by which its owner knows the hub.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The certificate.
    pub certificate: CertificateDer<'static>,
    /// The roots, the one in use first.
    pub anchors: Vec<CertificateDer<'static>>,
}

impl Desk {
    /// Every witness against the log as it is now, by village.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::Audit`], [`DeskError::Failed`].
    pub fn compare_witnesses(&self, who: &Operator) -> Result<Vec<Compared>, DeskError> {
        Self::must_read_all(who)?;
        let mut compared = Vec::new();
        for witness in self.audit.witnesses()? {
            let there = self.audit.audit_head_at(witness.held.seq)?;
            compared.push(Compared { witness, passes: there == Some(witness.held) });
        }
        Ok(compared)
    }

    /// A certificate for an account's key that the gate has let in until
    /// `until_ms`.
    ///
    /// # Errors
    /// [`DeskError::Refused`] without [`Right::ManageOperators`],
    /// [`DeskError::Unfit`] when the district's keys can't be used.
    pub fn issue_certificate(
        &self,
        who: &Operator,
        account: &str,
        key: &PublicKey,
        until_ms: i64,
    ) -> Result<Issued, DeskError> {
        who.must(Right::ManageOperators)?;
        let now_ms = clock::now_ms();
        let life = Duration::from_millis((until_ms - now_ms).max(0).unsigned_abs());
        let issued = Authority::open(&self.identity, now_ms).and_then(|authority| {
            let certificate = authority.issue_operator(account, key, now_ms, life)?;
            Ok(Issued { certificate, anchors: authority.anchors().to_vec() })
        });
        issued.map_err(|error| {
            tracing::error!(%error, "no certificate can be issued");
            DeskError::unfit(
                "Kunci kabupaten tidak bisa dibuka. Sertifikat tidak dibuat.",
                "The district's keys can't be opened. No certificate was made.",
            )
        })
    }
}
