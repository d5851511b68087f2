//! The keyboard: `f` fixes, `b` breaks, `q` ends.

use std::io::Read;
use std::sync::Arc;

use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcgetpgrp, tcsetattr};
use tokio_util::sync::CancellationToken;

use super::state::State;
use super::status;

/// Puts the terminal back as it was when dropped.
#[derive(Debug)]
pub(super) struct Terminal(Termios);

impl Drop for Terminal {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing put back.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// Listens on stdin, in a thread of its own: a read from a terminal can't be cancelled, so the thread is left to end
/// with the process. Without a terminal the same letters are taken from whatever stdin is, also when there is none.
pub(super) fn listen(state: Arc<State>, stop: CancellationToken) -> Option<Terminal> {
    let stdin = std::io::stdin();
    let terminal = if isatty(&stdin) {
        // The terminal stops a background job that reads from it or changes it.
        if tcgetpgrp(&stdin).ok()? != getpgrp() {
            return None;
        }
        status::say("keys: f fix, b break, q quit");
        single_keys()
    } else {
        None
    };
    std::thread::spawn(move || read(&state, &stop));
    terminal
}

/// Keys come as they are pressed, unechoed; Ctrl-C still is a signal.
fn single_keys() -> Option<Terminal> {
    let stdin = std::io::stdin();
    let saved = tcgetattr(&stdin).ok()?;
    let mut modes = saved.clone();
    modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Now, &modes).ok()?;
    Some(Terminal(saved))
}

fn read(state: &State, stop: &CancellationToken) {
    for key in std::io::stdin().lock().bytes() {
        match key {
            Ok(b'f') => state.set_broken(None, false),
            Ok(b'b') => state.set_broken(None, true),
            Ok(b'q') => return stop.cancel(),
            Ok(_) => {}
            // Closed or unreadable: the control address does the same.
            Err(_) => return,
        }
    }
}
