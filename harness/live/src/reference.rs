//! The reference as a live device: one `tandem dut` process.

use crate::control::{Answer, Channel, Request};
use harness_suite::{Bed, Election, ExpandedCase, NodeAction};
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
}

/// No process takes longer to come up.
const START: Duration = Duration::from_secs(10);

impl Process {
    /// The only node of a simulated testbed with a case's settings; `links` are (tester's port,
    /// device's interface) pairs.
    pub(crate) fn of(
        bed: &Bed,
        bed_folder: &Path,
        case: &ExpandedCase,
        seed: u64,
        links: &[(String, String)],
        (program, namespace, folder): (&Path, &str, &Path),
    ) -> Result<Self, String> {
        let mut nodes = bed.nodes.iter();
        let (name, node) = nodes.next().ok_or("the testbed has no device")?;
        let mut arguments = vec!["dut".to_owned(), "--base-mac".to_owned()];
        arguments.push(node.base_mac.clone());
        for file in &node.configuration {
            let path = fs::canonicalize(bed_folder.join(file));
            let path = path.map_err(|error| format!("{file}: {error}"))?;
            arguments.extend(["--config".to_owned(), path.display().to_string()]);
        }
        let fragments = bed.fragments(&case.settings).remove(name);
        for (index, (knob, text)) in fragments.into_iter().flatten().enumerate() {
            let path = folder.join(format!("{index:02}-{}.cfg", knob.replace(' ', "-")));
            fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
            arguments.extend(["--config".to_owned(), path.display().to_string()]);
        }
        let mut interfaces = Vec::new();
        for (port, interface) in links {
            let Some(attach) = bed.ports.get(port) else {
                continue;
            };
            let to = attach.to.split_once(' ').map_or("", |(_, to)| to);
            arguments.extend(["--port".to_owned(), format!("{to}={interface}")]);
            interfaces.push(interface.clone());
        }
        if bed.election == Election::LargerWins {
            arguments.push("--larger-wins".to_owned());
        }
        for (opaque, clear) in &bed.secrets {
            arguments.extend(["--secret".to_owned(), format!("{opaque}={clear}")]);
        }
        arguments.extend(["--seed".to_owned(), seed.to_string()]);
        Ok(Self {
            program: program.to_path_buf(),
            namespace: namespace.to_owned(),
            folder: folder.to_path_buf(),
            arguments,
            interfaces,
        })
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
        };
        reference.boot().await?;
        Ok(reference)
    }

    async fn boot(&mut self) -> Result<(), String> {
        self.boot_epoch += 1;
        let socket = self
            .process
            .folder
            .join(format!("dut-{}.sock", self.boot_epoch));
        drop(fs::remove_file(&socket));
        let log = self.process.folder.join("dut.log");
        let file = File::create(&log).map_err(|error| error.to_string())?;
        let errors = file.try_clone().map_err(|error| error.to_string())?;
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.process.namespace])
            .arg(&self.process.program)
            .args(&self.process.arguments)
            .args([
                "--boot-epoch",
                &self.boot_epoch.to_string(),
                "--held",
                "--control",
            ])
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
        match self.ask(&Request::Begin).await? {
            Answer::Done => Ok(()),
            other @ (Answer::Text(_) | Answer::State(_) | Answer::Refused(_)) => {
                Err(format!("the device did not begin: {other:?}"))
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
        let said = fs::read_to_string(self.process.folder.join("dut.log")).unwrap_or_default();
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
        let channel = self.channel.as_mut().ok_or("the device has crashed")?;
        channel
            .ask(request)
            .await
            .map_err(|error| error.to_string())
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

    pub(crate) async fn act(&mut self, action: NodeAction) -> Result<(), String> {
        match action {
            NodeAction::Crash => {
                self.kill().await;
                self.carriers("down").await
            }
            NodeAction::Restart if self.is_up() => Ok(()),
            NodeAction::Restart => {
                self.carriers("up").await?;
                self.boot().await?;
                self.begin().await
            }
            NodeAction::Hang => self.signal(Signal::STOP),
            NodeAction::Resume => self.signal(Signal::CONT),
        }
    }

    async fn carriers(&self, state: &str) -> Result<(), String> {
        for interface in &self.process.interfaces {
            set_link(&self.process.namespace, interface, state).await?;
        }
        Ok(())
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

/// Takes an interface of a namespace up or down.
pub(crate) async fn set_link(namespace: &str, interface: &str, state: &str) -> Result<(), String> {
    let mut command = Command::new("ip");
    command.args(["-n", namespace, "link", "set", interface, state]);
    let output = command.output().await.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("link {interface} {state}: {}", said.trim()))
}
