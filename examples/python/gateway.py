"""An HTTP gateway: a caller's token decides on the workspace, and only then is a grant signed.

GATEWAY_TOKENS maps the tokens of callers to workspaces: {"<token>": "ws_acme"}. In its place, put the authentication
that your platform has.
"""

import hmac
import json
import os
import uuid
from contextlib import asynccontextmanager
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.service import RPCError, RPCStatusCode
from workspace_grants import GrantInterceptor, GrantSigner

from workflows import Answer

TOKENS: dict[str, str] = json.loads(os.environ["GATEWAY_TOKENS"])


@asynccontextmanager
async def connected(app: FastAPI):
    app.state.client = await Client.connect(
        os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"), interceptors=[GrantInterceptor()]
    )
    app.state.signer = GrantSigner.from_env(app.state.client.namespace)
    yield


app = FastAPI(lifespan=connected)


def workspace_of(caller: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
    given = caller.credentials.encode()
    for token, workspace_id in TOKENS.items():
        if hmac.compare_digest(token.encode(), given):
            return workspace_id
    raise HTTPException(401, "unknown token")


Workspace = Annotated[str, Depends(workspace_of)]


class Question(BaseModel):
    question: str
    providers: list[str] = ["anthropic", "openai", "gemini"]


def workflow_id_of(workspace_id: str, answer_id: uuid.UUID) -> str:
    # The workspace is part of the id, so a caller reaches no other workspace's workflow with an id that it knows.
    return f"{workspace_id}.answer-{answer_id}"


@app.post("/answers", status_code=202)
async def ask(workspace_id: Workspace, asked: Question) -> dict[str, str]:
    answer_id = uuid.uuid4()
    workflow_id = workflow_id_of(workspace_id, answer_id)
    with app.state.signer.granted(workspace_id, workflow_id):
        await app.state.client.start_workflow(
            Answer.run,
            args=[asked.question, asked.providers, os.environ.get("AGENT_TASK_QUEUE", "agents")],
            id=workflow_id,
            task_queue=os.environ.get("PYTHON_TASK_QUEUE", "python-agents"),
        )
    return {"id": str(answer_id)}


@app.get("/answers/{answer_id}")
async def answer(workspace_id: Workspace, answer_id: uuid.UUID) -> dict[str, str]:
    handle = app.state.client.get_workflow_handle(workflow_id_of(workspace_id, answer_id))
    try:
        return {"answer": await handle.result()}
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise HTTPException(404, "no such answer") from None
        raise
    except WorkflowFailureError as error:
        failure = error.cause.cause if isinstance(error.cause, ActivityError) else error.cause
        if isinstance(failure, ApplicationError) and failure.type:
            # The package's failures say what the workspace lacks, and never show a secret: docs/failures.md.
            raise HTTPException(422, {"type": failure.type, "message": failure.message}) from None
        raise


if __name__ == "__main__":
    uvicorn.run(app, host=os.environ.get("GATEWAY_HOST", "127.0.0.1"), port=int(os.environ.get("GATEWAY_PORT", "8000")))
