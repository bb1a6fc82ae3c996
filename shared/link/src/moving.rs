//! Waiting for an answer for as long as bytes keep coming.
//!
//! A bulk call over a narrow link may take minutes and be all right; one that
//! brings nothing is not, however short.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use crate::limits;
use crate::meter::Traffic;

/// Fewer bytes than this within [`limits::ANSWER_TIMEOUT`] are signs of life,
/// no answer that is on its way.
const COMING_BYTES_MIN: u64 = 1_024;

/// Bytes a second that the narrowest link carries on which a question is not
/// given up while it is still on its way out.
const NARROWEST_RATE: u64 = 512;

/// Waits for the answer of a call that sends `outward_bytes`; `None` when
/// neither it nor a part of it came over the connection that `traffic` counts
/// within [`limits::ANSWER_TIMEOUT`], and what the question itself may take.
pub async fn answer<T>(
    traffic: &Traffic,
    outward_bytes: usize,
    call: impl Future<Output = T>,
) -> Option<T> {
    let mut call = pin!(call);
    let outward = Duration::from_secs(outward_bytes as u64 / NARROWEST_RATE);
    let mut within = limits::ANSWER_TIMEOUT + outward;
    loop {
        let before = traffic.received();
        tokio::select! {
            answer = &mut call => return Some(answer),
            () = tokio::time::sleep(within) => {}
        }
        if traffic.received().saturating_sub(before) < COMING_BYTES_MIN {
            return None;
        }
        within = limits::ANSWER_TIMEOUT;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::meter::Metered;

    /// Reads `parts` of `bytes` each, which come every twenty seconds; gives
    /// the seconds after which it was over, and whether all had come.
    async fn read(parts: usize, bytes: usize, outward_bytes: usize) -> (u64, bool) {
        let (mut far, near) = tokio::io::duplex(64 * 1024);
        let traffic = Traffic::default();
        let mut near = Metered::new(near, traffic.clone());
        tokio::spawn(async move {
            for _ in 0..parts {
                tokio::time::sleep(Duration::from_secs(20)).await;
                if far.write_all(&vec![7; bytes]).await.is_err() {
                    return;
                }
            }
            std::future::pending::<()>().await;
        });
        let begun = tokio::time::Instant::now();
        let mut all = vec![0; parts.max(1) * bytes];
        let answered = answer(&traffic, outward_bytes, near.read_exact(&mut all)).await;
        (begun.elapsed().as_secs(), answered.is_some())
    }

    #[tokio::test(start_paused = true)]
    async fn what_keeps_coming_is_waited_for_and_silence_is_not() {
        assert_eq!(read(30, 2_000, 0).await, (600, true));
        assert_eq!(read(0, 2_000, 0).await, (30, false), "nothing came");
        let (seconds, all) = read(30, 40, 0).await;
        assert!(!all && seconds <= 60, "signs of life are no answer: {seconds} s");
        assert_eq!(read(0, 2_000, 51_200).await, (130, false), "it was long on its way out");
    }
}
