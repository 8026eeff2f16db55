//! Command lines of real servers: what is shown of them, and what never is.

use super::*;
use proptest::prelude::*;

/// A command line in words; by its executable, if that has another name than the first word.
fn line(line: &str, executable: Option<&str>) -> CommandLine {
    let words: Vec<&str> = line.split(' ').collect();
    CommandLine::new(&words, executable.or(Some(names::last_part(words[0]))))
}

#[test]
fn interpreter_and_script_are_shown_or_the_program() {
    for (text, shown, name) in [
        ("/usr/bin/python3 -m uvicorn shop:app --port 80", "python3 -m uvicorn", "uvicorn"),
        ("/usr/bin/python3.11 /opt/venv/bin/gunicorn shop:app", "python3.11 gunicorn", "gunicorn"),
        ("python3 -u -X dev -W ignore manage.py runserver TOKEN", "python3 manage.py", "manage"),
        ("node /srv/server.js TOKEN", "node server.js", "server"),
        (
            "node --inspect --require ./TOKEN.js --max-old-space-size=4096 /srv/server.js TOKEN",
            "node server.js",
            "server",
        ),
        ("node server TOKEN", "node server", "server"),
        ("node --unknown TOKEN server.js", "node", "node"),
        ("node -e TOKEN", "node", "node"),
        ("bun run start TOKEN", "bun run start", "start"),
        ("bun server.ts TOKEN", "bun server.ts", "server"),
        ("deno run --allow-net -c TOKEN main.ts TOKEN", "deno run main.ts", "main"),
        ("deno run https://TOKEN@example.com/main.ts", "deno", "deno"),
        ("ruby bin/rails server -p 3000", "ruby rails", "rails"),
        ("perl -w /srv/app.pl TOKEN", "perl app.pl", "app"),
        ("php artisan serve --key TOKEN", "php artisan", "artisan"),
        ("php -d TOKEN -S 0.0.0.0:80 -t public router.php", "php router.php", "router"),
        ("java -Xmx1g -Dpassword=TOKEN -jar /srv/shop.jar TOKEN", "java -jar shop.jar", "shop"),
        ("java -cp TOKEN:/srv com.example.Main TOKEN", "java com.example.Main", "com.example.Main"),
        ("dotnet App.dll TOKEN", "dotnet App.dll", "App"),
        ("dotnet run --project TOKEN", "dotnet run", "run"),
        ("/bin/sh -e start.sh TOKEN", "sh start.sh", "start"),
        ("sh -c TOKEN", "sh", "sh"),
        ("-bash TOKEN.sh", "bash TOKEN.sh", "TOKEN"),
        ("/usr/lib/erlang/erts-13/bin/beam.smp -- -root /usr -setcookie TOKEN", "beam.smp", "beam.smp"),
        ("/srv/target/release/shop --database TOKEN", "shop", "shop"),
        ("shop TOKEN PASSWORD=TOKEN user:TOKEN@host", "shop", "shop"),
        ("python3 -c TOKEN", "python3", "python3"),
        ("python3 user:TOKEN@host", "python3", "python3"),
    ] {
        let command = line(text, None);
        assert_eq!((&*command.shown, &*command.name), (shown, name), "{text}");
    }
    let spawned =
        ["python3", "-B", "-c", "from multiprocessing.spawn import spawn_main; TOKEN", "--multiprocessing-fork"];
    assert_eq!(CommandLine::new(&spawned, Some("python3.11")).shown, "python3 multiprocessing.spawn");
    assert_eq!(CommandLine::new(&[""], None), CommandLine::default());
}

#[test]
fn a_title_and_a_first_word_that_is_no_file_are_masked() {
    for (text, executable, shown, name) in [
        (
            "nginx: master process /usr/sbin/nginx -g daemon off;",
            Some("nginx"),
            "nginx: master process # daemon off;",
            "nginx",
        ),
        ("gunicorn: worker [shop:TOKEN]", Some("python3.11"), "gunicorn: worker #", "gunicorn"),
        ("postgres: jane orders 10.0.0.5(5432) SELECT", Some("postgres"), "postgres: # orders # SELECT", "postgres"),
        ("puma 6.4.0 (tcp://0.0.0.0:9292) [jane]", Some("ruby3.1"), "puma #", "puma"),
        ("c4nary token", Some("node"), "node", "node"),
        ("c4nary token", None, "process", "process"),
        ("c4nary", Some("node"), "node", "node"),
        ("c4nary", None, "process", "process"),
        ("/srv/shop", None, "shop", "shop"),
        ("My Server", Some("My Server"), "My Server", "My Server"),
    ] {
        let command = CommandLine::new(&[text], executable);
        assert_eq!((&*command.shown, &*command.name), (shown, name), "{text}");
    }
}

#[test]
fn this_process_has_a_command_line() {
    let command = CommandLine::from_process(std::process::id());
    assert!(command.shown.starts_with("watchboard-") && command.name == command.shown, "{command:?}");
    assert_eq!(CommandLine::from_process(u32::MAX), CommandLine::default());
}

proptest! {
    #[test]
    fn any_words_are_survived(words in proptest::collection::vec(".{0,20}", 0..9), executable in proptest::option::of(".{0,9}")) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let _ = CommandLine::new(&words, executable.as_deref());
    }

    /// No argument of a program, and none behind a script.
    #[test]
    fn no_argument_is_shown(secret in "[a-zA-Z0-9=:@._/-]{6,20}", others in proptest::collection::vec("-?-?[a-z]{1,9}", 0..4)) {
        let words: Vec<&str> = others.iter().map(String::as_str).chain([&*secret]).collect();
        let shop = CommandLine::new(&[&["/srv/xyz"], &*words].concat(), Some("xyz"));
        prop_assert_eq!(shop.shown, "xyz");
        let script = CommandLine::new(&[&["node", "xyz.js"], &*words].concat(), Some("node"));
        prop_assert_eq!(script.shown, "node xyz.js");
    }
}
