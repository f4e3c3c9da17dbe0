"""The server: runs and schedules on a Kubeflow Pipelines server, through kfp's client."""

import datetime as dt
import io
import json
import tempfile
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kfp import Client
from kfp_server_api import ApiClient, ApiException, Configuration, HealthzServiceApi
from urllib3.exceptions import HTTPError

from pipelines.compiling import compile_pipeline, quiet
from pipelines.definition import NAME
from pipelines.placement import Placement
from shortlist.errors import InputError, RefusedError, ShortlistError
from shortlist.settings import Settings
from shortlist.steps.order import Order

_PATIENCE: Final = 10.0  # Seconds.


class ServerError(ShortlistError):
    """The Kubeflow Pipelines server cannot be reached, or does not do what it is asked."""

    http_status = 503
    exit_code = 69
    label = "server"


@dataclass(frozen=True)
class Server:
    """A Kubeflow Pipelines server.

    Attributes:
        host: its address, with http:// or https://.
        namespace: of the run, where the server has several users.
        token: that the server asks for; None where it asks for none.
    """

    host: str
    namespace: str | None = None
    token: str | None = None

    def submit(self, settings: Settings, placement: Placement, experiment: str) -> str:
        """Start one run.

        Args:
            settings: of the run; its paths count for nothing there.
            placement: of its tasks.
            experiment: under which the server lists it; made where it is missing.

        Returns:
            The run's id.

        Raises:
            ServerError: the server cannot be reached or fails.
            RefusedError: it refuses.
        """
        order = Order.of(settings)
        with tempfile.TemporaryDirectory() as directory:
            package = Path(directory) / f"{NAME}.yaml"

            def asked(client: Any) -> Any:
                compile_pipeline(placement, package)
                return client.create_run_from_pipeline_package(
                    str(package),
                    arguments=arguments(order, settings),
                    run_name=run_name(order),
                    experiment_name=experiment,
                    namespace=self.namespace,
                )

            run = self._ask(asked)
        return self._id(run.run_id)

    def schedule(self, settings: Settings, placement: Placement, experiment: str, cron: str) -> str:
        """Start a run whenever ``cron`` says, one at a time, and none for times that were missed.

        Args:
            settings: of the runs.
            placement: of their tasks.
            experiment: under which the server lists them.
            cron: five fields (minute, hour, day, month, weekday), or six with seconds first.

        Returns:
            The schedule's id.

        Raises:
            InputError: ``cron`` has another number of fields.
            ServerError, RefusedError: as `submit`.
        """
        order, times = Order.of(settings), with_seconds(cron)
        with tempfile.TemporaryDirectory() as directory:
            package = Path(directory) / f"{NAME}.yaml"

            def asked(client: Any) -> Any:
                compile_pipeline(placement, package)
                found = client.create_experiment(experiment, namespace=self.namespace)
                return client.create_recurring_run(
                    found.experiment_id,
                    run_name(order),
                    cron_expression=times,
                    max_concurrency=1,
                    no_catchup=True,
                    params=arguments(order, settings),
                    pipeline_package_path=str(package),
                )

            made = self._ask(asked)
        return self._id(made.recurring_run_id)

    def _id(self, answered: str | None) -> str:
        if answered is None:
            raise ServerError(f"what answers at {self.host} is no Kubeflow Pipelines server")
        return answered

    def page(self, run: str) -> str:
        """Where people look at a run."""
        return f"{self.host.rstrip('/')}/#/runs/details/{run}"

    def _ask(self, question: Callable[[Any], Any]) -> Any:
        """Put a question to kfp's client, and turn what may go wrong into one sentence."""
        if not self.host.startswith(("http://", "https://")):
            raise InputError(f"host {self.host!r} must begin with http:// or https://")
        try:
            # The client speaks of its own ways, and of pages, on stdout too.
            with quiet(), redirect_stdout(io.StringIO()):
                self._knock()
                return question(
                    Client(
                        host=self.host,
                        namespace=self.namespace or "kubeflow",
                        existing_token=self.token,
                    )
                )
        except ApiException as error:
            sentence = f"the server at {self.host} answered {error.status}: {_told(error)}"
            if error.status is not None and 400 <= error.status < 500:
                raise RefusedError(sentence) from error
            raise ServerError(sentence) from error
        except (HTTPError, OSError) as error:
            raise ServerError(
                f"no Kubeflow Pipelines server answers at {self.host}; is it running, and is its "
                "port forwarded? (kubectl port-forward -n kubeflow svc/ml-pipeline 8888)"
            ) from error

    def _knock(self) -> None:
        """Ask for the server's health once; the client would ask five times, for 25 seconds."""
        asked = Configuration(host=self.host.rstrip("/"))
        if self.token is not None:
            asked.api_key = {"authorization": self.token}
            asked.api_key_prefix = {"authorization": "Bearer"}
        HealthzServiceApi(ApiClient(asked)).healthz_service_get_healthz(_request_timeout=_PATIENCE)


def arguments(order: Order, settings: Settings) -> dict[str, Any]:
    """The pipeline's parameters for an order; where its volume lies there is not ours to say."""
    return {
        "settings": order.settings,
        "key": order.key,
        "shards": list(range(settings.pipeline.shards)),
    }


def run_name(order: Order) -> str:
    """A name that tells runs of other code or settings apart, and one day from another."""
    return f"{NAME} {order.key[:12]} {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S}"


def with_seconds(cron: str) -> str:
    """A cron expression as Kubeflow Pipelines reads it, with seconds first.

    Raises:
        InputError: it has neither five nor six fields.

    >>> with_seconds("30 3 * * *")
    '0 30 3 * * *'
    """
    fields = cron.split()
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) != 6:
        raise InputError(
            f"cron {cron!r} has {len(fields)} fields; write minute, hour, day, month and weekday, "
            'as in "30 3 * * *"'
        )
    return " ".join(fields)


def _told(error: ApiException) -> str:
    try:
        said = json.loads(error.body)
        return str(said.get("message") or said.get("error") or error.reason)
    except (TypeError, ValueError, AttributeError):
        return str(error.reason)
