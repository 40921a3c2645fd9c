//! The rows of `show stat`. What is not measured yet is 0 where a fresh HAProxy says 0 (rates,
//! times), and empty where it would say nothing or where 0 would mislead.

use lanai_model::layer7::Mode;
use lanai_traffic::condition::{Admin, Checks, Operation};

use super::columns::{COLUMNS, Column};
use super::fields::{Field, Value};
use super::stat::Wanted;
use crate::status::{BackendStatus, CheckResult, Counters, FrontendStatus, ServerStatus, Status};

const FRONTEND_ZEROS: &[Column] = &[
    Column::Rate,
    Column::RateLim,
    Column::RateMax,
    Column::ReqRate,
    Column::ReqRateMax,
    Column::ConnRate,
    Column::ConnRateMax,
];

/// Of servers and backends.
const SERVER_SIDE_ZEROS: &[Column] = &[
    Column::Bck,
    Column::Rate,
    Column::RateMax,
    Column::Qtime,
    Column::Ctime,
    Column::Rtime,
    Column::Ttime,
    Column::QtimeMax,
    Column::CtimeMax,
    Column::RtimeMax,
    Column::TtimeMax,
];

/// One line of the table.
pub(super) struct Row {
    /// The letter of `typed`.
    pub(super) letter: char,
    /// `iid`
    pub(super) proxy: u32,
    /// `sid`
    pub(super) id: u32,
    /// One for each column.
    pub(super) values: Vec<Value>,
}

impl Row {
    fn new(kind: u32, proxy: u32, id: u32, pxname: &str, svname: &str, mode: Mode) -> Self {
        let mut row = Self {
            letter: match kind {
                0 => 'F',
                1 => 'B',
                _ => 'S',
            },
            proxy,
            id,
            values: vec![Value::Unknown; COLUMNS.len()],
        };
        row.set(Column::Pxname, pxname);
        row.set(Column::Svname, svname);
        row.set(Column::Pid, 1_u32);
        row.set(Column::Iid, proxy);
        row.set(Column::Sid, id);
        row.set(Column::Type, kind);
        row.set(
            Column::Mode,
            match mode {
                Mode::Http => "http",
                Mode::Tcp => "tcp",
            },
        );
        row.set(Column::Modules, "-");
        row
    }

    fn set(&mut self, column: Column, value: impl Into<Value>) {
        if let Some(place) = self.values.get_mut(column as usize) {
            *place = value.into();
        }
    }

    /// What is counted for every kind of object.
    fn set_counters(&mut self, counters: &Counters, mode: Mode) {
        self.set(Column::Scur, counters.current);
        self.set(Column::Smax, counters.max);
        self.set(Column::Stot, counters.total);
        self.set(Column::Bin, counters.bytes_in);
        self.set(Column::Bout, counters.bytes_out);
        self.zero_large(&[Column::Dresp, Column::Wrew, Column::Eint]);
        if mode == Mode::Http {
            let classes = [
                Column::Hrsp1xx,
                Column::Hrsp2xx,
                Column::Hrsp3xx,
                Column::Hrsp4xx,
                Column::Hrsp5xx,
                Column::HrspOther,
            ];
            for (column, count) in classes.into_iter().zip(counters.responses) {
                self.set(column, count);
            }
            self.set(Column::ReqTot, counters.requests);
        }
    }

    /// What is counted on the server side.
    fn set_server_side(&mut self, counters: &Counters) {
        self.set(Column::Econ, counters.connect_errors);
        self.set(Column::Eresp, counters.response_errors);
        self.set(Column::Wretr, counters.retries);
        self.set(Column::Lbtot, counters.total);
        self.set(Column::Connect, counters.connects);
        self.set(Column::Reuse, counters.reuses);
        self.set(Column::CliAbrt, counters.client_aborts);
        self.set(Column::SrvAbrt, counters.server_aborts);
        self.zero_large(&[Column::Wredis]);
        self.zero_small(SERVER_SIDE_ZEROS);
        if counters.total == 0 {
            // HAProxy's word for "never". How long ago the last one was is not kept.
            self.set(Column::Lastsess, Value::Signed(-1));
        }
    }

    fn zero_large(&mut self, columns: &[Column]) {
        for column in columns {
            self.set(*column, 0_u64);
        }
    }

    fn zero_small(&mut self, columns: &[Column]) {
        for column in columns {
            self.set(*column, 0_u32);
        }
    }

    /// The modules' columns, of frontends and backends.
    fn zero_modules(&mut self) {
        let modules = self.values.iter_mut().skip(Column::Modules as usize + 1);
        modules.for_each(|value| *value = Value::Large(0));
    }

    /// How each field of `json` begins.
    pub(super) fn owner(&self) -> String {
        let kind = match self.letter {
            'F' => "Frontend",
            'B' => "Backend",
            _ => "Server",
        };
        format!(
            "\"objType\":\"{kind}\",\"proxyId\":{},\"id\":{},",
            self.proxy, self.id
        )
    }

    /// The fields that have something to tell.
    pub(super) fn known(&self) -> impl Iterator<Item = (usize, &'static Field, &Value)> {
        COLUMNS
            .iter()
            .zip(&self.values)
            .enumerate()
            .map(|(position, (field, value))| (position, field, value))
            // The column between HAProxy's own and its modules' is no field.
            .filter(|(position, _, value)| {
                value.is_known() && *position != Column::Modules as usize
            })
    }
}

/// Proxies by number; a `listen` is a frontend and a backend with the same number.
pub(super) fn rows(status: &Status, wanted: &Wanted, addresses: bool) -> Vec<Row> {
    let asked = |id: u32| wanted.proxy.is_none_or(|proxy| proxy == id);
    let mut rows = Vec::new();
    if wanted.frontends && wanted.sid.is_none_or(|sid| sid == 0) {
        let frontends = status.frontends.iter().filter(|f| asked(f.id));
        rows.extend(frontends.map(|f| frontend(f, status.stopping)));
    }
    for one in status.backends.iter().filter(|b| asked(b.id)) {
        if wanted.servers {
            let servers = one.servers.iter().filter(|server| {
                wanted.sid.is_none_or(|sid| sid == server.id) && is_shown(server, wanted)
            });
            rows.extend(servers.map(|s| server(one, s, addresses)));
        }
        if wanted.backends && wanted.sid.is_none_or(|sid| sid == 0) {
            rows.push(backend(one));
        }
    }
    // Stable: within a proxy the order stays frontend, servers, backend.
    rows.sort_by_key(|row| row.proxy);
    rows
}

/// A server on its way up counts as up.
fn is_shown(server: &ServerStatus, wanted: &Wanted) -> bool {
    let maint = server.admin == Admin::Maint;
    let rises = server.checks == Checks::On && server.health.2 > 0;
    let down = maint || (server.operation == Operation::Stopped && !rises);
    !(wanted.only_up && down || wanted.no_maint && maint)
}

fn frontend(frontend: &FrontendStatus, stopping: bool) -> Row {
    let counters = &frontend.counters;
    let mut row = Row::new(0, frontend.id, 0, &frontend.name, "FRONTEND", frontend.mode);
    row.set_counters(counters, frontend.mode);
    row.set(Column::Slim, frontend.limit);
    row.set(Column::Ereq, counters.request_errors);
    row.set(
        Column::Status,
        match counters.current {
            _ if stopping => "STOP",
            _ if frontend.paused => "PAUSED",
            current if current >= frontend.limit => "FULL",
            _ => "OPEN",
        },
    );
    row.set(Column::ReqTot, counters.requests);
    row.set(Column::ConnTot, counters.total);
    row.zero_large(&[
        Column::Dreq,
        Column::Dcon,
        Column::Dses,
        Column::CompIn,
        Column::CompOut,
        Column::CompByp,
        Column::CompRsp,
    ]);
    if frontend.mode == Mode::Http {
        row.zero_large(&[Column::Intercepted, Column::CacheLookups, Column::CacheHits]);
    }
    row.zero_small(FRONTEND_ZEROS);
    row.zero_modules();
    row
}

fn server(backend: &BackendStatus, server: &ServerStatus, addresses: bool) -> Row {
    let counters = &server.counters;
    let mut row = Row::new(
        2,
        backend.id,
        server.id,
        &backend.name,
        &server.name,
        backend.mode,
    );
    row.set_counters(counters, backend.mode);
    row.set_server_side(counters);
    row.zero_small(&[Column::Qcur, Column::Qmax]);
    if let Some(limit) = server.limit {
        row.set(Column::Slim, limit);
    }
    row.set(Column::Status, server.status.as_str());
    row.set(Column::Weight, u32::from(server.weight));
    row.set(Column::Uweight, u32::from(server.weight));
    row.set(Column::Act, 1_u32);
    row.set(Column::Lastchg, seconds(server.since_change));
    row.set(Column::SrvIcur, server.idle_connections);
    row.set(Column::SafeConnCur, server.idle_connections);
    row.zero_small(&[Column::IdleConnCur, Column::NeedConnEst]);
    row.zero_large(&[
        Column::SslSess,
        Column::SslReusedSess,
        Column::SslFailedHandshake,
    ]);
    row.set(Column::UsedConnCur, counters.current);
    if addresses {
        row.set(Column::Addr, server.address.as_str());
    }
    if server.checks == Checks::On {
        row.set(Column::Chkfail, server.check_failures);
        row.set(Column::Chkdown, server.downs);
        row.set(Column::Downtime, seconds(server.downtime));
        if server.admin != Admin::Maint {
            let (rise, fall, health) = server.health;
            row.set(Column::CheckRise, rise);
            row.set(Column::CheckFall, fall);
            row.set(Column::CheckHealth, health);
            if let Some(check) = &server.last_check {
                set_check(&mut row, check);
            }
        }
    }
    row
}

fn set_check(row: &mut Row, check: &CheckResult) {
    row.set(Column::CheckStatus, check.status);
    row.set(Column::CheckDuration, millis(check.duration));
    row.set(Column::LastChk, check.description.as_str());
    let words = match check.status {
        "L4OK" => "Layer4 check passed",
        "L4CON" => "Layer4 connection problem",
        "L4TOUT" => "Layer4 timeout",
        _ => return,
    };
    row.set(Column::CheckDesc, words);
}

fn backend(backend: &BackendStatus) -> Row {
    let counters = &backend.counters;
    let mut row = Row::new(1, backend.id, 0, &backend.name, "BACKEND", backend.mode);
    row.set_counters(counters, backend.mode);
    row.set_server_side(counters);
    row.set(Column::Qcur, backend.queued);
    row.set(Column::Qmax, backend.queued_max);
    row.set(Column::Status, if backend.up { "UP" } else { "DOWN" });
    let usable = || backend.servers.iter().filter(|server| server.up);
    let weight: u32 = usable().map(|server| u32::from(server.weight)).sum();
    row.set(Column::Weight, weight);
    row.set(Column::Uweight, weight);
    row.set(
        Column::Act,
        u32::try_from(usable().count()).unwrap_or(u32::MAX),
    );
    row.set(Column::Lastchg, seconds(backend.since_change));
    let downtime = if backend.up {
        0
    } else {
        seconds(backend.since_change)
    };
    row.set(Column::Downtime, downtime);
    row.set(Column::Chkdown, backend.downs);
    row.zero_large(&[
        Column::Dreq,
        Column::CompIn,
        Column::CompOut,
        Column::CompByp,
        Column::CompRsp,
    ]);
    if backend.mode == Mode::Http {
        row.zero_large(&[Column::CacheLookups, Column::CacheHits]);
    }
    row.zero_modules();
    row
}

/// HAProxy's own number is 32 bits wide too.
fn seconds(duration: std::time::Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
