//! Answers of nftables.

use std::collections::BTreeMap;

use lanai_network::nft::{Base, Chain, Expression, Hook, Policy, Rule, TABLE, Table};

use super::attributes::Received;
use super::numbers::*;

/// One answer: the kind of its message, and its attributes.
pub(super) struct Answer {
    pub(super) kind: u8,
    pub(super) attributes: Vec<u8>,
}

/// The number of changes that the namespace's rules have seen.
pub(super) fn generation(answer: &Answer) -> Option<u32> {
    Received(&answer.attributes).number(GENERATION_ID)
}

/// Our table, from the chains of all tables and the rules of ours.
pub(super) fn table(chains: &[Answer], rules: &[Answer]) -> Table {
    let mut of_chain: BTreeMap<&str, Vec<Rule>> = BTreeMap::new();
    for answer in rules.iter().filter(|answer| answer.kind == NEW_RULE) {
        let attributes = Received(&answer.attributes);
        if attributes.name(RULE_TABLE) == Some(TABLE)
            && let Some(chain) = attributes.name(RULE_CHAIN)
        {
            of_chain.entry(chain).or_default().push(rule(attributes));
        }
    }
    let chains = chains.iter().filter(|answer| answer.kind == NEW_CHAIN);
    let chains = chains.filter_map(|answer| {
        let attributes = Received(&answer.attributes);
        if attributes.name(CHAIN_TABLE) != Some(TABLE) {
            return None;
        }
        let name = attributes.name(CHAIN_NAME)?;
        Some(Chain {
            name: name.to_owned(),
            base: base(attributes),
            rules: of_chain.remove(name).unwrap_or_default(),
        })
    });
    Table {
        chains: chains.collect(),
    }
}

fn base(attributes: Received<'_>) -> Option<Base> {
    let hook = attributes.nested(CHAIN_HOOK)?;
    let number = hook.number(HOOK_NUMBER)?;
    let priority = hook.get(HOOK_PRIORITY)?.try_into().ok()?;
    let policy = attributes.number(CHAIN_POLICY);
    Some(Base {
        kind: attributes.name(CHAIN_TYPE)?.to_owned(),
        hook: thing(&HOOKS, number).unwrap_or(Hook::Other(number)),
        priority: i32::from_be_bytes(priority),
        policy: policy
            .and_then(|number| thing(&POLICIES, number))
            .unwrap_or(Policy::Accept),
    })
}

fn rule(attributes: Received<'_>) -> Rule {
    let expressions = attributes.nested(RULE_EXPRESSIONS).into_iter().flatten();
    Rule {
        expressions: expressions
            .map(|(_, element)| expression(Received(element)))
            .collect(),
        comment: attributes.get(RULE_USERDATA).and_then(comment),
    }
}

/// Finds the comment in user data: kind, length, value, one after the other.
fn comment(mut userdata: &[u8]) -> Option<String> {
    loop {
        let [kind, length, rest @ ..] = userdata else {
            return None;
        };
        let value = rest.get(..usize::from(*length))?;
        if *kind == USERDATA_COMMENT {
            let text = value.split(|byte| *byte == 0).next()?;
            return Some(String::from_utf8_lossy(text).into_owned());
        }
        userdata = rest.get(usize::from(*length)..)?;
    }
}

fn expression(element: Received<'_>) -> Expression {
    let name = element.name(EXPRESSION_NAME).unwrap_or_default();
    let data = element.get(EXPRESSION_DATA).unwrap_or_default();
    known(name, Received(data)).unwrap_or_else(|| Expression::Other {
        name: name.to_owned(),
        data: data.to_vec(),
    })
}

/// The expression, if it is one of those that we make, with nothing more to it.
fn known(name: &str, data: Received<'_>) -> Option<Expression> {
    let register = |kind| (data.number(kind) == Some(REGISTER)).then_some(());
    let value = |kind| Some(data.nested(kind)?.get(DATA_VALUE)?.to_vec());
    match name {
        "meta" if data.only(&[META_KEY, META_DREG]) => {
            register(META_DREG)?;
            Some(Expression::Meta(thing(&METAS, data.number(META_KEY)?)?))
        }
        "meta" if data.only(&[META_KEY, META_SREG]) => {
            register(META_SREG)?;
            Some(Expression::SetMeta(thing(&METAS, data.number(META_KEY)?)?))
        }
        "socket" if data.only(&[SOCKET_KEY, SOCKET_DREG]) => {
            register(SOCKET_DREG)?;
            let key = data.number(SOCKET_KEY)?;
            Some(Expression::Socket(thing(&SOCKET_FACTS, key)?))
        }
        "ct" if data.only(&[CT_KEY, CT_DREG]) => {
            register(CT_DREG)?;
            (data.number(CT_KEY)? == CT_STATE).then_some(Expression::ConnectionState)
        }
        "fib" if data.only(&[FIB_DREG, FIB_RESULT, FIB_FLAGS]) => {
            register(FIB_DREG)?;
            (data.number(FIB_RESULT)? == FIB_ADDRESS_TYPE).then_some(())?;
            (data.number(FIB_FLAGS)? == FIB_DESTINATION_ON_INTERFACE)
                .then_some(Expression::DestinationType)
        }
        "payload" => {
            register(PAYLOAD_DREG)?;
            Some(Expression::Payload {
                base: thing(&HEADERS, data.number(PAYLOAD_BASE)?)?,
                offset: data.number(PAYLOAD_OFFSET)?,
                length: data.number(PAYLOAD_LENGTH)?,
            })
        }
        "bitwise" if data.number(BITWISE_OPERATION).unwrap_or(0) == 0 => {
            register(BITWISE_SREG)?;
            register(BITWISE_DREG)?;
            Some(Expression::Bitwise {
                mask: value(BITWISE_MASK)?,
                xor: value(BITWISE_XOR)?,
            })
        }
        "cmp" => {
            register(COMPARE_SREG)?;
            Some(Expression::Compare {
                comparison: thing(&COMPARISONS, data.number(COMPARE_OPERATION)?)?,
                value: value(COMPARE_DATA)?,
            })
        }
        "range" => {
            register(RANGE_SREG)?;
            (data.number(RANGE_OPERATION)? == RANGE_WITHIN).then_some(())?;
            Some(Expression::Range {
                from: value(RANGE_FROM)?,
                to: value(RANGE_TO)?,
            })
        }
        "counter" => Some(Expression::Counter),
        "immediate" => {
            (data.number(IMMEDIATE_DREG)? == REGISTER_VERDICT).then_some(())?;
            let verdict = data.nested(IMMEDIATE_DATA)?.nested(DATA_VERDICT)?;
            verdict.only(&[VERDICT_CODE]).then_some(())?;
            let code = verdict.number(VERDICT_CODE)?;
            Some(Expression::Verdict(thing(&VERDICTS, code)?))
        }
        _ => None,
    }
}

/// `NFTA_GEN_ID`.
const GENERATION_ID: u16 = 1;
