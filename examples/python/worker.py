"""Runs the Python workflows. Their steps run on the TypeScript worker: this process has no key and no database."""

import asyncio
import os
import signal

from temporalio.client import Client
from temporalio.worker import Worker
from workspace_grants import GrantInterceptor

from workflows import Answer, AnswerAll


async def main() -> None:
    client = await Client.connect(
        os.environ.get("TEMPORAL_ADDRESS", "localhost:7233"), interceptors=[GrantInterceptor()]
    )
    queue = os.environ.get("PYTHON_TASK_QUEUE", "python-agents")
    ended = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    async with Worker(client, task_queue=queue, workflows=[Answer, AnswerAll]):
        print(f"ready on {queue}", flush=True)
        await ended.wait()


asyncio.run(main())
