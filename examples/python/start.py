"""Starts a workflow for a workspace and prints its answer: python start.py ws_acme 'What is a nonce?'"""

import asyncio
import os
import sys
import uuid

from temporalio.client import Client
from workspace_grants import GrantInterceptor, GrantSigner

from workflows import Answer


async def main(workspace_id: str, question: str) -> None:
    client = await Client.connect(
        os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"), interceptors=[GrantInterceptor()]
    )
    signer = GrantSigner.from_env(client.namespace)
    workflow_id = f"answer-{uuid.uuid4()}"
    with signer.granted(workspace_id, workflow_id):
        handle = await client.start_workflow(
            Answer.run,
            args=[question, ["anthropic", "openai", "gemini"], os.environ.get("AGENT_TASK_QUEUE", "agents")],
            id=workflow_id,
            task_queue=os.environ.get("PYTHON_TASK_QUEUE", "python-agents"),
        )
    print(await handle.result())
    # The SDK's threads may crash a process that ends right after a call: github.com/temporalio/sdk-python/issues/300.
    await asyncio.sleep(0.1)


asyncio.run(main(sys.argv[1], sys.argv[2]))
