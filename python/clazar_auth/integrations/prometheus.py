"""What providers count, for `prometheus_client <https://prometheus.github.io/client_python/>`_.

>>> import prometheus_client
>>> registry = prometheus_client.CollectorRegistry()
>>> registry.register(clazar_auth.integrations.prometheus.Collector(provider))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from clazar_auth._native import _checked
from clazar_auth._stats import Requests

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.core import Metric
    from prometheus_client.registry import Collector as _Base

    from clazar_auth import TokenProvider
else:
    _Base = object

__all__ = ["Collector"]


class Collector(_Base):
    """Reads stats() of these providers at each scrape, with the label client_id; sends no request.

    ``clazar_auth_token_requests_total`` has the labels cause and outcome ('succeeded' or 'failed')
    besides. The other names are those in Stats: ``clazar_auth_waited_total``,
    ``clazar_auth_expires_in_seconds``, and so on; a time that is None there is 0. Thread-safe. In
    the multiprocess mode of prometheus_client no collector is asked.

    Args:
        providers (TokenProvider): all that the program has; each has another client id.

    Raises:
        TypeError: for an argument that is not a provider.
        ValueError: two providers have the same client id.

    >>> collector = clazar_auth.integrations.prometheus.Collector(provider)
    >>> sorted(metric.name for metric in collector.collect())[0]
    'clazar_auth_backoff_seconds'
    """

    def __init__(self, *providers: TokenProvider) -> None:
        self._providers = {_checked(provider).client_id: provider for provider in providers}
        if len(self._providers) < len(providers):
            raise ValueError("two of the providers have the same client_id; give one of them")

    def collect(self) -> Iterable[Metric]:
        """What a registry calls.

        >>> collector = clazar_auth.integrations.prometheus.Collector(provider)
        >>> len(list(collector.collect()))
        9
        """
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        def counter(name: str, about: str, *labels: str) -> CounterMetricFamily:
            return CounterMetricFamily(f"clazar_auth_{name}", about, labels=["client_id", *labels])

        requests = counter("token_requests", "Token requests that have ended.", "cause", "outcome")
        others: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for client_id, provider in self._providers.items():
            for name, value in provider.stats()._asdict().items():
                if isinstance(value, Requests):
                    for outcome, count in value._asdict().items():
                        requests.add_metric([client_id, name, outcome], count)
                    continue
                if name not in others:
                    about = f"See clazar_auth.Stats.{name}."
                    unit = f"clazar_auth_{name}_seconds"
                    others[name] = (
                        counter(name, about)
                        if isinstance(value, int)
                        else GaugeMetricFamily(unit, about, labels=["client_id"])
                    )
                others[name].add_metric([client_id], value or 0)
        return [requests, *others.values()]
