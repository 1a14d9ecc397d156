/** The agents of these tests, in addition to those of `test/integration`. */
import { llmStep, resolveLlmKey } from '../../../src/workflow.js';

export { askModel, askSleepAsk, goOn } from '../../integration/workflows.js';

export interface TurnsInput {
  readonly workspaceId: string;
  /** The task queues of workers that each have their own cache. The steps run on them in turn. */
  readonly taskQueues: readonly string[];
  /** The agent ends when a step has used this version. */
  readonly untilVersion: number;
}

/** Asks on one worker after the other. @returns the versions that were used, in their order */
export async function askInTurns({ workspaceId, taskQueues, untilVersion }: TurnsInput): Promise<number[]> {
  const first = await resolveLlmKey({ workspaceId, provider: 'anthropic' });
  const versions: number[] = [];
  for (let turn = 0; (versions.at(-1) ?? 0) < untilVersion; turn += 1) {
    const taskQueue = taskQueues[turn % taskQueues.length] as string;
    const { provider } = await llmStep({ ref: first, prompt: `What does ${workspaceId} want?` }, { taskQueue });
    versions.push(provider.version);
  }
  return versions;
}
