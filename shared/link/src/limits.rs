//! Every bound of a link, with its unit and its reason.

use std::time::Duration;

/// Protocol versions this build speaks, oldest and newest.
pub const PROTOCOL_VERSIONS: (u32, u32) = (1, 1);

/// Largest gRPC message either side takes, bytes: a batch of
/// `lumbung_wire::batch::RAW_BYTES_MAX` plus its envelope. gRPC's own default
/// of 4 MiB would let 248 peers hold four times the memory.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024 + 64 * 1024;

/// HTTP/2 window of one stream, bytes. Credit bounds what is in flight; the
/// window only has to cover one batch so that it never stalls one.
pub const STREAM_WINDOW_BYTES: u32 = 512 * 1024;

/// HTTP/2 window of one connection, bytes; larger than a stream's, so that
/// one stream can't stall the others.
pub const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;

/// Least, first and largest size of a batch whose size follows its link, bytes
/// before compression. The least is about what a block of the log holds. The
/// first takes about 2 s at 64 kbit/s. Above the largest, compression gains
/// little more.
pub const BATCH_BYTES_MIN: u32 = 2 * 1024;
/// See [`BATCH_BYTES_MIN`].
pub const BATCH_BYTES_FIRST: u32 = 64 * 1024;
/// See [`BATCH_BYTES_MIN`].
pub const BATCH_BYTES_MAX: u32 = 512 * 1024;

/// Batch size before compression for a node whose batches keep one size,
/// bytes. 64 KiB is where
/// throughput levels off; four of them let the compressor see more.
pub const BATCH_BYTES: u32 = 192 * 1024;

/// Bytes before compression that may be under way to the hub per village:
/// four batches waiting for or in the writer, one arriving. A hub lets few
/// villages catch up at full speed at a time, so this stays far from 248
/// times a megabyte.
pub const CREDIT_BYTES: u64 = 5 * BATCH_BYTES as u64;

/// How long an idle connection goes without a sign of life. An HTTP/2 ping
/// and its answer take 34 bytes inside TCP and about 150 with TCP/IP
/// headers: 75 bytes a minute at this interval.
pub const KEEPALIVE_EVERY: Duration = Duration::from_secs(120);

/// How long the answer to a keepalive may take.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Largest payload of a packet on a path that loses large ones, bytes: every
/// IPv4 network must pass packets of 576 with their headers, tunnels in between
/// included.
pub const NARROW_BYTES: u32 = 480;

/// How long dialling may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a single question (Hello, Fingerprint) may take.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Streams one connection may have open at the node.
pub const STREAMS_MAX: u32 = 16;

/// Calls that may queue on one channel. A session makes one at a time, and
/// ten thousand sessions must not each reserve for a thousand.
pub const CALLS_QUEUED: usize = 8;

/// How long sent bytes may stay unacknowledged by the other machine before the
/// connection counts as dead. Two minutes of a bad 2G cell are normal; a
/// quarter of that is what its radio needs to come back.
pub const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(45);

/// How long a TLS handshake may take, at either end.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);

/// How long after a promised sign of life a silent link is given up.
pub const SIGN_LATE_MAX: Duration = Duration::from_secs(60);
