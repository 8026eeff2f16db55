//! All that a board says, as text: for tests of what it never says.

use super::TestClient;

/// The paths of a board: its documents, and each of its views.
const PATHS: [&str; 9] = [
    "health",
    "api/v1/health",
    "metrics",
    "readyz",
    "?view=overview",
    "?view=requests",
    "?view=memory",
    "?view=database",
    "?view=requests&window=1m",
];

/// Every answer of the board at `base`, by its path, with the view of each of these endpoints. The figures that a page carries for the
/// browser are in base64: they follow the page, decoded.
pub async fn board_texts(client: &TestClient, base: &str, endpoints: &[String]) -> Vec<(String, String)> {
    let views = endpoints.iter().map(|endpoint| format!("?view=requests&endpoint={}", endpoint.replace(' ', "+")));
    let mut texts = vec![];
    for path in PATHS.into_iter().map(ToOwned::to_owned).chain(views) {
        let (status, body) = client.send("GET", &format!("{base}/{path}")).await;
        assert_eq!(status, 200, "{path}");
        let page = String::from_utf8_lossy(&body).into_owned();
        let mut figures = page.split('"').filter(|text| text.len() > 200).map(base64_decoded);
        let decoded = figures.by_ref().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect::<String>();
        texts.push((path, page + &decoded));
    }
    texts
}

/// The places where one of `words` stands, in whatever case, with what is around it.
pub fn places_of(words: &[&str], texts: &[(String, String)]) -> Vec<String> {
    let mut places = vec![];
    for (path, text) in texts {
        let text = text.to_lowercase();
        for word in words {
            if let Some(at) = text.find(&word.to_lowercase()) {
                let around: String = text[..at].chars().rev().take(60).collect();
                let around: String = around.chars().rev().chain(text[at..].chars().take(60)).collect();
                places.push(format!("{word} in {path}: {around}"));
            }
        }
    }
    places
}

/// What of a text is base64, as bytes.
fn base64_decoded(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u8> = text.bytes().map_while(digit).collect();
    let group = |four: &[u8]| {
        let bits = four.iter().fold(0u32, |bits, digit| bits << 6 | u32::from(*digit));
        [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]
    };
    digits.chunks_exact(4).flat_map(group).collect()
}
