//! An engine under a test's hand, and servers that say their name.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use lanai_diagnostics::SourceMap;
use lanai_engine::{
    Engine, Files, Override, OverrideReceiver, ServerStatus, Settings, Told, override_channel,
};
use lanai_language::{Environment, Facts, layer7};

/// Longer than anything here takes, however busy the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The smallest request.
pub(crate) const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/// An engine with one frontend and a runtime API.
pub(crate) struct Lab {
    /// The engine.
    pub(crate) engine: Engine,
    /// Where its frontend listens.
    pub(crate) port: u16,
    directory: tempfile::TempDir,
}

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

impl Lab {
    /// One with a worker thread, and where it tells of changes.
    pub(crate) fn start() -> (Lab, OverrideReceiver) {
        Lab::with_workers(1)
    }

    /// The same with so many worker threads.
    pub(crate) fn with_workers(nbthread: usize) -> (Lab, OverrideReceiver) {
        let (overrides, owner) = override_channel();
        let engine = Engine::start(Settings {
            nbthread,
            maxconn: Some(100),
            bufsize: None,
            maxrewrite: None,
            version: "3.5-test",
            overrides: Some(overrides),
            log_tag: "test".to_owned(),
        });
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let lab = Lab {
            engine: engine.unwrap(),
            port: port.local_addr().unwrap().port(),
            directory: tempfile::tempdir().unwrap(),
        };
        (lab, owner)
    }

    /// Puts a configuration to work.
    pub(crate) fn apply(&self, text: &str) {
        assert_eq!(self.apply_replaying(text, &[]), [""; 0]);
    }

    /// The same, with overrides of another engine.
    pub(crate) fn apply_replaying(&self, text: &str, commands: &[String]) -> Vec<String> {
        self.apply_with(text, &NoFiles, commands)
    }

    /// The same, with the files that the configuration names.
    pub(crate) fn apply_with(
        &self,
        text: &str,
        files: &dyn Files,
        commands: &[String],
    ) -> Vec<String> {
        let mut sources = SourceMap::new();
        let id = sources.add("test.cfg", text.as_bytes());
        let outcome = layer7::read(&sources, &[id], &Environment::new(), &Facts::default());
        let config = outcome.value;
        let config = config.unwrap_or_else(|| panic!("{:?}\n{text}", outcome.diagnostics));
        let prepared = self.engine.prepare(&config, files);
        let prepared = prepared.unwrap_or_else(|errors| panic!("{errors:?}"));
        let swapped = self.engine.swap_replaying(prepared, commands);
        self.engine.take_charge();
        swapped.failed
    }

    /// The path of its runtime API.
    pub(crate) fn stats(&self) -> String {
        let path = self.directory.path().join("stats.sock");
        path.to_string_lossy().into_owned()
    }

    /// Runs a command on its runtime API. It is there once the service thread has heard of it.
    pub(crate) fn ask(&self, command: &str) -> String {
        let mut stream = None;
        until("the runtime API is there", || {
            stream = UnixStream::connect(self.stats()).ok();
            stream.is_some()
        });
        let mut stream = stream.unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(format!("{command}\n").as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// A server of the first backend.
    pub(crate) fn server(&self, name: &str) -> ServerStatus {
        let status = self.engine.status();
        let servers = &status.backends[0].servers;
        servers.iter().find(|s| &*s.name == name).unwrap().clone()
    }
}

/// The next change that the engine has told, if there is one.
pub(crate) fn next_told(owner: &mut OverrideReceiver) -> Option<Override> {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match pin!(owner.recv()).poll(&mut context) {
            Poll::Ready(Told::Change(change)) => return Some(change),
            // Whoever asked has a limit.
            Poll::Ready(Told::Kept(done)) => drop(done.send(Ok(()))),
            Poll::Pending => return None,
        }
    }
}

/// A server that answers every request with its name, once the body is there.
pub(crate) struct Server {
    /// Its port.
    pub(crate) port: u16,
    stop: Arc<AtomicBool>,
    open: Arc<AtomicUsize>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Server {
    /// One on a port of its own.
    pub(crate) fn start(name: &'static str) -> Server {
        Server::on_port(name, 0)
    }

    /// One on this port.
    pub(crate) fn on_port(name: &'static str, port: u16) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = Arc::<AtomicBool>::default();
        let open = Arc::<AtomicUsize>::default();
        let connections = Arc::<Mutex<Vec<TcpStream>>>::default();
        let (over, count, all) = (stop.clone(), open.clone(), connections.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { return };
                all.lock().unwrap().push(stream.try_clone().unwrap());
                count.fetch_add(1, Ordering::SeqCst);
                let count = count.clone();
                std::thread::spawn(move || {
                    // The peer may leave at any time.
                    let _ = serve(stream, name);
                    count.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Server {
            port,
            stop,
            open,
            connections,
            thread: Mutex::new(Some(thread)),
        }
    }

    /// Connections that are open.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// Connections that it has taken.
    pub(crate) fn taken(&self) -> usize {
        self.connections.lock().unwrap().len()
    }

    /// Closes its side of all connections.
    pub(crate) fn hang_up(&self) {
        for stream in self.connections.lock().unwrap().iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        until("they are closed", || self.open() == 0);
    }

    /// Refuses connections from now on, and closes those there are.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread, which then ends and closes the listener.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(thread) = self.thread.lock().unwrap().take() {
            thread.join().unwrap();
        }
        for stream in self.connections.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn serve(stream: TcpStream, name: &str) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        read_message(&mut reader)?;
        let text = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{name}");
        stream.write_all(text.as_bytes())?;
    }
}

/// A head, and the body that its length announces, which is returned.
pub(crate) fn read_message(reader: &mut impl BufRead) -> io::Result<String> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// `s1` and `s2` in the backend `be`, and a backend `other`.
pub(crate) struct TwoServers {
    /// The first.
    pub(crate) s1: Server,
    s2: Server,
}

impl TwoServers {
    /// Starts them.
    pub(crate) fn start() -> TwoServers {
        TwoServers {
            s1: Server::start("s1"),
            s2: Server::start("s2"),
        }
    }

    /// A server's port.
    pub(crate) fn port_of(&self, name: &str) -> u16 {
        if name == "s1" {
            self.s1.port
        } else {
            self.s2.port
        }
    }

    /// A server's address.
    pub(crate) fn address(&self, name: &str) -> String {
        format!("127.0.0.1:{}", self.port_of(name))
    }

    /// A configuration with both.
    pub(crate) fn config(&self, lab: &Lab) -> String {
        format!(
            "{}backend other\n    server s1 {}\n",
            self.config_without_other(lab),
            self.address("s1")
        )
    }

    /// The same without the second backend.
    pub(crate) fn config_without_other(&self, lab: &Lab) -> String {
        format!(
            "global\n    stats socket {} level admin\n\
             defaults\n    mode http\n    timeout client 5s\n    timeout server 5s\n    \
             timeout connect 2s\n\
             frontend fe\n    bind 127.0.0.1:{}\n    maxconn 50\n    default_backend be\n\
             backend be\n    server s1 {} weight 10\n    server s2 {} weight 10\n",
            lab.stats(),
            lab.port,
            self.address("s1"),
            self.address("s2"),
        )
    }
}

/// Asks over a connection of its own, and gives the body.
pub(crate) fn get(port: u16) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    request(&mut stream)
}

/// Asks, and gives the body.
pub(crate) fn request(stream: &mut TcpStream) -> String {
    stream.write_all(GET).unwrap();
    body(stream.try_clone().unwrap())
}

/// The body of the next response.
pub(crate) fn body(stream: TcpStream) -> String {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    read_message(&mut BufReader::new(stream)).unwrap()
}

/// Whatever comes next.
pub(crate) fn read_some(stream: &mut TcpStream) -> io::Result<usize> {
    match stream.read(&mut [0; 1024])? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        count => Ok(count),
    }
}

/// Waits for something that comes soon.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "waited {PATIENCE:?} until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
