//! The binary itself, on ports of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::pki::Mount;

/// A running `rds-webhook`, killed when the test is over.
pub struct Process {
    pub child: Child,
    pub listen: SocketAddr,
    pub admin: SocketAddr,
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    pub fn start(mount: &Mount, args: &[&str]) -> Self {
        let files = mount.files();
        let mut child = Command::new(env!("CARGO_BIN_EXE_rds-webhook"))
            .args(["--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--tls-poll-interval=50ms"])
            .args(["--drain-delay=500ms", "--request-timeout=2m", "--log-format=json"])
            .args(args)
            .env("RDS_WEBHOOK_TLS_CERT", files.cert)
            .env("RDS_WEBHOOK_TLS_KEY", files.key)
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines();
        let mut address = || loop {
            let line = lines.next().expect("a line").expect("text");
            let line: Value = serde_json::from_str(&line).expect("a line of the log is JSON");
            if line["message"] == "listening" {
                return line["address"].as_str().expect("an address").parse().expect("an address");
            }
        };
        let (listen, admin) = (address(), address());
        // Someone has to read on, or the process would stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, listen, admin }
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.admin).await.expect("connected");
        let request = format!("GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a header");
        (head[9..12].parse().expect("a status code"), body.to_owned())
    }

    pub async fn wait_ready(&self, code: u16) {
        let start = Instant::now();
        while self.get("/readyz").await.0 != code {
            assert!(start.elapsed() < Duration::from_secs(10), "/readyz never says {code}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn terminate(&self) {
        let kill = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill runs");
        assert!(kill.success());
    }
}
