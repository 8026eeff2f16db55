//! Whether the login is still valid, and what it may do. `hello` needs no login: only a second command notices a user who was
//! dropped or has lost every role.

use mongodb::{
    Database,
    bson::{Bson, Document, doc},
    error::{Error, ErrorKind},
    options::ClientOptions,
};
use watchboard_wire::{DatabaseFailure, FailureKind};

/// The login of the connection string.
#[derive(Clone, Debug, Default)]
pub(super) struct MongoCredentials {
    /// Whether there is a login.
    is_set: bool,
    /// The application's database, if the connection string names one.
    database: Option<String>,
}

impl From<&ClientOptions> for MongoCredentials {
    fn from(options: &ClientOptions) -> Self {
        // A connection string names `admin` for the users in it.
        let database = options.default_database.clone().filter(|name| name != "admin");
        Self { is_set: options.credential.is_some(), database }
    }
}

/// The rights of the login.
pub(super) enum Rights {
    Enough,
    /// The connection is not logged in any more. It never will be again, so a new connection is needed.
    Lost,
    Insufficient(DatabaseFailure),
}

/// Asks the server for the rights of the login, by one cheap command.
///
/// # Errors
/// Those of the connection. A server without the command counts as content.
pub(super) async fn check(admin: &Database, credentials: &MongoCredentials) -> Result<Rights, Error> {
    if !credentials.is_set {
        // A cheap command without locks; a server that needs a login refuses it.
        let names = doc! { "listDatabases": 1, "nameOnly": true, "filter": { "name": "admin" } };
        return match content(admin.run_command(names).await)? {
            Err(13) => Ok(missing_privilege(
                "the server asks for a login and the connection string has none: give it USER:PASSWORD@",
            )),
            _ => Ok(Rights::Enough),
        };
    }
    let status = doc! { "connectionStatus": 1, "showPrivileges": credentials.database.is_some() };
    let Ok(status) = content(admin.run_command(status).await)? else { return Ok(Rights::Enough) };
    Ok(judge(&status, credentials))
}

/// The reply, or the code of the server's refusal.
fn content(reply: Result<Document, Error>) -> Result<Result<Document, i32>, Error> {
    match reply {
        Ok(reply) => Ok(Ok(reply)),
        Err(error) => match &*error.kind {
            ErrorKind::Command(command) => Ok(Err(command.code)),
            _ => Err(error),
        },
    }
}

fn judge(status: &Document, credentials: &MongoCredentials) -> Rights {
    let Ok(info) = status.get_document("authInfo") else { return Rights::Enough };
    let none = |field| info.get_array(field).is_ok_and(Vec::is_empty);
    if none("authenticatedUsers") {
        return Rights::Lost;
    }
    if none("authenticatedUserRoles") {
        return missing_privilege(
            "the login has no role and can do nothing: grant it one, as readWrite on the application's database",
        );
    }
    match (&credentials.database, info.get_array("authenticatedUserPrivileges")) {
        (Some(database), Ok(privileges)) if !privileges.iter().any(|privilege| is_for(privilege, database)) => {
            missing_privilege(&format!(
                "the login may do nothing in its database {database}: grant it a role there, as readWrite"
            ))
        }
        _ => Rights::Enough,
    }
}

/// Whether a privilege allows anything in a database: a login that only monitors need not read it.
fn is_for(privilege: &Bson, database: &str) -> bool {
    let resource = privilege.as_document().and_then(|privilege| privilege.get_document("resource").ok());
    resource.is_some_and(|resource| {
        let any = resource.get_bool("anyResource").unwrap_or(false);
        any || resource.get_str("db").is_ok_and(|name| name.is_empty() || name == database)
    })
}

fn missing_privilege(detail: &str) -> Rights {
    Rights::Insufficient(DatabaseFailure::new(FailureKind::NotAuthorised, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_worth_what_it_may_do() {
        let credentials = MongoCredentials { is_set: true, database: Some("shop".to_owned()) };
        let says = |users: Vec<&str>, roles: Vec<&str>, resource: Document| {
            let privileges = vec![doc! { "resource": resource, "actions": ["find", "insert"] }];
            let info = doc! { "authenticatedUsers": users, "authenticatedUserRoles": roles, "authenticatedUserPrivileges": privileges };
            match judge(&doc! { "authInfo": info }, &credentials) {
                Rights::Enough => "enough".to_owned(),
                Rights::Lost => "lost".to_owned(),
                Rights::Insufficient(failure) => failure.detail,
            }
        };
        let shop = || doc! { "db": "shop", "collection": "" };
        assert_eq!(says(vec!["a"], vec!["readWrite"], shop()), "enough");
        assert_eq!(says(vec!["a"], vec!["readWriteAnyDatabase"], doc! { "db": "", "collection": "" }), "enough");
        assert_eq!(says(vec![], vec![], shop()), "lost");
        assert!(says(vec!["a"], vec![], shop()).starts_with("the login has no role"));
        let elsewhere = says(vec!["a"], vec!["read"], doc! { "db": "other", "collection": "" });
        assert!(elsewhere.starts_with("the login may do nothing in its database shop"), "{elsewhere}");
    }
}
