//! A device's own clock, which stands still but for what it is moved by.

use crate::hook::{HookError, Hooks};
use dut_device::Instant;
use harness_suite::VirtualClock;
use std::fs::File;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// A device's clock, stopped.
#[derive(Debug)]
pub(crate) struct Warp {
    clock: VirtualClock,
    step: Duration,
    talk: Option<Talk>,
    /// What it has been moved by since the case began.
    now: Instant,
}

/// A process that is fed lines and answers each with one.
#[derive(Debug)]
struct Talk {
    // Killed when it is dropped.
    _child: Child,
    lines: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    limit: Duration,
}

fn failed(what: String) -> String {
    let (hook, output) = ("clock".to_owned(), String::new());
    HookError { hook, what, output }.to_string()
}

impl Warp {
    /// Stops a device's clock.
    pub(crate) async fn stop(
        clock: VirtualClock,
        step: Duration,
        hooks: &Hooks,
    ) -> Result<Self, String> {
        let talk = match &clock.process {
            Some(script) => Some(Talk::begin(script, hooks)?),
            None => None,
        };
        let mut warp = Self {
            step,
            talk,
            now: Instant::ZERO,
            clock,
        };
        let text = warp.clock.stop.clone();
        warp.tell("clock-stop", &text, hooks).await?;
        Ok(warp)
    }

    /// The present of the case.
    pub(crate) const fn now(&self) -> Instant {
        self.now
    }

    /// A case begins: its time is zero.
    pub(crate) const fn begin(&mut self) {
        self.now = Instant::ZERO;
    }

    async fn tell(&mut self, name: &str, text: &str, hooks: &Hooks) -> Result<(), String> {
        let Some(talk) = &mut self.talk else {
            let ran = hooks.run(name, text).await;
            return ran.map(drop).map_err(|error| error.to_string());
        };
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            talk.ask(line.trim()).await?;
        }
        Ok(())
    }

    /// Returns when the device has taken what had arrived.
    pub(crate) async fn barrier(&mut self, hooks: &Hooks) -> Result<(), String> {
        let text = self.clock.barrier.clone();
        self.tell("clock-barrier", &text, hooks).await
    }

    /// Moves the clock to `due` or to the next whole step of the case, whichever is earlier, and
    /// waits until the device has done what that makes due. Whole steps, since a timer that began
    /// with one and lasts some ends with one: no step makes it late.
    pub(crate) async fn towards(
        &mut self,
        due: Option<Instant>,
        hooks: &Hooks,
    ) -> Result<(), String> {
        let step = self.step.as_nanos();
        let whole = step - u128::from(self.now.as_nanos()) % step.max(1);
        let left = due.map_or(whole, |due| due.since(self.now).as_nanos().min(whole));
        // In whole milliseconds: what is due within one is reached with its end.
        let ms = left.div_ceil(1_000_000).max(1);
        let ms = u32::try_from(ms).unwrap_or(u32::MAX);
        let text = self.clock.warp.replace("$ms", &ms.to_string());
        self.tell("clock-warp", &text, hooks).await?;
        self.now += Duration::from_millis(u64::from(ms));
        self.barrier(hooks).await
    }
}

impl Talk {
    fn begin(script: &str, hooks: &Hooks) -> Result<Self, String> {
        let io = |error: std::io::Error| failed(error.to_string());
        let errors = File::create(hooks.folder.join("clock.err")).map_err(io)?;
        let mut command: Command = hooks.command(script);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(io)?;
        let ends = child.stdin.take().zip(child.stdout.take());
        let (lines, answers) = ends.ok_or_else(|| failed("has no pipes".to_owned()))?;
        Ok(Self {
            _child: child,
            lines,
            answers: BufReader::new(answers).lines(),
            limit: hooks.limit,
        })
    }

    /// Feeds it a line; an answer that begins with `ok` is a success.
    async fn ask(&mut self, line: &str) -> Result<(), String> {
        let asked = async {
            self.lines.write_all(format!("{line}\n").as_bytes()).await?;
            self.answers.next_line().await
        };
        match tokio::time::timeout(self.limit, asked).await {
            Ok(Ok(Some(answer))) if answer.starts_with("ok") => Ok(()),
            Ok(Ok(Some(answer))) => Err(failed(format!("answers `{line}` with `{answer}`"))),
            Ok(Ok(None)) => Err(failed(format!("ended at `{line}`"))),
            Ok(Err(error)) => Err(failed(format!("ended at `{line}`: {error}"))),
            Err(_elapsed) => Err(failed(format!("answers nothing to `{line}`"))),
        }
    }
}
