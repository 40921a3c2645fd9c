//! The columns of `show stat`, in HAProxy's order: new ones only go before `-`, behind which
//! HAProxy's modules have theirs. Readers look a column up by its name in the first line.

use super::fields::Field;

macro_rules! columns {
    ($($column:ident $name:literal $tags:literal $text:literal;)*) => {
        /// A place in a row.
        #[expect(dead_code, reason = "columns that nothing is known about stay empty")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Column { $($column,)* }

        /// What the columns are called.
        pub(super) const COLUMNS: &[Field] = &[
            $(Field { name: $name, tags: $tags, text: $text },)*
        ];
    };
}

columns! {
    Pxname "pxname" "KNS" "name of the proxy";
    Svname "svname" "KNS" "FRONTEND, BACKEND or the server's name";
    Qcur "qcur" "MGP" "requests waiting for a server";
    Qmax "qmax" "MMP" "most requests that waited at once";
    Scur "scur" "MGP" "sessions now";
    Smax "smax" "MMP" "most sessions at once";
    Slim "slim" "CLP" "limit of sessions";
    Stot "stot" "MCP" "sessions so far";
    Bin "bin" "MCP" "bytes from clients";
    Bout "bout" "MCP" "bytes to clients";
    Dreq "dreq" "MCP" "requests denied by rules";
    Dresp "dresp" "MCP" "responses denied by rules";
    Ereq "ereq" "MCP" "requests that were invalid or not finished";
    Econ "econ" "MCP" "connection attempts to servers that failed for good";
    Eresp "eresp" "MCP" "responses that were invalid or not finished";
    Wretr "wretr" "MCP" "connection attempts that were repeated";
    Wredis "wredis" "MCP" "requests that went to another server than planned";
    Status "status" "SGP" "state of the object";
    Weight "weight" "MaP" "weight of the server, or of all active servers";
    Act "act" "SGP" "whether the server is active, or how many are";
    Bck "bck" "SGP" "whether the server is a backup, or how many are";
    Chkfail "chkfail" "MCP" "failed health checks";
    Chkdown "chkdown" "MCP" "times it went down";
    Lastchg "lastchg" "MAP" "seconds since the state changed";
    Downtime "downtime" "MCP" "seconds it was down in total";
    Qlimit "qlimit" "CLS" "limit of the server's queue";
    Pid "pid" "KGP" "number of the process, always 1";
    Iid "iid" "KGS" "number of the proxy";
    Sid "sid" "KGS" "number of the server in its proxy";
    Throttle "throttle" "MaP" "percentage of slow start";
    Lbtot "lbtot" "MCP" "times a server was chosen";
    Tracked "tracked" "CNS" "object whose checks are followed";
    Type "type" "CGS" "0 frontend, 1 backend, 2 server, 3 listener";
    Rate "rate" "MRP" "sessions in the last second";
    RateLim "rate_lim" "CLP" "limit of sessions in a second";
    RateMax "rate_max" "MMP" "most sessions in a second";
    CheckStatus "check_status" "MOP" "result of the last health check";
    CheckCode "check_code" "MOP" "code that the last health check got";
    CheckDuration "check_duration" "MDP" "milliseconds of the last health check";
    Hrsp1xx "hrsp_1xx" "MCP" "responses 100 to 199";
    Hrsp2xx "hrsp_2xx" "MCP" "responses 200 to 299";
    Hrsp3xx "hrsp_3xx" "MCP" "responses 300 to 399";
    Hrsp4xx "hrsp_4xx" "MCP" "responses 400 to 499";
    Hrsp5xx "hrsp_5xx" "MCP" "responses 500 to 599";
    HrspOther "hrsp_other" "MCP" "responses with other codes";
    Hanafail "hanafail" "MOP" "health failures seen in traffic";
    ReqRate "req_rate" "MRP" "requests in the last second";
    ReqRateMax "req_rate_max" "MMP" "most requests in a second";
    ReqTot "req_tot" "MCP" "requests so far";
    CliAbrt "cli_abrt" "MCP" "transfers that the client broke off";
    SrvAbrt "srv_abrt" "MCP" "transfers that the server broke off";
    CompIn "comp_in" "MCP" "bytes that went into compression";
    CompOut "comp_out" "MCP" "bytes that came out of compression";
    CompByp "comp_byp" "MCP" "bytes that were not compressed for lack of room";
    CompRsp "comp_rsp" "MCP" "responses that were compressed";
    Lastsess "lastsess" "MAP" "seconds since the last session";
    LastChk "last_chk" "MOP" "what the last health check said";
    LastAgt "last_agt" "MOP" "what the last agent check said";
    Qtime "qtime" "MaP" "average milliseconds in queue";
    Ctime "ctime" "MaP" "average milliseconds to connect";
    Rtime "rtime" "MaP" "average milliseconds to the response";
    Ttime "ttime" "MaP" "average milliseconds of a session";
    AgentStatus "agent_status" "SGP" "result of the last agent check";
    AgentCode "agent_code" "MGP" "code of the last agent check";
    AgentDuration "agent_duration" "MDP" "milliseconds of the last agent check";
    CheckDesc "check_desc" "MOP" "result of the last health check in words";
    AgentDesc "agent_desc" "MOP" "result of the last agent check in words";
    CheckRise "check_rise" "CGS" "good checks that bring the server up";
    CheckFall "check_fall" "CGS" "bad checks that take the server down";
    CheckHealth "check_health" "SGP" "counter of checks between down and up";
    AgentRise "agent_rise" "CGS" "good agent checks that bring the server up";
    AgentFall "agent_fall" "CGS" "bad agent checks that take the server down";
    AgentHealth "agent_health" "SGP" "counter of agent checks between down and up";
    Addr "addr" "CGS" "address and port";
    Cookie "cookie" "CNS" "cookie of the server";
    Mode "mode" "CGS" "tcp or http";
    Algo "algo" "COS" "balance";
    ConnRate "conn_rate" "MRP" "connections in the last second";
    ConnRateMax "conn_rate_max" "MMP" "most connections in a second";
    ConnTot "conn_tot" "MCP" "connections so far";
    Intercepted "intercepted" "MCP" "requests that were answered here";
    Dcon "dcon" "MCP" "connections denied by rules";
    Dses "dses" "MCP" "sessions denied by rules";
    Wrew "wrew" "MCP" "rewrites that did not fit";
    Connect "connect" "MCP" "connections opened to servers";
    Reuse "reuse" "MCP" "requests sent over a connection that was open";
    CacheLookups "cache_lookups" "MCP" "requests looked up in a cache";
    CacheHits "cache_hits" "MCP" "requests answered from a cache";
    SrvIcur "srv_icur" "MGP" "idle connections";
    SrcIlim "src_ilim" "CLP" "limit of idle connections";
    QtimeMax "qtime_max" "MMP" "most milliseconds in queue";
    CtimeMax "ctime_max" "MMP" "most milliseconds to connect";
    RtimeMax "rtime_max" "MMP" "most milliseconds to the response";
    TtimeMax "ttime_max" "MMP" "most milliseconds of a session";
    Eint "eint" "MCP" "internal errors";
    IdleConnCur "idle_conn_cur" "MGP" "idle connections that are not safe to share";
    SafeConnCur "safe_conn_cur" "MGP" "idle connections that are safe to share";
    UsedConnCur "used_conn_cur" "MGP" "connections in use";
    NeedConnEst "need_conn_est" "MGP" "connections expected to be needed";
    Uweight "uweight" "MaP" "weight as configured or set";
    AggServerStatus "agg_server_status" "MGP" "servers by state";
    AggServerCheckStatus "agg_server_check_status" "MGP" "servers by state, old name";
    AggCheckStatus "agg_check_status" "MGP" "servers by result of their check";
    Srid "srid" "KNS" "revision of the server's number";
    SessOther "sess_other" "MCP" "sessions that are not HTTP";
    H1sess "h1sess" "MCP" "HTTP/1 sessions";
    H2sess "h2sess" "MCP" "HTTP/2 sessions";
    H3sess "h3sess" "MCP" "HTTP/3 sessions";
    ReqOther "req_other" "MCP" "requests that are not HTTP";
    H1req "h1req" "MCP" "HTTP/1 requests";
    H2req "h2req" "MCP" "HTTP/2 requests";
    H3req "h3req" "MCP" "HTTP/3 requests";
    Proto "proto" "CNS" "protocol of the listener";
    PrivIdleCur "priv_idle_cur" "MGP" "idle connections that belong to a session";
    Reqbin "reqbin" "MCP" "request bytes received";
    Reqbout "reqbout" "MCP" "request bytes sent";
    Resbin "resbin" "MCP" "response bytes received";
    Resbout "resbout" "MCP" "response bytes sent";
    CacheHintHits "cache_hint_hits" "MCP" "cache hits by hint";
    Modules "-" "KNS" "here the columns of modules begin";
    SslSess "ssl_sess" "MCP" "TLS sessions";
    SslReusedSess "ssl_reused_sess" "MCP" "TLS sessions that were resumed";
    SslFailedHandshake "ssl_failed_handshake" "MCP" "TLS handshakes that failed";
    H2HeadersRcvd "h2_headers_rcvd" "MCP" "HTTP/2 HEADERS frames received";
    H2DataRcvd "h2_data_rcvd" "MCP" "HTTP/2 DATA frames received";
    H2SettingsRcvd "h2_settings_rcvd" "MCP" "HTTP/2 SETTINGS frames received";
    H2RstStreamRcvd "h2_rst_stream_rcvd" "MCP" "HTTP/2 RST_STREAM frames received";
    H2GoawayRcvd "h2_goaway_rcvd" "MCP" "HTTP/2 GOAWAY frames received";
    H2DetectedConnProtocolErrors "h2_detected_conn_protocol_errors" "MCP" "HTTP/2 connection errors detected";
    H2DetectedStrmProtocolErrors "h2_detected_strm_protocol_errors" "MCP" "HTTP/2 stream errors detected";
    H2RstStreamResp "h2_rst_stream_resp" "MCP" "HTTP/2 RST_STREAM frames sent for an error";
    H2GoawayResp "h2_goaway_resp" "MCP" "HTTP/2 GOAWAY frames sent for an error";
    H2OpenConnections "h2_open_connections" "MGP" "HTTP/2 connections now";
    H2BackendOpenStreams "h2_backend_open_streams" "MGP" "HTTP/2 streams to servers now";
    H2TotalConnections "h2_total_connections" "MCP" "HTTP/2 connections so far";
    H2BackendTotalStreams "h2_backend_total_streams" "MCP" "HTTP/2 streams to servers so far";
    H1OpenConnections "h1_open_connections" "MGP" "HTTP/1 connections now";
    H1OpenStreams "h1_open_streams" "MGP" "HTTP/1 requests now";
    H1TotalConnections "h1_total_connections" "MCP" "HTTP/1 connections so far";
    H1TotalStreams "h1_total_streams" "MCP" "HTTP/1 requests so far";
    H1BytesIn "h1_bytes_in" "MCP" "HTTP/1 bytes received";
    H1BytesOut "h1_bytes_out" "MCP" "HTTP/1 bytes sent";
    H1SplicedBytesIn "h1_spliced_bytes_in" "MCP" "HTTP/1 bytes received by splicing";
    H1SplicedBytesOut "h1_spliced_bytes_out" "MCP" "HTTP/1 bytes sent by splicing";
}
