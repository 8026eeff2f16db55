//! A server of MongoDB's protocol that says of itself what it is told to: versions and kinds of server that no package has.

use mongodb::bson::{Document, deserialize_from_slice, doc, serialize_to_vec};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const OP_REPLY: i32 = 1;
const OP_QUERY: i32 = 2004;
const OP_MSG: i32 = 2013;

/// Starts it, and returns its port. It answers every greeting with these fields, and every other command with an error.
pub async fn scripted_mongod(hello: Document) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let hello = hello.clone();
            tokio::spawn(async move { while_connected(stream, &hello).await });
        }
    });
    port
}

async fn while_connected(mut stream: TcpStream, hello: &Document) -> std::io::Result<()> {
    loop {
        let mut header = [0; 16];
        stream.read_exact(&mut header).await?;
        let field = |at: usize| i32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes"));
        let (length, request, operation) = (field(0), field(4), field(12));
        let mut body = vec![0; usize::try_from(length - 16).expect("a length")];
        stream.read_exact(&mut body).await?;
        let document = match operation {
            // Flags and the kind of the section.
            OP_MSG => 5,
            // Flags, the name of the collection, and two numbers.
            OP_QUERY => 4 + body[4..].iter().position(|byte| *byte == 0).expect("an end") + 1 + 8,
            other => panic!("operation {other}"),
        };
        let question: Document = deserialize_from_slice(&body[document..]).expect("a document");
        let is_greeting = ["hello", "isMaster", "ismaster"].iter().any(|name| question.contains_key(name));
        let mut answer = if is_greeting {
            hello.clone()
        } else {
            doc! { "ok": 0, "code": 59, "errmsg": "no such command" }
        };
        if is_greeting {
            let limits =
                doc! { "maxBsonObjectSize": 16 << 20, "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000 };
            answer.extend(limits);
            answer.insert("ok", 1.0);
        }
        let answer = serialize_to_vec(&answer).expect("it can be written");
        let (operation, head) = match operation {
            OP_MSG => (OP_MSG, vec![0; 5]),
            // Flags, a cursor, where it starts, one document.
            _ => (OP_REPLY, [&[0; 16][..], &1_i32.to_le_bytes()].concat()),
        };
        let length = i32::try_from(16 + head.len() + answer.len()).expect("a short answer");
        let header = [length, 0, request, operation].map(i32::to_le_bytes).concat();
        stream.write_all(&[header, head, answer].concat()).await?;
    }
}
