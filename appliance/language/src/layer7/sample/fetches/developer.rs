//! Fetches of the insides of the process, for developers (HAProxy manual, section 7.3.7).

use super::{Fetch, fetches};

pub(super) const FETCHES: &[Fetch] = fetches! {
    "internal.htx.data" "" 0 () -> Int, HRQHV|HRSHV, "2.2", "Bytes of data and headers in the message buffer.";
    "internal.htx.free" "" 0 () -> Int, HRQHV|HRSHV, "2.2", "Free bytes of the message buffer.";
    "internal.htx.free_data" "" 0 () -> Int, HRQHV|HRSHV, "2.2", "Free bytes for data in the message buffer.";
    "internal.htx.has_eom" "" 0 () -> Bool, HRQHV|HRSHV, "2.2", "Whether the message buffer holds the end of the message.";
    "internal.htx.nbblks" "" 0 () -> Int, HRQHV|HRSHV, "2.2", "Blocks in the message buffer.";
    "internal.htx.size" "" 0 () -> Int, HRQHV|HRSHV, "2.2", "Size of the message buffer.";
    "internal.htx.used" "" 0 () -> Int, HRQHV|HRSHV, "2.2", "Used bytes of the message buffer.";
    "internal.htx_blk.data" "<idx>" 1 (Text) -> Bin, HRQHV|HRSHV, "2.2", "Data of a block of the message buffer.";
    "internal.htx_blk.hdrname" "<idx>" 1 (Text) -> Str, HRQHV|HRSHV, "2.2", "Header name of a block of the message buffer.";
    "internal.htx_blk.hdrval" "<idx>" 1 (Text) -> Str, HRQHV|HRSHV, "2.2", "Header value of a block of the message buffer.";
    "internal.htx_blk.size" "<idx>" 1 (Text) -> Int, HRQHV|HRSHV, "2.2", "Size of a block of the message buffer.";
    "internal.htx_blk.start_line" "<idx>" 1 (Text) -> Str, HRQHV|HRSHV, "2.2", "Start line of a block of the message buffer.";
    "internal.htx_blk.type" "<idx>" 1 (Text) -> Str, HRQHV|HRSHV, "2.2", "Type of a block of the message buffer.";
    "internal.strm.is_htx" "" 0 () -> Bool, INTRN, "2.2", "Whether the stream uses the internal message format.";
};
