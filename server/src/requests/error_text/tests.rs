//! What is found in the bodies of real frameworks, and what is kept of it.

use super::*;

fn kept(body: &str, is_whole: bool) -> Option<String> {
    let text = ErrorText::Received(body.into());
    let KeptText { cause, sample } = text.keep(is_whole);
    assert!(is_whole || cause == sample);
    sample
}

#[test]
fn a_message_is_found_where_frameworks_put_it() {
    for (body, message) in [
        ("no such user\nat line 3", Some("no such user")),
        // FastAPI
        (r#"{"detail":"Not Found"}"#, Some("Not Found")),
        (
            r#"{"detail":[{"type":"int_parsing","loc":["body","items",0,"jane"],"msg":"Input should be a valid integer","input":"hunter2","ctx":{"error":"jane"}}]}"#,
            Some("int_parsing: body.items.0.#: Input should be a valid integer"),
        ),
        // NestJS, Fastify, Express, Spring
        (
            r#"{"message":["email must be an email"],"error":"Bad Request","statusCode":400}"#,
            Some("email must be an email"),
        ),
        (
            r#"{"statusCode":400,"code":"FST_ERR_VALIDATION","error":"Bad Request","message":"body must have required property 'jane'"}"#,
            Some("FST_ERR_VALIDATION: body must have required property #"),
        ),
        (
            r#"{"timestamp":"2026","status":500,"error":"Internal Server Error","path":"/jane"}"#,
            Some("Internal Server Error"),
        ),
        // ASP.NET, Rails, Laravel, Phoenix, JSON:API, GraphQL
        (
            r#"{"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"One or more validation errors occurred.","status":400,"errors":{"jane":["The jane field is required."]}}"#,
            Some("One or more validation errors occurred."),
        ),
        (r#"{"errors":{"jane":["has already been taken"]}}"#, Some("has already been taken")),
        (
            r#"{"message":"The email field is required.","errors":{"email":["jane"]}}"#,
            Some("The email field is required."),
        ),
        (r#"{"errors":{"detail":"Not Found"}}"#, Some("Not Found")),
        (r#"{"errors":[{"status":"422","title":"Invalid","detail":"must not be blank"}]}"#, Some("must not be blank")),
        (
            r#"{"errors":[{"message":"Cannot query field 'jane'","locations":[{"line":1}]}],"data":null}"#,
            Some("Cannot query field #"),
        ),
        // OAuth, Google, Elasticsearch, ASP.NET of old
        (r#"{"error":"invalid_grant","error_description":"The grant has expired"}"#, Some("The grant has expired")),
        (r#"{"error":"invalid_grant"}"#, Some("invalid_grant")),
        (r#"{"error":{"code":404,"message":"User not found","status":"NOT_FOUND"}}"#, Some("User not found")),
        (
            r#"{"error":{"type":"parse_error","reason":"unknown token"},"status":400}"#,
            Some("parse_error: unknown token"),
        ),
        (r#"{"Message":"An error has occurred."}"#, Some("An error has occurred.")),
        (r#""no such user""#, Some("no such user")),
        (r#"[{"errorCode":"INVALID_FIELD","message":"No such column 'jane'"}]"#, Some("No such column #")),
        // Cut, within the message and after it.
        (r#"{"message":"no such user 'jane"#, Some("no such user #")),
        (
            r#"{"detail":[{"type":"missing","loc":["body","name"],"msg":"Field required","input":{"password":"hun"#,
            Some("missing: body.name: Field required"),
        ),
        // Nothing that is looked at.
        (r#"{"error":{"code":7}}"#, None),
        (r#"{"password":"open","input":"open","user":{"message":"open"}}"#, None),
        (r#"{"cut": "of"#, None),
        (r#"{"message":"jane"}"#, None),
        ("{'password': 'open'}", None),
        ("[shop] the order failed", Some("# the order failed")),
        ("<html><title>Not Found</title></html>", None),
        ("  \u{7}\n", None),
        ("", None),
    ] {
        assert_eq!(kept(body, false).as_deref(), message, "{body}");
    }
    assert_eq!(kept(&"open ".repeat(300), false).unwrap().chars().count(), MAX_CHARS);
}

#[test]
fn whole_texts_are_kept_only_by_the_hosts_wish() {
    for (body, whole) in [
        ("no such user 17\nat line 3", Some("no such user 17")),
        (r#"{"message":"no such user 17","input":"hunter2"}"#, Some("no such user 17")),
        (r#"{"error":{"code":7}}"#, Some(r#"{"error":{"code":7}}"#)),
        ("", None),
    ] {
        assert_eq!(kept(body, true).as_deref(), whole, "{body}");
    }
    let KeptText { cause, .. } = ErrorText::Received(b"no such user 17".to_vec()).keep(true);
    assert_eq!(cause.as_deref(), Some("no such user #"), "they are grouped by what is masked");
    let fixed = ErrorText::Fixed("of 100 fields").keep(false);
    assert_eq!(fixed.cause.as_deref(), Some("of 100 fields"));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..99), text in "[\\[{\":,a-z\\\\ ]{0,99}") {
        for bytes in [bytes, text.into_bytes()] {
            let _ = ErrorText::Received(bytes.clone()).keep(false);
            let _ = ErrorText::Received(bytes).keep(true);
        }
    }
}
