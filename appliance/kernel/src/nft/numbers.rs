//! Numbers of `linux/netfilter/nf_tables.h` and `linux/netfilter/nfnetlink.h`.

use lanai_network::nft::{Comparison, Header, Hook, Meta, Policy, SocketFact, Verdict};

pub(super) const NFNL_SUBSYS_NFTABLES: u8 = 10;
pub(super) const NFNL_MSG_BATCH_BEGIN: u16 = 16;
pub(super) const NFNL_MSG_BATCH_END: u16 = 17;

pub(super) const NEW_TABLE: u8 = 0;
pub(super) const GET_TABLE: u8 = 1;
pub(super) const DELETE_TABLE: u8 = 2;
pub(super) const NEW_CHAIN: u8 = 3;
pub(super) const GET_CHAIN: u8 = 4;
pub(super) const NEW_RULE: u8 = 6;
pub(super) const GET_RULE: u8 = 7;
pub(super) const GET_GENERATION: u8 = 16;

pub(super) const NFPROTO_UNSPEC: u8 = 0;
pub(super) const NFPROTO_INET: u8 = 1;

pub(super) const TABLE_NAME: u16 = 1;

pub(super) const CHAIN_TABLE: u16 = 1;
pub(super) const CHAIN_NAME: u16 = 3;
pub(super) const CHAIN_HOOK: u16 = 4;
pub(super) const CHAIN_POLICY: u16 = 5;
pub(super) const CHAIN_TYPE: u16 = 7;
pub(super) const HOOK_NUMBER: u16 = 1;
pub(super) const HOOK_PRIORITY: u16 = 2;

pub(super) const RULE_TABLE: u16 = 1;
pub(super) const RULE_CHAIN: u16 = 2;
pub(super) const RULE_EXPRESSIONS: u16 = 4;
pub(super) const RULE_USERDATA: u16 = 7;

pub(super) const LIST_ELEMENT: u16 = 1;
pub(super) const EXPRESSION_NAME: u16 = 1;
pub(super) const EXPRESSION_DATA: u16 = 2;

pub(super) const DATA_VALUE: u16 = 1;
pub(super) const DATA_VERDICT: u16 = 2;
pub(super) const VERDICT_CODE: u16 = 1;

pub(super) const META_DREG: u16 = 1;
pub(super) const META_KEY: u16 = 2;
pub(super) const META_SREG: u16 = 3;

pub(super) const SOCKET_KEY: u16 = 1;
pub(super) const SOCKET_DREG: u16 = 2;

pub(super) const CT_DREG: u16 = 1;
pub(super) const CT_KEY: u16 = 2;
/// `NFT_CT_STATE`.
pub(super) const CT_STATE: u32 = 0;

pub(super) const FIB_DREG: u16 = 1;
pub(super) const FIB_RESULT: u16 = 2;
pub(super) const FIB_FLAGS: u16 = 3;
/// `NFT_FIB_RESULT_ADDRTYPE`.
pub(super) const FIB_ADDRESS_TYPE: u32 = 3;
/// `NFTA_FIB_F_DADDR | NFTA_FIB_F_IIF`.
pub(super) const FIB_DESTINATION_ON_INTERFACE: u32 = 1 << 1 | 1 << 3;

pub(super) const PAYLOAD_DREG: u16 = 1;
pub(super) const PAYLOAD_BASE: u16 = 2;
pub(super) const PAYLOAD_OFFSET: u16 = 3;
pub(super) const PAYLOAD_LENGTH: u16 = 4;

pub(super) const BITWISE_SREG: u16 = 1;
pub(super) const BITWISE_DREG: u16 = 2;
pub(super) const BITWISE_LENGTH: u16 = 3;
pub(super) const BITWISE_MASK: u16 = 4;
pub(super) const BITWISE_XOR: u16 = 5;
/// Since Linux 5.6, and 0 for the one operation that we use.
pub(super) const BITWISE_OPERATION: u16 = 6;

pub(super) const COMPARE_SREG: u16 = 1;
pub(super) const COMPARE_OPERATION: u16 = 2;
pub(super) const COMPARE_DATA: u16 = 3;

pub(super) const RANGE_SREG: u16 = 1;
pub(super) const RANGE_OPERATION: u16 = 2;
pub(super) const RANGE_FROM: u16 = 3;
pub(super) const RANGE_TO: u16 = 4;
/// `NFT_RANGE_EQ`.
pub(super) const RANGE_WITHIN: u32 = 0;

pub(super) const IMMEDIATE_DREG: u16 = 1;
pub(super) const IMMEDIATE_DATA: u16 = 2;

/// `NFT_REG_VERDICT`.
pub(super) const REGISTER_VERDICT: u32 = 0;
/// `NFT_REG_1`, 16 bytes.
pub(super) const REGISTER: u32 = 1;

/// `NFTNL_UDATA_RULE_COMMENT` of libnftnl's user data: kind, length, text, zero.
pub(super) const USERDATA_COMMENT: u8 = 0;

pub(super) const METAS: [(Meta, u32); 5] = [
    (Meta::Mark, 3),
    (Meta::InterfaceIn, 6),
    (Meta::InterfaceOut, 7),
    (Meta::Family, 15),
    (Meta::Protocol, 16),
];

pub(super) const SOCKET_FACTS: [(SocketFact, u32); 2] =
    [(SocketFact::Transparent, 0), (SocketFact::Wildcard, 2)];

pub(super) const HEADERS: [(Header, u32); 2] = [(Header::Network, 1), (Header::Transport, 2)];

pub(super) const COMPARISONS: [(Comparison, u32); 2] =
    [(Comparison::Equal, 0), (Comparison::Different, 1)];

pub(super) const HOOKS: [(Hook, u32); 5] = [
    (Hook::Prerouting, 0),
    (Hook::Input, 1),
    (Hook::Forward, 2),
    (Hook::Output, 3),
    (Hook::Postrouting, 4),
];

/// `NF_DROP`, `NF_ACCEPT`, `linux/netfilter.h`.
pub(super) const VERDICTS: [(Verdict, u32); 2] = [(Verdict::Drop, 0), (Verdict::Accept, 1)];
pub(super) const POLICIES: [(Policy, u32); 2] = [(Policy::Drop, 0), (Policy::Accept, 1)];

/// The kernel's number of a thing of ours. Every list above is complete.
pub(super) fn number<T: PartialEq>(list: &[(T, u32)], thing: &T) -> u32 {
    let found = list.iter().find(|(ours, _)| ours == thing);
    found.map_or(u32::MAX, |(_, number)| *number)
}

/// What the kernel means by a number, if it is one that we use.
pub(super) fn thing<T: Copy>(list: &[(T, u32)], number: u32) -> Option<T> {
    let found = list.iter().find(|(_, theirs)| *theirs == number);
    found.map(|(thing, _)| *thing)
}
