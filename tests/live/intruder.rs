//! An intruder who runs code of his own inside a process: it makes a system call that nobody wrote there.
//! By ptrace(2) alone: a debugger also sets registers that it knows nothing of on a newer processor.

use std::ffi::c_long;

use nix::errno::Errno;
use nix::libc::{SYS_execve, user_regs_struct};
use nix::sys::ptrace;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

/// The program, with its end, and where its words are from the path on.
const PATH: [u8; 16] = *b"/bin/true\0\0\0\0\0\0\0";
const WORDS: u64 = 16;
/// Below the stack of whoever waits, and what the ABI lets a function use there (128 bytes).
const BELOW: u64 = 512;
/// `syscall`, as two bytes.
const SYSCALL: c_long = 0x050f;
/// What a call that was interrupted by the intruder says inside the kernel (linux/errno.h).
const RESTART: std::ops::RangeInclusive<i64> = -516..=-512;

/// Has the first thread of a process call `execve`, and gives what that said. A process that could not
/// goes on as before, the call it was in interrupted by a signal.
#[track_caller]
pub(crate) fn execute_inside(pid: i32) -> Result<(), Errno> {
    let pid = Pid::from_raw(pid);
    ptrace::attach(pid).unwrap();
    stopped(pid);
    let before = behind_a_call(pid);
    let path = (before.rsp - BELOW) & !15;
    let (first, second) = PATH.split_at(8);
    let text = [first, second].map(|half| c_long::from_ne_bytes(half.try_into().unwrap()));
    let words = [path.cast_signed(), 0];
    for (at, word) in (path..).step_by(8).zip(text.into_iter().chain(words)) {
        ptrace::write(pid, at as ptrace::AddressType, word).unwrap();
    }
    let call = user_regs_struct {
        rip: before.rip - 2,
        rax: SYS_execve.cast_unsigned(),
        orig_rax: u64::MAX,
        rdi: path,
        rsi: path + WORDS,
        rdx: 0,
        ..before
    };
    ptrace::setregs(pid, call).unwrap();
    through_the_kernel(pid);
    let said = ptrace::getregs(pid).unwrap().rax.cast_signed();
    if said == 0 {
        ptrace::detach(pid, None).unwrap();
        return Ok(());
    }
    let interrupted = RESTART.contains(&before.rax.cast_signed());
    let after = user_regs_struct {
        rax: if interrupted {
            (-(Errno::EINTR as i64)).cast_unsigned()
        } else {
            before.rax
        },
        orig_rax: u64::MAX,
        ..before
    };
    ptrace::setregs(pid, after).unwrap();
    ptrace::detach(pid, None).unwrap();
    Err(Errno::from_raw(i32::try_from(-said).unwrap()))
}

/// The registers of a thread that has just made a call of its own, so that its next instruction follows
/// the one that makes calls.
#[track_caller]
fn behind_a_call(pid: Pid) -> user_regs_struct {
    let registers = ptrace::getregs(pid).unwrap();
    let before = (registers.rip - 2) as ptrace::AddressType;
    if ptrace::read(pid, before).unwrap() & 0xffff == SYSCALL {
        return registers;
    }
    // It is busy; it gives a sign of life before long.
    through_the_kernel(pid);
    ptrace::getregs(pid).unwrap()
}

/// Into the kernel, and out of it.
#[track_caller]
fn through_the_kernel(pid: Pid) {
    for _ in 0..2 {
        ptrace::syscall(pid, None).unwrap();
        stopped(pid);
    }
}

#[track_caller]
fn stopped(pid: Pid) {
    let status = waitpid(pid, None).unwrap();
    assert!(matches!(status, WaitStatus::Stopped(..)), "{status:?}");
}
