//! Several real servers of Redis for one test: a cluster, and sentinels that watch over two.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::redis::{PASSWORD, Redis};
use crate::wait_until;

const MASTERS: usize = 3;
/// In which a node counts as failed.
const NODE_TIMEOUT: &str = "500";

/// Three masters, each with a replica: node 3 is that of node 0.
pub struct Cluster {
    /// The masters come first.
    pub nodes: Vec<Redis>,
    folder: Folder,
}

impl Cluster {
    /// Returns when all nodes agree.
    pub fn start() -> Self {
        let folder = Folder::new();
        let nodes: Vec<_> = (0..2 * MASTERS).map(|node| start_node(&folder.0, node)).collect();
        let cluster = Self { nodes, folder };
        cluster.join();
        cluster
    }

    fn join(&self) {
        for (node, slots) in self.nodes.iter().zip(["0 5460", "5461 10922", "10923 16383"]) {
            node.ask(&format!("CLUSTER ADDSLOTSRANGE {slots}"));
        }
        for node in &self.nodes[1..] {
            let port = node.port();
            self.nodes[0].ask(&format!("CLUSTER MEET 127.0.0.1 {port} {}", bus_port(node)));
        }
        let all = format!("cluster_known_nodes:{}\r\n", self.nodes.len());
        wait_until(|| self.nodes.iter().all(|node| info(node).contains(&all)));
        for at in 0..MASTERS {
            let id = id(&self.nodes[at]);
            let replica = &self.nodes[at + MASTERS];
            wait_until(|| {
                text(replica, &format!("CLUSTER REPLICATE {id}")).ends_with("+OK\r\n+OK\r\n")
            });
        }
        wait_until(|| {
            self.nodes.iter().all(|node| info(node).contains("cluster_state:ok"))
                && self.nodes[MASTERS..].iter().all(is_synchronised)
        });
    }

    /// `redis+cluster` with these nodes.
    pub fn url(&self, nodes: &[usize]) -> String {
        let nodes = nodes.iter().map(|&node| format!("127.0.0.1:{}", self.nodes[node].port()));
        format!("redis+cluster://:{PASSWORD}@{}", nodes.collect::<Vec<_>>().join(","))
    }

    /// The number of the master that has a key.
    pub fn owner(&self, key: &str) -> usize {
        let slot = slot(&self.nodes[1], key);
        let owner = [5460, 10922, 16383].iter().position(|&last| slot <= last);
        owner.expect("there are no more slots")
    }

    /// Ends a master, and waits until its replica has its slots.
    pub fn fail_over(&mut self, master: usize) {
        self.nodes[master].kill();
        let replica = &self.nodes[master + MASTERS];
        wait_until(|| {
            text(replica, "ROLE").contains("$6\r\nmaster\r\n")
                && info(replica).contains("cluster_state:ok")
        });
        let others: Vec<_> = (0..MASTERS).filter(|&node| node != master).collect();
        wait_until(|| {
            others.iter().all(|&node| info(&self.nodes[node]).contains("cluster_state:ok"))
        });
    }

    /// Ends all at once.
    pub fn kill(&mut self) {
        self.nodes.iter_mut().for_each(Redis::kill);
    }

    /// Puts empty nodes in the place of those that were killed, with the same slots.
    pub fn start_again(&mut self) {
        for (number, node) in self.nodes.iter_mut().enumerate() {
            let _ = fs::remove_file(node_file(&self.folder.0, number));
            node.start_again();
        }
        self.join();
    }

    /// Begins to move the slot of a key, and runs a function in between: what is not there yet is answered
    /// by ASK.
    pub fn move_slot(&self, key: &str, from: usize, to: usize, meanwhile: impl FnOnce()) {
        let slot = slot(&self.nodes[1], key);
        let ids = [from, to].map(|node| id(&self.nodes[node]));
        self.nodes[to].ask(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", ids[0]));
        self.nodes[from].ask(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", ids[1]));
        meanwhile();
        for node in [to, from] {
            self.nodes[node].ask(&format!("CLUSTER SETSLOT {slot} NODE {}", ids[1]));
        }
    }
}

fn start_node(folder: &Path, number: usize) -> Redis {
    let file = node_file(folder, number);
    let bus = free_port();
    Redis::start(&[
        "--cluster-enabled",
        "yes",
        "--cluster-config-file",
        file.to_str().unwrap(),
        "--cluster-node-timeout",
        NODE_TIMEOUT,
        "--cluster-port",
        &bus.to_string(),
        "--masterauth",
        PASSWORD,
    ])
}

fn node_file(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("nodes-{number}.conf"))
}

fn bus_port(node: &Redis) -> String {
    let answer = text(node, "CONFIG GET cluster-port");
    answer.trim_end().lines().rev().nth(1).unwrap().to_owned()
}

fn id(node: &Redis) -> String {
    let answer = text(node, "CLUSTER MYID");
    answer.lines().rev().nth(1).unwrap().to_owned()
}

fn slot(node: &Redis, key: &str) -> u32 {
    let answer = text(node, &format!("CLUSTER KEYSLOT {key}"));
    answer.lines().rev().nth(1).unwrap().trim_start_matches(':').parse().unwrap()
}

fn info(node: &Redis) -> String {
    text(node, "CLUSTER INFO")
}

fn is_synchronised(replica: &Redis) -> bool {
    text(replica, "INFO replication").contains("master_link_status:up")
}

fn text(node: &Redis, command: &str) -> String {
    String::from_utf8_lossy(&node.ask(command)).into_owned()
}

/// A master and its replica, and three sentinels that watch over them by the name `tokens`.
pub struct Sentinels {
    /// The master comes first.
    pub servers: [Redis; 2],
    sentinels: Vec<(Child, u16)>,
    folder: Folder,
}

impl Sentinels {
    /// Returns when they all know each other, and the replica.
    pub fn start() -> Self {
        let folder = Folder::new();
        let servers = [(); 2].map(|()| Redis::start(&["--masterauth", PASSWORD]));
        let mut group = Self { servers, sentinels: Vec::new(), folder };
        group.join([(); 3].map(|()| free_port()));
        group
    }

    /// Ends all at once.
    pub fn kill(&mut self) {
        self.servers.iter_mut().for_each(Redis::kill);
        (0..self.sentinels.len()).for_each(|number| self.kill_sentinel(number));
    }

    /// Puts empty servers in the place of those that were killed, with the other one as the master, and new
    /// sentinels.
    pub fn start_again(&mut self) {
        self.servers.iter_mut().for_each(Redis::start_again);
        self.servers.swap(0, 1);
        let ports = [0, 1, 2].map(|number| self.sentinels[number].1);
        self.join(ports);
    }

    fn join(&mut self, ports: [u16; 3]) {
        let master = self.servers[0].port();
        self.servers[1].ask(&format!("REPLICAOF 127.0.0.1 {master}"));
        wait_until(|| is_synchronised(&self.servers[1]));
        let start = |(number, port)| (start_sentinel(&self.folder.0, number, port, master), port);
        self.sentinels = ports.into_iter().enumerate().map(start).collect();
        let all = "num-other-sentinels\r\n$1\r\n2\r\n";
        wait_until(|| (0..3).all(|at| self.ask(at, "SENTINEL MASTER tokens").contains(all)));
        wait_until(|| (0..3).all(|at| self.ask(at, "SENTINEL REPLICAS tokens").contains("slave")));
    }

    /// What a sentinel answers.
    pub fn ask(&self, sentinel: usize, command: &str) -> String {
        use std::io::{Read, Write};
        let port = self.sentinels[sentinel].1;
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        write!(stream, "{command}\r\n").unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// `redis+sentinel` with all of them.
    pub fn url(&self) -> String {
        let hosts = self.sentinels.iter().map(|(_, port)| format!("127.0.0.1:{port}"));
        format!("redis+sentinel://:{PASSWORD}@{}/tokens/2", hosts.collect::<Vec<_>>().join(","))
    }

    /// Ends the master, and waits until all sentinels name the other server.
    pub fn fail_over(&mut self) {
        self.servers[0].kill();
        let port = self.servers[1].port().to_string();
        let question = "SENTINEL GET-MASTER-ADDR-BY-NAME tokens";
        let living: Vec<_> = (0..self.sentinels.len())
            .filter(|&at| self.sentinels[at].0.try_wait().unwrap().is_none())
            .collect();
        wait_until(|| {
            living.iter().all(|&at| self.ask(at, question).contains(&port))
                && text(&self.servers[1], "ROLE").contains("$6\r\nmaster\r\n")
        });
    }

    /// Ends one at once.
    pub fn kill_sentinel(&mut self, number: usize) {
        let process = &mut self.sentinels[number].0;
        let _ = process.kill();
        let _ = process.wait();
    }
}

impl Drop for Sentinels {
    fn drop(&mut self) {
        for number in 0..self.sentinels.len() {
            self.kill_sentinel(number);
        }
    }
}

fn start_sentinel(folder: &Path, number: usize, port: u16, master: u16) -> Child {
    let file = folder.join(format!("sentinel-{number}.conf"));
    let lines = [
        format!("port {port}"),
        "bind 127.0.0.1".to_owned(),
        format!("sentinel monitor tokens 127.0.0.1 {master} 2"),
        format!("sentinel auth-pass tokens {PASSWORD}"),
        "sentinel down-after-milliseconds tokens 500".to_owned(),
        "sentinel failover-timeout tokens 2000".to_owned(),
    ];
    fs::write(&file, lines.join("\n") + "\n").unwrap();
    let program = std::env::var_os("CLAZAR_REDIS_SERVER").unwrap_or("redis-server".into());
    let process =
        Command::new(program).arg(&file).arg("--sentinel").stdout(Stdio::null()).spawn().unwrap();
    wait_until(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    process
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = format!("clazar-auth-cluster-{}-{}", std::process::id(), free_port());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
