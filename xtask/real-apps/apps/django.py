# /// script
# dependencies = ["django==5.2.19", "gunicorn==27.0.1", "requests==2.34.2", "selenium==4.51.0"]
# ///
"""Django's admin on gunicorn: a browser logs in, adds, changes, finds and deletes a user by the forms."""

import os
import re
import sys

import requests
from browser import Browser
from harness import run

DJANGO = [sys.executable, "-m", "django"]
PASSWORD = "otter-lamp-42"


def start(app):
    app.run([*DJANGO, "startproject", "shop", "."])
    manage = [sys.executable, "manage.py"]
    app.run([*manage, "migrate", "--verbosity", "0"])
    superuser = {**os.environ, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    app.run([*manage, "createsuperuser", "--noinput", "--username", "ruth", "--email", "ruth@example.org"], env=superuser)
    # As in production: the admin's own files come from the application.
    urls = app.folder / "shop/urls.py"
    text = urls.read_text() + "\nfrom django.contrib.staticfiles.urls import staticfiles_urlpatterns\n"
    urls.write_text(text + "urlpatterns += staticfiles_urlpatterns()\n")
    app.start([sys.executable, "-m", "gunicorn", "--workers", "2", "--bind", f"127.0.0.1:{app.port}", "--access-logfile", "-", "shop.wsgi"])


def drive(app):
    yield "redirect to the login", [r.headers.get("location") for r in requests.get(f"{app.url}/admin/").history]
    yield "refused without its token", requests.post(f"{app.url}/admin/login/", {"username": "ruth"}).status_code
    with Browser() as browser:
        browser.open(f"{app.url}/admin/")
        browser.fill(username="ruth", password="wrong")
        browser.press("input[type=submit]")
        yield "wrong password", browser.text(".errornote")
        browser.fill(username="ruth", password=PASSWORD)
        browser.press("input[type=submit]")
        yield "logged in", browser.text("#user-tools")
        for name in ("jane", "zoë"):
            browser.open(f"{app.url}/admin/auth/user/add/")
            browser.fill(username=name, password1=PASSWORD, password2=PASSWORD)
            browser.press("input[name=_save]")
            yield f"added {name}", browser.text(".messagelist")
        browser.fill(first_name="Jane", email="jane@example.org")
        browser.press("input[name=_continue]")
        yield "changed", browser.text(".messagelist")
        browser.open(f"{app.url}/admin/auth/user/?q=ruth&is_staff__exact=1")
        yield "found", browser.text("#result_list tbody")
        for number in (1, 2, 3):
            browser.open(f"{app.url}/admin/auth/user/{number}/history/")
            yield f"history {number}", re.sub(r"\w+\. \d+, \d+, .*?m\.", "", browser.text("#content"))
        browser.open(f"{app.url}/admin/auth/user/3/password/")
        yield "password page", browser.text("h1")
        browser.open(f"{app.url}/admin/auth/user/3/delete/")
        browser.press("input[type=submit]")
        yield "deleted", browser.text(".messagelist")
        browser.open(f"{app.url}/admin/auth/group/add/")
        browser.fill(name="keepers")
        browser.press("input[name=_save]")
        yield "added a group", browser.text(".messagelist")
        browser.open(f"{app.url}/admin/auth/user/99/change/")
        yield "absent", browser.text(".messagelist")
        browser.open(f"{app.url}/admin/jsi18n/")
        browser.open(f"{app.url}/admin/")
        browser.press("#logout-form button")
        yield "logged out", browser.text("#content h1")
    yield "debug page", requests.get(f"{app.url}/nothing/here/").status_code


def logged(app):
    return len(re.findall(r'" \d{3} (?:\d+|-) "', app.log()))


if __name__ == "__main__":
    run(start, drive, logged=logged, hidden=["jane", "ruth", "keepers", "zo", PASSWORD])
