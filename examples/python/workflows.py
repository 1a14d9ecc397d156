"""A workflow in Python whose steps run on a TypeScript worker with the plugin, with its workspace's own key."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

# The times that the package's own workflow functions use: docs/python.md.
STEP = {
    "start_to_close_timeout": timedelta(minutes=10),
    "heartbeat_timeout": timedelta(seconds=30),
    "schedule_to_close_timeout": timedelta(hours=2),
    "retry_policy": RetryPolicy(maximum_interval=timedelta(minutes=1)),
}


@workflow.defn
class Answer:
    @workflow.run
    async def run(self, question: str, providers: list[str], steps_queue: str) -> str:
        answer = await workflow.execute_activity(
            "llmStep", {"provider": providers, "prompt": question}, task_queue=steps_queue, **STEP
        )
        return answer["text"]


@workflow.defn
class AnswerAll:
    """Asks each question in a child workflow. The children work for the same workspace."""

    @workflow.run
    async def run(self, questions: list[str], providers: list[str], steps_queue: str) -> list[str]:
        return [
            await workflow.execute_child_workflow(
                Answer.run, args=[question, providers, steps_queue], id=f"question-{number}"
            )
            for number, question in enumerate(questions, 1)
        ]
