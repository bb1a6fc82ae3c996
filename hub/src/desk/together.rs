//! Work that many ask for at the same time, done once for all of them.
//!
//! Whoever asks gets the outcome of work that began after the question, so
//! nobody is told anything older than their question. Work that others have
//! under way began earlier: it is waited for, and the next round serves all
//! who came meanwhile.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Rounds of one piece of work.
pub(super) struct Together<T> {
    rounds: Mutex<Rounds<T>>,
    ended: Condvar,
}

struct Rounds<T> {
    /// How many have begun.
    begun: u64,
    /// One is under way.
    working: bool,
    /// The last one that succeeded: its number and what came of it.
    last: Option<(u64, Arc<T>)>,
}

impl<T> Default for Together<T> {
    fn default() -> Self {
        let rounds = Rounds { begun: 0, working: false, last: None };
        Self { rounds: Mutex::new(rounds), ended: Condvar::new() }
    }
}

/// A round under way; it ends with this, however that ends.
struct Round<'a, T>(&'a Together<T>);

impl<T> Drop for Round<'_, T> {
    fn drop(&mut self) {
        self.0.rounds().working = false;
        self.0.ended.notify_all();
    }
}

impl<T> Together<T> {
    fn rounds(&self) -> MutexGuard<'_, Rounds<T>> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `work` gives, begun by this caller or by another after now.
    ///
    /// # Errors
    /// What the work of this caller fails with; others try for themselves.
    pub(super) fn get<E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let mut rounds = self.rounds();
        let asked_after = rounds.begun;
        loop {
            if let Some((number, outcome)) = &rounds.last
                && *number > asked_after
            {
                return Ok(Arc::clone(outcome));
            }
            if !rounds.working {
                break;
            }
            rounds = self.ended.wait(rounds).unwrap_or_else(PoisonError::into_inner);
        }
        rounds.working = true;
        rounds.begun += 1;
        let number = rounds.begun;
        drop(rounds);
        let round = Round(self);
        let outcome = Arc::new(work()?);
        self.rounds().last = Some((number, Arc::clone(&outcome)));
        drop(round);
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn all_who_ask_while_one_works_share_the_next_round() {
        let (together, worked) = (Together::default(), AtomicU64::new(0));
        let worked = &worked;
        let count = || Ok::<_, Infallible>(worked.fetch_add(1, Ordering::SeqCst));
        assert_eq!(*together.get(count).unwrap(), 0);
        assert_eq!(
            *together.get(count).unwrap(),
            1,
            "what is older than the question is no answer"
        );
        let (begun, is_begun) = mpsc::channel();
        let (go, may_go) = mpsc::channel::<()>();
        std::thread::scope(|threads| {
            let (together, slow) = (&together, move || {
                begun.send(()).unwrap();
                may_go.recv().unwrap();
                count()
            });
            let first = threads.spawn(move || *together.get(slow).unwrap());
            is_begun.recv().unwrap();
            let others: Vec<_> =
                (0..8).map(|_| threads.spawn(|| *together.get(count).unwrap())).collect();
            go.send(()).unwrap();
            assert_eq!(first.join().unwrap(), 2);
            for other in others {
                assert!(other.join().unwrap() > 2, "it was asked after the first began");
            }
        });
        // Others may have come one by one, but never more often than asked.
        assert!((4..=11).contains(&worked.load(Ordering::SeqCst)));
    }

    #[test]
    fn a_failure_or_a_panic_stops_nobody_else() {
        let together: Together<u8> = Together::default();
        assert_eq!(together.get(|| Err("no")), Err("no"));
        let panicked = std::thread::scope(|threads| {
            threads.spawn(|| together.get(|| -> Result<u8, &str> { panic!("meant") })).join()
        });
        assert!(panicked.is_err());
        assert_eq!(together.get(|| Ok::<_, &str>(7)).map(|seven| *seven), Ok(7));
    }
}
