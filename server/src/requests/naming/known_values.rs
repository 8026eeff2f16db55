//! Values of which there are few: languages and countries, currencies, and where software runs: `/captions/pt-BR`, `/rates/usd`,
//! `/flags/{name}/staging`.

/// Frequent languages and countries. Those that are words of routes as well, as `at`, `id`, `in`, `me` or `my`, are left out.
const LOCALES: &[&str] = &[
    "au", "be", "bg", "br", "ca", "ch", "cn", "cs", "cz", "da", "de", "dk", "el", "en", "es", "et", "eu", "fi", "fr",
    "gb", "gr", "he", "hi", "hu", "ie", "il", "it", "ja", "jp", "ko", "kr", "lt", "lv", "mx", "nl", "nz", "pl", "pt",
    "ro", "ru", "se", "sk", "sl", "sv", "th", "tr", "tw", "ua", "uk", "us", "vi", "za", "zh",
];

/// Frequent currencies. Those that are words as well are left out.
const CURRENCIES: &[&str] = &[
    "aed", "aud", "brl", "cad", "chf", "cny", "czk", "dkk", "eur", "gbp", "hkd", "huf", "ils", "inr", "jpy", "krw",
    "mxn", "nok", "nzd", "pln", "rub", "sek", "sgd", "thb", "twd", "uah", "usd", "zar",
];

/// Names of where software runs, which are seldom names of routes.
const ENVIRONMENTS: &[&str] = &["canary", "dev", "prod", "production", "qa", "sandbox", "staging", "uat"];

const WEEKDAYS: &[&str] = &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// `monday`
pub(super) fn is_weekday(segment: &str) -> bool {
    WEEKDAYS.contains(&segment)
}

/// `usd`
pub(super) fn is_currency(segment: &str) -> bool {
    CURRENCIES.contains(&segment)
}

/// `staging`
pub(super) fn is_environment(segment: &str) -> bool {
    ENVIRONMENTS.contains(&segment)
}

/// `de`, `DE`, `pt-BR`, `zh_CN`
pub(super) fn is_locale(segment: &str) -> bool {
    let is_small = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_capital = |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_written_so = match segment.split_once(['-', '_']) {
        Some((language, country)) => is_small(language) && country.len() == 2 && is_capital(country),
        None => segment.len() == 2 && (is_small(segment) || is_capital(segment)),
    };
    let is_language = |known: &&str| segment.get(..2).is_some_and(|language| language.eq_ignore_ascii_case(known));
    is_written_so && segment.find(['-', '_']).is_none_or(|at| at == 2) && LOCALES.iter().any(is_language)
}
