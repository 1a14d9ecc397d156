"""Grants of workspaces for Temporal's Python SDK: a signer, and an interceptor for clients and workers.

The format is described in docs/grants.md, "Signing without this package".
"""

import base64
import json
import os
import time
import uuid
from collections.abc import Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import temporalio.client
import temporalio.worker
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter

HEADER = "workspace-grant"

_token: ContextVar[str | None] = ContextVar("workspace_grant_token", default=None)


class GrantSigner:
    """Signs grants with the private JWK that `workspace-providers grants create-key` wrote."""

    def __init__(self, key: Mapping[str, str], namespace: str = "default") -> None:
        self._kid = key["kid"]
        self._key = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(key["d"] + "="))
        self._namespace = namespace

    @classmethod
    def from_env(cls, namespace: str = "default") -> "GrantSigner":
        """Reads PROVIDER_GRANT_SIGNING_KEY: the document itself, or the path of its file."""
        setting = os.environ["PROVIDER_GRANT_SIGNING_KEY"]
        text = setting if setting.lstrip().startswith("{") else Path(setting).read_text()
        return cls(json.loads(text), namespace)

    def sign(self, workspace_id: str, workflow_id: str) -> str:
        now = time.time()
        header = {"alg": "Ed25519", "typ": "workspace-grant+jwt", "kid": self._kid}
        claims = {
            "jti": str(uuid.uuid4()),
            "sub": workspace_id,
            "aud": self._namespace,
            "workflow_ids": [workflow_id],
            "iat": now,
            "nbf": int(now),
        }
        signed = f"{_part(header)}.{_part(claims)}"
        return f"{signed}.{_base64url(self._key.sign(signed.encode()))}"

    @contextmanager
    def granted(self, workspace_id: str, workflow_id: str):
        """The workflow of this id that is started within carries a grant of the workspace."""
        before = _token.set(self.sign(workspace_id, workflow_id))
        try:
            yield
        finally:
            _token.reset(before)


class GrantInterceptor(temporalio.client.Interceptor, temporalio.worker.Interceptor):
    """Puts the grant into what a client starts, and passes it on from workflows to their activities and children.

    Give it to `Client.connect(interceptors=[...])`: workers of that client have it too.
    """

    def intercept_client(self, next: temporalio.client.OutboundInterceptor) -> temporalio.client.OutboundInterceptor:
        return _Client(next)

    def workflow_interceptor_class(
        self, input: temporalio.worker.WorkflowInterceptorClassInput
    ) -> type[temporalio.worker.WorkflowInboundInterceptor]:
        return _Inbound


class _Client(temporalio.client.OutboundInterceptor):
    async def start_workflow(
        self, input: temporalio.client.StartWorkflowInput
    ) -> temporalio.client.WorkflowHandle[Any, Any]:
        token = _token.get()
        if token is not None:
            payload = DataConverter.default.payload_converter.to_payload(token)
            input.headers = {**input.headers, HEADER: payload}
        return await super().start_workflow(input)


class _Inbound(temporalio.worker.WorkflowInboundInterceptor):
    def init(self, outbound: temporalio.worker.WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))


class _Outbound(temporalio.worker.WorkflowOutboundInterceptor):
    def start_activity(self, input: temporalio.worker.StartActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = _with_grant(input.headers)
        return super().start_activity(input)

    def start_local_activity(self, input: temporalio.worker.StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = _with_grant(input.headers)
        return super().start_local_activity(input)

    async def start_child_workflow(
        self, input: temporalio.worker.StartChildWorkflowInput
    ) -> workflow.ChildWorkflowHandle[Any, Any]:
        if HEADER in workflow.info().headers:
            # A grant covers the ids under that of its workflow.
            input.id = f"{workflow.info().workflow_id}/{input.id}"
        input.headers = _with_grant(input.headers)
        return await super().start_child_workflow(input)

    def continue_as_new(self, input: temporalio.worker.ContinueAsNewInput):
        input.headers = _with_grant(input.headers)
        return super().continue_as_new(input)


def _with_grant(headers: Mapping[str, Payload]) -> Mapping[str, Payload]:
    grant = workflow.info().headers.get(HEADER)
    return headers if grant is None else {**headers, HEADER: grant}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _part(value: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())
