//! Languages and countries: `/captions/pt-BR`, `/markets/de`.

/// Frequent languages and countries. Those that are words of routes as well, as `at`, `id`, `in`, `me` or `my`, are left out.
const LOCALES: &[&str] = &[
    "au", "be", "bg", "br", "ca", "ch", "cn", "cs", "cz", "da", "de", "dk", "el", "en", "es", "et", "eu", "fi", "fr",
    "gb", "gr", "he", "hi", "hu", "ie", "il", "it", "ja", "jp", "ko", "kr", "lt", "lv", "mx", "nl", "nz", "pl", "pt",
    "ro", "ru", "se", "sk", "sl", "sv", "th", "tr", "tw", "ua", "uk", "us", "vi", "za", "zh",
];

/// `de`, `pt-BR`, `zh_CN`
pub(super) fn is_locale(segment: &str) -> bool {
    let (language, country) = segment.split_once(['-', '_']).unwrap_or((segment, ""));
    let is_country = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    language.len() == 2 && (country.is_empty() && segment.len() == 2 || is_country) && LOCALES.contains(&language)
}
