//! What is shown of real messages, and that nothing of what is put into them is.

use super::*;
use proptest::prelude::*;

/// The texts that are not masked as expected.
fn differences(texts: &[(&str, &str)], mask: impl Fn(&str) -> String) -> Vec<String> {
    let wrong = texts.iter().filter(|(text, shown)| mask(text) != *shown);
    wrong.map(|(text, shown)| format!("{text}: {} instead of {shown}", mask(text))).collect()
}

/// Messages of frameworks, databases and parsers, and what is shown of them.
#[test]
fn real_messages_stay_readable() {
    let texts = [
        // axum, serde
        (
            "Failed to deserialize the JSON body into the target type: age: invalid type: string \"hunter2\", expected u8 at line 1 column 20",
            "Failed to deserialize the JSON body into the target type: age: invalid type: string #, expected # at line # column #",
        ),
        (
            "Failed to buffer the request body: length limit exceeded",
            "Failed to buffer the request body: length limit exceeded",
        ),
        ("Invalid URL: Cannot parse `jane` to a `u64`", "Invalid URL: Cannot parse # to a #"),
        ("missing field `email` at line 1 column 9", "missing field # at line # column #"),
        ("unknown variant `jane`, expected one of `red`, `blue`", "unknown variant #, expected one of #"),
        // PostgreSQL, MySQL, SQLite, MongoDB
        (
            "duplicate key value violates unique constraint \"users_email_key\"",
            "duplicate key value violates unique constraint #",
        ),
        ("Key (email)=(jane@example.com) already exists.", "Key # already exists."),
        ("ERROR: invalid input syntax for type integer: \"jane\"", "ERROR: invalid input syntax for type integer: #"),
        ("password authentication failed for user \"jane\"", "password authentication failed for user #"),
        ("Duplicate entry 'jane@example.com' for key 'users.email'", "Duplicate entry # for key #"),
        ("Access denied for user 'jane'@'10.0.0.5' (using password: YES)", "Access denied for user #"),
        ("UNIQUE constraint failed: users.email", "UNIQUE constraint failed: #"),
        (
            "E11000 duplicate key error collection: shop.users index: email_1 dup key: { email: \"jane@example.com\" }",
            "# duplicate key error collection: # index: # dup key: #",
        ),
        // Parsers
        ("Unexpected token 'j', \"jane\" is not valid JSON", "Unexpected token # is not valid JSON"),
        ("Expecting value: line 1 column 1 (char 0)", "Expecting value: line # column #"),
        ("invalid character 'j' looking for beginning of value", "invalid character # looking for beginning of value"),
        (
            "json: cannot unmarshal string into Go struct field User.age of type int",
            "json: cannot unmarshal string into Go struct field # of type int",
        ),
        ("strconv.ParseInt: parsing \"jane\": invalid syntax", "#: parsing #: invalid syntax"),
        // Frameworks
        ("Field required", "Field required"),
        ("The database could not be asked.", "The database could not be asked."),
        (
            "Input should be a valid integer, unable to parse string as an integer",
            "Input should be a valid integer, unable to parse string as an integer",
        ),
        ("The email has already been taken.", "The email has already been taken."),
        ("body/email must match format \"email\"", "body/email must match format #"),
        ("Couldn't find User with 'id'=jane", "Couldn't find User with #"),
        ("No static resource users/jane.", "No static resource #."),
        ("Cannot POST /users/jane", "Cannot POST #"),
        ("One or more validation errors occurred.", "One or more validation errors occurred."),
        ("Method Not Allowed", "Method Not Allowed"),
        ("Internal Server Error", "Internal Server Error"),
        ("connect ECONNREFUSED 127.0.0.1:5432", "connect ECONNREFUSED #"),
        (
            "Get \"http://10.0.0.5/jane\": dial tcp 10.0.0.5:80: connect: connection refused",
            "Get #: dial tcp #: connect: connection refused",
        ),
        ("Cannot read properties of undefined (reading 'jane')", "Cannot read properties of undefined #"),
        ("'NoneType' object has no attribute 'jane'", "# object has no attribute #"),
        ("invalid literal for int() with base 10: 'jane'", "invalid literal for int() with base #"),
        // Panics
        (
            "index out of bounds: the len is 3 but the index is 7",
            "index out of bounds: the len is # but the index is #",
        ),
        ("called `Result::unwrap()` on an `Err` value: Jane", "called # on an # value: #"),
        ("assertion `left == right` failed", "assertion # failed"),
        ("Kind: WriteError(WriteError { code: 11000 }), labels: {}", "Kind: WriteError #, labels: {}"),
        // Applications
        ("no such user", "no such user"),
        ("the order database does not answer", "the order database does not answer"),
        ("password: must be longer than 8 characters", "password: must be longer than # characters"),
        ("timeout after 1.5s: try again", "timeout after #: try again"),
        ("user 7f9c24e8-3b12-4fef-91e0-5be4d10c3c2f is gone.", "user # is gone."),
        ("", ""),
    ];
    assert_eq!(differences(&texts, mask_text), Vec::<String>::new());
}

/// Where an application's own texts have data, in free text too.
#[test]
fn nothing_personal_or_secret_is_shown() {
    let texts = [
        ("Customer Jane Doe, 12 Main Street not found", "Customer # not found"),
        ("customer jane doe has no order", "customer # has no order"),
        ("Authorization: Bearer c2VjcmV0", "Authorization: #"),
        ("Authorization: Basic amFuZTpkb2U=, was refused", "Authorization: #, was refused"),
        ("cannot connect to postgres://app:hunter2@db/shop", "cannot connect to #"),
        ("card 4111 1111 1111 1111 declined", "card # declined"),
        ("card 4111-1111-1111-1111 declined", "card # declined"),
        ("password: correct horse battery staple", "password: #"),
        ("invalid password: master, try again", "invalid password: #, try again"),
        ("password=master user=jane host=db", "password=#"),
        ("retry=never, host = db is gone", "retry=#, host = # is gone"),
        ("token master-token was refused for client.id=open", "token master-token was refused for #"),
        ("no file /home/jane/report or C:\\Users\\jane", "no file # or #"),
        ("Jos\u{e9} and Rene\u{301} and \u{5f20}\u{4f1f} are unknown", "# and # and # are unknown"),
        ("\u{ab}open\u{bb} or \u{201c}closed\u{201d} or \u{201e}open\u{201c}", "# or # or #"),
        ("an open quote 'the user", "an open quote #"),
        ("the users' orders", "the users' orders"),
        ("entry 'O'Brien (x' for key", "entry # for key"),
        ("value \"a\\\"open\" is wrong", "value # is wrong"),
        ("<b>open</b> is not valid", "#open # is not valid"),
        ("pass\u{200b}word open", "# open"),
    ];
    assert_eq!(differences(&texts, mask_text), Vec::<String>::new());
}

#[test]
fn names_keep_their_known_parts_and_the_number_of_a_worker() {
    let names = [
        ("tokio-runtime-w", "tokio-runtime-w"),
        ("DelayedTaskSche", "DelayedTaskSche"),
        ("worker-12", "worker-12"),
        ("http-nio-8080-e", "http-nio-#-e"),
        ("V8Worker", "#8Worker"),
        ("job-jane@shop", "job-#@shop"),
        ("sk_live_51H8xQ2", "#"),
        ("nginx: worker process", "nginx: worker process"),
        ("postgres: jane shop 10.0.0.5(5432) idle", "postgres: # shop #.#.#.#(#) idle"),
        ("\u{fc}ber\u{fffd}", "#"),
        ("", ""),
    ];
    assert_eq!(differences(&names, mask_name), Vec::<String>::new());
    assert!(!shows_words("#-12") && shows_words("# open"));
}

/// Whether a word of `secret` is shown that `around` does not have.
fn leaks(masked: &str, secret: &str, around: &str) -> bool {
    let is_end = |char: char| !char.is_alphanumeric();
    let words = secret.split(is_end).filter(|word| word.chars().count() > 2 && !words::is_term(word));
    words.into_iter().any(|word| masked.contains(word) && !around.contains(word))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// A word of letters that is in no list, a number, an address, a token; anywhere in a text, quoted or not.
    #[test]
    fn no_word_of_a_secret_is_shown(
        secret in "[a-z]{6,12}|[0-9 -]{4,19}|[a-z]{3,8}@[a-z]{3,8}\\.com|[A-Za-z0-9+/=_-]{20,40}|\\PC{1,30}",
        before in "(the user |no such |invalid |key=|password: |\\(|'|\"|`|\u{ab})?",
        after in "( is not valid|' already exists|\"|\\)|`|\u{bb}|, try again|)",
    ) {
        let masked = mask_text(&format!("{before}{secret}{after}"));
        prop_assert!(!leaks(&masked, &secret, &format!("{before}{after}")), "{secret:?} in {masked:?}");
    }

    #[test]
    fn all_that_is_shown_is_in_the_list(text in "\\PC{0,300}") {
        let masked = mask_text(&text);
        let is_end = |char: char| !(char.is_alphanumeric() || matches!(char, '_' | '-' | '/' | '\''));
        for word in masked.split(is_end).map(|word| word.trim_matches(['-', '\'', '_', '/'])).filter(|word| !word.is_empty()) {
            prop_assert!(words::is_term(word), "{word:?} of {masked:?}");
        }
        prop_assert!(masked.chars().count() <= 2 * text.chars().count());
    }

    #[test]
    fn any_text_is_survived(text in ".{0,400}", bytes in proptest::collection::vec(any::<u8>(), 0..99)) {
        for text in [&*text, &*String::from_utf8_lossy(&bytes)] {
            let _ = (mask_text(text), mask_name(text));
        }
    }
}
