//! The driver's errors as the few kinds that an operator acts on. Error texts of the server can hold the application's data:
//! only their codes and names are kept.

use mongodb::error::{Error, ErrorKind};
use watchboard_app::wire::{DatabaseFailure, FailureKind};

/// What went wrong, by kind, with a sentence that holds no secret.
pub(super) fn classify(error: &Error) -> DatabaseFailure {
    match &*error.kind {
        ErrorKind::Authentication { .. } => failure(
            FailureKind::AuthenticationFailed,
            "the server refused the user name or password of the connection string",
        ),
        ErrorKind::Command(command) => match command.code {
            18 => failure(FailureKind::AuthenticationFailed, "the server refused the login"),
            13 => {
                failure(FailureKind::NotAuthorised, "the server asks for a login, or for more rights than this one has")
            }
            code => failure(FailureKind::Other, &format!("the server answered {} ({code})", command.code_name)),
        },
        ErrorKind::DnsResolve { .. } => failure(FailureKind::Unreachable, "its name cannot be resolved"),
        ErrorKind::InvalidArgument { message, .. } | ErrorKind::InvalidTlsConfig { message, .. } => {
            failure(FailureKind::BadUri, message)
        }
        ErrorKind::Io(error) => by_text(&error.to_string()),
        // Selection and the pool wrap what the connection met; only their text tells it.
        ErrorKind::ServerSelection { message, .. } | ErrorKind::ConnectionPoolCleared { message, .. } => {
            by_text(message)
        }
        ErrorKind::IncompatibleServer { message, .. } => failure(FailureKind::Other, message),
        ErrorKind::Shutdown => failure(FailureKind::Other, "the application has shut its client down"),
        _ => failure(FailureKind::Other, "the driver failed"),
    }
}

fn by_text(text: &str) -> DatabaseFailure {
    let text = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["refused"]) {
        failure(FailureKind::Refused, "nothing listens at its address: it is stopped, or the address is wrong")
    } else if says(&["authentication", "sasl"]) {
        failure(
            FailureKind::AuthenticationFailed,
            "the server refused the user name or password of the connection string",
        )
    } else if says(&["no route", "unreachable", "resolve", "lookup", "not known"]) {
        failure(FailureKind::Unreachable, "its address cannot be resolved or reached")
    } else if says(&["timed out", "timeout"]) && !says(&["reset", "closed", "eof", "broken pipe"]) {
        no_answer()
    } else if says(&["reset", "closed", "eof", "broken pipe"]) {
        failure(FailureKind::Other, "the connection broke off")
    } else {
        failure(FailureKind::Other, "no server of the deployment can be used")
    }
}

/// The server's code of an error and its word for it; zero and none where there was no answer.
pub(super) fn code(error: &Error) -> (i32, &str) {
    match &*error.kind {
        ErrorKind::Command(command) => (command.code, &command.code_name),
        ErrorKind::Write(mongodb::error::WriteFailure::WriteError(error)) => (error.code, ""),
        ErrorKind::Write(mongodb::error::WriteFailure::WriteConcernError(error)) => (error.code, &error.code_name),
        _ => (0, ""),
    }
}

/// The failure of a probe that got no answer in time.
pub(super) fn no_answer() -> DatabaseFailure {
    failure(FailureKind::TimedOut, "no answer in time: the server is frozen, overloaded, or cut off")
}

fn failure(kind: FailureKind, detail: &str) -> DatabaseFailure {
    DatabaseFailure { kind, detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_driver_says_of_a_server_it_cannot_use() {
        for (text, kind) in [
            (
                "Server selection timeout: No available servers. Topology: { Type: Unknown, Servers: [ { Address: a:1, Type: Unknown, Error: Kind: I/O error: Connection refused (os error 111)",
                FailureKind::Refused,
            ),
            ("Server selection timeout: No available servers. Error: timed out", FailureKind::TimedOut),
            (
                "Server selection timeout: No available servers. Error: failed to lookup address information",
                FailureKind::Unreachable,
            ),
            ("Server selection timeout: No available servers. Error: Connection reset by peer", FailureKind::Other),
        ] {
            assert_eq!(by_text(text).kind, kind, "{text}");
        }
    }
}
