//! A testbed's hooks: shell scripts with a time limit, whose output is kept.

use rustix::process::{Pid, Signal, kill_process_group};
use std::fs::{self, File};
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;
use tokio::process::Command;

/// Why a hook has not done its work.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("hook `{hook}` {what}{}", after(.output))]
pub struct HookError {
    /// Its name.
    pub hook: String,
    /// What happened.
    pub what: String,
    /// What it had said until then.
    pub output: String,
}

fn after(output: &str) -> String {
    let output = output.trim();
    if output.is_empty() {
        String::new()
    } else {
        format!(": {output}")
    }
}

/// Where and how hooks run.
#[derive(Debug, Clone)]
pub struct Hooks {
    /// The namespace they run in; `None` is this one.
    pub namespace: Option<String>,
    /// Folder of the bed.
    pub folder: PathBuf,
    /// Variables that they know.
    pub variables: Vec<(String, String)>,
    /// No hook takes longer.
    pub limit: Duration,
    /// They are texts for a person.
    pub manual: bool,
}

impl Hooks {
    /// A script as a command in its place; its ends are open.
    pub(crate) fn command(&self, script: &str) -> Command {
        let mut command = match &self.namespace {
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace, "sh"]);
                command
            }
            None => Command::new("sh"),
        };
        command
            .args(["-e", "-c", script])
            .envs(self.variables.iter().cloned())
            .current_dir(&self.folder);
        command
    }

    /// Runs a script; what it printed.
    ///
    /// # Errors
    /// [`HookError`] when it can't be run, fails, or takes too long.
    pub async fn run(&self, hook: &str, script: &str) -> Result<String, HookError> {
        let failed = |what: String, output: String| HookError {
            hook: hook.to_owned(),
            what,
            output,
        };
        if self.manual {
            let text = script.to_owned();
            let asked = tokio::task::spawn_blocking(move || ask(&text)).await;
            return match asked {
                Ok(Ok(())) => Ok(String::new()),
                Ok(Err(error)) => Err(failed(error.to_string(), String::new())),
                Err(error) => Err(failed(error.to_string(), String::new())),
            };
        }
        let path = self.folder.join(format!("{hook}.out"));
        let io = |error: std::io::Error| failed(error.to_string(), String::new());
        // A file and no pipe: a daemon that a hook leaves behind may keep it open.
        let out = File::create(&path).map_err(io)?;
        let errors = File::create(self.folder.join(format!("{hook}.err"))).map_err(io)?;
        let mut command = self.command(script);
        command
            .stdin(std::process::Stdio::null())
            .stdout(out)
            .stderr(errors)
            .process_group(0);
        let mut child = command.spawn().map_err(io)?;
        let pid = child.id();
        let waited = tokio::time::timeout(self.limit, child.wait()).await;
        let said = || {
            let read = |end: &str| fs::read(self.folder.join(format!("{hook}.{end}")));
            let text = |end| String::from_utf8_lossy(&read(end).unwrap_or_default()).into_owned();
            (text("out"), text("err"))
        };
        match waited {
            Ok(Ok(status)) if status.success() => Ok(said().0),
            Ok(Ok(status)) => {
                let (out, err) = said();
                Err(failed(format!("failed with {status}"), out + &err))
            }
            Ok(Err(error)) => Err(io(error)),
            Err(_elapsed) => {
                if let Some(group) = pid.and_then(|pid| Pid::from_raw(pid.cast_signed())) {
                    // It may have ended by itself meanwhile.
                    let _gone = kill_process_group(group, Signal::KILL);
                }
                drop(child.wait().await);
                let (out, err) = said();
                let what = format!("took longer than {:?}", self.limit);
                Err(failed(what, out + &err))
            }
        }
    }
}

/// Shows a person what to do, and waits for Enter.
fn ask(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}\n[Enter when it is done]", text.trim())?;
    out.flush()?;
    let mut line = String::new();
    match std::io::stdin().lock().read_line(&mut line)? {
        0 => Err(std::io::Error::other(
            "nobody answers: standard input has ended",
        )),
        _ => Ok(()),
    }
}
