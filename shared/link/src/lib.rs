//! Both ends of a connection between a village and the district.
//!
//! [`limits`] states every bound with its reason, [`channel`] turns a socket
//! into a gRPC channel, [`meter`] counts what really crosses it, [`backoff`]
//! spaces attempts, [`quiet`] learns how long a link may be silent, [`secure`]
//! speaks TLS, [`guarded`] ends a connection from outside, [`awaited`]
//! one that fell silent, [`line`](mod@line) hides what one is made of, [`moving`] waits while
//! bytes come, [`world`] is the machine below. Knows nothing of records, stores or the domain.

pub mod awaited;
pub mod backoff;
pub mod channel;
pub mod guarded;
pub mod limits;
pub mod line;
pub mod meter;
pub mod moving;
pub mod quiet;
pub mod secure;
pub mod world;
