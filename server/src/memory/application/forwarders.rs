//! Programs that listen in the place of an application and forward its connections: their memory is not the application's.

use std::fmt;

use watchboard_wire::Unknown;

use super::table::ProcessKey;
use crate::memory::text;

/// Their names, as the kernel cuts them to 15 bytes; and the way to the process that they forward to.
const FORWARDERS: [(&str, &str); 13] = [
    ("docker-proxy", CONTAINER),
    ("rootlesskit", CONTAINER),
    ("rootlessport", CONTAINER),
    ("slirp4netns", CONTAINER),
    ("pasta", CONTAINER),
    ("pasta.avx2", CONTAINER),
    ("gvproxy", ELSEWHERE),
    ("ssh", ELSEWHERE),
    ("sshd", ELSEWHERE),
    ("kubectl", ELSEWHERE),
    ("socat", ""),
    ("rinetd", ""),
    ("ncat", ""),
];
const CONTAINER: &str = " `docker inspect --format '{{.State.Pid}}' NAME` or `podman inspect` tells its id.";
const ELSEWHERE: &str = " If it runs on another machine, run watchboard there.";

/// Why these processes, which listen at `place`, are not the application; `None` if one of them may be.
pub(super) fn explain_forwarder(place: &dyn fmt::Display, listening: &[ProcessKey]) -> Option<Unknown> {
    let forwarder = |key: &ProcessKey| {
        let name = text::read(format!("/proc/{}/comm", key.pid)).ok()?;
        FORWARDERS.iter().find(|(forwarder, _)| *forwarder == name.trim_end())
    };
    let (name, hint) = forwarder(listening.first()?)?;
    listening.iter().all(|key| forwarder(key).is_some()).then(|| {
        Unknown::because(format!(
            "{name} listens at {place} and forwards to the application: its memory is not the application's. Name the application's \
             process by --pid.{hint}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink, process::Command};

    #[test]
    fn a_forwarder_is_told_from_an_application_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let address = "127.0.0.1:8000";
        let reason = |name: &str| {
            let program = folder.path().join(name);
            symlink(fs::canonicalize("/bin/sleep").unwrap(), &program).unwrap();
            let mut process = Command::new(&program).arg("60").spawn().unwrap();
            // The name is that of the program once it runs.
            let comm = format!("/proc/{}/comm", process.id());
            while fs::read_to_string(&comm).unwrap().trim_end() != name {
                std::thread::yield_now();
            }
            let reason = explain_forwarder(&address, &[ProcessKey::from_pid(process.id()).unwrap()]);
            process.kill().unwrap();
            process.wait().unwrap();
            reason.map(|why| why.reason)
        };
        let docker = reason("docker-proxy").expect("it forwards");
        assert!(docker.starts_with("docker-proxy listens at 127.0.0.1:8000") && docker.contains("--pid"), "{docker}");
        assert_eq!(reason("gunicorn"), None);
        assert_eq!(explain_forwarder(&address, &[]), None);
    }
}
