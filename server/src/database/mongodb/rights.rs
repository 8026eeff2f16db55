//! Whether the login is still one, and permits anything. `hello` asks for no login, so a user who was dropped, or who lost every
//! role, is seen only by a command that tells of logins.

use mongodb::{
    Database,
    bson::{Bson, Document, doc},
    error::{Error, ErrorKind},
    options::ClientOptions,
};
use watchboard_wire::{DatabaseFailure, FailureKind};

/// What the connection string says of the login.
#[derive(Clone, Debug, Default)]
pub(super) struct Login {
    /// Whether there is one.
    given: bool,
    /// The database it is meant for, where the connection string names one.
    database: Option<String>,
}

impl Login {
    pub(super) fn of(options: &ClientOptions) -> Self {
        // `admin` is named for the users it holds.
        let database = options.default_database.clone().filter(|name| name != "admin");
        Self { given: options.credential.is_some(), database }
    }
}

/// What there is to say against the login.
pub(super) enum Rights {
    Enough,
    /// The connection is not logged in any more, and will never be again: it takes a new one.
    Lost,
    Lacking(DatabaseFailure),
}

/// Asks the server what the login is worth: one cheap command.
///
/// # Errors
/// Those of the connection. A server that does not know the command is content.
pub(super) async fn check(admin: &Database, login: &Login) -> Result<Rights, Error> {
    if !login.given {
        // Answered at once without locks; refused by a server that asks for a login.
        let names = doc! { "listDatabases": 1, "nameOnly": true, "filter": { "name": "admin" } };
        return match content(admin.run_command(names).await)? {
            Err(13) => {
                Ok(lacking("the server asks for a login and the connection string has none: give it USER:PASSWORD@"))
            }
            _ => Ok(Rights::Enough),
        };
    }
    let status = doc! { "connectionStatus": 1, "showPrivileges": login.database.is_some() };
    let Ok(status) = content(admin.run_command(status).await)? else { return Ok(Rights::Enough) };
    Ok(judge(&status, login))
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

fn judge(status: &Document, login: &Login) -> Rights {
    let Ok(info) = status.get_document("authInfo") else { return Rights::Enough };
    let none = |field| info.get_array(field).is_ok_and(Vec::is_empty);
    if none("authenticatedUsers") {
        return Rights::Lost;
    }
    if none("authenticatedUserRoles") {
        return lacking(
            "the login has no role and can do nothing: grant it one, as readWrite on the application's database",
        );
    }
    match (&login.database, info.get_array("authenticatedUserPrivileges")) {
        (Some(database), Ok(privileges)) if !privileges.iter().any(|privilege| is_for(privilege, database)) => lacking(
            &format!("the login may do nothing in its database {database}: grant it a role there, as readWrite"),
        ),
        _ => Rights::Enough,
    }
}

/// Whether a privilege allows anything in a database: a login that only watches need not read it.
fn is_for(privilege: &Bson, database: &str) -> bool {
    let resource = privilege.as_document().and_then(|privilege| privilege.get_document("resource").ok());
    resource.is_some_and(|resource| {
        let any = resource.get_bool("anyResource").unwrap_or(false);
        any || resource.get_str("db").is_ok_and(|name| name.is_empty() || name == database)
    })
}

fn lacking(detail: &str) -> Rights {
    Rights::Lacking(DatabaseFailure::new(FailureKind::NotAuthorised, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_worth_what_it_may_do() {
        let login = Login { given: true, database: Some("shop".to_owned()) };
        let says = |users: Vec<&str>, roles: Vec<&str>, resource: Document| {
            let privileges = vec![doc! { "resource": resource, "actions": ["find", "insert"] }];
            let info = doc! { "authenticatedUsers": users, "authenticatedUserRoles": roles, "authenticatedUserPrivileges": privileges };
            match judge(&doc! { "authInfo": info }, &login) {
                Rights::Enough => "enough".to_owned(),
                Rights::Lost => "lost".to_owned(),
                Rights::Lacking(failure) => failure.detail,
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
