use super::*;

/// A frame as it is on the wire.
fn frame(first: u8, payload: &[u8], mask: Option<[u8; 4]>) -> Vec<u8> {
    let masked = if mask.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..=125 => bytes.push(masked | length as u8),
        length @ 126..=0xFFFF => {
            bytes.push(masked | 0x7E);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(masked | 0x7F);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(mask.unwrap_or_default().iter().take(if mask.is_some() { 4 } else { 0 }));
    let key = mask.unwrap_or_default();
    bytes.extend(payload.iter().enumerate().map(|(index, byte)| byte ^ key[index % 4]));
    bytes
}

/// What is seen of bytes that come in pieces of these lengths, again and again.
fn read(bytes: &[u8], mut length: impl FnMut() -> usize) -> FrameEvents {
    let (mut reader, mut sum, mut rest) = (FrameReader::new(), FrameEvents::default(), bytes);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(length().clamp(1, rest.len()));
        let seen = reader.read(piece);
        sum.messages += seen.messages;
        sum.close = sum.close.or(seen.close);
        sum.is_malformed |= seen.is_malformed;
        rest = after;
    }
    sum
}

fn conversation(mask: Option<[u8; 4]>) -> Vec<u8> {
    [
        frame(0x81, b"text", mask),
        frame(0x82, &vec![0xFF; 70_000], mask),
        frame(0x01, &[b'a'; 126], mask),
        frame(0x89, b"ping within a message", mask),
        frame(0x00, b"", mask),
        frame(0x80, &vec![b'z'; 65_535], mask),
        frame(0x8A, b"", mask),
        // A compressed one has a bit more.
        frame(0xC1, b"compressed", mask),
        frame(0x81, b"", mask),
        frame(0x88, &[&4001_u16.to_be_bytes()[..], b"go away"].concat(), mask),
        b"after the close frame anything may come".to_vec(),
    ]
    .concat()
}

const ALL: FrameEvents = FrameEvents { messages: 5, close: Some(4001), is_malformed: false };

#[test]
fn messages_and_the_close_code_are_the_same_for_any_split_of_the_bytes() {
    for mask in [None, Some([0x12, 0x34, 0x56, 0x78])] {
        let bytes = conversation(mask);
        assert_eq!(read(&bytes, || 1), ALL);
        assert_eq!(read(&bytes, || usize::MAX), ALL);
        let mut random = fastrand::Rng::with_seed(7);
        for round in 0..40 {
            let most = [3, 20, 300, 70_000][round % 4];
            assert_eq!(read(&bytes, || random.usize(1..most)), ALL, "pieces of up to {most} bytes");
        }
    }
}

#[test]
fn what_is_no_frame_ends_the_reading_and_nothing_before_it_is_lost() {
    let text = frame(0x81, b"text", None);
    for malformed in [
        frame(0x83, b"a reserved opcode", None),
        frame(0x8B, b"another", None),
        frame(0x09, b"a ping in parts", None),
        frame(0x89, &[0; 126], None),
        frame(0x80, b"goes on with nothing", None),
        frame(0x88, b"x", None),
        [&[0x82, 127], &[0xFF; 8][..]].concat(),
        b"GET / HTTP/1.1\r\n".to_vec(),
    ] {
        let seen = read(&[&text[..], &malformed, &text].concat(), || 3);
        assert_eq!(seen, FrameEvents { messages: 1, close: None, is_malformed: true }, "{malformed:?}");
    }
    let within = [frame(0x01, b"begins", None), frame(0x81, b"and another begins", None)].concat();
    assert_eq!(read(&within, || 5), FrameEvents { is_malformed: true, ..FrameEvents::default() });
}

#[test]
fn a_close_frame_may_have_no_code() {
    assert_eq!(read(&frame(0x88, b"", Some([1; 4])), || 1).close, Some(1005));
    assert_eq!(read(&frame(0x88, &[3, 232], Some([9; 4])), || 1).close, Some(1000));
}

#[test]
fn random_bytes_are_read_without_a_panic() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..5_000 {
        let bytes: Vec<u8> = (0..random.usize(1..200)).map(|_| random.u8(..)).collect();
        let whole = read(&bytes, || usize::MAX);
        assert_eq!(read(&bytes, || random.usize(1..20)), whole, "{bytes:?}");
    }
}
