//! Sign-ins leak nothing: a thousand in each test run, `SIGN_INS` for more.

use std::process::Stdio;

use tokio::process::Command;
use watchboard_test_support::{Binary, Visitor};

/// Of "correct horse battery", by the cheapest parameters there are.
const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gLHIkr1qgP4r3sH1P/NIg3+PMckaLQ3RkuIiytJhVlY";

/// After the first ones, if the environment has no `SIGN_INS`.
const SIGN_INS: u32 = 1_000;

#[tokio::test]
async fn sign_ins_take_no_memory() {
    let count = std::env::var("SIGN_INS").map_or(SIGN_INS, |count| count.parse().expect("SIGN_INS is a number"));
    let mut command = Command::new(watchboard_test_support::binary_path());
    command.args(["--password-hash", HASH]).stderr(Stdio::piped()).kill_on_drop(true);
    let board = Binary::from_command(command).await;
    let visitor = Visitor::new(board.client.address);
    let sign_ins = async |count: u32| {
        for number in 0..count {
            let one = visitor.clone().from(u8::try_from(number % 200 + 1).unwrap());
            assert_eq!(one.post("/sign-in", "password=correct+horse+battery").await.status(), 303);
        }
    };
    // The sessions that are kept at once, and what the allocator keeps, are there after a while.
    sign_ins(2_000).await;
    let before = board.resident_bytes() >> 10;
    sign_ins(count).await;
    let after = board.resident_bytes() >> 10;
    println!("resident: {before} KiB before, {after} KiB after {count} sign-ins");
    assert!(after <= before + 2048, "{before} KiB before, {after} KiB after");
}
