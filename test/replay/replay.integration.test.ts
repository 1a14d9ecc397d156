/**
 * Agents and rotations that started on an older build go on under this one: their histories, recorded once (`record.ts`),
 * are replayed against today's code. A failure here is answered by `patched()` in the workflow, not by recording anew.
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
  // That an agent does not replay is what this file is about: no need to log it.
  const filter = makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' });
  Runtime.install({ logger, telemetryOptions: { logging: { filter } }, shutdownSignals: [] });
  const bundle = (workflowsPath: string) => bundleWorkflowCode({ workflowsPath, logger });
  today = await bundle(fileURLToPath(new URL('workflows.ts', import.meta.url)));
  changed = await bundle(fileURLToPath(new URL('changed-workflows.ts', import.meta.url)));
});

function replay(workflowBundle: WorkflowBundle, file: string): Promise<void> {
  return Worker.runReplayHistory({ workflowBundle }, historyFromText(readFileSync(`${folder}/${file}`, 'utf8')));
}

test('there are histories of workflows that completed, that failed, and that are at work', () => {
  const kinds = new Set(recorded.map((file) => file.split('/').at(-1)?.replace('.json', '')));
  const agents = ['completed', 'retried', 'refused', 'at-work'];
  const rotations = ['completed', 'rolled-back', 'refused', 'at-work'].map((kind) => `rotation-${kind}`);
  expect(kinds).toEqual(new Set([...agents, ...rotations]));
});

describe.each(recorded)('%s', (file) => {
  test('goes on under the code of today', async () => {
    await expect(replay(today, file)).resolves.toBeUndefined();
  });

  test('does not under code that takes other steps: this test would notice', async () => {
    await expect(replay(changed, file)).rejects.toBeInstanceOf(DeterminismViolationError);
  });
});
