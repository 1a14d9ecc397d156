/**
 * Agents and rotations that started on an older build continue on this one: their histories, recorded once by
 * `record.ts` and `record-rotations.ts`, are replayed on the current code. If a test fails, use `patched()` in the
 * workflow; do not record the history again.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  Runtime,
  Worker,
  type WorkflowBundle,
} from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, test } from 'vitest';
import { historyFromText } from './recorded-history.js';

const folder = fileURLToPath(new URL('histories', import.meta.url));
const recorded = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));

let today: WorkflowBundle;
let changed: WorkflowBundle;

beforeAll(async () => {
  const logger = new DefaultLogger('ERROR', () => {});
  // This file expects some replays to fail, so their failures are not logged.
  const filter = makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' });
  Runtime.install({ logger, telemetryOptions: { logging: { filter } }, shutdownSignals: [] });
  const bundle = (workflowsPath: string) => bundleWorkflowCode({ workflowsPath, logger });
  today = await bundle(fileURLToPath(new URL('workflows.ts', import.meta.url)));
  changed = await bundle(fileURLToPath(new URL('changed-workflows.ts', import.meta.url)));
});

function replay(workflowBundle: WorkflowBundle, file: string): Promise<void> {
  return Worker.runReplayHistory({ workflowBundle }, historyFromText(readFileSync(`${folder}/${file}`, 'utf8')));
}

test('histories exist of workflows that completed, failed, were rolled back and are in progress', () => {
  const kinds = new Set(recorded.map((file) => file.split('/').at(-1)?.replace('.json', '')));
  const byReference = ['completed', 'retried', 'refused', 'at-work'];
  const agents = [...byReference, ...byReference.map((kind) => `by-name-${kind}`)];
  const rotations = ['completed', 'rolled-back', 'refused', 'at-work'].map((kind) => `rotation-${kind}`);
  expect(kinds).toEqual(new Set([...agents, ...rotations]));
});

describe.each(recorded)('%s', (file) => {
  test('replays on the current code', async () => {
    await expect(replay(today, file)).resolves.toBeUndefined();
  });

  test('does not replay on code that takes other steps, so this test can fail', async () => {
    await expect(replay(changed, file)).rejects.toBeInstanceOf(DeterminismViolationError);
  });
});
