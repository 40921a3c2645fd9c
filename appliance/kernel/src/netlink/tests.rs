use super::*;

/// One message as the kernel writes it.
fn message(kind: i32, flags: i32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + body.len()).unwrap();
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(u16::try_from(kind).unwrap().to_ne_bytes());
    bytes.extend(u16::try_from(flags).unwrap().to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend(0_u32.to_ne_bytes());
    bytes.extend(body);
    bytes.resize(aligned(bytes.len()), 0);
    bytes
}

fn item(flags: i32) -> Vec<u8> {
    message(16, flags, 7, b"item")
}

fn end(flags: i32, code: i32) -> Vec<u8> {
    message(NLMSG_DONE, flags, 7, &code.to_ne_bytes())
}

/// What becomes of these datagrams, as answers to question 7: the number of items; `None` if more is
/// to come.
fn answer(datagrams: &[Vec<u8>]) -> Option<Result<u32, Failure>> {
    let mut reading = Reading {
        sequence: 7,
        interrupted: false,
    };
    let mut items = 0;
    let mut datagrams = datagrams.iter();
    let end = datagrams.find_map(|datagram| reading.take(datagram, &mut |_| items += 1));
    Some(end?.map(|()| items))
}

#[test]
fn a_list_that_ends_is_complete_and_one_that_breaks_off_is_not() {
    assert!(matches!(
        answer(&[item(0), item(0), end(0, 0)]),
        Some(Ok(2))
    ));
    // Two in one datagram, and an answer to an older question between them.
    let mut both = item(0);
    both.extend(message(16, 0, 6, b"late"));
    both.extend(item(0));
    assert!(matches!(answer(&[both, end(0, 0)]), Some(Ok(2))));
    assert!(answer(&[item(0)]).is_none());
}

#[test]
fn a_list_that_changed_is_not_used_whichever_message_says_so() {
    let anywhere = [
        [item(NLM_F_DUMP_INTR), item(0), end(0, 0)],
        [item(0), item(0), end(NLM_F_DUMP_INTR, 0)],
    ];
    for datagrams in anywhere {
        assert!(matches!(answer(&datagrams), Some(Err(Failure::Unsteady))));
    }
}

#[test]
fn a_refusal_is_told_from_an_acknowledgement() {
    let error = |code: i32| message(NLMSG_ERROR, 0, 7, &code.to_ne_bytes());
    assert!(matches!(answer(&[error(0)]), Some(Ok(0))));
    for (datagram, wanted) in [(error(-17), 17), (end(0, -4), 4)] {
        let refused = answer(&[datagram]);
        assert!(
            matches!(refused, Some(Err(Failure::Refused { errno, said: None })) if errno == wanted),
            "{refused:?}"
        );
    }
}

#[test]
fn the_kernels_sentence_is_found_and_nothing_is_made_of_rubbish() {
    let mut echo = 18_u32.to_ne_bytes().to_vec();
    echo.resize(20, 0);
    for (kind, value) in [(2_u16, &b"abcd"[..]), (NLMSGERR_ATTR_MSG, b"No way.\0")] {
        echo.extend(u16::try_from(value.len() + 4).unwrap().to_ne_bytes());
        echo.extend(kind.to_ne_bytes());
        echo.extend(value);
    }
    assert_eq!(sentence(&echo).as_deref(), Some("No way"));
    for length in 0..echo.len() {
        assert_eq!(sentence(&echo[..length]), None);
    }
    // An attribute that says it has no length at all must not be read forever.
    echo[20..22].copy_from_slice(&0_u16.to_ne_bytes());
    assert_eq!(sentence(&echo), None);
}
