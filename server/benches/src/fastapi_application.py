"""The application that is measured with and without a middleware that counts."""

import os

from fastapi import FastAPI

app = FastAPI()

match os.environ["MIDDLEWARE"]:
    case "prometheus-fastapi-instrumentator":
        from prometheus_fastapi_instrumentator import Instrumentator

        Instrumentator().instrument(app).expose(app)
    case "starlette-exporter":
        from starlette_exporter import PrometheusMiddleware, handle_metrics

        app.add_middleware(PrometheusMiddleware)
        app.add_route("/metrics", handle_metrics)


@app.get("/users/{user_id}")
async def user(user_id: int):
    return {"id": user_id, "name": "a user of the shop", "mail": "ada@example.org"}
