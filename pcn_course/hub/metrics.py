"""Numbers for those who run the class, at ``/hub/metrics``, in Prometheus' own form.

Beside what JupyterHub counts by itself stands what all servers of the class have counted, added up
when somebody asks, and how long starts take. No name is in it, and nothing that anybody wrote.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from prometheus_client import REGISTRY, Histogram
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from pcn_course.hub.settings import Settings
from pcn_course.hub.spawner import CourseSpawner
from pcn_course.hub.usage import FILE, STEPS, Times, read_counts

_FRESH = 60.0
"""For how many seconds what is open counts, after a server has last said so."""

SPAWNS = Histogram(
    "pcn_spawn_seconds",
    "From the wish for a server until it answers, by what its owner is in the course",
    ["role"],
    buckets=(*STEPS, 60.0),
)


class MeasuredSpawner(CourseSpawner):
    """Starts servers, and counts how long that takes."""

    _began: float | None = None

    async def start(self) -> Any:
        """Start the server, and note when that began."""
        self._began = time.monotonic()
        return await super().start()

    def start_polling(self) -> None:
        """The server has answered: from now on it is watched."""
        if self._began is not None:
            SPAWNS.labels(role=self.role).observe(time.monotonic() - self._began)
            self._began = None
        super().start_polling()


class ClassCollector(Collector):
    """Adds up, when it is asked, what all servers of the class have counted."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def collect(self) -> Iterator[Metric]:
        """All counts of the class."""
        found = [
            counts
            for folder in (self._settings.students, self._settings.teachers)
            for counts in map(read_counts, folder.glob(f"*/{FILE}"))
            if counts
        ]
        since = time.time() - _FRESH
        now = [one for one in found if one.at > since]
        yield GaugeMetricFamily("pcn_servers", "Servers with the course's pages", len(now))
        yield GaugeMetricFamily("pcn_pages", "Pages that are open", sum(one.pages for one in now))
        yield GaugeMetricFamily(
            "pcn_kernels", "Kernels that run for pages", sum(one.kernels for one in now)
        )
        yield CounterMetricFamily(
            "pcn_kernel_starts", "Kernels that were started",
            sum(one.kernels_started for one in found),
        )  # fmt: skip
        yield CounterMetricFamily(
            "pcn_saves", "Saves that were acknowledged", sum(sum(one.saves.row) for one in found)
        )
        yield CounterMetricFamily(
            "pcn_saves_failed", "Saves that were refused", sum(one.failed for one in found)
        )
        yield _histogram(
            "pcn_save_seconds", "From a save to its acknowledgement", [one.saves for one in found]
        )
        yield _histogram(
            "pcn_page_seconds", "From a visit to a whole page", [one.made for one in found]
        )


def _histogram(name: str, words: str, several: list[Times]) -> Metric:
    buckets: list[tuple[str, float]] = []
    below = 0
    for number, step in enumerate((*STEPS, None)):
        below += sum(one.row[number] for one in several)
        buckets.append(("+Inf" if step is None else str(step), below))
    return HistogramMetricFamily(
        name, words, buckets=buckets, sum_value=sum(one.total for one in several)
    )


def count_class(settings: Settings) -> None:
    """Have ``/hub/metrics`` tell what the class's servers have counted, once."""
    global _collector  # noqa: PLW0603 (Prometheus' own list is global, too)
    if _collector:
        REGISTRY.unregister(_collector)
    _collector = ClassCollector(settings)
    REGISTRY.register(_collector)


_collector: ClassCollector | None = None
