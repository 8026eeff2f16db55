//! Why a connection string cannot be used: in the driver's words, unless they hold a part of the credentials.

use mongodb::error::{Error, ErrorKind};
use percent_encoding::percent_decode_str;

/// So many characters in a row of a secret give it away.
const TELLING: usize = 3;

/// The driver's message, or less: never a part of a user name, a password or a secret option.
pub(super) fn reason(uri: &str, error: &Error) -> String {
    let (ErrorKind::InvalidArgument { message, .. } | ErrorKind::InvalidTlsConfig { message, .. }) = &*error.kind
    else {
        return "it cannot be parsed".to_owned();
    };
    if secrets(uri).iter().any(|secret| reveals(message, secret)) {
        return "it cannot be parsed; in a user name or password each of : / ? # [ ] @ % has to be percent-encoded"
            .to_owned();
    }
    message.clone()
}

/// All parts of a possibly malformed string that may be secret, as they are and decoded.
fn secrets(uri: &str) -> Vec<String> {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let (login, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
    let mut secrets: Vec<&str> = login.split([':', '@', '/', '?', '&', '=']).collect();
    let (hosts, options) = rest.split_once('?').unwrap_or((rest, ""));
    // Without a host, a password is in the place of a port.
    let ports = hosts.split(['/', ',']).filter_map(|host| host.rsplit_once(':')).map(|(_, port)| port);
    secrets.extend(ports.filter(|port| port.parse::<u16>().is_err()));
    // Options of some names can hold a token or a password.
    let values = options.split(['&', ';']).filter_map(|option| option.split_once('='));
    secrets.extend(values.filter(|(name, _)| is_secret(name)).map(|(_, value)| value));
    let decoded: Vec<String> =
        secrets.iter().map(|secret| percent_decode_str(secret).decode_utf8_lossy().into_owned()).collect();
    secrets.into_iter().map(ToOwned::to_owned).chain(decoded).filter(|secret| !secret.is_empty()).collect()
}

fn is_secret(option: &str) -> bool {
    let option = option.to_ascii_lowercase();
    ["password", "properties", "token", "user"].iter().any(|word| option.contains(word))
}

/// Whether a text gives a secret away, in any case.
fn reveals(text: &str, secret: &str) -> bool {
    let text = text.to_lowercase();
    let letters: Vec<char> = secret.to_lowercase().chars().collect();
    letters.windows(TELLING.min(letters.len())).any(|part| text.contains(&part.iter().collect::<String>()))
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
        assert_eq!(percent_decode_str("k%40w%2Fv%ZZ%4").decode_utf8_lossy(), "k@w/v%ZZ%4");
    }
}
