# Error answers that quote what the client sent: of Flask, Django with its REST framework, Python's parsers and SQLite. Its threads, its
# children and its arguments have secrets too. Started with the port to listen at and the secret.
import ctypes
import json
import logging
import socketserver
import sqlite3
import subprocess
import sys
import threading
import time
from wsgiref.simple_server import WSGIServer, make_server

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import path

SECRET = sys.argv[2]

settings.configure(
    SECRET_KEY="of no use",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    LOGGING_CONFIG=None,
    INSTALLED_APPS=["rest_framework"],
    REST_FRAMEWORK={
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "UNAUTHENTICATED_USER": None,
    },
)
django.setup()

from flask import Flask, abort, jsonify, request
from rest_framework import exceptions, serializers
from rest_framework.decorators import api_view
from werkzeug.exceptions import HTTPException


class Order(serializers.Serializer):
    size = serializers.ChoiceField(choices=["small"])


@api_view(["POST"])
def choice(request):
    Order(data=request.data).is_valid(raise_exception=True)


@api_view(["POST"])
def customer(request):
    raise exceptions.NotFound(f"Customer {request.data['name']}, {request.data['address']} not found")


urlpatterns = [path("django/choice", choice), path("django/customer", customer)]
shop = Flask(__name__)


@shop.errorhandler(HTTPException)
def failed(error):
    return jsonify(code=error.name, message=error.description), error.code


@shop.errorhandler(Exception)
def broken(error):
    return jsonify(error=str(error), type=type(error).__name__), 500


@shop.post("/flask/missing")
def missing():
    abort(404, description=f"no user {request.json['name']} with {request.json['email']}")


@shop.post("/flask/parse")
def parse_body():
    json.loads(request.json["password"])


@shop.post("/flask/number")
def number():
    int(request.json["password"])


@shop.post("/flask/key")
def key():
    {}[request.json["token"]]


@shop.post("/flask/sqlite")
def duplicate():
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE users (email TEXT UNIQUE)")
    database.execute(f"INSERT INTO users VALUES ({request.json['email']})")


@shop.post("/flask/connect")
def connect():
    raise ConnectionError(f"cannot connect to {request.json['url']}: Authorization: Bearer {request.json['token']}, card {request.json['card']}")


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


def application(environment, start_response):
    of_django = environment["PATH_INFO"].startswith("/django")
    return (get_wsgi_application() if of_django else shop)(environment, start_response)


def named():
    ctypes.CDLL(None).prctl(15, SECRET.encode()[:15], 0, 0, 0)
    time.sleep(1000)


logging.disable()
server = make_server("127.0.0.1", int(sys.argv[1]), application, server_class=Server)
server.RequestHandlerClass.log_message = lambda *arguments: None
threading.Thread(target=named, daemon=True).start()
# A child that has written a title over its arguments, one with a name of its own, and one with arguments.
titled = subprocess.Popen([f"gunicorn: worker [{SECRET}]"], executable="/bin/cat", stdin=subprocess.PIPE)
renamed = subprocess.Popen(
    [sys.executable, "-c", f"import ctypes, time; ctypes.CDLL(None).prctl(15, b'{SECRET}'[:15], 0, 0, 0); time.sleep(1000)"]
)
started = subprocess.Popen(["sh", "-c", f"cat; : {SECRET}"], stdin=subprocess.PIPE)
server.serve_forever()
