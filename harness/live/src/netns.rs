//! Network namespaces and veth pairs of a bed, and what is left of beds whose run has died.
//!
//! A bed's names hold the process that made it and when that began, so that what a killed run left
//! is told from what a living one uses.

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const PREFIX: &str = "tandem-";
const NAMESPACES: &str = "/run/netns";

/// Runs a program to its end; its output, or what went wrong.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let shown = || format!("{program} {}", arguments.join(" "));
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("{}: {error}", shown()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: {}", shown(), said.trim()))
}

/// When a process began, in the kernel's ticks; `None` when it doesn't live.
fn began(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything.
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    if fields.next() == Some("Z") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// The process and its beginning in a bed's name.
fn maker(name: &str) -> Option<(u32, u64)> {
    let mut parts = name.strip_prefix(PREFIX)?.split('-');
    let pid = parts.next()?.parse().ok()?;
    let began = parts.next()?.parse().ok()?;
    Some((pid, began))
}

/// Namespaces and a folder of one bed; dropping it ends its processes and removes all of it.
#[derive(Debug)]
pub struct Namespaces {
    name: String,
    folder: PathBuf,
}

/// A veth pair of a bed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Veth {
    /// Interface in the tester's namespace, or in the device's.
    pub near: String,
    /// Whether `near` is the tester's.
    pub tester: bool,
    /// Interface in the device's namespace.
    pub far: String,
    /// Its MTU; the tester's takes any frame that a case may send.
    pub mtu: u16,
}

/// Number of the first near end of a bed.
const NUMBERED: usize = 1000;

/// The tester's MTU: what a capture holds whole.
pub const JUMBO: u16 = 9198;

impl Namespaces {
    /// Makes a bed's namespaces with these veth pairs; all links are up, IPv6 is off until the
    /// device's hooks turn it on.
    ///
    /// # Errors
    /// What the system refuses; nothing is left then.
    pub fn make(number: usize, pairs: &[Veth]) -> Result<Self, String> {
        let pid = std::process::id();
        let began = began(pid).unwrap_or(0);
        let name = format!("{PREFIX}{pid}-{began}-{number}");
        let folder = std::env::temp_dir().join(&name);
        let made = Self { name, folder };
        made.build(pairs)?;
        Ok(made)
    }

    fn build(&self, pairs: &[Veth]) -> Result<(), String> {
        let text = |error: std::io::Error| format!("{}: {error}", self.folder.display());
        fs::create_dir_all(&self.folder).map_err(text)?;
        let (device, tester) = (self.device(), self.tester());
        for namespace in [&device, &tester] {
            run("ip", &["netns", "add", namespace])?;
            let quiet = "for f in all default; do \
                echo 1 >/proc/sys/net/ipv6/conf/$f/disable_ipv6 || exit 1; done; ip link set lo up";
            run("ip", &["netns", "exec", namespace, "sh", "-c", quiet])?;
        }
        for (number, pair) in pairs.iter().enumerate() {
            let home = if pair.tester { &tester } else { &device };
            let (far, near) = (pair.far.as_str(), pair.near.as_str());
            let (mtu, jumbo) = (pair.mtu.to_string(), JUMBO.to_string());
            // The kernel is up to a second late to tell of the carrier of a veth whose number is
            // its peer's, as in two new namespaces it would be.
            let index = (NUMBERED + number).to_string();
            let mut add = vec!["-n", home, "link", "add", near, "index", &index];
            add.extend(["mtu", &jumbo, "type", "veth"]);
            add.extend(["peer", "name", far, "mtu", &mtu, "netns", &device]);
            run("ip", &add)?;
            run("ip", &["-n", &device, "link", "set", far, "up"])?;
            run("ip", &["-n", home, "link", "set", near, "up"])?;
        }
        Ok(())
    }

    /// Name of the device's namespace.
    #[must_use]
    pub fn device(&self) -> String {
        self.name.clone()
    }

    /// Name of the tester's namespace.
    #[must_use]
    pub fn tester(&self) -> String {
        format!("{}-t", self.name)
    }

    /// The bed's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for namespace in [self.device(), self.tester()] {
            remove(&namespace);
        }
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// Moves the calling thread into a namespace.
///
/// # Errors
/// What the system refuses.
pub fn enter(namespace: &str) -> Result<(), String> {
    let path = Path::new(NAMESPACES).join(namespace);
    let wrong = |error: std::io::Error| format!("{}: {error}", path.display());
    let file = File::open(&path).map_err(wrong)?;
    let kind = Some(LinkNameSpaceType::Network);
    move_into_link_name_space(file.as_fd(), kind).map_err(|error| wrong(error.into()))
}

/// Ends the processes of a namespace that Tandem made, and removes it.
fn remove(namespace: &str) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(3) {
        let pids = run("ip", &["netns", "pids", namespace]).unwrap_or_default();
        let pids: Vec<i32> = pids.lines().filter_map(|l| l.trim().parse().ok()).collect();
        if pids.is_empty() {
            break;
        }
        for pid in pids.into_iter().filter_map(Pid::from_raw) {
            // It may have ended by itself meanwhile.
            let _gone = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(run("ip", &["netns", "del", namespace]));
}

/// Removes what runs that live no longer have left; the names of the namespaces.
pub fn sweep() -> Vec<String> {
    let dead = |name: &str| maker(name).is_some_and(|(pid, at)| began(pid) != Some(at));
    let names = |folder: &Path| -> Vec<String> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| dead(name)).collect()
    };
    let stale = names(Path::new(NAMESPACES));
    for name in &stale {
        remove(name);
    }
    let temporary = std::env::temp_dir();
    for name in names(&temporary) {
        drop(fs::remove_dir_all(temporary.join(name)));
    }
    stale
}
