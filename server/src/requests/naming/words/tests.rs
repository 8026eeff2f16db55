//! Which parts of a path are words.

use super::*;

#[test]
fn a_word_of_the_language_may_be_a_name() {
    for segment in ["goblins", "gorilla", "refill", "bulky-pickups", "rumours", "Moisture"] {
        assert_eq!(term(segment), Term::Dictionary, "{segment}");
    }
    assert_eq!(term("correct-horse-zebra-staple"), Term::Other);
    // Two in one may be a password as well: they have to recur.
    for segment in ["cardholders", "correcthorse"] {
        assert_eq!(term(segment), Term::OneUnknown, "{segment}");
    }
}

#[test]
fn names_of_routes_are_words() {
    for segment in [
        "orders",
        "order-items",
        "orderItems",
        "OrderItems",
        "order_items",
        "v1",
        "V2",
        "1.0",
        "v1beta1",
        "api",
        "oauth2",
        "k8s",
        "utf8",
        "npm",
        "mlflow",
        "api-docs",
        "favicon.ico",
        "graphql",
        "webhooks",
        ".well-known",
        "openid-configuration",
        "_next",
        "__webpack_hmr",
        "healthz",
        "healthcheck",
        "workorders",
        "2fa",
        "s3",
        "robots.txt",
        "apple-touch-icon.png",
        "u",
        "-",
        "IPv4",
        "getUserById",
        "archiving",
        "batchGet",
        "login.php",
        "telehealth",
        "clinicians",
        "bestellungen",
        "utilisateurs",
    ] {
        assert_eq!(term(segment), Term::Words, "{segment}");
    }
}

#[test]
fn what_may_be_a_secret_is_no_word() {
    for segment in [
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "xoxb-1234-abcd",
        "V1StGXR8_Z5jdHi6B-myT",
        "dQw4w9WgXcQ",
        "Xk29dLqP",
        "hunter2",
        "jane.doe",
        "tOkEn",
        "prMbHRCs",
        "KVNorsPi",
        "A",
        "--",
        "order-17",
        "HE-jsANY",
        "DO_AD-Go",
        "jane@example.org",
        "a_b_c_d",
        "zqxwvkjp",
        "caf%C3%A9",
        "",
    ] {
        assert_eq!(term(segment), Term::Other, "{segment}");
    }
}

#[test]
fn one_unknown_word_that_can_be_pronounced_may_be_a_name() {
    for segment in ["musteriler", "siparisler", "jane", "jane-orders"] {
        assert_eq!(term(segment), Term::OneUnknown, "{segment}");
    }
}
