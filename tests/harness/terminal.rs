//! A shell at a terminal of its own, which `script` (util-linux) provides.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::wait_for;

/// A shell that reads what is typed. Dropping it ends the shell, and with it the terminal.
pub struct Terminal {
    script: Child,
    keys: ChildStdin,
    screen: Arc<Mutex<String>>,
    /// The bytes of the screen that were waited for.
    seen: usize,
}

impl Terminal {
    /// Starts a shell in a folder.
    pub fn start(shell: &str, folder: &Path) -> Self {
        let mut command = Command::new("script");
        // The shell between them would not pass the prompt on.
        let shell = format!("exec env PS1='READY> ' {shell}");
        command.args(["-qefc", &shell, "/dev/null"]).current_dir(folder).env("TERM", "xterm");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let spawned = command.spawn();
        let mut script =
            spawned.expect("script is missing: install it (Debian and Ubuntu: `apt-get install bsdutils`)");
        let keys = script.stdin.take().expect("a pipe was asked for");
        let mut shown = script.stdout.take().expect("a pipe was asked for");
        let screen = Arc::new(Mutex::new(String::new()));
        thread::spawn({
            let screen = Arc::clone(&screen);
            move || {
                let mut bytes = [0; 4096];
                while let Ok(length @ 1..) = shown.read(&mut bytes) {
                    let text = String::from_utf8_lossy(&bytes[..length]);
                    screen.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
                }
            }
        });
        let mut terminal = Self { script, keys, screen, seen: 0 };
        terminal.wait_for("READY> ");
        terminal
    }

    /// Types keys.
    pub fn type_keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).and_then(|()| self.keys.flush()).expect("the terminal takes keys");
    }

    /// Waits until a text is shown after the last one that was waited for, and returns what was shown before it.
    pub fn wait_for(&mut self, text: &str) -> String {
        let mut found = None;
        let screen = Arc::clone(&self.screen);
        wait_for(&format!("the terminal to show `{text}`"), || {
            let screen = screen.lock().unwrap_or_else(PoisonError::into_inner);
            found = screen[self.seen..].find(text).map(|at| (screen[self.seen..][..at].to_owned(), at + text.len()));
            found.is_some()
        });
        let (before, length) = found.expect("it was waited for");
        self.seen += length;
        before
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}
