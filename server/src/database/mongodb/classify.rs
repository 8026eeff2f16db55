//! The driver's errors as the few kinds that an operator acts on. Error texts of the server and of the driver can hold the
//! application's data: only kinds, codes and names are kept.

use std::io;

use mongodb::error::{Error, ErrorKind, WriteFailure};
use watchboard_wire::{DatabaseFailure, FailureKind};

/// The meaning of an error by itself.
pub(crate) enum Verdict {
    /// The failure is certain.
    Failure(DatabaseFailure),
    /// No server could be selected; the members' states say why.
    NoServer,
    /// No answer came in time.
    Silence,
    /// A connection broke off.
    Broken,
    /// The driver gave up on a server after an error of one of its monitors.
    GivenUp,
}

/// The verdict by the driver's own types. `tls` if connections are to be secure.
pub(crate) fn verdict(error: &Error, tls: bool) -> Verdict {
    let (kind, detail) = match &*error.kind {
        ErrorKind::Authentication { .. } => return Verdict::Failure(refused_login()),
        ErrorKind::Command(command) => match command.code {
            18 => return Verdict::Failure(refused_login()),
            13 => return Verdict::Failure(no_right()),
            // NotWritablePrimary, InterruptedDueToReplStateChange, PrimarySteppedDown, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary.
            10107 | 11602 | 189 | 13435 | 13436 => return Verdict::NoServer,
            code => (FailureKind::Other, format!("the server answered {} ({code})", command.code_name)),
        },
        ErrorKind::DnsResolve { .. } => return Verdict::Failure(no_name()),
        ErrorKind::InvalidTlsConfig { .. } => {
            (FailureKind::BadUri, "the files for TLS that it names cannot be read or used".to_owned())
        }
        ErrorKind::Io(error) => return io_verdict(error, tls),
        ErrorKind::ServerSelection { .. } => return Verdict::NoServer,
        ErrorKind::ConnectionPoolCleared { .. } => return Verdict::GivenUp,
        ErrorKind::IncompatibleServer { .. } => return Verdict::Failure(no_load_balancer()),
        ErrorKind::InvalidResponse { .. } | ErrorKind::Bson(_) | ErrorKind::BsonDeserialization(_) => {
            return Verdict::Failure(wrong_protocol());
        }
        ErrorKind::Shutdown => (FailureKind::Other, "the application has shut its client down".to_owned()),
        _ => (FailureKind::Other, "the driver failed".to_owned()),
    };
    Verdict::Failure(DatabaseFailure::new(kind, detail))
}

fn io_verdict(error: &io::Error, tls: bool) -> Verdict {
    use io::ErrorKind as Io;
    match error.kind() {
        Io::ConnectionRefused => Verdict::Failure(connection_refused()),
        Io::TimedOut | Io::WouldBlock => Verdict::Silence,
        Io::HostUnreachable | Io::NetworkUnreachable | Io::NetworkDown | Io::AddrNotAvailable | Io::NotFound => {
            Verdict::Failure(host_not_found())
        }
        // The TLS library has no kinds of its own: anything that it does not understand or trust is invalid data.
        Io::InvalidData if tls => Verdict::Failure(no_tls(&error.to_string())),
        Io::UnexpectedEof if tls && error.to_string().contains("handshake") => Verdict::Failure(no_tls("")),
        Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe | Io::UnexpectedEof | Io::NotConnected => {
            Verdict::Broken
        }
        // Failed look-ups of names have no kind either.
        _ if error.to_string().contains("lookup") => Verdict::Failure(no_name()),
        _ => Verdict::Broken,
    }
}

/// The failure by the driver's text, for servers of the application's own client: nothing else is known of them.
pub(super) fn classify_by_text(error: &Error) -> DatabaseFailure {
    let text = error.to_string().to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["refused"]) {
        connection_refused()
    } else if says(&["authentication", "sasl"]) {
        refused_login()
    } else if says(&["certificate", "tls handshake"]) {
        no_tls(&text)
    } else if says(&["resolve", "lookup", "not known"]) {
        no_name()
    } else if says(&["no route", "unreachable"]) {
        host_not_found()
    } else if says(&["reset", "closed", "eof", "broken pipe"]) {
        broken_off()
    } else if says(&["timed out", "timeout"]) && !says(&["rssecondary", "rsother", "rsarbiter"]) {
        silent()
    } else {
        DatabaseFailure::new(FailureKind::NoPrimary, "no server of the deployment takes writes")
    }
}

/// The failure by the error alone.
pub(crate) fn classify(error: &Error) -> DatabaseFailure {
    match verdict(error, false) {
        Verdict::Failure(failure) => failure,
        Verdict::NoServer => classify_by_text(error),
        Verdict::Silence => silent(),
        Verdict::Broken | Verdict::GivenUp => broken_off(),
    }
}

/// The server's code of an error and its name; zero and empty without an answer.
pub(crate) fn code(error: &Error) -> (i32, &str) {
    match &*error.kind {
        ErrorKind::Command(command) => (command.code, &command.code_name),
        ErrorKind::Write(WriteFailure::WriteError(error)) => (error.code, ""),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => (error.code, &error.code_name),
        _ => (0, ""),
    }
}

pub(super) fn connection_refused() -> DatabaseFailure {
    let detail = "nothing listens at its address: start it, or correct the address";
    DatabaseFailure::new(FailureKind::Refused, detail)
}

pub(super) fn no_name() -> DatabaseFailure {
    DatabaseFailure::new(FailureKind::Unreachable, "its name cannot be resolved: look at the name and at the DNS")
}

pub(super) fn no_name_in_time() -> DatabaseFailure {
    let detail = "its name is not resolved in time: the DNS does not answer, or is slow";
    DatabaseFailure::new(FailureKind::Unreachable, detail)
}

pub(super) fn host_not_found() -> DatabaseFailure {
    DatabaseFailure::new(
        FailureKind::Unreachable,
        "no way leads to its address: look at the address and at the network",
    )
}

/// No connection.
pub(super) fn silent() -> DatabaseFailure {
    let detail = "no connection in time: it is cut off, by a firewall, a network or a host that is down";
    DatabaseFailure::new(FailureKind::TimedOut, detail)
}

/// Answers, but not in time.
pub(super) fn late() -> DatabaseFailure {
    let detail =
        "it lives, and answers later than the monitor waits: it has far too much to do, or the network is slow";
    DatabaseFailure::new(FailureKind::TooSlow, detail)
}

/// A connection, and no byte on it.
pub(super) fn no_response() -> DatabaseFailure {
    let detail = "it takes connections and does not answer: its process is stopped, hangs, or has far too much to do";
    DatabaseFailure::new(FailureKind::Frozen, detail)
}

pub(super) fn broken_off() -> DatabaseFailure {
    let detail = "connections are made and broken off: by something in between, by a server that is about to stop or has no \
                  connections left, or by one that is no MongoDB";
    DatabaseFailure::new(FailureKind::BrokenOff, detail)
}

/// The same of a secure connection.
pub(super) fn broken_off_tls() -> DatabaseFailure {
    let detail = "secure connections are made and broken off: by a server that asks for a certificate (tlsCertificateKeyFile), \
                  is about to stop or has no connections left, or by something in between";
    DatabaseFailure::new(FailureKind::BrokenOff, detail)
}

pub(super) fn tls_required() -> DatabaseFailure {
    let detail = "the server speaks TLS alone: add tls=true to the connection string, and the authority by tlsCAFile";
    DatabaseFailure::new(FailureKind::TlsFailed, detail)
}

fn no_tls(text: &str) -> DatabaseFailure {
    let text = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let detail = if says(&["alert"]) {
        "the server refuses this side's certificate, or asks for one: name it by tlsCertificateKeyFile"
    } else if says(&["notvalidforname", "not valid for name"]) {
        "the server's certificate is for another name: use its name in the connection string"
    } else if says(&["expired", "notvalidyet", "not valid yet"]) {
        "the server's certificate has expired or is not valid yet: renew it, or correct the clock"
    } else if says(&["certificate"]) {
        "the server's certificate is not trusted: give its authority by tlsCAFile"
    } else {
        "the server does not speak TLS, or none that is understood: leave tls=true out, or turn TLS on there"
    };
    DatabaseFailure::new(FailureKind::TlsFailed, detail)
}

fn wrong_protocol() -> DatabaseFailure {
    let detail = "the server answers, and not as a MongoDB does: correct the port or the address";
    DatabaseFailure::new(FailureKind::WrongProtocol, detail)
}

/// The driver has no other reason to find a server incompatible before its first command.
fn no_load_balancer() -> DatabaseFailure {
    let detail =
        "it has loadBalanced=true, and the server is behind no load balancer for MongoDB: leave loadBalanced out";
    DatabaseFailure::new(FailureKind::BadUri, detail)
}

/// The driver speaks none of the server's wire versions.
pub(super) fn incompatible(address: &str, (least, most): (i32, i32)) -> DatabaseFailure {
    let detail = format!(
        "{address} speaks the wire versions {least} to {most}, and this driver none of them: update the older of the two"
    );
    DatabaseFailure::new(FailureKind::Other, detail)
}

pub(super) fn refused_login() -> DatabaseFailure {
    let detail = "the server refused the user name or password of the connection string, or its authSource";
    DatabaseFailure::new(FailureKind::AuthenticationFailed, detail)
}

fn no_right() -> DatabaseFailure {
    let detail = "the server asks for a login, or for more rights than this one has";
    DatabaseFailure::new(FailureKind::NotAuthorised, detail)
}

#[cfg(test)]
mod tests;
