use proptest::prelude::*;

use super::*;

fn any_entry() -> impl Strategy<Value = Entry> {
    let header = (
        any::<[u8; 16]>(),
        any::<u16>(),
        any::<u16>(),
        1_u8..=3,
        any::<i64>(),
        "[a-z]{0,12}",
        any::<u8>(),
    );
    let payload = prop_oneof![
        (any::<[u8; 8]>(), proptest::collection::vec(any::<u8>(), 0..300))
            .prop_map(|(salt, bytes)| Payload::Present { salt: Salt(salt), bytes: bytes.into() }),
        any::<[u8; 32]>().prop_map(|digest| Payload::Withheld { digest }),
    ];
    (header, payload).prop_map(|((id, kind, schema, op, time_ms, actor, source), payload)| Entry {
        header: Header {
            seq: Seq(0),
            id: RecordId(id),
            kind: KindCode(kind),
            schema,
            operation: Operation::from_number(op).unwrap(),
            time_ms,
            actor: actor.into(),
            source: Source(source),
        },
        payload,
    })
}

fn any_entries() -> impl Strategy<Value = Vec<Entry>> {
    (1_u64..u64::MAX / 2, proptest::collection::vec(any_entry(), 1..40)).prop_map(
        |(first, mut entries)| {
            for (seq, entry) in (first..).zip(&mut entries) {
                entry.header.seq = Seq(seq);
            }
            entries
        },
    )
}

proptest! {
    #[test]
    fn decoding_gives_back_what_was_encoded(entries in any_entries()) {
        let block = Bytes::from(encode(&entries).unwrap());
        prop_assert_eq!(decode(&block).unwrap(), entries);
    }

    #[test]
    fn a_cut_block_is_refused(entries in any_entries(), cut in any::<prop::sample::Index>()) {
        let block = encode(&entries).unwrap();
        let cut = Bytes::copy_from_slice(&block[..cut.index(block.len())]);
        prop_assert!(decode(&cut).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&Bytes::from(bytes.clone()));
        bytes.splice(0..0, MAGIC);
        let _ = decode(&Bytes::from(bytes));
    }

    #[test]
    fn any_changed_byte_shows_in_block_or_chain(
        entries in any_entries(),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
    ) {
        let walk = |entries: &[Entry]| {
            let start = crate::chain::ChainTag([7; 16]);
            entries.iter().fold(start, |chain, entry| chain.step(entry).0)
        };
        let mut block = encode(&entries).unwrap();
        let at = at.index(block.len());
        block[at] ^= flip;
        if let Ok(changed) = decode(&Bytes::from(block)) {
            // An actor that no entry refers to can't exist in what we write.
            prop_assert_ne!(walk(&changed), walk(&entries));
        }
    }
}

#[test]
fn numbers_must_be_consecutive() {
    let entry = |seq| Entry {
        header: Header {
            seq: Seq(seq),
            id: RecordId([1; 16]),
            kind: KindCode(7),
            schema: 1,
            operation: Operation::Create,
            time_ms: 5,
            actor: "kader".into(),
            source: Source::MANUAL,
        },
        payload: Payload::Withheld { digest: [0; 32] },
    };
    assert!(encode(&[entry(4), entry(6)]).is_none());
    assert!(encode(&[]).is_none());
    assert!(encode(&[entry(4), entry(5)]).is_some());
}

#[test]
fn a_run_of_neighbouring_ids_takes_three_bytes_each() {
    let id = |counter| RecordId::from_parts(1_790_000_000_000, counter, 0x1234_5678_9abc);
    let mut out = Vec::new();
    write_id(RecordId::default(), id(0), &mut out);
    let start = out.len();
    for counter in 1..200 {
        write_id(id(counter - 1), id(counter), &mut out);
    }
    assert!(out.len() - start <= 199 * 3);
}
