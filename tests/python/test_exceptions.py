"""Exceptions on their way through pickle and copy; test_pools.py sends them between processes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest

import clazar_auth
from clazar_auth import ClazarAuthError

EXCEPTIONS = [getattr(clazar_auth, name) for name in clazar_auth.__all__ if name.endswith("Error")]


class OrderError(clazar_auth.StoreError):
    """A user's own, which takes other arguments than its base."""

    def __init__(self, order: int, *, reason: str) -> None:
        super().__init__(f"order {order}: {reason}", retry_after=2.5, retryable=True)
        self.order = order


def pickled(protocol: int) -> Callable[[ClazarAuthError], ClazarAuthError]:
    def way(error: ClazarAuthError) -> ClazarAuthError:
        received: ClazarAuthError = pickle.loads(pickle.dumps(error, protocol))
        return received

    return way


WAYS: dict[str, Callable[[ClazarAuthError], ClazarAuthError]] = {
    **{f"pickle {number}": pickled(number) for number in range(pickle.HIGHEST_PROTOCOL + 1)},
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}
way = pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))


@way
@pytest.mark.parametrize("kind", [ClazarAuthError, *EXCEPTIONS])
def test_an_exception_keeps_its_attributes(
    kind: type[ClazarAuthError], way: Callable[[ClazarAuthError], ClazarAuthError]
) -> None:
    error = kind("what happened", http_status=503, retry_after=1.5, retryable=True)
    received = way(error)
    assert type(received) is kind and received is not error
    assert str(received) == "what happened"
    assert received.args == error.args and repr(received) == repr(error)
    assert (received.http_status, received.retry_after, received.retryable) == (503, 1.5, True)
    assert issubclass(kind, ClazarAuthError)


@way
def test_so_does_one_of_a_class_of_the_users_own(
    way: Callable[[ClazarAuthError], ClazarAuthError],
) -> None:
    received = way(OrderError(7, reason="no answer"))
    assert isinstance(received, OrderError)
    assert str(received) == "order 7: no answer"
    assert (received.order, received.retry_after, received.retryable) == (7, 2.5, True)
    assert (received.http_status, received.errno) == (None, None)
