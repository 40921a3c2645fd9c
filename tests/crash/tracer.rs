//! Stops a process at its n-th system call, counted over all its threads.
//!
//! `strace -e inject=...:when=N` counts for each thread and each kind of call by itself, and which
//! thread of a pool does what differs from run to run: most calls of a process with many threads
//! cannot be named that way. So this does what strace does, over the same ptrace(2), with one count.
//! The registers are those of x86-64.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// What is to happen to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is made.
    Go,
    /// The process is killed instead.
    Kill,
    /// It is not made, and has failed with this error.
    Fail(Errno),
}

/// A system call that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// Number, as in syscall(2).
    pub(crate) number: i64,
    /// The file it writes to, makes, renames or removes, if it is such a call.
    pub(crate) changes: Option<PathBuf>,
    /// What it says to the kernel over netlink, if it does.
    pub(crate) says: Option<Message>,
}

/// The first message of a datagram to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// As in netlink(7), `NETLINK_ROUTE` or another.
    pub(crate) protocol: i32,
    /// `nlmsg_type`.
    pub(crate) kind: u16,
}

impl Message {
    /// Whether it is to change something; else it asks.
    pub(crate) fn changes(self) -> bool {
        // Messages of routing come in groups of four: new, delete, get, set.
        self.protocol == libc::NETLINK_ROUTE && self.kind % 4 != 2
            || self.protocol == libc::NETLINK_NETFILTER && self.kind == NFNL_MSG_BATCH_BEGIN
    }
}

/// `linux/netfilter/nfnetlink.h`.
const NFNL_MSG_BATCH_BEGIN: u16 = 16;

/// A tracer at work.
pub(crate) struct Trace {
    pid: Pid,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

impl Trace {
    /// Traces the process `pid`, all its threads and those to come, until [`Trace::end`] or its death.
    #[track_caller]
    pub(crate) fn process(
        pid: i32,
        decide: impl FnMut(&Call) -> Verdict + Send + 'static,
    ) -> Trace {
        Trace::start(pid, None, decide)
    }

    /// Traces whatever `pid` starts. Calls are counted, and judged, in the first process whose command
    /// line has the argument `word`, from the start of its program on; those after it run free.
    #[track_caller]
    pub(crate) fn child(
        pid: i32,
        word: &'static str,
        decide: impl FnMut(&Call) -> Verdict + Send + 'static,
    ) -> Trace {
        Trace::start(pid, Some(word), decide)
    }

    #[track_caller]
    fn start(
        pid: i32,
        word: Option<&'static str>,
        decide: impl FnMut(&Call) -> Verdict + Send + 'static,
    ) -> Trace {
        let pid = Pid::from_raw(pid);
        let stop = Arc::new(AtomicBool::new(false));
        let (ready, attached) = channel();
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || follow(pid, word, &stopped, &ready, decide));
        attached.recv().unwrap();
        Trace { pid, stop, thread }
    }

    /// Ends the tracing; gives the number of calls that were counted.
    #[track_caller]
    pub(crate) fn end(self) -> usize {
        self.stop.store(true, Ordering::SeqCst);
        // It changes nothing but wakes the tracer. A process that is gone has woken it already.
        let _ = kill(self.pid, Signal::SIGCONT);
        self.thread.join().unwrap()
    }
}

/// A tracer is one thread; when it ends the kernel lets go of everything that it traced.
fn follow(
    pid: Pid,
    word: Option<&str>,
    stop: &AtomicBool,
    ready: &Sender<()>,
    mut decide: impl FnMut(&Call) -> Verdict,
) -> usize {
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACEEXEC;
    seize_all(pid, options);
    ready.send(()).unwrap();
    let mut counted = 0;
    let mut failing = Failing::new();
    let mut threads = Threads::default();
    // The process whose calls count; with a word it is found when its program starts.
    let mut watched = word.is_none().then_some(pid);
    loop {
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        let status = match waitpid(Pid::from_raw(-1), Some(flags)) {
            Ok(status) => status,
            Err(Errno::EINTR) => continue,
            Err(Errno::ECHILD) => return counted,
            Err(error) => panic!("waiting for a traced process: {error}"),
        };
        if stop.load(Ordering::SeqCst) {
            return counted;
        }
        let resumed = match status {
            WaitStatus::PtraceSyscall(tid) if Some(threads.process(tid)) == watched => {
                if failing.is_entry(tid) {
                    counted += 1;
                    match failing.call(tid).map(|call| decide(&call)) {
                        Some(Verdict::Kill) => {
                            kill(threads.process(tid), Signal::SIGKILL).unwrap();
                            return counted;
                        }
                        Some(Verdict::Fail(errno)) => failing.skip(tid, errno),
                        Some(Verdict::Go) | None => {}
                    }
                } else {
                    failing.give(tid);
                }
                ptrace::syscall(tid, None)
            }
            WaitStatus::PtraceSyscall(tid) => ptrace::syscall(tid, None),
            WaitStatus::PtraceEvent(tid, _, event) => {
                if event == libc::PTRACE_EVENT_EXEC
                    && watched.is_none()
                    && word.is_some_and(|word| has_argument(tid, word))
                {
                    watched = Some(threads.process(tid));
                }
                ptrace::syscall(tid, None)
            }
            WaitStatus::Stopped(tid, signal) => {
                // A thread's first stop; any other is a signal of its own.
                let signal =
                    (signal != Signal::SIGSTOP && signal != Signal::SIGTRAP).then_some(signal);
                ptrace::syscall(tid, signal)
            }
            WaitStatus::Exited(tid, _) | WaitStatus::Signaled(tid, _, _) if tid == pid => {
                return counted;
            }
            _ => Ok(()),
        };
        // A thread that was killed meanwhile cannot be resumed, and need not.
        assert!(matches!(resumed, Ok(()) | Err(Errno::ESRCH)), "{resumed:?}");
    }
}

/// Attaches to all threads; looks again until there is no new one.
fn seize_all(pid: Pid, options: Options) {
    let mut seized = HashSet::new();
    loop {
        let before = seized.len();
        for entry in std::fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
            let name = entry.unwrap().file_name();
            let tid = Pid::from_raw(name.to_str().unwrap().parse().unwrap());
            if !seized.insert(tid) {
                continue;
            }
            match ptrace::seize(tid, options) {
                // A new thread of one that is traced already is traced from its birth.
                Ok(()) => match ptrace::interrupt(tid) {
                    Ok(()) | Err(Errno::ESRCH) => {}
                    Err(error) => panic!("cannot stop thread {tid}: {error}"),
                },
                Err(Errno::EPERM | Errno::ESRCH) if tid != pid => {}
                Err(error) => panic!("cannot trace thread {tid}: {error}"),
            }
        }
        if seized.len() == before {
            return;
        }
    }
}

/// Calls that are to fail, by thread, from their beginning to their end.
struct Failing {
    errors: Vec<(Pid, Errno)>,
}

impl Failing {
    fn new() -> Failing {
        Failing { errors: Vec::new() }
    }

    fn is_entry(&self, tid: Pid) -> bool {
        ptrace::syscall_info(tid).is_ok_and(|info| info.op == libc::PTRACE_SYSCALL_INFO_ENTRY)
    }

    /// The call a thread is about to make; `None` if it was killed meanwhile.
    fn call(&self, tid: Pid) -> Option<Call> {
        let registers = ptrace::getregs(tid).ok()?;
        let number = i64::try_from(registers.orig_rax).ok()?;
        let arguments = [registers.rdi, registers.rsi, registers.rdx, registers.r10];
        Some(Call {
            number,
            changes: changed(tid, number, arguments),
            says: said(tid, number, arguments),
        })
    }

    /// Lets the kernel skip the call: there is none of number -1.
    fn skip(&mut self, tid: Pid, errno: Errno) {
        let mut registers = ptrace::getregs(tid).unwrap();
        registers.orig_rax = u64::MAX;
        ptrace::setregs(tid, registers).unwrap();
        self.errors.push((tid, errno));
    }

    /// At a call's end: what it returns if it was skipped.
    fn give(&mut self, tid: Pid) {
        let Some(at) = self.errors.iter().position(|(other, _)| *other == tid) else {
            return;
        };
        let (_, errno) = self.errors.swap_remove(at);
        let mut registers = ptrace::getregs(tid).unwrap();
        registers.rax = (-i64::from(errno as i32)).cast_unsigned();
        ptrace::setregs(tid, registers).unwrap();
    }
}

/// What a call changes on a disk.
fn changed(tid: Pid, number: i64, arguments: [u64; 4]) -> Option<PathBuf> {
    let [first, second, third, fourth] = arguments;
    let descriptor = || std::fs::read_link(format!("/proc/{tid}/fd/{first}")).ok();
    let writes = |flags: u64| {
        let flags = i32::try_from(flags & 0xffff_ffff).unwrap_or_default();
        flags & (libc::O_CREAT | libc::O_TRUNC | libc::O_WRONLY | libc::O_RDWR) != 0
    };
    match number {
        libc::SYS_write
        | libc::SYS_pwrite64
        | libc::SYS_writev
        | libc::SYS_pwritev
        | libc::SYS_fsync
        | libc::SYS_fdatasync
        | libc::SYS_sync_file_range
        | libc::SYS_ftruncate
        | libc::SYS_fallocate
        | libc::SYS_fchmod
        | libc::SYS_fchown => descriptor(),
        libc::SYS_open if writes(second) => text(tid, first),
        libc::SYS_openat if writes(third) => text(tid, second),
        libc::SYS_creat
        | libc::SYS_truncate
        | libc::SYS_mkdir
        | libc::SYS_rmdir
        | libc::SYS_unlink
        | libc::SYS_chmod
        | libc::SYS_rename => text(tid, first),
        libc::SYS_link | libc::SYS_symlink => text(tid, second),
        libc::SYS_unlinkat
        | libc::SYS_mkdirat
        | libc::SYS_fchmodat
        | libc::SYS_renameat
        | libc::SYS_renameat2 => text(tid, second),
        libc::SYS_linkat => text(tid, fourth),
        _ => None,
    }
}

/// What a call sends over netlink.
fn said(tid: Pid, number: i64, [descriptor, address, ..]: [u64; 4]) -> Option<Message> {
    if number != libc::SYS_sendto {
        return None;
    }
    let socket = std::fs::read_link(format!("/proc/{tid}/fd/{descriptor}")).ok()?;
    let inode = socket
        .to_str()?
        .strip_prefix("socket:[")?
        .strip_suffix(']')?
        .to_owned();
    // sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
    let all = std::fs::read_to_string(format!("/proc/{tid}/net/netlink")).ok()?;
    let mut sockets = all.lines().map(|line| line.split_whitespace());
    let mut own = sockets.find(|words| words.clone().next_back() == Some(&inode))?;
    let protocol = own.nth(1)?.parse().ok()?;
    let head = memory(tid, address, 6)?;
    let kind = u16::from_ne_bytes([*head.get(4)?, *head.get(5)?]);
    Some(Message { protocol, kind })
}

/// At most so many bytes of a process's memory.
fn memory(tid: Pid, address: u64, most: usize) -> Option<Vec<u8>> {
    use std::os::unix::fs::FileExt;
    let memory = std::fs::File::open(format!("/proc/{tid}/mem")).ok()?;
    let mut bytes = vec![0; most];
    let length = memory.read_at(&mut bytes, address).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

/// A path in a process's memory.
fn text(tid: Pid, address: u64) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let mut bytes = memory(tid, address, 4096)?;
    let end = bytes.iter().position(|byte| *byte == 0)?;
    bytes.truncate(end);
    Some(std::ffi::OsString::from_vec(bytes).into())
}

/// Which process a thread is of.
#[derive(Default)]
struct Threads(HashMap<Pid, Pid>);

impl Threads {
    fn process(&mut self, tid: Pid) -> Pid {
        *self.0.entry(tid).or_insert_with(|| {
            let status = std::fs::read_to_string(format!("/proc/{tid}/status")).unwrap_or_default();
            let process = status
                .lines()
                .find_map(|line| line.strip_prefix("Tgid:")?.trim().parse().ok());
            process.map_or(tid, Pid::from_raw)
        })
    }
}

fn has_argument(tid: Pid, word: &str) -> bool {
    let line = std::fs::read(format!("/proc/{tid}/cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0)
        .any(|argument| argument == word.as_bytes())
}
