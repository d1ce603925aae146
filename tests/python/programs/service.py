"""A web service that asks the API for each of its users: FastAPI and httpx."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

import clazar_auth
from clazar_auth.integrations.httpx import Auth

provider = clazar_auth.TokenProvider.from_env(timeout=60)
api = os.environ["CLAZAR_AUTH_URL"].removesuffix("authenticate/")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
    async with provider, httpx.AsyncClient(auth=Auth(provider, timeout=60)) as app.state.client:
        yield


app = FastAPI(lifespan=lifespan)


@app.exception_handler(clazar_auth.ClazarAuthError)
async def no_token(request: Request, error: clazar_auth.ClazarAuthError) -> JSONResponse:
    return JSONResponse({"error": type(error).__name__, "code": error.code}, 503)


async def patient_headers() -> dict[str, str]:
    return await provider.headers_async(timeout=60)


async def impatient_headers() -> dict[str, str]:
    return await provider.headers_async(timeout=0.05)


@app.get("/patient")
async def patient(headers: Annotated[dict[str, str], Depends(patient_headers)]) -> dict[str, str]:
    return headers


@app.get("/direct")
async def direct(
    headers: Annotated[dict[str, str], Depends(provider.headers_async)],
) -> dict[str, str]:
    return headers


@app.get("/impatient")
async def impatient(
    headers: Annotated[dict[str, str], Depends(impatient_headers)],
) -> dict[str, str]:
    return headers


@app.get("/cancelled")
async def cancelled() -> str:
    try:
        await asyncio.wait_for(provider.headers_async(), 0.05)
    except clazar_auth.ClazarAuthError:
        return "ours"
    except asyncio.TimeoutError:
        return "cancelled"
    return "answered"


@app.get("/listings")
async def listings() -> dict[str, int]:
    client: httpx.AsyncClient = app.state.client
    response = await client.get(api + "listings/")
    return {"status": response.status_code}


@app.get("/health")
async def health() -> JSONResponse:
    status = 200 if provider.ready else 503
    return JSONResponse({"waited": provider.stats().waited}, status)
