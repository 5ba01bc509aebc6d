//! Cuts a byte stream into frames. Holds at most one frame, so at most 64 KiB.

use super::frame::Header;
use super::{Frame, FrameError, HEADER_LEN};

/// Cuts a byte stream into frames.
#[derive(Debug, Clone, Default)]
pub struct Framer {
    buffer: Vec<u8>,
    /// After a frame that can't be delimited, nothing that follows can be.
    broken: bool,
}

impl Framer {
    /// A framer at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Octets held of an unfinished frame.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.buffer.len()
    }

    /// Takes octets from the front of `input` up to the end of one frame. `None` when `input` is
    /// used up before that, or after an error that broke the stream.
    //= RBS-036
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Result<Frame, FrameError>> {
        if self.broken {
            *input = &[];
            return None;
        }
        self.fill(input, HEADER_LEN)?;
        let length = match Header::parse(&self.buffer) {
            Ok(header) => header.length,
            Err(error) => return Some(Err(self.broken_by(error))),
        };
        self.fill(input, length)?;
        let frame = Frame::parse(&self.buffer);
        self.buffer.clear();
        Some(frame.map_err(|error| match error {
            FrameError::Record { .. } => error,
            FrameError::Malformed(_) | FrameError::Version(_) => self.broken_by(error),
        }))
    }

    fn broken_by(&mut self, error: FrameError) -> FrameError {
        self.broken = true;
        self.buffer = Vec::new();
        error
    }

    /// Fills the buffer to `length` octets; `None` when the input is too short for that.
    fn fill(&mut self, input: &mut &[u8], length: usize) -> Option<()> {
        let wanted = length.saturating_sub(self.buffer.len());
        let (taken, rest) = input.split_at(wanted.min(input.len()));
        self.buffer.extend_from_slice(taken);
        *input = rest;
        (self.buffer.len() >= length).then_some(())
    }
}
