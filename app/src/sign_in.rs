//! The page that asks for the password, or for the token of a link. It holds its style, because its viewer may not load the assets yet.

use base64::{Engine, prelude::BASE64_STANDARD};
use leptos::{either::Either, prelude::*};

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
    /// The way to sign in.
    pub with: SignInWith<'a>,
    /// The `Cookie` header, for the theme.
    pub cookies: &'a str,
    /// The board's style sheet.
    pub style: &'static str,
    /// The board's icon, as SVG.
    pub icon: &'static str,
    /// The nonce of the style in the page's content security policy.
    pub nonce: &'a str,
}

/// The way to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInWith<'a> {
    /// The password.
    Password,
    /// The token of a link; empty if the page does not have it yet.
    Token(&'a str),
    /// Nobody can sign in.
    Nothing,
}

/// The document.
pub fn sign_in_page(page: &SignIn<'_>) -> String {
    let theme = Preferences::from_cookies(page.cookies).theme.word();
    let icon = format!("data:image/svg+xml;base64,{}", BASE64_STANDARD.encode(page.icon));
    let refused =
        page.refused.map(|reason| view! { <p class="refused" id="refused" role="alert">{reason.to_owned()}</p> });
    let content = match page.with {
        SignInWith::Password => form(page, password_field(page).into_any()).into_any(),
        SignInWith::Token(token) => form(page, token_field(page, token).into_any()).into_any(),
        SignInWith::Nothing => view! { <p>{NO_PASSWORD}</p> }.into_any(),
    };
    let document = view! {
        <html lang="en" translate="no" data-theme=theme>
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

fn form(page: &SignIn<'_>, field: AnyView) -> impl IntoView + use<> {
    view! {
        <form method="post" action=page.action.to_owned()>
            <input type="hidden" name="next" value=page.next.to_owned() />
            {field}
        </form>
    }
}

fn password_field(page: &SignIn<'_>) -> impl IntoView + use<> {
    let invalid = page.refused.is_some();
    view! {
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
    }
}

fn token_field(page: &SignIn<'_>, token: &str) -> impl IntoView + use<> {
    if !token.is_empty() {
        return Either::Left(view! {
            <input type="hidden" name="token" value=token.to_owned() />
            <p>"This link opens the board in this browser. It serves once."</p>
            <button type="submit" autofocus>"Open the board"</button>
        });
    }
    let invalid = page.refused.is_some();
    Either::Right(view! {
        <p>{ASK_FOR_TOKEN}</p>
        <label for="token">"Link or token"</label>
        <input
            type="text"
            id="token"
            name="token"
            autocomplete="off"
            spellcheck="false"
            required
            autofocus
            aria-invalid=invalid.then_some("true")
            aria-describedby=invalid.then_some("refused")
        />
        <button type="submit">"Open the board"</button>
    })
}

/// The application, or the program, has a log of its own.
const ASK_FOR_TOKEN: &str = "This board opens by a link. The newest one is in the log of the program that serves it. Open it, or paste it here.";

const NO_PASSWORD: &str = "This board has no password, so nobody can sign in: it gives its figures to programs that have its token. \
                           Whoever runs it can set one; `watchboard --help` tells how.";

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: SignIn<'static> = SignIn {
        action: "/ops/sign-in",
        next: "view=memory&filter=\"><script>",
        refused: None,
        with: SignInWith::Password,
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
        let html = sign_in_page(&SignIn { with: SignInWith::Nothing, ..PAGE });
        assert!(html.contains("no password") && !html.contains("<input"), "{html}");
    }

    #[test]
    fn a_link_needs_a_click_and_its_token_can_be_pasted() {
        let html = sign_in_page(&SignIn { with: SignInWith::Token("ab12"), ..PAGE });
        assert!(
            html.contains("type=\"hidden\" name=\"token\" value=\"ab12\"") && html.contains("Open the board"),
            "{html}"
        );
        let html = sign_in_page(&SignIn { with: SignInWith::Token(""), ..PAGE });
        assert!(html.contains("id=\"token\"") && html.contains("in the log") && !html.contains("password"), "{html}");
    }
}
