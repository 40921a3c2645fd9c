use std::num::NonZeroI32;

use futures_util::stream;
use netlink_packet_route::link::LinkMessage;
use rtnetlink::packet_core::{DoneMessage, NetlinkHeader};

use super::*;

type Message = NetlinkMessage<RouteNetlinkMessage>;

fn message(flags: u16, payload: NetlinkPayload<RouteNetlinkMessage>) -> Message {
    let mut header = NetlinkHeader::default();
    header.flags = flags;
    NetlinkMessage::new(header, payload)
}

fn item(flags: u16) -> Message {
    let link = RouteNetlinkMessage::NewLink(LinkMessage::default());
    message(flags, NetlinkPayload::InnerMessage(link))
}

fn done(flags: u16, code: i32) -> Message {
    let mut done = DoneMessage::default();
    done.code = code;
    message(flags, NetlinkPayload::Done(done))
}

fn answer(messages: Vec<Message>) -> Result<Answer, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(collect(stream::iter(messages)))
}

#[test]
fn a_list_that_ends_is_complete_and_one_that_breaks_off_is_not() {
    let complete = answer(vec![item(0), item(0), done(0, 0)]);
    assert!(matches!(complete, Ok(Answer::Complete(items)) if items.len() == 2));
    assert!(matches!(answer(vec![item(0)]), Err(Failure::Silent)));
}

#[test]
fn a_list_that_changed_is_not_used_whichever_message_says_so() {
    let anywhere = [
        vec![item(NLM_F_DUMP_INTR), item(0), done(0, 0)],
        vec![item(0), done(NLM_F_DUMP_INTR, 0)],
        vec![message(0, NetlinkPayload::Overrun(Vec::new())), done(0, 0)],
    ];
    for messages in anywhere {
        assert!(matches!(answer(messages), Ok(Answer::Interrupted)));
    }
}

#[test]
fn a_refusal_is_told_from_an_acknowledgement() {
    let mut error = ErrorMessage::default();
    let acknowledged = answer(vec![message(0, NetlinkPayload::Error(error.clone()))]);
    assert!(matches!(acknowledged, Ok(Answer::Complete(_))));
    error.code = NonZeroI32::new(-17);
    let refused = answer(vec![message(0, NetlinkPayload::Error(error))]);
    assert!(matches!(
        refused,
        Err(Failure::Refused {
            errno: 17,
            said: None
        })
    ));
    let refused = answer(vec![done(0, -4)]);
    assert!(matches!(refused, Err(Failure::Refused { errno: 4, .. })));
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
