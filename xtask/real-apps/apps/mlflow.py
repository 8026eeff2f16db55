# /// script
# dependencies = ["mlflow==3.17.2"]
# ///
"""MLflow's tracking server, used by its client: experiments, runs, metrics, artifacts, a registered model, its page."""

import os
import sys

import requests
from harness import run


def start(app):
    settings = ["--host", "127.0.0.1", "--port", app.port, "--workers", "1", "--backend-store-uri", "sqlite:///mlflow.db"]
    settings += ["--artifacts-destination", "./artifacts", "--serve-artifacts"]
    app.start([sys.executable, "-m", "mlflow", "server", *settings])


def drive(app):
    os.environ |= {"MLFLOW_TRACKING_URI": app.url, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "GIT_PYTHON_REFRESH": "quiet"}
    import mlflow
    from mlflow.exceptions import MlflowException

    mlflow.set_tracking_uri(app.url)
    client = mlflow.MlflowClient(app.url)
    for name in ("otter-weights", "jane"):
        mlflow.set_experiment(name)
        for number in range(4):
            with mlflow.start_run(run_name=f"attempt {number}"):
                mlflow.log_params({"rate": 0.1 * number, "depth": number})
                for step in range(5):
                    mlflow.log_metric("loss", 1 / (step + 1), step=step)
                mlflow.set_tag("owner", "jane")
                mlflow.log_text("weights " * 1000, f"models/jane-{number}.txt")
                mlflow.log_dict({"number": number}, "report.json")
    names = sorted(one.name for one in client.search_experiments())
    yield "experiments", names
    experiment = client.get_experiment_by_name("jane").experiment_id
    runs = client.search_runs([experiment], "params.depth != '0'", order_by=["params.depth"])
    yield "runs", [[one.info.run_name, one.data.params, one.data.metrics] for one in runs]
    first = runs[0].info.run_id
    yield "history", [[point.step, point.value] for point in client.get_metric_history(first, "loss")]
    yield "artifacts", [one.path for one in client.list_artifacts(first)]
    yield "artifact", len(mlflow.artifacts.load_text(f"runs:/{first}/models/jane-1.txt"))
    client.create_registered_model("otter-model")
    for version in ("1", "2"):
        client.create_model_version("otter-model", f"runs:/{first}/models", first)
        client.set_registered_model_alias("otter-model", "best", version)
    yield "versions", sorted(one.version for one in client.search_model_versions("name='otter-model'"))
    yield "alias", client.get_model_version_by_alias("otter-model", "best").version
    client.delete_run(first)
    yield "deleted", client.get_run(first).info.lifecycle_stage
    for refused in (lambda: client.get_run("0" * 32), lambda: client.get_registered_model("none")):
        try:
            refused()
        except MlflowException as error:
            yield f"refused {error.error_code} {refused.__code__.co_consts[-1]}", str(error)[:80]
    yield "page", [requests.get(app.url + path).status_code for path in ("/", "/health", "/version", "/graphql")]


if __name__ == "__main__":
    run(start, drive, hidden=["jane", "otter", "attempt"])
