//! The laws that proofs rest on: sums don't care about order and can be taken
//! back, and a chain is the same however it is walked.

use std::sync::Arc;

use bytes::Bytes;
use lumbung_domain::id::{KindCode, RecordId};
use lumbung_ledger::fingerprint::ContentHash;
use lumbung_ledger::{
    ChainTag, Entry, Fingerprint, Header, LogId, Operation, Payload, Salt, Seq, Source,
};
use proptest::prelude::*;

/// A sum of 256 bits, worked out byte by byte as on paper.
fn on_paper(a: [u8; 32], b: [u8; 32]) -> [u8; 32] {
    let mut sum = [0; 32];
    let mut carry = 0_u16;
    for at in 0..32 {
        let place = u16::from(a[at]) + u16::from(b[at]) + carry;
        sum[at] = (place % 256) as u8;
        carry = place / 256;
    }
    sum
}

fn fingerprint(bytes: [u8; 32]) -> Fingerprint {
    Fingerprint::from(ContentHash(bytes))
}

/// Numbers whose limbs are often all ones or all zeros, so that carries run
/// through several of them.
fn number() -> impl Strategy<Value = [u8; 32]> {
    let limb = prop_oneof![Just(0_u64), Just(1), Just(u64::MAX), any::<u64>()];
    prop::collection::vec(limb, 4).prop_map(|limbs| {
        let mut bytes = [0; 32];
        for (chunk, limb) in bytes.chunks_exact_mut(8).zip(limbs) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        bytes
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    let operation =
        prop_oneof![Just(Operation::Create), Just(Operation::Update), Just(Operation::Delete)];
    let content = prop::collection::vec(any::<u8>(), 0..40);
    let actor = "[a-z]{0,64}";
    (
        (any::<u64>(), any::<[u8; 16]>(), any::<u16>(), any::<u16>()),
        (operation, any::<i64>(), actor, any::<u8>()),
        (any::<[u8; 8]>(), content),
    )
        .prop_map(
            |((seq, id, kind, schema), (operation, time_ms, actor, source), (salt, bytes))| {
                let header = Header {
                    seq: Seq(seq),
                    id: RecordId(id),
                    kind: KindCode(kind),
                    schema,
                    operation,
                    time_ms,
                    actor: Arc::from(actor),
                    source: Source(source),
                };
                let bytes =
                    Bytes::from(if operation == Operation::Delete { Vec::new() } else { bytes });
                Entry { header, payload: Payload::Present { salt: Salt(salt), bytes } }
            },
        )
}

fn walk(from: ChainTag, entries: &[Entry]) -> ChainTag {
    entries.iter().fold(from, |chain, entry| chain.step(entry).0)
}

fn withheld(entry: &Entry) -> Entry {
    let digest = entry.digest().0;
    Entry { header: entry.header.clone(), payload: Payload::Withheld { digest } }
}

#[test]
fn a_carry_runs_through_every_limb() {
    let mut one = [0; 32];
    one[0] = 1;
    let all_ones = fingerprint([u8::MAX; 32]);
    assert_eq!(all_ones + fingerprint(one), Fingerprint::default());
    assert_eq!(Fingerprint::default() - fingerprint(one), all_ones);
    let (mut low, mut high) = ([0; 32], [0; 32]);
    low[..8].fill(u8::MAX);
    high[8] = 1;
    assert_eq!(fingerprint(low) + fingerprint(one), fingerprint(high));
    assert_eq!(fingerprint(high) - fingerprint(one), fingerprint(low));
}

proptest! {
    #[test]
    fn a_sum_is_what_it_is_on_paper(a in number(), b in number()) {
        let sum = fingerprint(a) + fingerprint(b);
        prop_assert_eq!(sum.to_bytes(), on_paper(a, b));
        prop_assert_eq!(sum - fingerprint(b), fingerprint(a));
        prop_assert_eq!(fingerprint(a) - fingerprint(b) + fingerprint(b), fingerprint(a));
        let rest = fingerprint(a) - fingerprint(b);
        prop_assert_eq!(on_paper(rest.to_bytes(), b), a);
    }

    #[test]
    fn a_sum_has_no_order_and_no_grouping(
        numbers in prop::collection::vec(number(), 0..12),
        seed in any::<u64>(),
        split in 0_usize..12,
    ) {
        let sum = |some: &[[u8; 32]]| {
            let mut sum = Fingerprint::default();
            for number in some {
                sum += ContentHash(*number);
            }
            sum
        };
        let whole = sum(&numbers);
        let mut shuffled = numbers.clone();
        shuffled.sort_by_key(|number| blake3::keyed_hash(number, &seed.to_le_bytes()).to_string());
        prop_assert_eq!(sum(&shuffled), whole);
        let (left, right) = numbers.split_at(split.min(numbers.len()));
        prop_assert_eq!(sum(left) + sum(right), whole);
        let mut empty = whole;
        for number in &shuffled {
            empty -= ContentHash(*number);
        }
        prop_assert_eq!(empty, Fingerprint::default());
    }

    #[test]
    fn a_chain_is_the_same_in_pieces_and_without_content(
        entries in prop::collection::vec(entry(), 1..12),
        cuts in prop::collection::vec(0_usize..12, 0..4),
        erased in prop::collection::vec(any::<bool>(), 12),
        log in any::<[u8; 16]>(),
    ) {
        let start = ChainTag::genesis(LogId(log));
        let whole = walk(start, &entries);
        let mut ends: Vec<usize> = cuts.into_iter().map(|cut| cut.min(entries.len())).collect();
        ends.push(entries.len());
        ends.sort_unstable();
        let (mut tag, mut from) = (start, 0);
        for end in ends {
            tag = walk(tag, &entries[from..end]);
            from = end;
        }
        prop_assert_eq!(tag, whole);

        let some: Vec<Entry> = entries
            .iter()
            .zip(erased)
            .map(|(entry, erased)| if erased { withheld(entry) } else { entry.clone() })
            .collect();
        prop_assert_eq!(walk(start, &some), whole);
        for entry in &entries {
            let (_, hash) = start.step(entry);
            prop_assert_eq!(hash, entry.content_hash());
            prop_assert_eq!(start.step(&withheld(entry)).1, None);
        }
    }

    #[test]
    fn a_chain_tells_every_change(
        entries in prop::collection::vec(entry(), 2..6),
        at in any::<prop::sample::Index>(),
        other in entry(),
    ) {
        let start = ChainTag::genesis(LogId([1; 16]));
        let whole = walk(start, &entries);
        let at = at.index(entries.len());
        let mut changed = entries.clone();
        changed[at] = other;
        prop_assert_eq!(walk(start, &changed) == whole, changed == entries);
        let mut missing = entries.clone();
        missing.remove(at);
        prop_assert_ne!(walk(start, &missing), whole);
        let mut swapped = entries.clone();
        swapped.swap(0, entries.len() - 1);
        prop_assert_eq!(walk(start, &swapped) == whole, swapped == entries);
        prop_assert_ne!(walk(ChainTag::genesis(LogId([2; 16])), &entries), whole);
    }
}
