"""Figures for Prometheus, over HTTP on this machine alone: ``recam serve --metrics-port N``.

Numbers only, and labels of which there are few: no names, no ids. A web page that has its own name
resolve to this machine could make a browser read them, if they were given to whoever asks; so the
request must be addressed to this machine by a name that no page can have.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterable
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from shared.errors import RecamError
from shared.version import VERSION

from ..observing.counts import SECONDS, Counts
from ..observing.logs import event

try:
    from prometheus_client import CollectorRegistry, make_wsgi_app
    from prometheus_client.core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
        Metric,
    )
except ImportError:
    CollectorRegistry = None

log = logging.getLogger(__name__)

HOSTS = ("127.0.0.1", "localhost")
ANSWER_SECONDS = 5.0  # for the front's event loop to gather the figures
REQUEST_SECONDS = 5.0  # for a request to come in


def check_installed() -> None:
    """RecamError ``packages_missing`` where the package for it is not installed."""
    if CollectorRegistry is None:
        raise RecamError(
            "packages_missing",
            "prometheus-client is not installed, which --metrics-port needs.",
            "Install it with: pip install prometheus-client",
        )


class Metrics:
    """Serves them from a thread of its own until closed.

    figures: a coroutine function of the front's event loop that gives ``Status.figures``.
    Raises RecamError ``metrics_port`` where the port cannot be had.
    """

    def __init__(self, port: int, figures) -> None:
        loop = asyncio.get_running_loop()

        def gather() -> dict:
            return asyncio.run_coroutine_threadsafe(figures(), loop).result(ANSWER_SECONDS)

        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collector(gather))
        try:
            self._server = make_server(
                "127.0.0.1", port, _for_this_machine(make_wsgi_app(registry)), _Server, _Quiet
            )
        except OSError as error:
            raise RecamError(
                "metrics_port",
                f"Metrics cannot be served at port {port} ({error.strerror}).",
                "Choose another port with --metrics-port.",
            ) from None
        self.port = self._server.server_port
        threading.Thread(
            target=self._server.serve_forever, name="recam-metrics", daemon=True
        ).start()
        event(log, "metrics are served", address=f"http://127.0.0.1:{self.port}/metrics")

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    timeout = REQUEST_SECONDS

    def log_message(self, *_) -> None:
        """A request every few seconds is nothing to tell."""


class _Collector:
    def __init__(self, gather) -> None:
        self._gather = gather

    def collect(self) -> Iterable[Metric]:
        """All of them, as they are now."""
        return families(**self._gather())


def families(status: dict, counts: Counts, keys_refused: int) -> Iterable[Metric]:
    """The metrics of what ``Status.figures`` gives."""
    yield _gauge("info", "Versions.", ["version", "python"], {(VERSION, status["python"]): 1})
    yield _gauge("start_time_seconds", "When the server started.", [], {(): counts.began})
    yield _counter("jobs_accepted", "Jobs accepted.", [], {(): counts.accepted})
    ended = {(stage,): counts.ended[stage] for stage in ("finished", "failed", "cancelled")}
    yield _counter("jobs", "Jobs ended, by how.", ["stage"], ended)
    yield _counter("job_failures", "Jobs failed, by error.", ["code"], _by(counts.failed))
    yield _counter("jobs_queued_again", "Jobs queued again.", [], {(): counts.queued_again})
    yield _seconds(counts)
    lanes = status["lanes"]

    def of_lanes(value) -> dict[tuple, float]:
        return {(lane["name"],): value(lane) for lane in lanes}

    for name, words, value in (
        ("queue_jobs", "Jobs that wait.", lambda lane: lane["waiting"]),
        ("jobs_at_work", "Jobs at work.", lambda lane: lane["at_work"]),
        ("worker_up", "Whether the worker is up.", lambda lane: lane["worker"] == "up"),
        (
            "device_memory_bytes",
            "Memory of the device.",
            lambda lane: lane["device"].get("memory", 0),
        ),
        (
            "device_memory_used_bytes",
            "Memory in use on the device, by all processes.",
            lambda lane: lane["device"].get("memory_used", 0),
        ),
    ):
        yield _gauge(name, words, ["lane"], of_lanes(value))
    restarts = of_lanes(lambda lane: lane["restarts"])
    yield _counter("worker_restarts", "Workers that took another's place.", ["lane"], restarts)
    memory = {("front",): status["memory"]} | of_lanes(lambda lane: lane["memory"])
    yield _gauge("process_resident_memory_bytes", "Memory of processes.", ["process"], memory)
    yield _counter("bytes_received", "Bytes of messages.", [], {(): counts.bytes_received})
    yield _counter("bytes_sent", "Bytes of messages.", [], {(): counts.bytes_sent})
    yield _counter("requests", "Messages answered, by type.", ["type"], _by(counts.requests))
    yield _counter("errors", "Errors answered, by code.", ["code"], _by(counts.errors))
    yield _counter("keys_refused", "Handshakes refused.", [], {(): keys_refused})
    disk = status["disk"]
    kinds = {(kind,): disk[kind] for kind in ("clips", "uploads", "results")}
    yield _gauge("disk_bytes", "Bytes kept.", ["kind"], kinds)
    yield _gauge("disk_free_bytes", "Bytes free on the disk.", [], {(): disk["free"]})


def _by(counter) -> dict[tuple, float]:
    return {(name,): value for name, value in counter.items()}


def _seconds(counts: Counts) -> Metric:
    family = HistogramMetricFamily(
        "recam_job_seconds", "How long finished jobs were worked on.", labels=["engine"]
    )
    for engine, numbers in counts.seconds.items():
        up_to, buckets = 0, []
        for bound, number in zip([*map(float, SECONDS), float("inf")], numbers, strict=True):
            up_to += number
            buckets.append(("+Inf" if bound == float("inf") else str(bound), up_to))
        family.add_metric([engine], buckets, counts.seconds_sum[engine])
    return family


def _gauge(name: str, words: str, labels: list[str], values: dict[tuple, float]) -> Metric:
    return _filled(GaugeMetricFamily(f"recam_{name}", words, labels=labels), values)


def _counter(name: str, words: str, labels: list[str], values: dict[tuple, float]) -> Metric:
    return _filled(CounterMetricFamily(f"recam_{name}", words, labels=labels), values)


def _filled(family: Metric, values: dict[tuple, float]) -> Metric:
    for labels, value in values.items():
        family.add_metric(labels, float(value))
    return family


def _for_this_machine(application):
    """The application for requests that name this machine; see above for who else there is."""

    def guarded(environ, start_response):
        if environ.get("HTTP_HOST", "").partition(":")[0] in HOSTS:
            return application(environ, start_response)
        start_response("421 Misdirected Request", [("Content-Type", "text/plain")])
        return [b"Ask at 127.0.0.1.\n"]

    return guarded
