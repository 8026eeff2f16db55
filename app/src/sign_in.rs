//! The page that asks for the password. It holds its style, because its viewer may not load the assets yet.

use base64::{Engine, prelude::BASE64_STANDARD};
use leptos::prelude::*;

use crate::preferences::Preferences;

/// The contents of the page.
#[derive(Clone, Debug)]
pub struct SignIn<'a> {
    /// The path to which the form is sent.
    pub action: &'a str,
    /// The query of the requested view, which the form sends back.
    pub next: &'a str,
    /// The reason in a sentence why the last attempt failed; `None` before the first.
    pub refused: Option<&'a str>,
    /// Whether the board has a password.
    pub has_password: bool,
    /// The `Cookie` header, for the theme.
    pub cookies: &'a str,
    /// The board's style sheet.
    pub style: &'static str,
    /// The board's icon, as SVG.
    pub icon: &'static str,
    /// The nonce of the style in the page's content security policy.
    pub nonce: &'a str,
}

/// The document.
pub fn sign_in_page(page: &SignIn<'_>) -> String {
    let theme = Preferences::from_cookies(page.cookies).theme.word();
    let icon = format!("data:image/svg+xml;base64,{}", BASE64_STANDARD.encode(page.icon));
    let refused =
        page.refused.map(|reason| view! { <p class="refused" id="refused" role="alert">{reason.to_owned()}</p> });
    let content = if page.has_password { form(page).into_any() } else { view! { <p>{NO_PASSWORD}</p> }.into_any() };
    let document = view! {
        <html lang="en" data-theme=theme>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="robots" content="noindex" />
                <title>"Sign in to Watchboard"</title>
                <link rel="icon" href=icon />
                <style nonce=page.nonce.to_owned() inner_html=page.style></style>
            </head>
            <body>
                <main class="sign-in">
                    <h1>"Watchboard"</h1>
                    {refused}
                    {content}
                </main>
            </body>
        </html>
    };
    ["<!DOCTYPE html>", &document.to_html()].concat()
}

fn form(page: &SignIn<'_>) -> impl IntoView + use<> {
    let invalid = page.refused.is_some();
    view! {
        <form method="post" action=page.action.to_owned()>
            <input type="hidden" name="next" value=page.next.to_owned() />
            // For password managers: the only user.
            <input type="text" name="user" value="watchboard" autocomplete="username" readonly hidden />
            <label for="password">"Password"</label>
            <input
                type="password"
                id="password"
                name="password"
                autocomplete="current-password"
                required
                autofocus
                aria-invalid=invalid.then_some("true")
                aria-describedby=invalid.then_some("refused")
            />
            <button type="submit">"Sign in"</button>
        </form>
    }
}

const NO_PASSWORD: &str = "This board has no password, so nobody can sign in: it gives its figures to programs that have its token. \
                           Whoever runs it can set one; `watchboard --help` tells how.";

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: SignIn<'static> = SignIn {
        action: "/ops/sign-in",
        next: "view=memory&filter=\"><script>",
        refused: None,
        has_password: true,
        cookies: "watchboard_preferences=dark-2-running",
        style: "main > h1 { color: red }",
        icon: "<svg/>",
        nonce: "abc",
    };

    #[test]
    fn it_asks_in_the_viewers_theme_and_knows_where_to_go_on() {
        let html = sign_in_page(&PAGE);
        for part in [
            "data-theme=\"dark\"",
            "action=\"/ops/sign-in\"",
            "main > h1 { color: red }",
            "nonce=\"abc\"",
            "view=memory&amp;",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("<script>") && !html.contains("role=\"alert\""), "{html}");
    }

    #[test]
    fn a_refusal_is_told_with_the_field() {
        let html = sign_in_page(&SignIn { refused: Some("The password is not right."), ..PAGE });
        assert!(html.contains("role=\"alert\"") && html.contains("aria-describedby=\"refused\""), "{html}");
    }

    #[test]
    fn without_a_password_there_is_no_field() {
        let html = sign_in_page(&SignIn { has_password: false, ..PAGE });
        assert!(html.contains("no password") && !html.contains("<input"), "{html}");
    }
}
