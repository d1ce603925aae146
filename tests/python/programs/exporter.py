"""Counts the records of lists of the API: requests on threads, and retries of urllib3."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

import clazar_auth

API = os.environ.get("CLAZAR_API", "https://api.clazar.io")


def count(provider: clazar_auth.TokenProvider, name: str) -> int:
    retries = Retry(total=3, backoff_factor=0.01, status_forcelist=[429, 502, 503, 504])
    counted, url = 0, f"{API}/{name}/?page_size=1"
    with requests.Session() as session:
        session.auth = provider
        session.mount(API, HTTPAdapter(max_retries=retries))
        while url:
            response = session.get(url, timeout=60)
            response.raise_for_status()
            page = response.json()
            counted, url = counted + len(page["results"]), page["next"]
    return counted


def main(names: list[str]) -> int:
    try:
        with clazar_auth.TokenProvider.from_env() as provider, ThreadPoolExecutor(8) as pool:
            counts = list(pool.map(partial(count, provider), names))
    except clazar_auth.ClazarAuthError as error:
        print(f"no token: {error}", file=sys.stderr)
        return 2
    except requests.RequestException as error:
        print(f"no records: {error}", file=sys.stderr)
        return 1
    print(json.dumps(dict(zip(names, counts, strict=True))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
