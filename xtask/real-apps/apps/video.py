# /// script
# dependencies = ["requests==2.34.2"]
# ///
"""A film at nginx: ffprobe seeks in it, ranges of all kinds, and HLS played by ffmpeg."""

import hashlib
import re
import subprocess

import requests
from harness import run

NGINX = """
daemon off; master_process off; pid nginx.pid; error_log error.log;
events {{}}
http {{
    types {{ video/mp4 mp4; application/vnd.apple.mpegurl m3u8; video/mp2t ts; }}
    access_log application.log; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{ listen 127.0.0.1:{port}; root films; }}
}}
"""


def start(app):
    films = app.folder / "films"
    (films / "live").mkdir(parents=True)
    source = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=duration=20:size=320x240:rate=25"]
    exact = ["-flags", "+bitexact", "-fflags", "+bitexact", "-threads", "1", "-g", "25", "-pix_fmt", "yuv420p"]
    app.run([*source, *exact, films / "otter-trailer.mp4"])
    app.run([*source, *exact, "-f", "hls", "-hls_time", "2", "-hls_list_size", "0", films / "live/index.m3u8"])
    (app.folder / "nginx.conf").write_text(NGINX.format(port=app.port))
    app.start(["nginx", "-e", "error.log", "-p", app.folder, "-c", "nginx.conf"], "nginx")


def output(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout


def drive(app):
    film = f"{app.url}/otter-trailer.mp4"
    yield "ffprobe", output(["ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", film])
    for second in (1, 7, 15):
        seek = ["ffmpeg", "-v", "error", "-ss", str(second), "-i", film, "-frames:v", "3", "-f", "framemd5", "-"]
        yield f"frames from {second} s", output(seek)
    yield "HLS", output(["ffmpeg", "-v", "error", "-i", f"{app.url}/live/index.m3u8", "-f", "framemd5", "-"])
    whole = requests.get(film)
    etag, size = whole.headers["ETag"], len(whole.content)
    ranges = ["bytes=0-0", "bytes=0-", "bytes=-500", "bytes=100-199,300-399", f"bytes={size}-", "bytes=5-4", "lines=1-2"]
    for wanted in ranges:
        part = requests.get(film, headers={"Range": wanted})
        body = re.sub(rb"--\d{20}", b"--boundary", part.content)
        headers = [part.headers.get(name) for name in ("Content-Range", "Content-Length", "Accept-Ranges")]
        yield wanted.replace(str(size), "size"), [part.status_code, headers, hashlib.sha256(body).hexdigest()]
    conditions = [("If-None-Match", etag), ("If-Range", etag), ("If-Range", '"other"'), ("If-Match", '"other"')]
    for name, value in conditions:
        part = requests.get(film, headers={name: value, "Range": "bytes=0-9"})
        yield f"{name} {'other' if 'other' in value else 'same'}", [part.status_code, len(part.content)]
    with requests.get(film, stream=True) as left:
        yield "left early", [left.status_code, len(left.raw.read(1000))]


def logged(app):
    return len(app.log().splitlines())


if __name__ == "__main__":
    run(start, drive, logged=logged, hidden=["otter"])
