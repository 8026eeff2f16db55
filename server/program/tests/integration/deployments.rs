//! Connection strings that do not fit the deployment, and servers that cannot be used as they are: each is named by what the
//! server says of itself, with what to do.

use std::time::Duration;

use mongodb::bson::doc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use watchboard_test_support::{Mongod, ReplicaSet, free_port, scripted_mongod};

use super::watch::Watch;

/// The sentence holds all of these words.
fn assert_says(status: &str, words: &[&str]) {
    for words in words {
        assert!(status.contains(words), "{words:?} is not in {status:?}");
    }
}

/// A started member, and the command that makes it a set of its own under this address.
async fn initiate(mongod: &Mongod, address: &str) {
    let client = mongodb::Client::with_uri_str(mongod.uri()).await.unwrap();
    let config = doc! { "_id": "rs0", "members": [{ "_id": 0, "host": address }] };
    client.database("admin").run_command(doc! { "replSetInitiate": config }).await.expect("it is initiated");
    primary(&client).await;
}

/// Waits until a set of one member has its configuration and its primary: it takes connections before it has read the one.
async fn primary(client: &mongodb::Client) {
    let is_primary = async || {
        let hello = client.database("admin").run_command(doc! { "hello": 1 }).await.unwrap();
        hello.get_bool("isWritablePrimary").unwrap_or(false)
    };
    while !is_primary().await {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

const MEMBER: [&str; 4] = ["--replSet", "rs0", "--oplogSize", "16"];

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_advertises_a_name_which_is_not_known_here() {
    let Some(mut mongod) = Mongod::start_with_name(&MEMBER, "mongo-1").await else {
        return eprintln!("skipped: this user may not mount an /etc/hosts of its own for the server");
    };
    let advertised = format!("mongo-1:{}", mongod.port);
    initiate(&mongod, &advertised).await;
    let address = format!("127.0.0.1:{}", mongod.port);
    for query in ["", "?replicaSet=rs0"] {
        let watch = Watch::start(&format!("mongodb://{address}/{query}")).await;
        let status = watch.shown("unreachable", "an unknown name").await;
        assert_says(&status, &[&address, &advertised, "set rs0", "directConnection=true"]);
    }
    let alone = Watch::start(&mongod.uri()).await;
    alone.shown_healthy("directConnection").await;

    // The server itself goes, and comes back under a name that is known here: no restart of the board is needed.
    let watch = Watch::start(&format!("mongodb://{address}/")).await;
    watch.shown("unreachable", "an unknown name").await;
    mongod.kill().await;
    watch.shown("connection refused", "killed").await;
    mongod.restart().await;
    let client = mongodb::Client::with_uri_str(mongod.uri()).await.unwrap();
    primary(&client).await;
    let admin = client.database("admin");
    let config = admin.run_command(doc! { "replSetGetConfig": 1 }).await.unwrap();
    let mut config = config.get_document("config").unwrap().clone();
    let members = config.get_array_mut("members").unwrap();
    members[0].as_document_mut().unwrap().insert("host", &address);
    config.insert("version", 1000);
    admin.run_command(doc! { "replSetReconfig": config, "force": true }).await.unwrap();
    watch.shown_healthy("the set has a name that is known here").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_advertises_an_address_where_nobody_is() {
    let mongod = Mongod::start(&MEMBER).await;
    initiate(&mongod, &format!("localhost:{}", mongod.port)).await;
    let watch = Watch::start(&format!("mongodb://127.0.0.1:{}/", mongod.port)).await;
    watch.shown_healthy("another name of the same address").await;

    let nobody = format!("127.0.0.1:{}", free_port());
    let hello = doc! { "setName": "rs0", "ismaster": true, "me": &nobody, "hosts": [&nobody], "maxWireVersion": 17 };
    let port = scripted_mongod(hello).await;
    let watch = Watch::start(&format!("mongodb://127.0.0.1:{port}/")).await;
    let status = watch.shown("connection refused", "an address where nobody is").await;
    assert_says(&status, &["set rs0", &nobody, &format!("127.0.0.1:{port} answers"), "directConnection=true"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_set_of_another_name() {
    let mongod = Mongod::start(&MEMBER).await;
    let address = format!("127.0.0.1:{}", mongod.port);
    let watch = Watch::start(&format!("mongodb://{address}/?directConnection=true")).await;
    let status = watch.shown("no primary", "not initiated").await;
    assert_says(&status, &["not initiated", "rs.initiate()"]);
    drop(watch);
    let watch = Watch::start(&format!("mongodb://{address}/?replicaSet=rs0")).await;
    let status = watch.shown("no primary", "not initiated, by its set's name").await;
    assert_says(&status, &["not initiated", "rs.initiate()", &address]);
    initiate(&mongod, &address).await;
    watch.shown_healthy("initiated").await;
    drop(watch);
    for query in ["replicaSet=shop", "replicaSet=shop&directConnection=true"] {
        let watch = Watch::start(&format!("mongodb://wvk:s3cret@{address}/?{query}")).await;
        let status = watch.shown("bad connection string", query).await;
        assert_says(&status, &["replicaSet=shop", "set rs0", "replicaSet=rs0", &address]);
        assert!(!status.contains("s3cret"), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standalone_that_is_taken_for_something_else() {
    let (first, second) = (Mongod::start(&[]).await, Mongod::start(&[]).await);
    let [first, second] = [first, second].map(|mongod| (format!("127.0.0.1:{}", mongod.port), mongod));
    for query in ["replicaSet=rs0", "replicaSet=rs0&directConnection=true"] {
        let watch = Watch::start(&format!("mongodb://{}/?{query}", first.0)).await;
        let status = watch.shown("bad connection string", query).await;
        assert_says(&status, &["replicaSet=rs0", "standalone", &first.0]);
    }
    let watch = Watch::start(&format!("mongodb://{},{}/", first.0, second.0)).await;
    let status = watch.shown("bad connection string", "two servers that are no set").await;
    assert_says(&status, &["it names 2 servers", "is a standalone server"]);
    let watch = Watch::start(&format!("mongodb://{}/?loadBalanced=true", first.0)).await;
    let status = watch.shown("bad connection string", "no load balancer").await;
    assert_says(&status, &["loadBalanced=true"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_in_maintenance_or_without_data() {
    let set = ReplicaSet::with_third(doc! { "arbiterOnly": true }, &[]).await;
    let watch = Watch::start(&set.members[2].uri()).await;
    let status = watch.shown("no primary", "an arbiter").await;
    assert_says(&status, &["arbiter"]);
    drop(watch);
    let secondary = set.secondary().await;
    set.ask(secondary, doc! { "replSetMaintenance": true }).await.unwrap();
    let watch = Watch::start(&set.members[secondary].uri()).await;
    let status = watch.shown("no primary", "in maintenance").await;
    assert_says(&status, &["RECOVERING"]);
    drop(watch);
    let watch = Watch::start(&set.uri()).await;
    watch.shown_healthy("the primary is well").await;
    let recovering = |health: &serde_json::Value| health["reasons"].to_string().contains("is RECOVERING");
    watch.0.client.wait_for_json("/health", Duration::from_secs(15), recovering).await;
}

/// A server that greets with one text, answers each message with another, and closes or not.
async fn foreign_server(greeting: &'static str, answer: &'static str, closes: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = vec![0; 4096];
                stream.write_all(greeting.as_bytes()).await?;
                while stream.read(&mut buffer).await? > 0 {
                    stream.write_all(answer.as_bytes()).await?;
                    if closes {
                        break;
                    }
                }
                std::io::Result::Ok(())
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_no_mongodb() {
    let http = "HTTP/1.1 400 Bad Request\r\nContent-Length: 9\r\nConnection: close\r\n\r\nc4nary!!\n";
    for (name, greeting, answer, closes) in [
        ("a web server", "", http, true),
        ("Redis", "", "-ERR unknown command 'c4nary'\r\n", false),
        ("SSH", "SSH-2.0-OpenSSH_9.2 c4nary\r\n", "Invalid SSH identification string.\r\n", true),
        ("MySQL", "J\0\0\0\n8.0.36\0c4nary---------------------------------------------", "\0", true),
    ] {
        let port = foreign_server(greeting, answer, closes).await;
        let watch = Watch::start(&format!("mongodb://127.0.0.1:{port}/")).await;
        let status = watch.shown("wrong protocol", name).await;
        assert!(!status.contains("c4nary"), "{status}");
    }
    // A board of our own is a web server as well.
    let upstream = Watch::start("mongodb://127.0.0.1:1/").await;
    let watch = Watch::start(&format!("mongodb://127.0.0.1:{}/", upstream.0.client.address.port())).await;
    watch.shown("wrong protocol", "a real web server").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_that_only_one_side_speaks_or_trusts() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(file("pair.pem"), cert.pem() + &signing_key.serialize_pem()).unwrap();
    std::fs::write(file("ca.pem"), cert.pem()).unwrap();
    let required = ["--tlsMode", "requireTLS", "--tlsCertificateKeyFile", &file("pair.pem")];
    let mongod = Mongod::start(&required).await;
    let watch = Watch::start(&mongod.uri()).await;
    let status = watch.shown("TLS failed", "a plain connection to a server with TLS").await;
    assert_says(&status, &["tls=true"]);
    let secure = |host: &str, port: u16| {
        format!("mongodb://{host}:{port}/?directConnection=true&tls=true&tlsCAFile={}", file("ca.pem"))
    };
    let watch = Watch::start(&format!("{}&tls=true", mongod.uri())).await;
    let status = watch.shown("TLS failed", "an authority that is not trusted").await;
    assert_says(&status, &["tlsCAFile"]);
    let watch = Watch::start(&secure("127.0.0.1", mongod.port)).await;
    let status = watch.shown("TLS failed", "a certificate for another name").await;
    assert_says(&status, &["name"]);
    let watch = Watch::start(&secure("localhost", mongod.port)).await;
    watch.shown_healthy("TLS on both sides").await;
    drop(mongod);

    let mutual = Mongod::start(&[&required[..], &["--tlsCAFile", &file("ca.pem")]].concat()).await;
    let watch = Watch::start(&secure("localhost", mutual.port)).await;
    // This server ends the connection without saying why.
    let status = watch.shown("connection broken off", "a server that asks for a certificate").await;
    assert_says(&status, &["tlsCertificateKeyFile"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_ipv6_and_of_a_socket_file() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return eprintln!("skipped: this machine has no IPv6");
    }
    let mut mongod = Mongod::start(&["--ipv6"]).await;
    let watch = Watch::start(&mongod.uri()).await;
    watch.shown_healthy("IPv6").await;
    mongod.signal("STOP").await;
    watch.shown("frozen", "stopped").await;
    mongod.signal("CONT").await;
    watch.shown_healthy("continued").await;
    mongod.kill().await;
    watch.shown("connection refused", "killed").await;

    let folder = tempfile::tempdir().unwrap();
    let mut mongod = Mongod::start(&["--unixSocketPrefix", folder.path().to_str().unwrap()]).await;
    let socket = folder.path().join(format!("mongodb-{}.sock", mongod.port));
    let watch = Watch::start(&format!("mongodb://{}/", socket.to_str().unwrap().replace('/', "%2F"))).await;
    watch.shown_healthy("a socket file").await;
    mongod.signal("STOP").await;
    watch.shown("frozen", "stopped").await;
    mongod.signal("CONT").await;
    mongod.kill().await;
    watch.shown("connection refused", "killed").await;
    std::fs::remove_file(socket).unwrap();
    watch.shown("unreachable", "no such file").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_no_more_connections() {
    let mongod = Mongod::start(&["--maxConns", "5"]).await;
    let mut held = vec![];
    for _ in 0..5 {
        held.push(tokio::net::TcpStream::connect((mongod.address(), mongod.port)).await.unwrap());
    }
    let watch = Watch::start(&mongod.uri()).await;
    let status = watch.shown("connection broken off", "no connection is left").await;
    assert_says(&status, &["connections"]);
    drop(held);
    watch.shown_healthy("connections are free again").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_too_old_and_a_router() {
    let old = scripted_mongod(doc! { "ismaster": true, "minWireVersion": 0, "maxWireVersion": 5 }).await;
    let watch = Watch::start(&format!("mongodb://127.0.0.1:{old}/")).await;
    let status = watch.shown("error", "a server of 2017").await;
    assert_says(&status, &["wire versions 0 to 5", &format!("127.0.0.1:{old}")]);

    let router = doc! { "ismaster": true, "isWritablePrimary": true, "msg": "isdbgrid", "maxWireVersion": 17 };
    let router = scripted_mongod(router).await;
    let watch = Watch::start(&format!("mongodb://127.0.0.1:{router}/")).await;
    watch.shown_healthy("a router").await;
    assert_eq!(watch.0.client.json("/health").await["database"]["topology"], "sharded cluster");
    let watch = Watch::start(&format!("mongodb://127.0.0.1:{router}/?replicaSet=rs0")).await;
    let status = watch.shown("bad connection string", "a router that is taken for a set").await;
    assert_says(&status, &["replicaSet=rs0", "router"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_only_the_other_members_reach() {
    let nobody = format!("127.0.0.1:{}", free_port());
    let member = doc! {
        "setName": "rs0", "secondary": true, "primary": &nobody, "minWireVersion": 0, "maxWireVersion": 17,
        "hosts": [&nobody],
    };
    let port = scripted_mongod(member).await;
    let watch = Watch::start(&format!("mongodb://127.0.0.1:{port}/?replicaSet=rs0")).await;
    let status = watch.shown("connection refused", "a primary that others reach").await;
    assert_says(&status, &["primary", &nobody]);
}
