# /// script
# dependencies = []
# ///
"""git's own server program behind nginx: clone, push, fetch, a shallow and a partial clone, and a refused push."""

import os
import subprocess

from harness import run

NGINX = """
daemon off; master_process off; pid nginx.pid; error_log error.log; user root;
events {{}}
http {{
    access_log application.log; client_max_body_size 0;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            fastcgi_pass unix:{folder}/fcgi.socket;
            fastcgi_param SCRIPT_FILENAME {backend};
            fastcgi_param GIT_PROJECT_ROOT {folder}/repositories;
            fastcgi_param GIT_HTTP_EXPORT_ALL "";
            fastcgi_param PATH_INFO $uri;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
            fastcgi_param HTTP_GIT_PROTOCOL $http_git_protocol;
            fastcgi_param REMOTE_USER jane;
            fastcgi_param REMOTE_ADDR $remote_addr;
        }}
    }}
}}
"""
DATE = "2026-01-01T00:00:00Z"
PERSON = {"GIT_AUTHOR_NAME": "Jane", "GIT_AUTHOR_EMAIL": "jane@example.org", "GIT_AUTHOR_DATE": DATE}
PERSON |= {"GIT_COMMITTER_NAME": "Jane", "GIT_COMMITTER_EMAIL": "jane@example.org", "GIT_COMMITTER_DATE": DATE}
ENVIRONMENT = {**os.environ, **PERSON, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "LC_ALL": "C"}


def git(folder, *arguments):
    done = subprocess.run(["git", *arguments], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    return [done.returncode, done.stdout.strip(), done.stderr.strip() if done.returncode else ""]


def start(app):
    for name in ("team/otter-secrets", "infra"):
        repository = app.folder / f"repositories/{name}.git"
        git(app.folder, "init", "--quiet", "--bare", "--initial-branch=main", str(repository))
        git(repository, "config", "http.receivepack", "true")
        git(repository, "config", "uploadpack.allowFilter", "true")
    backend = os.path.join(subprocess.check_output(["git", "--exec-path"], text=True).strip(), "git-http-backend")
    app.start(["fcgiwrap", "-c", "4", "-s", f"unix:{app.folder}/fcgi.socket"], "fcgiwrap")
    (app.folder / "nginx.conf").write_text(NGINX.format(port=app.port, folder=app.folder, backend=backend))
    app.start(["nginx", "-e", "error.log", "-p", app.folder, "-c", "nginx.conf"], "nginx")


def drive(app):
    url, here = f"{app.url}/team/otter-secrets.git", app.folder
    yield "clone nothing", git(here, "clone", "--quiet", url, "first")
    first = here / "first"
    git(first, "checkout", "--quiet", "-b", "main")
    for number in range(30):
        (first / f"file {number}.txt").write_text(f"{number}\n" * 2000)
        git(first, "add", ".")
        git(first, "commit", "--quiet", "--message", f"Change {number}")
    # Larger than http.postBuffer, so that it is sent in chunks.
    (first / "large.bin").write_bytes(os.urandom(3_000_000))
    git(first, "add", ".")
    git(first, "commit", "--quiet", "--message", "Large")
    yield "push", git(first, "push", "--quiet", "origin", "main")[0]
    yield "push a tag", [git(first, "tag", "v1"), git(first, "push", "--quiet", "origin", "v1")]
    yield "clone", git(here, "clone", "--quiet", url, "second")
    yield "whole", git(here / "second", "fsck", "--full")[0]
    yield "as many commits", git(here / "second", "rev-list", "--count", "HEAD")
    yield "shallow", [git(here, "clone", "--quiet", "--depth", "3", url, "third"), git(here / "third", "rev-list", "--count", "HEAD")]
    yield "partial", git(here, "clone", "--quiet", "--filter=blob:none", url, "fourth")
    yield "old protocol", git(here, "-c", "protocol.version=0", "clone", "--quiet", url, "fifth")
    (here / "second/new.txt").write_text("new\n")
    git(here / "second", "add", ".")
    git(here / "second", "commit", "--quiet", "--message", "New")
    yield "push from the second", git(here / "second", "push", "--quiet")[0]
    (first / "other.txt").write_text("other\n")
    git(first, "add", ".")
    git(first, "commit", "--quiet", "--message", "Other")
    yield "refused push", git(first, "push", "--quiet", "origin", "main")[0]
    yield "pull", git(first, "pull", "--quiet", "--rebase", "origin", "main")
    yield "heads", [line.split()[1] for line in git(here, "ls-remote", url)[1].splitlines()]
    yield "other repository", git(here, "ls-remote", f"{app.url}/infra.git")
    yield "no repository", git(here, "clone", "--quiet", f"{app.url}/team/none.git")


def logged(app):
    return len(app.log().splitlines())


if __name__ == "__main__":
    run(start, drive, logged=logged, hidden=["otter"])
