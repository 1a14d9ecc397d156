/** The play: agents at work, one worker killed in the middle of a step, and what must be zero counted at the end. */
import { randomUUID } from 'node:crypto';
import { isWrongKey } from '../standins/calls.js';
import { type Agent, type AgentRun, followAgent, startAgent, workerOf } from './agents.js';
import { countInHistory, readHistory, type StepRecord } from './history.js';
import type { Stage } from './stage.js';

/** So that the killed worker is missed within seconds. */
const LLM_OPTIONS = { heartbeatTimeout: '4 seconds' } as const;

/** What `--json` prints. */
export interface DemoResult {
  readonly ok: boolean;
  readonly seconds: number;
  readonly workflows: readonly AgentRun[];
  /** False with `--live`: nobody can tell there when a step is in its middle. */
  readonly workerKilled: boolean;
  /** Calls that came with a key of another workspace than they were made for, or with none; null with `--live`. */
  readonly wrongKeyCalls: number | null;
  /** Secrets found in the encoded histories, in any of the usual encodings. */
  readonly secretsInHistory: number;
}

export interface Audience {
  line(text: string): void;
  step(workflowId: string, step: StepRecord): void;
}

export async function runDemo(stage: Stage, audience: Audience): Promise<Omit<DemoResult, 'seconds'>> {
  const { questions, chainId, record } = stage.services;
  const run = randomUUID().slice(0, 8);
  const hold = record?.holdFirstQuestion();
  const agents = await Promise.all(
    questions.map(({ workspaceId, provider, question, address }) =>
      startAgent(stage.client, stage.taskQueue, `${workspaceId}/${provider}/${run}`, {
        workspaceId,
        question,
        address,
        chainId,
        providers: [provider],
        llmOptions: LLM_OPTIONS,
      }),
    ),
  );
  const following = agents.map((agent, index) =>
    followAgent(agent, questions[index]?.workspaceId ?? '', audience.step),
  );
  let workerKilled = false;
  if (hold) {
    // Held at the service: the worker that asks is surely in the middle of its step.
    await Promise.race([hold.arrived, ...following]);
    workerKilled = await killWorkerOf(agents[0] as Agent, stage, audience);
    hold.release();
  }
  const workflows = await Promise.all(following);
  const counted = await count(agents, workflows, stage);
  const completed = workflows.every(({ status }) => status === 'COMPLETED');
  const ok = completed && workerKilled === Boolean(hold) && counted.isSound;
  const { wrongKeyCalls, secretsInHistory } = counted;
  return { ok, workflows, workerKilled, wrongKeyCalls, secretsInHistory };
}

async function killWorkerOf(agent: Agent, { workers }: Stage, audience: Audience): Promise<boolean> {
  const identity = await workerOf(agent);
  const worker = workers.find((each) => each.identity === identity);
  if (!worker) return false;
  await worker.kill();
  audience.line(`✖ ${identity} killed (SIGKILL) while it waited for the model's answer for ${agent.workflowId}`);
  return true;
}

async function count(agents: readonly Agent[], workflows: readonly AgentRun[], { services, secrets }: Stage) {
  const histories = await Promise.all(agents.map(readHistory));
  const secretsInHistory = histories.reduce((sum, history) => sum + countInHistory(history, secrets), 0);
  // Each history names its workspace: a search that does not find that finds nothing at all.
  const searchFinds = histories.every(
    (history, index) => countInHistory(history, [workflows[index]?.workspaceId ?? '?']) === 1,
  );
  const wrongKeyCalls = services.record ? services.record.calls().filter(isWrongKey).length : null;
  const isSound = searchFinds && secretsInHistory === 0 && !wrongKeyCalls;
  return { wrongKeyCalls, secretsInHistory, isSound };
}
