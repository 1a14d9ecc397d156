/** Runs the daily schedule for half a year, on the server that skips time. */
import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTimeSkipping } from '../../support/time-skipping.js';
import type { daily } from './months-workflows.js';
import { RememberedProviders } from './remembered-providers.js';

const DAYS = 180;

let environment: TestWorkflowEnvironment;

beforeAll(async () => {
  environment = await startTimeSkipping();
}, 300_000);
afterAll(() => environment?.teardown());

test('in half a year a 30-day key is rotated six times, and an overdue event is raised once per period', async () => {
  const named = (name: string) => ({ workspaceId: 'ws_acme', type: 'llm', name });
  const startMs = await environment.currentTimeMs();
  const providers = new RememberedProviders(
    [
      { provider: named('minted'), canBeIssued: true },
      { provider: named('cared-for'), personTakesDays: 6 },
      { provider: named('forgotten') },
    ],
    startMs,
  );
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue: 'operations',
    workflowsPath: fileURLToPath(new URL('months-workflows.ts', import.meta.url)),
    activities: providers.activities,
  });
  const runs = await worker.runUntil(
    environment.client.workflow.execute<typeof daily>('daily', {
      workflowId: 'half-a-year',
      taskQueue: 'operations',
      args: [DAYS],
    }),
  );
  expect(await environment.currentTimeMs()).toBeGreaterThanOrEqual(startMs + DAYS * 86_400_000);
  expect(providers.rotated).toEqual(
    [30, 60, 90, 120, 150, 180].map((day, index) => `minted@${index + 2} on day ${day}`),
  );
  // The event is raised on day 30, the key is replaced on day 36 and due again 30 days later.
  const periods = [1, 2, 3, 4, 5].map((version) => `cared-for@${version}`);
  expect(providers.events.toSorted()).toEqual([...periods, 'forgotten@1']);
  const days = (kind: 'rotated' | 'overdue' | 'failed' | 'skipped') => runs.map((run) => run[kind]);
  expect(runs).toHaveLength(DAYS);
  expect(sum(days('rotated'))).toBe(6);
  expect(sum(days('overdue'))).toBe(providers.events.length);
  expect(sum(days('failed')) + sum(days('skipped'))).toBe(0);
  expect(runs.at(-1), 'a forgotten provider counts in every run, and raises no further event').toMatchObject({
    needPerson: 1,
    overdue: 0,
  });
}, 120_000);

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
