use lanai_network::nft::{
    Action, Base, Chain, Condition, Expression, Hook, Policy, Protocol, Rule, Table,
};

use super::attributes::{Attributes, Received};
use super::decode::{self, Answer};
use super::{encode, numbers};

/// What the kernel would answer to the messages that make a table, which have its own form.
fn answers(table: &Table) -> Vec<Answer> {
    let messages = encode::replace(Some(table));
    let answers = messages.iter().map(|message| {
        let mut bytes = Vec::new();
        message.write(1, &mut bytes);
        Answer {
            kind: bytes[4],
            attributes: bytes[20..].to_vec(),
        }
    });
    answers.collect()
}

#[test]
fn what_is_written_is_read_back() {
    let conditions = [
        Condition::InterfaceIn("eth0.100".into()),
        Condition::From("10.0.0.0/9".parse().unwrap()),
        Condition::To("2001:db8::1/128".parse().unwrap()),
        Condition::Established,
        Condition::Protocol(Protocol::TCP),
        Condition::DestinationPort(lanai_network::Ports { first: 1, last: 9 }),
        Condition::ForTransparentSocket,
    ];
    let other = Expression::Other {
        name: "limit".to_owned(),
        data: vec![8, 0, 1, 0, 0, 0, 0, 5],
    };
    let mut rule = Rule::new(&conditions, Action::MarkAndAccept(1), "why");
    rule.expressions.insert(0, other);
    let chain = |name: &str, base, rules| Chain {
        name: name.to_owned(),
        base,
        rules,
    };
    let base = Base {
        kind: "filter".to_owned(),
        hook: Hook::Forward,
        priority: -150,
        policy: Policy::Drop,
    };
    let mut bare = Rule::new(&[], Action::Drop, "");
    bare.comment = None;
    let table = Table {
        chains: vec![
            chain("forward", Some(base), vec![rule, bare]),
            chain("jumped-to", None, vec![]),
        ],
    };
    let answers = answers(&table);
    assert_eq!(decode::table(&answers, &answers), table);
}

#[test]
fn what_has_more_to_it_than_we_know_is_something_else() {
    let list = |expression: Attributes| {
        let list = Attributes::default().nested(numbers::LIST_ELEMENT, expression);
        Answer {
            kind: numbers::NEW_RULE,
            attributes: Attributes::default()
                .name(numbers::RULE_TABLE, "lanai")
                .name(numbers::RULE_CHAIN, "forward")
                .nested(numbers::RULE_EXPRESSIONS, list)
                .into_bytes(),
        }
    };
    let chain = Answer {
        kind: numbers::NEW_CHAIN,
        attributes: Attributes::default()
            .name(numbers::CHAIN_TABLE, "lanai")
            .name(numbers::CHAIN_NAME, "forward")
            .into_bytes(),
    };
    let jump = Attributes::default()
        .number(numbers::VERDICT_CODE, 1)
        .name(2, "elsewhere");
    let jump = Attributes::default().nested(numbers::DATA_VERDICT, jump);
    let jump = Attributes::default()
        .number(numbers::IMMEDIATE_DREG, 0)
        .nested(numbers::IMMEDIATE_DATA, jump);
    let meta = |register| {
        Attributes::default()
            .number(numbers::META_KEY, 3)
            .number(numbers::META_DREG, register)
    };
    for (name, data, known) in [
        ("immediate", jump, false),
        ("meta", meta(1), true),
        ("meta", meta(2), false),
        ("meta", meta(1).number(9, 0), false),
    ] {
        let expression = Attributes::default()
            .name(numbers::EXPRESSION_NAME, name)
            .nested(numbers::EXPRESSION_DATA, data);
        let chains = [Answer {
            kind: chain.kind,
            attributes: chain.attributes.clone(),
        }];
        let table = decode::table(&chains, &[list(expression)]);
        let expression = &table.chains[0].rules[0].expressions[0];
        let other = matches!(expression, Expression::Other { .. });
        assert_eq!(other, !known, "{expression:?}");
    }
}

#[test]
fn noise_ends_where_it_makes_no_sense() {
    for bytes in [&[][..], &[1], &[3, 0, 1, 0], &[200, 0, 1, 0, 7], &[0; 9]] {
        assert!(Received(bytes).take(10).count() < 2, "{bytes:?}");
    }
    let good = Attributes::default().number(1, 7).into_bytes();
    assert_eq!(Received(&good).number(1), Some(7));
    assert_eq!(Received(&good).number(2), None);
}
