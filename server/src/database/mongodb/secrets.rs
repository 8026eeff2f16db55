//! Why a connection string cannot be used, in the driver's words where these hold nothing of the credentials.

use mongodb::error::{Error, ErrorKind};

/// So many letters in a row of a secret are a part of it.
const TELLING: usize = 3;

/// What the driver says of the string, or less: never a part of a user name, a password or a secret option.
pub(super) fn reason(uri: &str, error: &Error) -> String {
    let (ErrorKind::InvalidArgument { message, .. } | ErrorKind::InvalidTlsConfig { message, .. }) = &*error.kind
    else {
        return "it cannot be parsed".to_owned();
    };
    if secrets(uri).iter().any(|secret| tells_of(message, secret)) {
        return "it cannot be parsed; in a user name or password each of : / ? # [ ] @ % has to be percent-encoded"
            .to_owned();
    }
    message.clone()
}

/// All that may be a secret in a string that may be malformed, as it stands and decoded.
fn secrets(uri: &str) -> Vec<String> {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let (login, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
    let mut secrets: Vec<&str> = login.split([':', '@', '/', '?', '&', '=']).collect();
    let (hosts, options) = rest.split_once('?').unwrap_or((rest, ""));
    // Where the host was forgotten, a password stands in the place of a port.
    let ports = hosts.split(['/', ',']).filter_map(|host| host.rsplit_once(':')).map(|(_, port)| port);
    secrets.extend(ports.filter(|port| port.parse::<u16>().is_err()));
    // Options are few that may be told of: all others can hold a token or a password.
    let values = options.split(['&', ';']).filter_map(|option| option.split_once('='));
    secrets.extend(values.filter(|(name, _)| is_secret(name)).map(|(_, value)| value));
    let decoded: Vec<String> = secrets.iter().map(|secret| decode(secret)).collect();
    secrets.into_iter().map(ToOwned::to_owned).chain(decoded).filter(|secret| !secret.is_empty()).collect()
}

fn is_secret(option: &str) -> bool {
    let option = option.to_ascii_lowercase();
    ["password", "properties", "token", "user"].iter().any(|word| option.contains(word))
}

/// Whether a text has a telling part of a secret, whatever its case.
fn tells_of(text: &str, secret: &str) -> bool {
    let text = text.to_lowercase();
    let letters: Vec<char> = secret.to_lowercase().chars().collect();
    letters.windows(TELLING.min(letters.len())).any(|part| text.contains(&part.iter().collect::<String>()))
}

/// Percent-decoded; what is not encoded rightly stays.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) if byte == b'%' => {
                decoded.push(value);
                at += 3;
            }
            _ => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mongodb::options::ClientOptions;

    #[tokio::test]
    async fn no_part_of_a_login_is_ever_told() {
        let canaries =
            ["qzxcanaryqzx", "k%40w%2Fvqjx", "k@w/vqjx", "jxw%ZZvqk", "jx:wvq", "jx?wvq", "jx#w[v]q", "jq x%"];
        for canary in canaries {
            for uri in [
                format!("mongodb://wvkuser:{canary}@host:1/?socketTimeoutMS=oops"),
                format!("mongodb://wvkuser:{canary}@host:port"),
                format!("mongodb://wvkuser:{canary}@ho st:99999999/"),
                format!("mongodb://wvkuser:{canary}@/"),
                format!("mongodb://wvkuser:{canary}"),
                format!("mongodb://wvkuser:{canary}/shop"),
                format!("mongodb://{canary}:@:1,["),
                format!("mongodb+srv://wvkuser:{canary}@host:27017/"),
                format!("mongo://wvkuser:{canary}@host"),
                format!("wvkuser:{canary}@host"),
                format!("mongodb://host/?authMechanism={canary}&authMechanismProperties={canary}:{canary}"),
                format!("mongodb://host/?tlsCertificateKeyFilePassword={canary}&tls=true"),
                format!("mongodb://wvkuser:{canary}@host/%ZZ?replicaSet"),
            ] {
                let Err(error) = ClientOptions::parse(&uri).await else { continue };
                let reason = reason(&uri, &error).to_lowercase();
                for part in ["wvk", "vkuser", "qzx", "canary", "vqj", "wvq", "qjx", "vqk", "zzv", "jq x"] {
                    assert!(!reason.contains(part), "{part} of {uri} is in {reason:?}");
                }
            }
        }
    }

    #[tokio::test]
    async fn what_is_wrong_is_told_where_it_is_no_secret() {
        let uri = "mongodb://user:s3cret@host:1/?socketTimeoutMS=oops";
        let error = ClientOptions::parse(uri).await.unwrap_err();
        assert!(reason(uri, &error).to_lowercase().contains("sockettimeoutms"), "{}", reason(uri, &error));
    }

    #[test]
    fn percent_signs_are_decoded_where_they_encode() {
        assert_eq!(decode("k%40w%2Fv%ZZ%4"), "k@w/v%ZZ%4");
    }
}
