/**
 * Rotations while one step makes many requests. The step is as long as three rotations take, or as long as
 * LONG_STEP_SECONDS says; then it makes a request a second, and its figures are printed.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { ProviderIdentity, ProviderReference } from '../../../src/protocol/references.js';
import type { ProviderResolver } from '../../../src/resolver/provider-resolver.js';
import { startService } from '../../providers/local-service.js';
import { newWorkspace, UNFENCED } from '../../support/agent-stage.js';
import { useRotationStage } from '../../support/rotation-stage.js';

const STEP_MS = Number(process.env.LONG_STEP_SECONDS ?? 0) * 1_000;
const EVERY_MS = STEP_MS > 0 ? 1_000 : 50;
/** How long the longest request of each rotation continues when the drain waits for nothing else. */
const LONGER_MS = STEP_MS > 0 ? 3_000 : 100;
/** Of a busy machine, between two facts that should be simultaneous. */
const SLACK_MS = 5_000;
const ROTATIONS = 3;

const stage = useRotationStage();

interface Sent {
  readonly beganAt: number;
  readonly status: number;
  readonly tookMs: number;
  /** The number of the key that the service saw. */
  readonly key: number;
}

/** A service that answers with the number of the key, and ends its answers to `/long` when it is told to. */
async function startNumberingService() {
  const keys: string[] = [];
  let ended = Promise.resolve();
  let endLong = () => {};
  const keyOf = (authorization = '') => keys.indexOf(authorization.replace('Bearer ', '')) + 1;
  const { url } = await startService(({ path, headers }) => {
    const key = keyOf(headers.authorization);
    if (key === 0) return { status: 401, body: { error: { code: 'invalid_api_key' } } };
    if (path !== '/long') return { status: 200, body: path === '/models' ? { data: [] } : key };
    const events = async function* () {
      yield String(key);
      await ended;
    };
    return { status: 200, events: events() };
  });
  const newKey = () => {
    const key = randomBytes(36).toString('hex');
    stage.secrets.push(key);
    keys.push(key);
    return key;
  };
  const holdLong = () => {
    ended = new Promise((resolve) => (endLong = resolve));
  };
  return { url, newKey, holdLong, endLong: () => endLong() };
}

/** Makes requests until it is told to end. */
async function startStep(resolver: ProviderResolver, reference: ProviderReference<'llm'>) {
  const sent: Promise<Sent>[] = [];
  const step = { runs: 0, isOver: false };
  const startedAt = Date.now();
  let ended: Promise<void> | undefined;
  const send = await new Promise<(path: string) => void>((begun, failed) => {
    ended = resolver.withProvider(reference, async ({ fetch }) => {
      step.runs += 1;
      const request = async (path: string): Promise<Sent> => {
        const beganAt = Date.now();
        const response = await fetch(path);
        const key = Number(await response.text());
        return { beganAt, status: response.status, tookMs: Date.now() - beganAt, key };
      };
      const send = (path: string) => void sent.push(request(path));
      begun(send);
      for (; !step.isOver; await delay(EVERY_MS)) send('/short');
      await Promise.all(sent);
    });
    ended.catch(failed);
  });
  return {
    sendLong: () => send('/long'),
    ageMs: () => Date.now() - startedAt,
    async end() {
      step.isOver = true;
      await ended;
      return { runs: step.runs, sent: await Promise.all(sent) };
    },
  };
}

test('a rotation waits for the requests under way and not for the step that makes them, and no request begins with an older key after its fence [G16]', {
  timeout: STEP_MS + 60_000,
}, async () => {
  const { resolver } = stage.worker.providers;
  const service = await startNumberingService();
  const provider: ProviderIdentity = { workspaceId: newWorkspace(), type: 'llm', name: 'local' };
  const first = { config: { baseURL: service.url, model: 'local-1' }, secret: { apiKey: service.newKey() } };
  await stage.manager.configureProvider({ ...provider, ...first }, UNFENCED);
  const reference = await resolver.resolveLlmKey({ workspaceId: provider.workspaceId, provider: provider.name });
  const step = await startStep(resolver, reference);
  onTestFinished(() => {
    service.endLong();
    return step.end().then(() => {});
  });

  const rotations: { fencedAt: number; fenceMs: number; drainMs: number }[] = [];
  for (let number = 1; number <= ROTATIONS; number += 1) {
    await delay(Math.max(0, ((2 * number - 1) / (2 * ROTATIONS)) * STEP_MS - step.ageMs()));
    service.holdLong();
    step.sendLong();
    const handle = await stage.rotations.rotate({ ...provider, secret: { apiKey: service.newKey() } });
    const waiting = await vi.waitFor(
      async () => {
        const { state, drain } = await stage.rotations.status(provider);
        expect(drain?.holders).toMatchObject([{ held: [{ version: number, count: 1 }] }]);
        return state;
      },
      { timeout: 20_000, interval: 50 },
    );
    expect(waiting).toBe('fenced');
    await delay(LONGER_MS);
    service.endLong();
    const endedAt = Date.now();
    const { state, fence, fencedAt = '', drain } = await handle.result();
    expect(Date.now() - endedAt, 'it ends with the request, and the step runs').toBeLessThan(SLACK_MS);
    expect({ state, drain }).toMatchObject({ state: 'drained', drain: { drained: true, holders: [] } });
    rotations.push({
      fencedAt: Date.parse(fencedAt),
      fenceMs: fence?.tookMs ?? Number.NaN,
      drainMs: drain?.tookMs ?? Number.NaN,
    });
  }
  await delay(Math.max(0, STEP_MS - step.ageMs()));
  const { runs, sent } = await step.end();
  const figures = { stepMs: step.ageMs(), requests: sent.length, longestMs: Math.max(...sent.map((s) => s.tookMs)) };
  if (STEP_MS > 0) console.log(JSON.stringify({ ...figures, rotations }));

  expect(runs, 'the step is not run again').toBe(1);
  expect(new Set(sent.map(({ status }) => status))).toEqual(new Set([200]));
  expect([...new Set(sent.map(({ key }) => key))].sort()).toEqual([1, 2, 3, 4]);
  for (const [index, { fencedAt, drainMs }] of rotations.entries()) {
    const stale = sent.filter(({ beganAt, key }) => beganAt > fencedAt && key < index + 2);
    expect(stale, 'requests that began after the fence, with an older key').toEqual([]);
    expect(drainMs).toBeLessThan(figures.longestMs + SLACK_MS);
  }
});
