//! What a live reference device is asked beside frames: one JSON object a line over a Unix socket.

use harness_sim::Fault;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// A device that was started held boots now.
    Begin,
    /// A command in the device's own language.
    Command(String),
    /// A `display` command.
    Display(String),
    /// The device's state.
    Snapshot,
    /// How late it has acted at worst since it began.
    Lateness,
    /// What it sends on these interfaces, the fault's links, meets the fault.
    Fault(Fault),
    /// Ends the fault of this name, or all.
    Heal(Option<String>),
    /// It answers, and stops itself by SIGSTOP until somebody lets it go on by SIGCONT.
    Hang,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The command was taken.
    Done,
    /// The output of a display.
    Text(String),
    /// The state, in the standard's names.
    State(serde_json::Value),
    /// How late it has acted, nanoseconds.
    Late(u64),
    /// It was refused, and why.
    Refused(String),
}

/// One end of the socket.
#[derive(Debug)]
pub struct Channel {
    lines: Lines<BufReader<OwnedReadHalf>>,
    out: OwnedWriteHalf,
}

impl Channel {
    /// Connects to a device.
    ///
    /// # Errors
    /// Those of the socket.
    pub async fn connect(path: &Path) -> io::Result<Self> {
        Ok(Self::of(UnixStream::connect(path).await?))
    }

    pub(crate) fn of(stream: UnixStream) -> Self {
        let (read, out) = stream.into_split();
        Self {
            lines: BufReader::new(read).lines(),
            out,
        }
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// Those of the socket; a device that closes it or answers something else.
    pub async fn ask(&mut self, request: &Request) -> io::Result<Answer> {
        self.write(request).await?;
        let line = self.lines.next_line().await?;
        let line = line.ok_or_else(|| io::Error::other("the device closed its control socket"))?;
        serde_json::from_str(&line).map_err(io::Error::other)
    }

    /// The next request; `None` at the end. A line that is none is `Err` within.
    pub(crate) async fn request(&mut self) -> Option<Result<Request, String>> {
        let line = self.lines.next_line().await.ok().flatten()?;
        Some(serde_json::from_str(&line).map_err(|error| error.to_string()))
    }

    pub(crate) async fn write<T: Serialize>(&mut self, message: &T) -> io::Result<()> {
        let mut text = serde_json::to_string(message).map_err(io::Error::other)?;
        text.push('\n');
        self.out.write_all(text.as_bytes()).await
    }
}
