//! A program that is asked one thing after another: from a line to the bytes that it answers.

use super::{Group, Program};
use crate::text::error::Error;
use std::io::{self, ErrorKind, Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes that are taken from the program at a time.
const PIECE: usize = 64 << 10;

/// A running program that answers on its standard output what is written to its standard input.
#[derive(Debug)]
pub struct Dialogue {
    child: Child,
    input: Option<ChildStdin>,
    pieces: Receiver<Vec<u8>>,
    /// What was said and not yet read, the next byte at `at`.
    piece: Vec<u8>,
    at: usize,
}

impl Program {
    /// Starts it for a dialogue. What it says on standard error is lost; no time but that of each answer is bounded.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn converse(mut self) -> Result<Dialogue, Error> {
        let pipes = self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = pipes.spawn().map_err(|cause| self.not_started(cause))?;
        let (sender, pieces) = mpsc::sync_channel(16);
        let input = child.stdin.take();
        if let Some(mut pipe) = child.stdout.take() {
            let reader = move || {
                loop {
                    let mut piece = vec![0; PIECE];
                    let Ok(length @ 1..) = pipe.read(&mut piece) else { return };
                    piece.truncate(length);
                    if sender.send(piece).is_err() {
                        return;
                    }
                }
            };
            if let Err(cause) = thread::Builder::new().spawn(reader) {
                drop(child.kill().and_then(|()| child.wait()));
                return Err(self.not_started(cause));
            }
        }
        Ok(Dialogue { child, input, pieces, piece: Vec::new(), at: 0 })
    }
}

impl Dialogue {
    /// Asks: writes `text`, which ends in a line feed.
    ///
    /// # Errors
    /// The program has ended.
    pub fn ask(&mut self, text: &str) -> io::Result<()> {
        let input = self.input.as_mut().ok_or(ErrorKind::BrokenPipe)?;
        input.write_all(text.as_bytes()).and_then(|()| input.flush())
    }

    /// The next line, without its line feed, of at most `limit` bytes.
    ///
    /// # Errors
    /// The program has ended, says nothing for a minute, or says a longer line.
    pub fn line(&mut self, limit: usize) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            let rest = self.rest()?;
            match rest.iter().position(|byte| *byte == b'\n') {
                Some(end) => {
                    line.extend(rest.iter().take(end));
                    self.at += end + 1;
                    return if line.len() > limit { Err(ErrorKind::InvalidData.into()) } else { Ok(line) };
                }
                None => {
                    line.extend_from_slice(rest);
                    self.at = self.piece.len();
                }
            }
            if line.len() > limit {
                return Err(ErrorKind::InvalidData.into());
            }
        }
    }

    /// Gives the next `length` bytes to `each`, in pieces.
    ///
    /// # Errors
    /// The program has ended, or says nothing for a minute.
    pub fn bytes(&mut self, mut length: u64, mut each: impl FnMut(&[u8])) -> io::Result<()> {
        while length > 0 {
            let rest = self.rest()?;
            let taken = rest.len().min(usize::try_from(length).unwrap_or(usize::MAX));
            each(rest.get(..taken).unwrap_or_default());
            self.at += taken;
            length -= taken as u64;
        }
        Ok(())
    }

    /// What was said and not yet read; never empty.
    fn rest(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.piece.len() {
            self.piece = self.pieces.recv_timeout(PATIENCE).map_err(|silence| match silence {
                mpsc::RecvTimeoutError::Timeout => ErrorKind::TimedOut,
                mpsc::RecvTimeoutError::Disconnected => ErrorKind::UnexpectedEof,
            })?;
            self.at = 0;
        }
        Ok(self.piece.get(self.at..).unwrap_or_default())
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        drop(self.input.take());
        Group::of(&self.child).signal(rustix::process::Signal::KILL);
        // A process that was killed is reaped; that it cannot be waited for changes nothing.
        drop(self.child.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::process::Environment;

    #[test]
    fn each_question_has_its_answer() {
        let cat = Program::new("cat", &Environment::of_this_process());
        let mut cat = cat.converse().unwrap();
        for text in ["one\n", "two and more\n"] {
            cat.ask(text).unwrap();
            assert_eq!(cat.line(20).unwrap(), text.trim_end().as_bytes());
        }
        cat.ask("0123456789\nrest\n").unwrap();
        let mut read = Vec::new();
        cat.bytes(5, |piece| read.extend_from_slice(piece)).unwrap();
        assert_eq!((read.as_slice(), cat.line(5).unwrap().as_slice()), (&b"01234"[..], &b"56789"[..]));
        assert_eq!(cat.line(3).unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn a_program_that_ends_ends_the_dialogue() {
        let mut gone = Program::new("true", &Environment::of_this_process()).converse().unwrap();
        assert_eq!(gone.line(9).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
