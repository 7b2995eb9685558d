//! A service that answers at once with what it was told, in a process of its own: its work is not the client's.

use std::{
    env,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
};

use serde_json::json;

/// Argument that makes a benchmark the service.
const SERVE: &str = "serve";

/// The service's process; it ends with this.
pub(crate) struct Server {
    /// `http://` and its address.
    pub(crate) endpoint: String,
    process: Child,
}

impl Server {
    /// Starts this program once more, as the service.
    pub(crate) fn start() -> io::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        let mut process = command.arg(SERVE).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut address)?;
        }
        Ok(Self { endpoint: format!("http://{}", address.trim()), process })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Whether this process is to be the service.
pub(crate) fn is_wanted() -> bool {
    env::args().any(|argument| argument == SERVE)
}

/// Serves until whoever started it goes away.
pub(crate) fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(|| answer_all(stream));
        }
    });
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Answers the requests of a connection, none of which has a body.
fn answer_all(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (version, page) = (http(&version()), http(&page()));
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        request.extend_from_slice(&buffer[..length]);
        if request.ends_with(b"\r\n\r\n") {
            let is_version = request.windows(10).any(|window| window == b"/versions/");
            stream.write_all(if is_version { &version } else { &page })?;
            request.clear();
        }
    }
}

fn http(body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\nContent-Type: application/json;charset=UTF-8\r\n\
         Content-Length: {length}\r\nConnection: keep-alive\r\nX-Request-Id: 3f8b0c1d9e7a4b52a6c4d8e0f1a2b3c4\r\n\
         Strict-Transport-Security: max-age=31536000; includeSubdomains;\r\nX-Frame-Options: SAMEORIGIN\r\n\
         X-Content-Type-Options: nosniff\r\nX-XSS-Protection: 1; mode=block;\r\nServer: api-gateway\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The answer of `ShowSecretVersion`.
fn version() -> String {
    json!({"version": {
        "version_metadata": {
            "id": "v3",
            "kms_key_id": "0123456789abcdef0123456789abcdef",
            "create_time": 1_767_323_045_000_i64,
            "expire_time": null,
            "secret_name": "db-password",
            "version_stages": ["SYSCURRENT"],
        },
        "secret_string": "{\"user\":\"app\",\"password\":\"correct horse battery staple\"}",
    }})
    .to_string()
}

/// The answer of `ListSecrets`: 40 KB.
pub(crate) fn page() -> String {
    let secrets = (0..62).map(|index| {
        json!({
            "id": format!("bb6a3d22-dc93-47ac-b5bd-88df7ad3{index:04}"),
            "name": format!("production-database-{index}"),
            "state": "ENABLED",
            "kms_key_id": "b168fe00ff56492495a7d22974df2d0b",
            "description": "Password of the \"orders\" database; rotated by the platform team",
            "create_time": 1_581_507_580_000_i64,
            "update_time": 1_767_323_045_000_i64,
            "scheduled_delete_time": null,
            "secret_type": "RDS",
            "auto_rotation": true,
            "rotation_period": "30d",
            "rotation_config": "{\"InstanceId\":\"51d3e5f7\",\"SecretSubType\":\"SingleUser\"}",
            "rotation_time": 1_767_323_045_000_i64,
            "next_rotation_time": 1_769_915_045_000_i64,
            "event_subscriptions": ["on-call"],
            "enterprise_project_id": "0",
            "domain_id": "0123456789abcdef0123456789abcdef",
        })
    });
    let secrets: Vec<_> = secrets.collect();
    json!({"secrets": secrets, "page_info": {
        "next_marker": "production-database-61", "previous_marker": "production-database-0", "current_count": 62,
    }})
    .to_string()
}
