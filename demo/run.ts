/**
 * The demo's course: agents work, a key is rotated meanwhile, a worker is killed in the middle of a step, and the
 * numbers that must be zero are counted at the end.
 */
import type { WorkflowHandle } from '@temporalio/client';
import { isWrongKey } from '../src/testing/services/calls.js';
import { type Agent, type AgentRun, ask, followAgent, workerOf } from './agents.js';
import type { Audience } from './audience.js';
import { countInHistory, readHistory } from './history.js';
import { type RotationFacts, type RotationScene, rotateMeanwhile } from './rotation.js';
import type { Stage } from './stage.js';
import type { TelemetryFacts } from './telemetry.js';

/** What `--json` prints. */
export interface DemoResult {
  readonly ok: boolean;
  readonly seconds: number;
  readonly workflows: readonly AgentRun[];
  /** False with `--live`, because real services cannot hold a step in its middle. */
  readonly workerKilled: boolean;
  /** The number of calls with the key of another workspace, or without a key. Null with `--live`. */
  readonly wrongKeyCalls: number | null;
  /** The number of secrets in the encoded histories, also the rotation's, in any of the usual encodings. */
  readonly secretsInHistory: number;
  /** Null with `--live`. */
  readonly rotation: RotationFacts | null;
  /** Null without `--telemetry`. */
  readonly telemetry: TelemetryFacts | null;
}

export async function runDemo(stage: Stage, audience: Audience): Promise<Omit<DemoResult, 'seconds' | 'telemetry'>> {
  const { questions, record, rotation } = stage.services;
  // The service holds these calls, so the agent that asked is certainly in the middle of a step.
  const [whileRotated, whileKilled] = [record?.holdFirstQuestion(), record?.holdFirstQuestion()];
  const agents = await Promise.all(questions.map((question) => ask(question, stage)));
  const first = agents[0] as Agent;
  const following = agents.map((agent, index) =>
    followAgent(agent, questions[index]?.workspaceId ?? '', audience.step),
  );
  // They are awaited at the end: until then, a failure of another part must not be hidden by one of theirs.
  for (const each of following) each.catch(() => {});
  let scene: RotationScene | undefined;
  if (rotation && whileRotated) {
    await Promise.race([whileRotated.arrived, ...following]);
    scene = await rotateMeanwhile(rotation, { agent: first, hold: whileRotated }, stage, audience);
  }
  let workerKilled = false;
  if (whileKilled) {
    await Promise.race([whileKilled.arrived, ...following]);
    workerKilled = await killWorkerOf(first, stage, audience);
    whileKilled.release();
  }
  const workflows = await Promise.all(following);
  const { isSound, ...counted } = await count([...agents, ...(scene?.workflows ?? [])], stage);
  const completed = workflows.every(({ status }) => status === 'COMPLETED');
  const ok = completed && isSound && workerKilled === Boolean(whileKilled) && scene?.isSound() !== false;
  return { ok, workflows, workerKilled, ...counted, rotation: scene?.facts() ?? null };
}

async function killWorkerOf(agent: Agent, { workers }: Stage, audience: Audience): Promise<boolean> {
  const identity = await workerOf(agent);
  const worker = workers.find((each) => each.identity === identity);
  if (!worker) return false;
  await worker.kill();
  audience.line(`✖ ${identity} killed (SIGKILL) while it waited for the model's answer for ${agent.workflowId}`);
  return true;
}

async function count(workflows: readonly WorkflowHandle[], { services, secrets }: Stage) {
  const histories = await Promise.all(workflows.map(readHistory));
  const secretsInHistory = histories.reduce((sum, history) => sum + countInHistory(history, secrets), 0);
  // A positive control: each history names its workspace, so a search that does not find that does not work.
  const workspaces = services.questions.map(({ workspaceId }) => workspaceId);
  const searchFinds = histories.every((history) => countInHistory(history, workspaces) > 0);
  const wrongKeyCalls = services.record ? services.record.calls().filter(isWrongKey).length : null;
  const isSound = searchFinds && secretsInHistory === 0 && !wrongKeyCalls;
  return { wrongKeyCalls, secretsInHistory, isSound };
}
