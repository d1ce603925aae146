"""azure-core's bearer policy, with a credential that posts with requests: the package brings none of its own."""

import os
import time

import requests
from azure.core.credentials import AccessToken
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.pipeline.policies import BearerTokenCredentialPolicy
from azure.core.rest import HttpRequest


class Credential:
    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        response = requests.post(
            os.environ["CLAZAR_AUTH_URL"],
            json={
                "client_id": os.environ["CLAZAR_CLIENT_ID"],
                "client_secret": os.environ["CLAZAR_CLIENT_SECRET"],
            },
        )
        response.raise_for_status()
        answer = response.json()
        return AccessToken(answer["access_token"], int(time.time()) + answer["expires_in"])


class Policy(BearerTokenCredentialPolicy):
    """Without the random part of its margin, up to a minute, so that a renewal is due when it is measured."""

    def _request_token(self, *scopes: str, **options: object) -> None:
        super()._request_token(*scopes, **options)
        self._refresh_jitter = 0


def ways():
    credential = Credential()
    policy = Policy(credential, "https://www.example.com/.default")
    request = PipelineRequest(
        HttpRequest("GET", "https://api.clazar.io/listings/"), PipelineContext(None)
    )

    def authorization() -> str:
        policy.on_request(request)
        return request.http_request.headers["Authorization"]

    return {"authorization": authorization, "request": credential.get_token}
