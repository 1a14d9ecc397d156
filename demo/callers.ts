/** Starts agents of one workspace, two at a time, until each worker has asked the model for one of them. */
import { type Agent, ask, followAgent } from './agents.js';
import type { StepRecord } from './history.js';
import type { DemoQuestion } from './services.js';
import type { Stage } from './stage.js';

const AT_ONCE = 2;
/** A worker that has not asked after this time will not ask. */
const LIMIT_MS = 20_000;

export interface Served {
  readonly agents: readonly Agent[];
  /** The identities of the workers that asked with that version or a newer one. */
  readonly by: readonly string[];
}

/** @param onServed - called with each worker's first such step */
export async function askUntilServed(
  question: DemoQuestion,
  version: number,
  stage: Stage,
  onServed: (workflowId: string, step: StepRecord) => void = () => {},
): Promise<Served> {
  const agents: Agent[] = [];
  const by = new Set<string>();
  const note = (workflowId: string, step: StepRecord) => {
    if (step.step !== 'llmStep' || step.version < version || by.has(step.worker)) return;
    by.add(step.worker);
    onServed(workflowId, step);
  };
  const untilMs = performance.now() + LIMIT_MS;
  while (by.size < stage.workers.length && performance.now() < untilMs) {
    const asked = await Promise.all(Array.from({ length: AT_ONCE }, () => ask(question, stage)));
    agents.push(...asked);
    await Promise.all(asked.map((agent) => followAgent(agent, question.workspaceId, note)));
  }
  return { agents, by: [...by].sort() };
}
