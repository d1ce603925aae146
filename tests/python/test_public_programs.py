"""The sandbox, met by programs that work as the public ones do; docs/testing.md names those."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests

import clazar_auth
from clazar_auth.testing import Sandbox

Record = dict[str, Any]
LISTS = ["listings", "buyers", "contracts", "private_offers", "opportunities"]
DATASET = "analytics/datasets/aws_marketplace_revenue"


class Reader:
    """A connector kit: it logs in with a form, and writes paths without the slash at their end."""

    def __init__(self, sandbox: Sandbox) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
        }
        token = requests.post(sandbox.auth_url, data=form, timeout=60).json()["access_token"]
        self.url = sandbox.url
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **parameters: object) -> Any:
        url = f"{self.url}/{path}"
        answer = self.session.get(url, params={"response_format": "common", **parameters})  # type: ignore[arg-type]
        assert (answer.status_code, answer.history) == (200, [])
        return answer.json()

    def pages(self, path: str, size: int) -> Iterator[list[Record]]:
        """Until one is not full."""
        for page in range(1, 1_000):
            results = self.get(path, page=page, page_size=size)["results"]
            yield results
            if len(results) < size:
                return
        pytest.fail("the pages have no end")


@pytest.fixture
def reader(sandbox: Sandbox) -> Iterator[Reader]:
    reader = Reader(sandbox)
    with reader.session:
        yield reader


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(("size", "pages"), [(1, 4), (3, 2), (100, 1)])
def test_a_reader_comes_to_the_end(
    sandbox: Sandbox, reader: Reader, path: str, size: int, pages: int
) -> None:
    found = list(reader.pages(path, size))
    assert len(found) == pages == sandbox.requests(f"/{path}/")
    ids = [record["id"] for page in found for record in page]
    assert ids == [f"{path}-{number}" for number in (1, 2, 3)]


def test_a_reader_follows_next_to_the_end(reader: Reader) -> None:
    answer = reader.get("buyers", page_size=2)
    assert (len(answer["results"]), answer["count"]) == (2, 3)
    assert answer["next"] == f"{reader.url}/buyers?page=2&response_format=common&page_size=2"
    answer = reader.session.get(answer["next"]).json()
    assert (len(answer["results"]), answer["count"], answer["next"]) == (1, 3, None)


def test_a_reader_gets_what_was_modified_since(sandbox: Sandbox, reader: Reader) -> None:
    times = [record["last_modified_at"] for record in reader.get("contracts")["results"]]
    assert times == sorted(times)
    for time in times:
        datetime.strptime(time, "%Y-%m-%dT%H:%M:%S.%fZ")
    found = reader.get("contracts", last_modified_at_after=times[1])["results"]
    assert [record["last_modified_at"] for record in found] == times[1:]


def test_a_script_joins_contracts_with_their_buyers(reader: Reader) -> None:
    buyers = {buyer["id"]: buyer for buyer in reader.get("buyers/")["results"]}
    for contract in reader.get("contracts/")["results"]:
        buyer = buyers[contract["buyer_id"]]
        assert buyer["latest_contract_id"] == contract["id"]
        details = {detail["field"]: detail["value"] for detail in buyer["registration_details"]}
        assert details["Email Address"].endswith(buyer["domain"])


def test_a_test_has_records_of_its_own(sandbox: Sandbox, reader: Reader) -> None:
    assert reader.get(DATASET) == {"results": [], "next": None, "count": 0}
    rows = [{"agreement_id": f"a-{number}", "gross_revenue": number} for number in range(250)]
    sandbox.set_records(f"/{DATASET}/", rows)
    assert [row for page in reader.pages(DATASET, 100) for row in page] == rows
    sandbox.set_records("/buyers", [])
    assert reader.get("buyers")["count"] == 0
    assert reader.session.get(f"{sandbox.url}/analytics/datasets/other/").status_code == 404


@pytest.mark.parametrize("path", ["/other/", "/metering/", "/analytics/datasets/", "buyers"])
def test_only_a_list_has_records(sandbox: Sandbox, path: str) -> None:
    with pytest.raises(clazar_auth.ConfigurationError, match="no list of the sandbox"):
        sandbox.set_records(path, [])


@pytest.mark.parametrize("records", [{"id": "a"}, ["a"], [{"id": float("nan")}]])
def test_records_are_objects(sandbox: Sandbox, records: Any) -> None:
    with pytest.raises(clazar_auth.ConfigurationError, match="array of objects"):
        sandbox.set_records("/buyers/", records)


@pytest.mark.parametrize("query", ["page=0", "page=x", "page_size=0", "page_size=-1"])
def test_a_page_has_a_number(sandbox: Sandbox, query: str) -> None:
    answer = requests.get(f"{sandbox.url}/buyers/?{query}", auth=sandbox.provider())
    assert answer.status_code == 400
    assert "page_size" in answer.json()["error_description"]


def test_the_lists_need_a_token(sandbox: Sandbox) -> None:
    for path in (*LISTS, DATASET):
        assert requests.get(f"{sandbox.url}/{path}").status_code == 401


# ---- Usage ----

HOUR = datetime(2026, 1, 31, 7, tzinfo=timezone.utc)


def record(**changes: object) -> Record:
    fields = {
        "cloud": "aws",
        "contract_id": "contracts-1",
        "dimension": "cpu_hours",
        "start_time": HOUR.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "end_time": (HOUR + timedelta(minutes=59)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "quantity": "7",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def meter(sandbox: Sandbox, *records: object) -> list[Record]:
    url = f"{sandbox.url}/metering/"
    answer = requests.post(url, json={"request": records}, auth=sandbox.provider())
    assert answer.status_code == 200
    results: list[Record] = answer.json()["results"]
    assert len(results) == len(records)
    return results


def statuses(results: list[Record]) -> list[object]:
    """As the public exporter reads them: errors first, then the status."""
    return [result["code"] if result.get("errors") else result["status"] for result in results]


def test_a_meter_reads_the_status_of_each_record(sandbox: Sandbox) -> None:
    sent = [record(), record(contract_id="invalid-contract"), record(), record(dimension="seats")]
    results = meter(sandbox, *sent)
    assert statuses(results) == ["success", "INVALID_CONTRACT", "DUPLICATE_RECORD", "success"]
    assert results[0] == {**sent[0], "status": "success"}
    [duplicate] = results[2]["errors"]
    assert "same contract_id" in duplicate["message"] and "same hour" in duplicate["message"]
    assert results[2]["message"] == duplicate["message"]


def test_a_duplicate_is_of_one_hour(sandbox: Sandbox) -> None:
    later = (HOUR + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    next_hour = {"start_time": "2026-01-31T08:00:00Z", "end_time": "2026-01-31T08:59:59.5Z"}
    assert statuses(meter(sandbox, record())) == ["success"]
    assert statuses(meter(sandbox, record(start_time=later))) == ["DUPLICATE_RECORD"]
    assert statuses(meter(sandbox, record(**next_hour))) == ["success"]
    assert statuses(meter(sandbox, record(contract_id="contracts-2"))) == ["success"]


def test_a_record_that_was_refused_is_sent_again(sandbox: Sandbox) -> None:
    assert statuses(meter(sandbox, record(quantity=7))) == ["VALIDATION_ERROR"]
    assert statuses(meter(sandbox, record())) == ["success"]


WRONG: list[tuple[Record, str]] = [
    ({"cloud": "AWS"}, "cloud must be aws, azure or gcp"),
    ({"cloud": None}, "cloud must be aws, azure or gcp"),
    ({"contract_id": ""}, "contract_id must be the id of a contract"),
    ({"dimension": None}, "dimension must be the name of a dimension"),
    ({"quantity": None}, "quantity must be a whole number as text"),
    ({"quantity": 7}, "quantity must be a whole number as text"),
    ({"quantity": "-7"}, "quantity must be a whole number as text"),
    ({"quantity": "7.5"}, "quantity must be a whole number as text"),
    ({"start_time": 1}, "start_time must be a time"),
    ({"start_time": "2026-01-31"}, "start_time must be a time"),
    ({"start_time": "2026-01-31T07:00:00"}, "start_time must be a time"),
    ({"start_time": "2026-13-31T07:00:00Z"}, "start_time must be a time"),
    ({"end_time": "2026-01-31T08:00:00+01:00"}, "end_time must be a time"),
    ({"end_time": "2026-01-31T07:00:0é"}, "end_time must be a time"),
    ({"end_time": "2026-01-30T00:00:00Z"}, "end_time must not be before start_time"),
]


@pytest.mark.parametrize(("changes", "message"), WRONG)
def test_a_meter_is_told_what_is_wrong(sandbox: Sandbox, changes: Record, message: str) -> None:
    [result] = meter(sandbox, record(**changes))
    assert (result["status"], result["code"]) == ("error", "VALIDATION_ERROR")
    [error] = result["errors"]
    assert error["message"].startswith(message)
    assert result["message"] == error["message"]


def test_a_meter_is_told_of_each_fault(sandbox: Sandbox) -> None:
    [nothing, empty] = meter(sandbox, "x", {})
    assert [error["message"] for error in nothing["errors"]] == ["a record must be an object"]
    names = [error["message"].split()[0] for error in empty["errors"]]
    assert names == ["cloud", "contract_id", "dimension", "quantity"]


def test_the_times_may_be_left_out(sandbox: Sandbox) -> None:
    assert statuses(meter(sandbox, record(start_time=None, end_time=None))) == ["success"]


def test_an_unknown_dimension_is_a_warning(sandbox: Sandbox) -> None:
    sandbox.set_records("/contracts/", [{"id": "contracts-1", "dimensions": ["cpu_hours"]}])
    known, unknown, gone = meter(
        sandbox, record(), record(dimension="x"), record(contract_id="contracts-2")
    )
    assert statuses([known, unknown, gone]) == ["success", "warning", "INVALID_CONTRACT"]
    assert unknown["dimension"] == "x" and "errors" not in unknown


@pytest.mark.parametrize("body", [b"garbage", b"", b"[]", b'{"bogus":1}', b'{"request":{}}'])
def test_what_is_no_metering_request_is_refused(sandbox: Sandbox, body: bytes) -> None:
    answer = requests.post(f"{sandbox.url}/metering/", data=body, auth=sandbox.provider())
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert sandbox.received("/metering/") == [body]


# ---- What a test prepares, and what it sees afterwards ----


def test_a_prepared_success_needs_the_token(sandbox: Sandbox) -> None:
    for path in ("/listings/", "/other/"):
        sandbox.answer_next(200, b'{"results": []}', path=path)
        url = sandbox.url + path
        assert requests.get(url).status_code == 401
        # It is still in line for the program that has one, also after a 401.
        provider = sandbox.provider()
        provider.token()
        sandbox.revoke_tokens()
        assert requests.get(url, auth=provider).json() == {"results": []}


def test_a_prepared_failure_needs_no_token(sandbox: Sandbox) -> None:
    sandbox.answer_next(503, path="/listings")
    assert requests.get(f"{sandbox.url}/listings/").status_code == 503


@pytest.mark.parametrize("status", [0, 99, 100, 199, 600, 65_535])
def test_a_status_that_ends_no_request_is_refused(sandbox: Sandbox, status: int) -> None:
    with pytest.raises(clazar_auth.ConfigurationError, match=f"the status {status}; give one"):
        sandbox.answer_next(status)


@pytest.mark.parametrize(
    ("name", "value"),
    [("X", "a\r\nY: b"), ("X\r\nY", "b"), ("X", "a\nb"), ("", "a"), ("X Y", "a"), ("X", "a\0")],
)
def test_a_header_that_would_break_the_answer_is_refused(
    sandbox: Sandbox, name: str, value: str
) -> None:
    with pytest.raises(clazar_auth.ConfigurationError, match="cannot be sent"):
        sandbox.answer_next(200, headers={name: value})


def test_what_was_posted_is_shown_but_no_secret(sandbox: Sandbox) -> None:
    meter(sandbox, record())
    assert b"cpu_hours" in sandbox.received("/metering/")[0]
    assert sandbox.received("/authenticate/") == []
    assert sandbox.received("/listings/") == []
    url = f"{sandbox.url}/metering/"
    with sandbox.provider() as provider, requests.Session() as session:
        session.auth = provider
        for number in range(1_100):
            session.post(url, data=str(number))
    bodies = sandbox.received("/metering/")
    assert (len(bodies), bodies[0], bodies[-1]) == (1_000, b"100", b"1099")
