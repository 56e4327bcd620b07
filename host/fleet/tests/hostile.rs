//! Bytes that are broken in every way: readers of frames, plans and messages return an error or something sound, never
//! panic, and take no more memory than the bytes are worth.

use proptest::prelude::*;
use stampede_fleet::frame::{Assembly, MAX_BODY, MAX_PAYLOAD, ParcelError, ParcelHead, ParcelKind, ParcelPart, encode};
use stampede_fleet::{
    EndCause, FleetPlan, FromNode, LeaseValue, MAX_ANSWER, MAX_MESSAGE, NodeName, RunId, RunState, Sender, ToNode,
    read_message,
};

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_-]{1,64}"
}

prop_compose! {
    fn head()(
        (run, node) in (name(), name()),
        kind in prop::sample::select(vec![ParcelKind::Frame, ParcelKind::Snapshot, ParcelKind::Final]),
        (segment, epoch, term, until, age) in any::<(u32, u64, u64, u64, u64)>(),
        (seq_from, more) in (1..=u64::MAX / 2, 0..=u64::MAX / 2),
        (second_from, seconds) in (0..=u32::MAX / 2, 0..=u32::MAX / 2),
        end in prop::sample::select(vec![EndCause::Planned, EndCause::Stopped, EndCause::Fenced]),
    ) -> ParcelHead {
        ParcelHead {
            kind,
            run: RunId::new(&run).unwrap(),
            sender: Sender { node: NodeName::new(&node).unwrap(), segment, epoch },
            term,
            seq_from,
            seq_to: seq_from + more,
            second_from,
            second_end: second_from + seconds,
            until,
            age,
            end,
        }
    }
}

/// Reads bytes in every way that a bus can bring them.
fn read_all(bytes: &[u8]) {
    if let Ok(part) = ParcelPart::decode(bytes) {
        assert!(part.body.len() <= bytes.len() && part.part < part.parts);
        let mut assembly = Assembly::default();
        let body = assembly.take(&part);
        assert_eq!(body.is_some(), part.parts == 1);
    }
    let _ = FleetPlan::from_bytes(bytes);
    let _ = read_message::<FromNode>(bytes, MAX_MESSAGE);
    let _ = read_message::<ToNode>(bytes, MAX_ANSWER);
    let _ = read_message::<RunState>(bytes, MAX_ANSWER);
    let _ = read_message::<LeaseValue>(bytes, MAX_MESSAGE);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_all(&bytes);
    }

    #[test]
    fn a_parcel_is_read_as_it_was_written(head in head(), body in prop::collection::vec(any::<u8>(), 0..300)) {
        let messages = encode(&head, &body).unwrap();
        prop_assert_eq!(messages.len(), 1);
        let part = ParcelPart::decode(&messages[0]).unwrap();
        prop_assert_eq!((&part.head, part.body), (&head, &body[..]));
    }

    #[test]
    fn a_damaged_parcel_is_an_error(head in head(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut bytes = encode(&head, b"counts").unwrap().remove(0);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(ParcelPart::decode(&bytes).is_err());
    }

    #[test]
    fn a_head_of_any_numbers_with_a_right_check_sum_is_read(
        head in head(),
        at in any::<prop::sample::Index>(),
        bytes in prop::collection::vec(any::<u8>(), 1..12),
        cut in 0..40_usize,
    ) {
        let mut message = encode(&head, b"counts").unwrap().remove(0);
        message.truncate(message.len() - 4);
        let begin = at.index(message.len() - 4).max(4);
        for (place, byte) in message[begin..].iter_mut().zip(bytes) {
            *place = byte;
        }
        message.truncate(message.len() - cut.min(message.len() - 5));
        let sum = crc32fast::hash(&message);
        message.extend(sum.to_le_bytes());
        read_all(&message);
    }

    #[test]
    fn a_cut_parcel_is_an_error(head in head(), at in any::<prop::sample::Index>()) {
        let bytes = encode(&head, b"counts").unwrap().remove(0);
        prop_assert!(ParcelPart::decode(&bytes[..at.index(bytes.len())]).is_err());
    }
}

proptest! {
    // Bodies of megabytes.
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn parts_come_together_in_any_order(head in head(), order in Just((0..4_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let body: Vec<u8> = (0..3 * MAX_PAYLOAD + 5).map(|at| at as u8).collect();
        let messages = encode(&head, &body).unwrap();
        prop_assert_eq!(messages.len(), 4);
        let mut assembly = Assembly::default();
        for (at, which) in order.iter().enumerate() {
            prop_assert!(messages[*which].len() <= MAX_PAYLOAD);
            let part = ParcelPart::decode(&messages[*which]).unwrap();
            // Each comes twice, as after a lost acknowledgement.
            let whole = assembly.take(&part);
            prop_assert_eq!(whole.as_deref(), (at == 3).then_some(&body[..]));
            if at < 3 {
                prop_assert_eq!(assembly.take(&part), None);
            }
        }
    }
}

#[test]
fn a_body_has_a_limit() {
    let head = ParcelHead {
        kind: ParcelKind::Frame,
        run: RunId::new("a").unwrap(),
        sender: Sender { node: NodeName::new("b").unwrap(), segment: 0, epoch: 1 },
        term: 0,
        seq_from: 1,
        seq_to: 1,
        second_from: 0,
        second_end: 1,
        until: 0,
        age: 0,
        end: EndCause::Planned,
    };
    assert!(encode(&head, &vec![0; MAX_BODY + 1]).is_none());
    let messages = encode(&head, &vec![0; MAX_BODY]).unwrap();
    assert!(messages.iter().all(|message| ParcelPart::decode(message).is_ok()));
    assert_eq!(ParcelPart::decode(&vec![0; MAX_PAYLOAD + 1]), Err(ParcelError::Length));
    let mut other = messages[0].clone();
    other[2] = 9;
    assert_eq!(ParcelPart::decode(&other), Err(ParcelError::Version(9)), "before anything that a version may change");
}
