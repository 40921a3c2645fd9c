//! Messages to nftables.

use lanai_network::nft::{Base, Chain, Expression, Hook, Rule, TABLE, Table};
use libc::{NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_REQUEST};

use super::attributes::Attributes;
use super::numbers::*;
use crate::netlink::aligned;

/// One message without its place in a conversation, which the transport adds.
pub(super) struct Message {
    kind: u16,
    flags: u16,
    body: Vec<u8>,
}

impl Message {
    fn new(kind: u8, family: u8, flags: i32, attributes: Attributes) -> Self {
        let kind = (u16::from(NFNL_SUBSYS_NFTABLES) << 8) | u16::from(kind);
        Self::raw(kind, family, 0, flags, attributes)
    }

    fn raw(kind: u16, family: u8, resource: u16, flags: i32, attributes: Attributes) -> Self {
        // struct nfgenmsg: family, version, resource.
        let mut body = vec![family, 0];
        body.extend(resource.to_be_bytes());
        body.extend(attributes.into_bytes());
        Self {
            kind,
            flags: u16::try_from(NLM_F_REQUEST | flags).unwrap_or_default(),
            body,
        }
    }

    /// The message with its header, `struct nlmsghdr`.
    pub(super) fn write(&self, sequence: u32, to: &mut Vec<u8>) {
        let length = u32::try_from(16 + self.body.len()).unwrap_or(u32::MAX);
        to.extend(length.to_ne_bytes());
        to.extend(self.kind.to_ne_bytes());
        to.extend(self.flags.to_ne_bytes());
        to.extend(sequence.to_ne_bytes());
        to.extend(0_u32.to_ne_bytes());
        to.extend(&self.body);
        to.resize(aligned(to.len()), 0);
    }
}

pub(super) fn get_generation() -> Message {
    Message::new(
        GET_GENERATION,
        NFPROTO_UNSPEC,
        NLM_F_ACK,
        Attributes::default(),
    )
}

pub(super) fn get_table() -> Message {
    let name = Attributes::default().name(TABLE_NAME, TABLE);
    Message::new(GET_TABLE, NFPROTO_INET, NLM_F_ACK, name)
}

/// The chains of every table of the family: the kernel does not choose.
pub(super) fn get_chains() -> Message {
    Message::new(GET_CHAIN, NFPROTO_INET, NLM_F_DUMP, Attributes::default())
}

pub(super) fn get_rules() -> Message {
    let name = Attributes::default().name(RULE_TABLE, TABLE);
    Message::new(GET_RULE, NFPROTO_INET, NLM_F_DUMP, name)
}

/// The transaction after which our table is `to`. The last message but the end asks for a word.
pub(super) fn replace(to: Option<&Table>) -> Vec<Message> {
    let named = || Attributes::default().name(TABLE_NAME, TABLE);
    let begin = Message::raw(
        NFNL_MSG_BATCH_BEGIN,
        NFPROTO_UNSPEC,
        u16::from(NFNL_SUBSYS_NFTABLES),
        0,
        Attributes::default(),
    );
    let create = || Message::new(NEW_TABLE, NFPROTO_INET, NLM_F_CREATE, named());
    // Made first so that there is one to delete.
    let mut messages = vec![begin, create()];
    messages.push(Message::new(DELETE_TABLE, NFPROTO_INET, 0, named()));
    if let Some(table) = to {
        messages.push(create());
        messages.extend(table.chains.iter().map(chain));
        for chain in &table.chains {
            messages.extend(chain.rules.iter().map(|rule| self::rule(&chain.name, rule)));
        }
    }
    if let Some(last) = messages.last_mut() {
        last.flags |= u16::try_from(NLM_F_ACK).unwrap_or_default();
    }
    messages.push(Message::raw(
        NFNL_MSG_BATCH_END,
        NFPROTO_UNSPEC,
        u16::from(NFNL_SUBSYS_NFTABLES),
        0,
        Attributes::default(),
    ));
    messages
}

fn chain(chain: &Chain) -> Message {
    let mut attributes = Attributes::default()
        .name(CHAIN_TABLE, TABLE)
        .name(CHAIN_NAME, &chain.name);
    if let Some(base) = &chain.base {
        attributes = attributes
            .nested(CHAIN_HOOK, hook(base))
            .number(CHAIN_POLICY, number(&POLICIES, &base.policy))
            .name(CHAIN_TYPE, &base.kind);
    }
    Message::new(NEW_CHAIN, NFPROTO_INET, NLM_F_CREATE, attributes)
}

fn hook(base: &Base) -> Attributes {
    let hook = match base.hook {
        Hook::Other(number) => number,
        known => number(&HOOKS, &known),
    };
    Attributes::default()
        .number(HOOK_NUMBER, hook)
        .bytes(HOOK_PRIORITY, &base.priority.to_be_bytes())
}

fn rule(chain: &str, rule: &Rule) -> Message {
    let list = rule.expressions.iter();
    let list = list.fold(Attributes::default(), |list, expression| {
        list.nested(LIST_ELEMENT, self::expression(expression))
    });
    let mut attributes = Attributes::default()
        .name(RULE_TABLE, TABLE)
        .name(RULE_CHAIN, chain)
        .nested(RULE_EXPRESSIONS, list);
    if let Some(comment) = &rule.comment {
        let length = u8::try_from(comment.len() + 1).unwrap_or(u8::MAX);
        let mut userdata = vec![USERDATA_COMMENT, length];
        userdata.extend(comment.as_bytes());
        userdata.push(0);
        attributes = attributes.bytes(RULE_USERDATA, &userdata);
    }
    // NLM_F_APPEND: rules are in the order in which they are sent.
    let flags = NLM_F_CREATE | libc::NLM_F_APPEND;
    Message::new(NEW_RULE, NFPROTO_INET, flags, attributes)
}

fn expression(expression: &Expression) -> Attributes {
    let empty = Attributes::default;
    let (name, data) = match expression {
        Expression::Meta(meta) => ("meta", keyed([META_KEY, META_DREG], number(&METAS, meta))),
        Expression::SetMeta(meta) => ("meta", keyed([META_KEY, META_SREG], number(&METAS, meta))),
        Expression::Socket(fact) => {
            let key = number(&SOCKET_FACTS, fact);
            ("socket", keyed([SOCKET_KEY, SOCKET_DREG], key))
        }
        Expression::ConnectionState => ("ct", keyed([CT_KEY, CT_DREG], CT_STATE)),
        Expression::DestinationType => (
            "fib",
            empty()
                .number(FIB_DREG, REGISTER)
                .number(FIB_RESULT, FIB_ADDRESS_TYPE)
                .number(FIB_FLAGS, FIB_DESTINATION_ON_INTERFACE),
        ),
        Expression::Payload {
            base,
            offset,
            length,
        } => (
            "payload",
            empty()
                .number(PAYLOAD_DREG, REGISTER)
                .number(PAYLOAD_BASE, number(&HEADERS, base))
                .number(PAYLOAD_OFFSET, *offset)
                .number(PAYLOAD_LENGTH, *length),
        ),
        Expression::Bitwise { mask, xor } => (
            "bitwise",
            empty()
                .number(BITWISE_SREG, REGISTER)
                .number(BITWISE_DREG, REGISTER)
                .number(BITWISE_LENGTH, u32::try_from(mask.len()).unwrap_or(0))
                .nested(BITWISE_MASK, value(mask))
                .nested(BITWISE_XOR, value(xor)),
        ),
        Expression::Compare {
            comparison,
            value: operand,
        } => (
            "cmp",
            empty()
                .number(COMPARE_SREG, REGISTER)
                .number(COMPARE_OPERATION, number(&COMPARISONS, comparison))
                .nested(COMPARE_DATA, value(operand)),
        ),
        Expression::Range { from, to } => (
            "range",
            empty()
                .number(RANGE_SREG, REGISTER)
                .number(RANGE_OPERATION, RANGE_WITHIN)
                .nested(RANGE_FROM, value(from))
                .nested(RANGE_TO, value(to)),
        ),
        Expression::Counter => ("counter", empty()),
        Expression::Verdict(verdict) => {
            let code = empty().number(VERDICT_CODE, number(&VERDICTS, verdict));
            let data = empty().nested(DATA_VERDICT, code);
            (
                "immediate",
                empty()
                    .number(IMMEDIATE_DREG, REGISTER_VERDICT)
                    .nested(IMMEDIATE_DATA, data),
            )
        }
        Expression::Other { name, data } => {
            return empty()
                .name(EXPRESSION_NAME, name)
                .bytes(EXPRESSION_DATA | NESTED, data);
        }
    };
    empty()
        .name(EXPRESSION_NAME, name)
        .nested(EXPRESSION_DATA, data)
}

/// What an expression is about, and our register.
fn keyed([key, register]: [u16; 2], about: u32) -> Attributes {
    Attributes::default()
        .number(key, about)
        .number(register, REGISTER)
}

fn value(bytes: &[u8]) -> Attributes {
    Attributes::default().bytes(DATA_VALUE, bytes)
}

/// `NLA_F_NESTED`.
const NESTED: u16 = 0x8000;
