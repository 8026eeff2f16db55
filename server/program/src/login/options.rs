//! The flags and the environment variables of the login.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;
use thiserror::Error;

use super::{
    Login,
    hosts::{HostName, Hosts},
    password::Verifier,
    secret::{PASSWORD, Secret, SecretError, SecretSources, TOKEN},
    token::Token,
};

/// Credentials and names of the board.
#[derive(Args, Debug)]
#[command(next_help_heading = "Access")]
pub(crate) struct LoginOptions {
    /// The hash of the password that people sign in with, as `watchboard hash-password` prints it. `WATCHBOARD_PASSWORD` can hold the password itself.
    #[arg(long, env = "WATCHBOARD_PASSWORD_HASH", hide_env_values = true, value_name = "HASH", global = true)]
    password_hash: Option<Secret>,

    /// A file with the password or its hash.
    #[arg(long, env = "WATCHBOARD_PASSWORD_FILE", value_name = "PATH", global = true)]
    password_file: Option<PathBuf>,

    /// The SHA-256 of the token that programs send to read /health and /metrics and to post /marks, in hexadecimal. `WATCHBOARD_TOKEN` can hold the token itself.
    #[arg(long, env = "WATCHBOARD_TOKEN_HASH", hide_env_values = true, value_name = "SHA256", global = true)]
    token_hash: Option<Secret>,

    /// A file with the token.
    #[arg(long, env = "WATCHBOARD_TOKEN_FILE", value_name = "PATH", global = true)]
    token_file: Option<PathBuf>,

    /// A name that the board is reached by, as in its URL. May be given several times; addresses that it listens on need not be.
    #[arg(long = "host", env = "WATCHBOARD_HOST", value_delimiter = ',', value_name = "NAME", global = true)]
    hosts: Vec<HostName>,

    /// Open the board to all local requests, without a link or a login. A proxy on this machine that adds no header publishes it then.
    #[arg(long, env = "WATCHBOARD_OPEN", global = true)]
    open: bool,
}

/// Who may see the board.
#[derive(Debug)]
pub(crate) enum AccessMode {
    /// Those with a session or the token.
    Login(Box<Login>),
    /// Those who open a link of the log on this machine.
    SignInLink,
    /// All on this machine.
    LocalOnly,
}

/// No login can be built from the options.
#[derive(Debug, Error)]
pub(crate) enum LoginError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Other machines reach the board, and there are no credentials.
    #[error(
        "{exposure}, and nobody would be asked who they are. Set a password: `watchboard hash-password` makes its hash, for \
         WATCHBOARD_PASSWORD_HASH; or name a file that holds it with --password-file. Or listen on 127.0.0.1:{port} without --host, \
         and reach the board by `ssh -L {port}:127.0.0.1:{port} THIS-MACHINE`."
    )]
    NoCredentials { exposure: Exposure, port: u16 },
    #[error("--open lets local requests in without a login: leave out --open, or the password and the token")]
    OpenWithCredentials,
}

/// The setting by which other machines reach the board.
#[derive(Debug, Error)]
pub(crate) enum Exposure {
    #[error("--listen {0} is reached from other machines")]
    Listen(SocketAddr),
    #[error("by --host {0} others reach the board")]
    Host(HostName),
}

impl LoginError {
    /// The flag to change first, without its dashes. An environment variable that is no flag has none.
    pub(crate) fn flag(&self) -> Option<&'static str> {
        match self {
            Self::Secret(error) => error.flag(),
            Self::OpenWithCredentials => Some("open"),
            Self::NoCredentials { exposure: Exposure::Listen(_), .. } => Some("listen"),
            Self::NoCredentials { exposure: Exposure::Host(_), .. } => Some("host"),
        }
    }
}

impl LoginOptions {
    /// The login, if there are credentials. Without them only local requests are served, to a demo's board without a link.
    ///
    /// # Errors
    /// A credential cannot be used, or there is none and other machines reach the board.
    pub(crate) fn build(&self, listen: SocketAddr, is_demo: bool) -> Result<AccessMode, LoginError> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Ok(match self.login_with(listen, variable(PASSWORD.variable), variable(TOKEN.variable))? {
            Some(_) if self.open => return Err(LoginError::OpenWithCredentials),
            Some(login) => AccessMode::Login(Box::new(login)),
            None if self.open || is_demo => AccessMode::LocalOnly,
            None => AccessMode::SignInLink,
        })
    }

    fn login_with(
        &self,
        listen: SocketAddr,
        password: Option<String>,
        token: Option<String>,
    ) -> Result<Option<Login>, LoginError> {
        let password = SecretSources {
            names: &PASSWORD,
            hash: self.password_hash.as_ref(),
            file: self.password_file.as_deref(),
            variable: password,
        };
        let token = SecretSources {
            names: &TOKEN,
            hash: self.token_hash.as_ref(),
            file: self.token_file.as_deref(),
            variable: token,
        };
        let password = password.read(Verifier::from_hash, Verifier::from_text)?;
        let token = token.read(Token::from_hash, Token::new)?;
        if password.is_some() || token.is_some() {
            return Ok(Some(Login::new(Hosts::new(self.hosts.clone(), listen.ip()), password, token)));
        }
        let exposure = match self.hosts.first() {
            _ if !listen.ip().is_loopback() => Exposure::Listen(listen),
            Some(host) => Exposure::Host(host.clone()),
            None => return Ok(None),
        };
        Err(LoginError::NoCredentials { exposure, port: listen.port() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::io::Write;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        options: LoginOptions,
    }

    const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gLHIkr1qgP4r3sH1P/NIg3+PMckaLQ3RkuIiytJhVlY";
    const LOOPBACK: &str = "127.0.0.1:3000";

    fn login(
        listen: &str,
        flags: &[&str],
        password: Option<&str>,
        token: Option<&str>,
    ) -> Result<Option<Login>, String> {
        let flags = Flags::try_parse_from([&["watchboard"], flags].concat()).map_err(|error| error.to_string())?;
        let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
        let login = flags.options.login_with(listen.parse().unwrap(), owned(password), owned(token));
        login.map_err(|error| error.to_string())
    }

    #[test]
    fn without_credentials_it_stays_on_its_machine_and_says_what_to_do() {
        assert!(login(LOOPBACK, &[], None, None).unwrap().is_none());
        for (listen, flags) in [("0.0.0.0:3000", &[][..]), ("[::]:3000", &[]), (LOOPBACK, &["--host", "board.example"])]
        {
            let error = login(listen, flags, None, None).unwrap_err();
            assert!(error.contains("hash-password") && error.contains("ssh -L 3000"), "{error}");
        }
        assert!(login("0.0.0.0:3000", &["--password-hash", HASH], None, None).unwrap().is_some());
        assert!(login("0.0.0.0:3000", &[], None, Some(&"t".repeat(24))).unwrap().is_some());
    }

    #[test]
    fn open_is_for_a_board_without_credentials() {
        let mode = |flags: &[&str], listen: &str, is_demo| {
            let flags = Flags::try_parse_from([&["watchboard"], flags].concat()).unwrap();
            flags.options.build(listen.parse().unwrap(), is_demo).map_err(|error| error.to_string())
        };
        assert!(matches!(mode(&[], LOOPBACK, false), Ok(AccessMode::SignInLink)));
        assert!(matches!(mode(&[], LOOPBACK, true), Ok(AccessMode::LocalOnly)));
        assert!(matches!(mode(&["--open"], LOOPBACK, false), Ok(AccessMode::LocalOnly)));
        assert!(mode(&["--open"], "0.0.0.0:3000", false).unwrap_err().contains("hash-password"));
        assert!(mode(&["--open", "--password-hash", HASH], LOOPBACK, false).unwrap_err().contains("leave out --open"));
    }

    #[test]
    fn a_file_holds_the_password_or_its_hash() {
        for text in ["correct horse battery\n", HASH] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            assert!(
                login(LOOPBACK, &["--password-file", file.path().to_str().unwrap()], None, None).unwrap().is_some()
            );
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_never_shown() {
        for (flags, password, token, says) in [
            (&["--password-hash", "hunter2"][..], None, None, "--password-hash is not an argon2id hash"),
            (&["--password-file", "/nowhere"], None, None, "/nowhere cannot be read"),
            (&[], Some("hunter2"), None, "WATCHBOARD_PASSWORD is too short: a password has 12"),
            (&["--password-hash", HASH], Some("hunter2hunter2"), None, "given more than once"),
            (&["--token-hash", "hunter2"], None, None, "--token-hash is not a SHA-256"),
            (&[], None, Some("hunter2"), "WATCHBOARD_TOKEN has to be 24"),
            (&["--host", "http://hunter"], None, None, "without scheme and port"),
        ] {
            let error = login(LOOPBACK, flags, password, token).unwrap_err();
            assert!(error.contains(says) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn no_secret_is_in_what_the_configuration_prints_of_itself() {
        let flags = Flags::try_parse_from(["watchboard", "--password-hash", HASH, "--token-hash", "abcdef"]).unwrap();
        let printed = format!("{:?}", flags.options);
        assert!(!printed.contains("argon2id") && !printed.contains("abcdef"), "{printed}");
        let login = login(LOOPBACK, &["--password-hash", HASH], None, None).unwrap();
        assert!(!format!("{login:?}").contains("argon2id"));
    }
}
