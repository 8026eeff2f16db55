//! Error answers as frameworks send them, with what a client sent wherever they quote it.

pub struct RecordedError {
    pub by: &'static str,
    pub status: u16,
    pub content_type: &'static str,
    pub body: &'static str,
    /// What is kept of it.
    pub shown: &'static str,
}

const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";
const TEXT: &str = "text/plain; charset=utf-8";

const fn error(
    by: &'static str,
    status: u16,
    content_type: &'static str,
    body: &'static str,
    shown: &'static str,
) -> RecordedError {
    RecordedError { by, status, content_type, body, shown }
}

pub const RECORDED: &[RecordedError] = &[
    error(
        "Express",
        500,
        JSON,
        r#"{"message":"Validation failed: email: quokka@wombat.example is taken","stack":"Error: quokka\n at /srv/numbat.js"}"#,
        "Validation failed: email: #",
    ),
    error(
        "NestJS",
        400,
        JSON,
        r#"{"message":["email quokka@wombat must be an email","name must not be Quokka"],"error":"Bad Request","statusCode":400}"#,
        "email # must be an email",
    ),
    error(
        "Fastify",
        400,
        JSON,
        r#"{"statusCode":400,"code":"FST_ERR_VALIDATION","error":"Bad Request","message":"body must NOT have additional properties 'swordfish'"}"#,
        "FST_ERR_VALIDATION: body must NOT have additional properties #",
    ),
    error(
        "Rails",
        404,
        JSON,
        r##"{"status":404,"error":"Not Found","exception":"#<ActiveRecord::RecordNotFound: Couldn't find User with 'email'=quokka@wombat.example>","traces":{}}"##,
        "Not Found",
    ),
    error(
        "Rails, a form",
        422,
        JSON,
        r#"{"errors":{"quokka":["wombat has already been taken"]}}"#,
        "# has already been taken",
    ),
    error(
        "Laravel",
        422,
        JSON,
        r#"{"message":"The selected swordfish is invalid.","errors":{"swordfish":["The selected swordfish is invalid."]}}"#,
        "The selected # is invalid.",
    ),
    error(
        "Laravel, SQL",
        500,
        JSON,
        r#"{"message":"SQLSTATE[23000]: Integrity constraint violation: 1062 Duplicate entry 'quokka@wombat.example' for key 'users.email' (SQL: insert into users values (quokka))","exception":"QueryException"}"#,
        "Integrity constraint violation: # Duplicate entry # for key #",
    ),
    error(
        "Spring Boot",
        400,
        JSON,
        r#"{"timestamp":"2026-11-27T08:00:00Z","status":400,"error":"Bad Request","message":"JSON parse error: Cannot deserialize value of type `int` from String \"swordfish\": not a valid `int` value","path":"/customers/quokka"}"#,
        "JSON parse error: Cannot deserialize value of type # from String #: not a valid # value",
    ),
    error(
        "Spring Boot, a problem",
        400,
        PROBLEM,
        r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"Failed to convert 'number' with value: 'swordfish'","instance":"/customers/quokka"}"#,
        "Failed to convert # with value: #",
    ),
    error(
        "ASP.NET",
        400,
        PROBLEM,
        r#"{"type":"https://tools.ietf.org/html/rfc9110","title":"One or more validation errors occurred.","status":400,"errors":{"$.quokka":["The JSON value could not be converted to System.Int32. Path: $.quokka"]},"traceId":"00-dugong"}"#,
        "One or more validation errors occurred.",
    ),
    error(
        "Gin",
        400,
        JSON,
        r#"{"error":"Key: 'User.Email' Error:Field validation for 'Email' failed on the 'email' tag, quokka@wombat"}"#,
        "Key: #",
    ),
    error(
        "Go, net/http",
        400,
        TEXT,
        "invalid character 'q' looking for beginning of value: quokka\n",
        "looking for beginning of value",
    ),
    error(
        "Go, strconv",
        400,
        TEXT,
        "strconv.Atoi: parsing \"swordfish\": invalid syntax\n",
        "parsing #: invalid syntax",
    ),
    error(
        "axum",
        422,
        TEXT,
        "Failed to deserialize the JSON body into the target type: number: invalid type: string \"swordfish\", expected u32 at line 1 column 20",
        "Failed to deserialize the JSON body into the target type: number: invalid type: string #, expected #",
    ),
    error(
        "axum, a path",
        400,
        TEXT,
        "Invalid URL: Cannot parse `quokka` to a `u32`",
        "Invalid URL: Cannot parse # to a #",
    ),
    error(
        "actix",
        400,
        TEXT,
        "Json deserialize error: unknown field `quokka`, expected `name` or `wombat`",
        "deserialize error: unknown field #",
    ),
    error(
        "Phoenix",
        422,
        JSON,
        r#"{"errors":{"detail":"could not cast \"quokka\" to :integer"}}"#,
        "could not cast # to #",
    ),
    error(
        "PostgreSQL",
        409,
        JSON,
        r#"{"error":"duplicate key value violates unique constraint \"users_email_key\" DETAIL: Key (email)=(quokka@wombat.example) already exists."}"#,
        "duplicate key value violates unique constraint #",
    ),
    error(
        "PostgreSQL, a connection",
        500,
        TEXT,
        "connection to server at \"db.wombat.example\" (203.0.113.77), port 5432 failed: FATAL: password authentication failed for user \"quokka\"",
        "password authentication failed for user #",
    ),
    error(
        "MySQL",
        409,
        TEXT,
        "ERROR 1062 (23000): Duplicate entry 'quokka@wombat.example' for key 'users.email'",
        "Duplicate entry # for key #",
    ),
    error(
        "MongoDB",
        409,
        TEXT,
        "E11000 duplicate key error collection: shop.users index: email_1 dup key: { email: \"quokka@wombat.example\" }",
        "duplicate key error collection: # index: # dup key: #",
    ),
    error(
        "Jackson",
        400,
        TEXT,
        "Unrecognized token 'swordfish': was expecting (JSON String, Number, Array)",
        "Unrecognized token #: was expecting #",
    ),
    error(
        "OAuth",
        401,
        JSON,
        r#"{"error":"invalid_grant","error_description":"The user Quokka Wombat has no grant for quokka-client"}"#,
        "The user # has no grant for #",
    ),
    error(
        "an application",
        500,
        JSON,
        r#"{"error":{"message":"Authorization: Bearer quokkatoken was refused"}}"#,
        "Authorization: #",
    ),
    error(
        "an application, a URL",
        500,
        TEXT,
        "cannot reach postgres://quokka:wombat@203.0.113.77/dugong, try again",
        "cannot reach #, try again",
    ),
    error(
        "an application, a card",
        402,
        TEXT,
        "The card 4929 1234 5678 9012 (or 4929-1234-5678-9012) was declined",
        "The card # was declined",
    ),
    error(
        "an application, a name",
        404,
        TEXT,
        "Customer Quokka Wombat, 17 Numbat Terrace, not found",
        "Customer #, not found",
    ),
    error(
        "an application, in lower case",
        404,
        TEXT,
        "no customer quokka wombat of numbat terrace",
        "no customer # of #",
    ),
    error("an application, a password", 401, TEXT, "wrong password: swordfish", "wrong password: #"),
    error(
        "an application, pairs",
        400,
        TEXT,
        "rejected user=quokka password=wombat ip=203.0.113.77",
        "rejected user=#",
    ),
];
