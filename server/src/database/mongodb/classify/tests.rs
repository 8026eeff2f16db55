//! Each failure of the driver has its kind and its words.

use super::*;

fn kind(error: io::Error, tls: bool) -> Option<FailureKind> {
    match verdict(&error.into(), tls) {
        Verdict::Failure(failure) => Some(failure.kind),
        _ => None,
    }
}

#[test]
fn the_drivers_types_come_before_its_text() {
    use io::{Error, ErrorKind as Io};
    let of = |kind: Io| Error::new(kind, "a text that says timed out, refused and certificate");
    assert_eq!(kind(of(Io::ConnectionRefused), false), Some(FailureKind::Refused));
    assert_eq!(kind(of(Io::HostUnreachable), false), Some(FailureKind::Unreachable));
    assert_eq!(kind(of(Io::InvalidData), true), Some(FailureKind::TlsFailed));
    assert_eq!(kind(Error::new(Io::UnexpectedEof, "tls handshake eof"), true), Some(FailureKind::TlsFailed));
    assert_eq!(kind(Error::other("failed to lookup address information"), false), Some(FailureKind::Unreachable));
    assert!(matches!(verdict(&of(Io::TimedOut).into(), false), Verdict::Silence));
    assert!(matches!(verdict(&of(Io::ConnectionReset).into(), true), Verdict::Broken));
}

#[test]
fn what_the_driver_writes_of_the_applications_own_servers() {
    for (text, kind) in [
        ("Error: Kind: I/O error: Connection refused (os error 111)", FailureKind::Refused),
        ("Server selection timeout: Error: timed out", FailureKind::TimedOut),
        ("Server selection timeout: Error: failed to lookup address information", FailureKind::Unreachable),
        ("Server selection timeout: Error: Connection reset by peer", FailureKind::BrokenOff),
        ("Server selection timeout: invalid peer certificate: UnknownIssuer", FailureKind::TlsFailed),
        ("Server selection timeout: Type: RSSecondary", FailureKind::NoPrimary),
    ] {
        assert_eq!(classify_by_text(&io::Error::other(text).into()).kind, kind, "{text}");
    }
}
