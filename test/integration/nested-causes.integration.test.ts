/** An activity of one's own that throws an error with a long chain of causes, through a real worker and server. */
import { fileURLToPath } from 'node:url';
import { WorkflowFailedError } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { beforeAll, expect, test } from 'vitest';
import { useAgentStage } from '../support/agent-stage.js';
import { uniqueName } from '../support/parts.js';
import type { callActivity } from './workflows.js';

const MOST_CAUSES = 20;

type Make = (message: string, cause: Error | undefined) => Error;
const plain: Make = (message, cause) => new Error(message, { cause });
const typed: Make = (message, cause) =>
  ApplicationFailure.create({ type: 'ProviderUnavailable', message, cause, nonRetryable: true });

function nested(depth: number, make: Make): Error | undefined {
  let error: Error | undefined;
  for (let level = depth; level > 0; level -= 1) error = make(`level ${level}`, error);
  return error;
}

function itsOwnCause(): Error {
  const error = new Error('around');
  error.cause = error;
  return error;
}

const throwing = (cause: Error | undefined) => async () => {
  throw typed('the service is away', cause);
};

const stage = useAgentStage();
let taskQueue: string;

beforeAll(async () => {
  const workflowsPath = fileURLToPath(new URL('workflows.ts', import.meta.url));
  const activities = {
    plain100: throwing(nested(100, plain)),
    plain1000: throwing(nested(1_000, plain)),
    typed100: throwing(nested(100, typed)),
    typed1000: throwing(nested(1_000, typed)),
    around: throwing(itsOwnCause()),
    foreign1000: async () => {
      throw nested(1_000, plain);
    },
    lives: async () => {},
  };
  ({ taskQueue } = await stage.startWorker({ workflowsPath, activities }));
});

function call(name: string) {
  const options = { retry: { maximumAttempts: 1 } };
  return stage.client.workflow.execute<typeof callActivity>('callActivity', {
    ...{ taskQueue, workflowId: uniqueName('causes'), args: [{ name, options }] },
  });
}

/** What the history has of an activity's failure, the outermost first. */
async function chainOf(name: string): Promise<Error[]> {
  const failed: unknown = await call(name).catch((error: unknown) => error);
  const chain: Error[] = [];
  let link = failed instanceof WorkflowFailedError ? failed.cause : undefined;
  if (link instanceof ActivityFailure) link = link.cause;
  for (; link instanceof Error; link = link.cause as Error | undefined) chain.push(link);
  return chain;
}

/** The server cuts as well, one level earlier. */
function expectCut(causes: readonly Error[]): void {
  expect([MOST_CAUSES - 1, MOST_CAUSES]).toContain(causes.length);
}

test.each(['plain100', 'plain1000', 'typed100', 'typed1000', 'around'])(
  'ends with its own type and at most 20 causes, and the worker goes on: %s [G23]',
  async (name) => {
    const [first, ...causes] = await chainOf(name);
    expect(first).toMatchObject({ type: 'ProviderUnavailable', message: 'the service is away' });
    expectCut(causes);
    await call('lives');
  },
);

test('the same holds for an error that is no failure of Temporal [G23]', async () => {
  const chain = await chainOf('foreign1000');
  // The SDK 1.20 stores no causes of such an error.
  if (chain.length > 1) expectCut(chain.slice(1));
  expect(chain[0]).toMatchObject({ type: 'Error', message: 'level 1' });
  await call('lives');
});
