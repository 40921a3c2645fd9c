//! A machine in QEMU: its serial console, its disk and the ports of its network.
//!
//! Everything that its serial line says is kept in `target/image/logs/NAME.log`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lanai_tests::{Process, project_root, run};
use tempfile::TempDir;

use crate::iso::{build_directory, image};
use crate::origin::free_port;
use crate::serial::Serial;

/// Under emulation, on a machine that does other things too.
pub(crate) const BOOT: Duration = Duration::from_secs(240);
/// For whatever is asked of a machine that is up.
pub(crate) const ANSWER: Duration = Duration::from_secs(60);

/// How it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Firmware {
    Bios,
    Uefi,
}

pub(crate) struct Machine {
    process: Process,
    pub(crate) serial: Serial,
    /// The web UI and port 8080, as this machine reaches them.
    pub(crate) ui: u16,
    pub(crate) web: u16,
    since: Instant,
    place: TempDir,
}

impl Machine {
    /// Switches one on, with an empty disk for the configuration or without any. `eth0` is a network
    /// with DHCP; `eth1` one whose 10.9.0.2 is this machine's loopback; `eth2` reaches nobody.
    pub(crate) fn start(name: &str, firmware: Firmware, disk: bool) -> Machine {
        let image = image();
        let place = tempfile::tempdir().unwrap();
        let logs = build_directory().join("image/logs");
        std::fs::create_dir_all(&logs).unwrap();
        let socket = place.path().join("serial");
        let (ui, web) = (free_port(), free_port());
        let script = project_root().join("image/machine");
        let mut argv = vec![script.display().to_string(), image.display().to_string()];
        let mut add = |name: &str, value: String| argv.extend([name.to_owned(), value]);
        add(
            "-netdev",
            format!(
                "user,id=n0,hostfwd=tcp:127.0.0.1:{ui}-:4444,hostfwd=tcp:127.0.0.1:{web}-:8080"
            ),
        );
        add("-netdev", "user,id=n1,net=10.9.0.0/24".to_owned());
        add(
            "-netdev",
            "user,id=n2,net=10.10.0.0/24,restrict=on".to_owned(),
        );
        for network in ["n0", "n1", "n2"] {
            add("-device", format!("virtio-net-pci,netdev={network}"));
        }
        if firmware == Firmware::Uefi {
            add(
                "-drive",
                format!("if=pflash,format=raw,readonly=on,file={OVMF}"),
            );
        }
        if disk {
            let disk = place.path().join("disk");
            labelled_disk(&disk);
            add(
                "-drive",
                format!("file={},if=virtio,format=raw", disk.display()),
            );
        }
        add(
            "-chardev",
            format!("socket,id=line,server=on,wait=on,path={}", socket.display()),
        );
        add("-serial", "chardev:line".to_owned());
        add("-display", "none".to_owned());
        add("-monitor", "none".to_owned());
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        let process = Process::start(&argv, &logs.join(format!("{name}.qemu.log")));
        let serial = Serial::connect(&socket, &logs.join(format!("{name}.log")));
        Machine {
            process,
            serial,
            ui,
            web,
            since: Instant::now(),
            place,
        }
    }

    /// Waits until the web UI answers; tells how long the machine has been on then.
    pub(crate) fn answers(&mut self) -> Duration {
        let url = format!("https://127.0.0.1:{}/login", self.ui);
        let argv = [
            "curl",
            "-sk",
            "--max-time",
            "5",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            &url,
        ];
        let end = self.since + BOOT;
        // QEMU accepts connections before the machine does: only asking tells.
        while run(&argv, Duration::from_secs(10)).stdout != "200" {
            assert!(self.process.alive(), "QEMU ended: {}", self.process.log());
            assert!(
                Instant::now() < end,
                "no web UI after {BOOT:?}; the console said:\n{}",
                self.serial.all()
            );
            self.serial.wait(Duration::from_millis(200));
        }
        self.since.elapsed()
    }

    /// Waits for the machine to switch itself off.
    pub(crate) fn goes_off(&mut self) {
        assert_eq!(self.process.ended(ANSWER), 0);
    }

    /// Waits for the loader of the next start, which came by itself.
    pub(crate) fn restarts(&mut self) {
        self.serial.says("GNU GRUB", BOOT);
        self.since = Instant::now();
    }

    pub(crate) fn disk(&self) -> PathBuf {
        self.place.path().join("disk")
    }
}

const OVMF: &str = "/usr/share/ovmf/OVMF.fd";

fn labelled_disk(path: &Path) {
    let file = std::fs::File::create(path).unwrap();
    file.set_len(64 << 20).unwrap();
    let path = path.to_str().unwrap();
    let argv = ["mke2fs", "-q", "-t", "ext4", "-L", "LANAI-CONFIG", path];
    run(&argv, ANSWER).ok();
}
