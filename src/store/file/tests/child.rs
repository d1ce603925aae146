//! Uses the store of a folder from another process.

use std::io::{BufRead, BufReader, Lines, Read};
use std::path::Path;
use std::process::{self, ChildStdin, ChildStdout, Command, Stdio};

use super::counter::count_up;
use super::system::{self, ROOT};
use super::{LIFE, NAME};
use crate::env::Common;
use crate::store::file::{FileStore, default_folder, folder, lock};
use crate::store::session::{Backend, Item};
use crate::sys::folder::PLACES;

const SAID: &str = "child: ";

pub struct Child {
    process: process::Child,
    /// Not the process's own, which is closed when it is waited for.
    input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Child {
    /// Runs one of the acts below.
    pub fn start(act: &str, folder: &Path) -> Self {
        Self::run(Command::new(std::env::current_exe().unwrap()), act, folder)
    }

    /// The same with a command that starts the program it is given.
    pub fn run(mut command: Command, act: &str, folder: &Path) -> Self {
        command.args(["--exact", "store::file::tests::child::child", "--ignored", "--nocapture"]);
        command.env("TEST_ACT", act).env("TEST_FOLDER", folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { input: process.stdin.take(), process, lines }
    }

    /// The next thing that it says.
    pub fn said(&mut self) -> String {
        let said = |line: String| line.split_once(SAID).map(|(_, said)| said.to_owned());
        self.lines.by_ref().find_map(|line| said(line.unwrap())).expect("the child says something")
    }

    pub fn stop(&self) {
        system::stop(&self.process);
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// What it leaves to its own children ends with this.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    pub fn finish(mut self) {
        self.close_input();
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn say(what: impl std::fmt::Debug) {
    println!("{SAID}{what:?}");
}

pub fn wait_for_end_of_input() {
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

#[test]
#[ignore = "the other half of Child"]
fn child() {
    let Ok(act) = std::env::var("TEST_ACT") else { return };
    let path = std::env::var_os("TEST_FOLDER").unwrap();
    if act == "default" {
        let folder = default_folder(Common { are_read: true });
        return say(folder.map_err(|error| error.to_string()));
    }
    let store = FileStore::new(path.into()).unwrap();
    let mut session = store.open().unwrap();
    match &*act {
        "turn" => {
            say(session.try_lock(NAME, None).unwrap());
            wait_for_end_of_input();
        }
        "folder" => {
            let folder = folder::make(&store.place(NAME, Item::Token)).unwrap();
            let _lock = lock::wait_for_folder(&folder, &mut LIFE.clone()).unwrap().unwrap();
            say("locked");
            wait_for_end_of_input();
        }
        "count" => count_up(&store, 250),
        "write" => {
            let token = session.look(NAME).map(|view| view.token.map(|item| item.blob.len()));
            say(token.map_err(|error| error.to_string()));
            for new in [Some(&[1; 5000][..]), None] {
                let done = session.replace(NAME, Item::Token, Some(b"first"), new, LIFE);
                say(done.map_err(|error| error.to_string()));
            }
            let turn = session.try_lock(NAME, None);
            say(turn.map_err(|error| error.to_string()));
        }
        act => system::act(act, &store, &mut *session),
    }
}

/// The folder that a process finds with these variables.
pub fn default_folder_with(variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    for (name, _) in PLACES {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    let mut child = Child::run(command, "default", Path::new(ROOT));
    let said = child.said();
    child.finish();
    said
}
