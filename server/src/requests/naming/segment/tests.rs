use super::*;

/// What is shown of a segment.
fn shown(part: &str) -> String {
    match segment(part) {
        Segment::Word => part.to_owned(),
        Segment::DictionaryWord | Segment::Unknown => "?".to_owned(),
        Segment::Parameter(shown) => shown.into_owned(),
    }
}

#[test]
fn what_differs_is_in_braces() {
    for (part, expected) in [
        ("42", "{id}"),
        ("-1", "{id}"),
        ("3fa85f64-5717-4562-b3fc-2c963f66afa6", "{uuid}"),
        ("507f1f77bcf86cd799439011", "{hash}"),
        ("3fa85f6", "{hash}"),
        ("2026-11-24", "{date}"),
        ("2026-11-24T18:03:00Z", "{date}"),
        ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "{key}"),
        ("ada@example.org", "{email}"),
        ("ada%40example.org", "{email}"),
        ("ada@1xbet.example", "{email}"),
        ("sk_live_abcdef123456", "{key}"),
        ("ORD-2024-0001", "{key}"),
        ("OPS-404", "{key}"),
        ("gizmo-42", "{name}"),
        ("@me", "@me"),
        ("ORD-2024-0001.pdf", "{file}.pdf"),
        ("+4915112345678", "{number}"),
        ("10.1.2.3", "{number}"),
        ("52.5,13.4", "{number}"),
        ("1.0", "1.0"),
        ("v1.2.3", "v1.2.3"),
        ("52.52", "{number}"),
        ("19.95", "{number}"),
        ("24.12.99", "{number}"),
        ("acme.io", "{name}"),
        ("shop.example.org", "{name}"),
        ("caf%C3%A9", "{text}"),
        ("{invented}", "{text}"),
        ("42.pdf", "{id}.pdf"),
        ("report.pdf", "report.pdf"),
        ("data.json", "data.json"),
        ("lodash-4.17.21.tgz", "{file}.tgz"),
        ("watchboard.git", "{name}.git"),
        ("list;jsessionid=99", "list"),
        ("jane;v=1", "{name}"),
        ("facade", "?"),
        ("jane", "?"),
        ("jane-gorilla", "{name}"),
        ("user:jane", "user:{name}"),
        ("7:cancel", "{id}:cancel"),
        ("documents:batchWrite", "documents:batchWrite"),
        ("jane:dragon", "{name}"),
        ("chr1:1200-3400", "{name}"),
        ("74:f0:0a:86:1c:40", "{key}"),
        ("ce:ef:0c:ec:00:a4", "{name}"),
        ("@babel", "@{name}"),
        ("~jane", "~{name}"),
        ("@vite", "@vite"),
        ("account-settings", "account-settings"),
    ] {
        assert_eq!(shown(part), expected, "{part}");
    }
}
