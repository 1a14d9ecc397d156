/**
 * Runs the drills of docs/runbook.md as they are written. The tests only create the situation; the operator's commands
 * and their expected output come from the page.
 */

import { expect, it, onTestFinished, vi } from 'vitest';
import type { Duration } from '../../src/config/duration.js';
import { pause } from '../faults/parts/signals.js';
import { useStage } from '../support/use-stage.js';
import { type DrillStep, expectShown, readDrills } from './page-drills.js';
import { PROVIDER, runbookStage } from './runbook-stage.js';

const drills = readDrills('runbook.md');
/** Long, because each command takes about a second to start, and more on a busy machine. */
const DRILL_TIMEOUT_MS = 120_000;
const rehearsed = new Set<string>();
const stage = useStage(runbookStage);

/** Runs the next step of the page, and compares its output. */
type Next = (how?: { exitCode?: number; env?: Readonly<Record<string, string>> }) => Promise<string>;

function drill(heading: string, rehearse: (next: Next) => Promise<void>): void {
  rehearsed.add(heading);
  it(
    heading,
    async () => {
      const steps = [...(drills.get(heading) ?? [])];
      expect(steps, 'a section of the runbook').not.toHaveLength(0);
      await rehearse(async ({ exitCode = 0, env } = {}) => {
        const step = steps.shift();
        expect(step, 'the page has another step').toBeDefined();
        return follow(step as DrillStep, exitCode, env);
      });
      expect(steps, 'steps that did not run').toEqual([]);
    },
    DRILL_TIMEOUT_MS,
  );
}

async function follow(step: DrillStep, exitCode: number, env?: Readonly<Record<string, string>>) {
  const ran = await stage.operate(step.text, env);
  if (process.env.RUNBOOK_SHOW) console.error(`$ ${step.text}${ran.shown}(${ran.exitCode})\n`);
  expectShown(step, ran, exitCode);
  for (const secret of stage.secrets) expect(ran.shown).not.toContain(secret);
  return ran.shown;
}

const ANTHROPIC = { provider: 'anthropic', owner: PROVIDER.workspaceId } as const;

/** Holds the next call at the service until it is released, at the latest at the end of the drill. */
function held(path: string) {
  const hold = stage.llm.holdNext({ ...ANTHROPIC, path });
  onTestFinished(() => hold.release());
  return hold;
}

/** Whether the service accepts this key. */
async function isTaken(key: string): Promise<boolean> {
  const { status } = await fetch(`${stage.llm.baseUrls.anthropic.sdk}/v1/models`, {
    headers: { 'x-api-key': key, 'anthropic-version': '2023-06-01' },
  });
  return status === 200;
}

/** The statuses with which the service answered the questions that came with this key. */
const questionsWith = (key: string) =>
  stage.llm.callsWith(key).flatMap(({ path, status }) => (path === '/v1/messages' ? [status] : []));

/** Runs four agents, so that each worker gets one. Returns which of these keys they use. */
async function keysInUse(...keys: readonly string[]): Promise<readonly string[]> {
  const before = keys.map((key) => questionsWith(key).length);
  await Promise.all(
    Array.from({ length: 4 }, async () => (await stage.startAgent('What now?')).result().catch(() => {})),
  );
  return keys.filter((key, index) => questionsWith(key).length > (before[index] ?? 0));
}

const rotations = () => stage.manager.listRotations(PROVIDER.workspaceId);

async function untilRotation(matches: (latest: Awaited<ReturnType<typeof rotations>>[number]) => boolean) {
  await expect
    .poll(async () => (await rotations()).slice(0, 1).some(matches), { timeout: 40_000, interval: 50 })
    .toBe(true);
}

const startRotation = (overlap: Duration = '0') =>
  stage.rotations.rotate({ ...PROVIDER, secret: { apiKey: stage.admittedKey() }, overlap });

drill('Before you need it', async (next) => {
  await next();
});

drill('A key leaked, now', async (next) => {
  const leaked = await stage.configured();
  onTestFinished(stage.llm.failNext({ ...ANTHROPIC, path: '/v1/messages', status: 401 }));
  const step = held('/v1/messages');
  const agent = await stage.startAgent('What is in this wallet?');
  await step.arrived;
  const key = await stage.newKeyFile();
  await next();
  stage.llm.revoke(leaked);
  expect(await isTaken(leaked)).toBe(false);
  step.release();
  // The step that held the leaked key was rejected, read the new key and continued.
  await agent.result().catch(() => {});
  expect(questionsWith(leaked)).toEqual([401]);
  expect(questionsWith(key)).toEqual([200]);
  expect(await keysInUse(leaked, key)).toEqual([key]);
  await next();
});

drill('A key leaked, and there is no other', async (next) => {
  const leaked = await stage.configured();
  expect(await keysInUse(leaked)).toEqual([leaked]);
  await next();
  expect(await keysInUse(leaked)).toEqual([]);
  stage.llm.revoke(leaked);
  const key = await stage.newKeyFile();
  await next();
  expect(await keysInUse(leaked, key)).toEqual([key]);
});

drill('A planned rotation, with overlap', async (next) => {
  const old = await stage.configured();
  const key = await stage.newKeyFile();
  // Longer than a command takes to start on a busy machine.
  await next({ env: { OVERLAP: '20s' } });
  await untilRotation(({ state }) => state === 'drained');
  expect(await keysInUse(old, key)).toEqual([key]);
  expect(await isTaken(old)).toBe(true);
  await next();
  await untilRotation(({ endedAt }) => endedAt !== undefined);
  await next();
});

drill('A key that cannot be issued', async (next) => {
  const old = await stage.configured('openai');
  const config = { baseURL: stage.llm.baseUrls.openai.sdk, project: 'proj_1' };
  const admin = { ...PROVIDER, type: 'llm-admin', name: 'openai' };
  await stage.manager.configureProvider({ ...admin, config, secret: { adminKey: stage.newKey() } });
  await next({ exitCode: 4 });
  expect((await rotations()).at(0)).toMatchObject({ state: 'failed' });
  await next({ exitCode: 4 });
  const key = await stage.newKeyFile('openai');
  await next();
  expect(stage.llm.callsWith(key), 'the key was checked before its use').not.toHaveLength(0);
  expect((await rotations()).at(0)).toMatchObject({ state: 'drained', provider: { name: 'openai' } });
  stage.llm.revoke(old);
});

drill('A worker that does not answer', async (next) => {
  const old = await stage.configured();
  expect(await keysInUse(old)).toEqual([old]);
  await stage.newKeyFile();
  const check = held('/v1/models');
  const rotated = next();
  await Promise.race([check.arrived, rotated]);
  const wake = await pause(stage.pidOf('agents-1'));
  onTestFinished(wake);
  check.release();
  await rotated;
  await next();
  await wake();
  await expect
    .poll(() => stage.manager.listWorkers(), { timeout: 10_000 })
    .toEqual(expect.arrayContaining([expect.objectContaining({ identity: 'agents-1', state: 'live' })]));
  expect(await keysInUse(old)).toEqual([]);
});

drill('Postgres failed over', async (next) => {
  const old = await stage.configured();
  const check = held('/v1/models');
  const rotation = await startRotation();
  await check.arrived;
  await stage.postgres.stop('immediate');
  onTestFinished(() => stage.postgres.restart());
  check.release();
  await next({ exitCode: 5 });
  await stage.postgres.restart();
  expect(await rotation.result()).toMatchObject({ state: 'drained', drain: { drained: true } });
  expect(await keysInUse(old)).toEqual([]);
  await next();
});

drill('Postgres was restored', async (next) => {
  const stored = await stage.configured();
  await stage.postgres.backUp();
  const config = { baseURL: stage.llm.baseUrls.anthropic.sdk, model: 'claude-sonnet-5-5' };
  const change = { ...PROVIDER, config, secret: { apiKey: stage.admittedKey() } };
  await expect.poll(() => stage.manager.configureProvider(change).catch(() => undefined)).toBeDefined();
  onTestFinished(stage.llm.failNext({ ...ANTHROPIC, path: '/v1/messages', status: 500 }));
  const step = held('/v1/messages');
  const agent = await stage.startAgent('What is in this wallet?');
  await step.arrived;
  await stage.postgres.restore();
  // The step's next attempt asks for a version that is lost.
  step.release();
  await next({ env: { PROVIDER_ADMIN_DATABASE_URL: stage.database.ownerUrl } });
  await agent.result().catch(() => {});
  expect(questionsWith(stored)).toEqual([200]);
  await next();
});

drill('A rotation that hangs', async (next) => {
  const old = await stage.configured();
  const check = held('/v1/models');
  const hanging = await startRotation();
  await check.arrived;
  await next();
  const key = await stage.newKeyFile();
  await next();
  check.release();
  await expect(hanging.result()).rejects.toThrow();
  expect((await rotations()).filter(({ endedAt }) => endedAt === undefined)).toEqual([]);
  expect(await keysInUse(old, key)).toEqual([key]);
});

drill('A rollback', async (next) => {
  const old = await stage.configured();
  await startRotation('10m');
  await untilRotation(({ state }) => state === 'drained');
  expect(await keysInUse(old)).toEqual([]);
  await next();
  expect(await keysInUse(old)).toEqual([old]);
  expect((await rotations()).at(0)).toMatchObject({ state: 'rolled-back', rolledBack: true });
  await next({ exitCode: 2 });
});

drill('A workflow that must be cut off', async (next) => {
  const key = await stage.configured();
  onTestFinished(stage.llm.failNext({ ...ANTHROPIC, path: '/v1/messages', status: 500, times: 1_000 }));
  const agent = await stage.startAgent('What is in this wallet?');
  await expect.poll(() => questionsWith(key).length, { timeout: 30_000 }).toBeGreaterThan(0);
  await next();
  // The step is retried until the worker has read the revocation.
  await expect(agent.result()).rejects.toMatchObject({ cause: { type: 'GrantInvalid' } });
  const asked = questionsWith(key).length;
  const later = await startAgentAMinuteLater('And now?');
  await expect.poll(() => questionsWith(key).length, { timeout: 30_000 }).toBeGreaterThan(asked);
  await later.terminate();
});

drill('A root key lost', async (next) => {
  await stage.startAnewUnderLostRootKey();
  await next({ exitCode: 4 });
  await next({ exitCode: 4 });
  const key = await stage.newKeyFile();
  await next({ env: { MODELS_URL: stage.llm.baseUrls.anthropic.sdk } });
  // The drill before this one revoked grants.
  await (await startAgentAMinuteLater('What now?')).result().catch(() => {});
  expect(questionsWith(key)).not.toEqual([]);
  expect(await stage.manager.rewrapDataKeys()).toMatchObject({ lost: [] });
});

/** A revocation also covers what is signed within a minute after it. */
async function startAgentAMinuteLater(question: string) {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
  return stage.startAgent(question).finally(() => vi.useRealTimers());
}

it('every drill of the page has a test', () => {
  expect([...drills.keys()].sort()).toEqual([...rehearsed].sort());
});
