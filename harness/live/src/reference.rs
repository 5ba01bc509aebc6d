//! The reference as a live device: one `tandem dut` process.

use crate::control::{Answer, Channel, Request};
use harness_run::mix;
use harness_suite::{Bed, Election, ExpandedCase};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::{Child, Command};

/// What a process is started from.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    program: PathBuf,
    namespace: String,
    folder: PathBuf,
    name: String,
    arguments: Vec<String>,
    interfaces: Vec<String>,
}

/// A device process.
#[derive(Debug)]
pub(crate) struct Reference {
    process: Process,
    child: Option<Child>,
    channel: Option<Channel>,
    boot_epoch: u64,
    /// It was stopped.
    hung: bool,
}

/// No process takes longer to come up.
const START: Duration = Duration::from_secs(10);

/// Where processes of a bed run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) program: &'a Path,
    pub(crate) namespace: &'a str,
    pub(crate) folder: &'a Path,
    /// Seconds since 1970 of every process's time zero: their clocks then show the same.
    pub(crate) origin_s: u64,
}

impl Process {
    fn of(place: Place<'_>, name: &str, ports: &[(String, String)], more: Vec<String>) -> Self {
        let mut arguments = vec!["dut".to_owned()];
        arguments.extend(["--origin".to_owned(), place.origin_s.to_string()]);
        for (port, interface) in ports {
            arguments.extend(["--port".to_owned(), format!("{port}={interface}")]);
        }
        arguments.extend(more);
        Self {
            program: place.program.to_path_buf(),
            namespace: place.namespace.to_owned(),
            folder: place.folder.to_path_buf(),
            name: name.to_owned(),
            arguments,
            interfaces: ports
                .iter()
                .map(|(_, interface)| interface.clone())
                .collect(),
        }
    }

    /// A node of a simulated testbed with a case's settings. `ports`: its ports' names and
    /// interfaces.
    pub(crate) fn node(
        (bed, bed_folder): (&Bed, &Path),
        name: &str,
        case: &ExpandedCase,
        seed: u64,
        ports: &[(String, String)],
        place: Place<'_>,
    ) -> Result<Self, String> {
        let node = bed
            .nodes
            .get(name)
            .ok_or("the testbed has no such device")?;
        let mut more = vec!["--base-mac".to_owned(), node.base_mac.clone()];
        for file in &node.configuration {
            let path = fs::canonicalize(bed_folder.join(file));
            let path = path.map_err(|error| format!("{file}: {error}"))?;
            more.extend(["--config".to_owned(), path.display().to_string()]);
        }
        let fragments = bed.fragments(&case.settings).remove(name);
        for (index, (knob, text)) in fragments.into_iter().flatten().enumerate() {
            let file = format!("{name}-{index:02}-{}.cfg", knob.replace(' ', "-"));
            let path = place.folder.join(file);
            fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
            more.extend(["--config".to_owned(), path.display().to_string()]);
        }
        if bed.election == Election::LargerWins {
            more.push("--larger-wins".to_owned());
        }
        for (opaque, clear) in &bed.secrets {
            more.extend(["--secret".to_owned(), format!("{opaque}={clear}")]);
        }
        more.extend(["--seed".to_owned(), mix(seed, name).to_string()]);
        Ok(Self::of(place, name, ports, more))
    }

    /// A host or a hub of a simulated testbed.
    pub(crate) fn station(
        bed: &Bed,
        name: &str,
        seed: u64,
        ports: &[(String, String)],
        place: Place<'_>,
    ) -> Self {
        let numbered = |(port, interface): &(String, String)| {
            let port = if port.is_empty() { "0" } else { port };
            (port.to_owned(), interface.clone())
        };
        let ports: Vec<(String, String)> = ports.iter().map(numbered).collect();
        let more = match (bed.hubs.get(name), bed.hosts.get(name)) {
            (Some(ports), _) => vec!["--hub".to_owned(), ports.to_string()],
            (None, Some(host)) => {
                let mut more = vec!["--host".to_owned(), host.mac.clone()];
                if let Some(address) = host.address {
                    more.extend(["--address".to_owned(), address.to_string()]);
                }
                more
            }
            (None, None) => Vec::new(),
        };
        let seed = ["--seed".to_owned(), mix(seed, name).to_string()];
        Self::of(place, name, &ports, more.into_iter().chain(seed).collect())
    }
}

impl Reference {
    /// Starts the process; the device itself is held until [`Reference::begin`].
    pub(crate) async fn start(process: Process) -> Result<Self, String> {
        let mut reference = Self {
            process,
            child: None,
            channel: None,
            boot_epoch: 0,
            hung: false,
        };
        reference.boot().await?;
        Ok(reference)
    }

    fn log(&self) -> PathBuf {
        self.process
            .folder
            .join(format!("{}.log", self.process.name))
    }

    /// Starts the process, for one boot more.
    pub(crate) async fn boot(&mut self) -> Result<(), String> {
        self.boot_epoch += 1;
        let socket = format!("{}-{}.sock", self.process.name, self.boot_epoch);
        let socket = self.process.folder.join(socket);
        drop(fs::remove_file(&socket));
        let log = self.log();
        let file = File::create(&log).map_err(|error| error.to_string())?;
        let errors = file.try_clone().map_err(|error| error.to_string())?;
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.process.namespace])
            .arg(&self.process.program)
            .args(&self.process.arguments)
            .args(["--boot-epoch", &self.boot_epoch.to_string()])
            .args(["--held", "--control"])
            .arg(&socket)
            .stdin(std::process::Stdio::null())
            .stdout(file)
            .stderr(errors)
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let channel = tokio::select! {
            channel = connected(&socket) => channel,
            _ = child.wait() => None,
        };
        if channel.is_none() {
            let said = fs::read_to_string(&log).unwrap_or_default();
            return Err(format!("the device did not come up: {}", said.trim()));
        }
        self.channel = channel;
        self.child = Some(child);
        Ok(())
    }

    /// The device boots.
    pub(crate) async fn begin(&mut self) -> Result<(), String> {
        self.tell(&Request::Begin).await
    }

    /// Tells it to do something that has no answer but that it is done.
    pub(crate) async fn tell(&mut self, request: &Request) -> Result<(), String> {
        match self.ask(request).await? {
            Answer::Done => Ok(()),
            other @ (Answer::Text(_) | Answer::State(_) | Answer::Late(_) | Answer::Refused(_)) => {
                let name = &self.process.name;
                Err(format!("{name}: {request:?} was answered by {other:?}"))
            }
        }
    }

    /// Ends it, as a loss of power does.
    pub(crate) async fn kill(&mut self) {
        self.channel = None;
        if let Some(mut child) = self.child.take() {
            drop(child.kill().await);
        }
    }

    /// How it ended, when it has without being told to.
    pub(crate) fn died(&mut self) -> Option<String> {
        let status = self.child.as_mut()?.try_wait();
        let status = status.ok().flatten()?;
        let said = fs::read_to_string(self.log()).unwrap_or_default();
        Some(format!("the device died with {status}: {}", said.trim()))
    }

    /// Memory that the process holds, KiB (`VmRSS`).
    pub(crate) fn memory(&self) -> Option<u64> {
        let id = self.child.as_ref()?.id()?;
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    pub(crate) async fn ask(&mut self, request: &Request) -> Result<Answer, String> {
        let name = &self.process.name;
        let channel = self.channel.as_mut();
        let channel = channel.ok_or_else(|| format!("{name} has crashed"))?;
        match tokio::time::timeout(START, channel.ask(request)).await {
            Ok(answer) => answer.map_err(|error| format!("{name}: {error}")),
            Err(_elapsed) => Err(format!("{name} does not answer: it hangs")),
        }
    }

    pub(crate) const fn is_up(&self) -> bool {
        self.child.is_some()
    }

    fn signal(&self, signal: Signal) -> Result<(), String> {
        let pid = self.child.as_ref().and_then(Child::id);
        let pid = pid.and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let pid = pid.ok_or("the device does not run")?;
        kill_process(pid, signal).map_err(|error| error.to_string())
    }

    /// Its interfaces.
    pub(crate) fn interfaces(&self) -> &[String] {
        &self.process.interfaces
    }

    /// Whether it runs and isn't stopped.
    pub(crate) const fn works(&self) -> bool {
        self.child.is_some() && !self.hung
    }

    /// Ends it at once; [`Reference::kill`] then waits until it has gone.
    pub(crate) fn crash(&mut self) -> Result<(), String> {
        self.channel = None;
        self.hung = false;
        self.signal(Signal::KILL)
    }

    /// Lets it stop itself where nothing is half done.
    pub(crate) async fn hang(&mut self) -> Result<(), String> {
        self.tell(&Request::Hang).await?;
        self.hung = true;
        Ok(())
    }

    /// Lets it go on.
    pub(crate) fn resume(&mut self) -> Result<(), String> {
        self.hung = false;
        self.signal(Signal::CONT)
    }
}

/// Waits until a device answers its socket, which is there a moment before.
async fn connected(socket: &Path) -> Option<Channel> {
    let begun = std::time::Instant::now();
    while begun.elapsed() < START {
        if let Ok(channel) = Channel::connect(socket).await {
            return Some(channel);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    None
}
