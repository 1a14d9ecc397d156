/**
 * Kills the process that runs a rotation's activities before and after each of them. Many rotations run in one process,
 * and each stops at its own point. When all have stopped, the process gets a SIGKILL, and another one continues.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RotateInput, RotationHandle } from '../../../src/client/rotation-client.js';
import type { ProviderIdentity } from '../../../src/protocol/references.js';
import { rotationWorkflowId } from '../../../src/protocol/rotation.js';
import { kill } from '../../faults/parts/signals.js';
import { attemptsIn } from '../../integration/history.js';
import { newWorkspace } from '../../support/agent-stage.js';
import { temporalAddress } from '../../support/parts.js';
import { useRotationStage } from '../../support/rotation-stage.js';
import { type OpenaiProjects, type ServiceAccount, startOpenaiProjects } from './openai-projects.js';

interface Case {
  readonly kind: 'rotated' | 'rolled back' | 'refused' | 'minted' | 'minted and refused';
  readonly point: string;
}

const FORWARD = [
  'beginRotation',
  'checkNextCredential',
  'record checked',
  'activateNextCredential',
  'awaitFence',
  'record fenced',
  'awaitDrain',
  'record drained',
  'revokePreviousCredential',
  'endRotation',
];
/** Within `issueNextCredential`: the service has made the key, and its answer never arrives. */
const MADE_NOT_STORED = 'made and not stored';
const BACK = ['restorePreviousCredential', 'revokePreviousCredential', 'endRotation'];

const beforeAndAfter = (names: readonly string[], kind: Case['kind']): Case[] =>
  names.flatMap((name) => [
    { kind, point: `before ${name}` },
    { kind, point: `after ${name}` },
  ]);
const CASES = [
  ...beforeAndAfter(FORWARD, 'rotated'),
  ...beforeAndAfter(BACK, 'rolled back'),
  ...beforeAndAfter(['checkNextCredential', 'endRotation'], 'refused'),
  ...beforeAndAfter(['issueNextCredential', 'activateNextCredential', 'endRotation'], 'minted'),
  { kind: 'minted', point: MADE_NOT_STORED } as const,
  ...beforeAndAfter(['discardIssuedCredential'], 'minted and refused'),
];

interface Run extends Case {
  readonly provider: ProviderIdentity;
  readonly older: string;
  /** Undefined if the service makes it. */
  readonly newer: string | undefined;
  readonly handle: RotationHandle;
}

const PARKING_WORKER = fileURLToPath(new URL('parking-worker.js', import.meta.url));

const stage = useRotationStage({ operations: false });
let runs: Run[];
let projects: OpenaiProjects;
/** What to do with a key that is made, by its project. */
const onMade = new Map<string, (account: ServiceAccount) => Promise<void>>();
/** Emits the rotations that have reached their point if their worker cannot report it. */
const arrivals = new EventEmitter();
const running = new Set<ChildProcess>();

beforeAll(async () => {
  const { llm, secrets } = stage;
  projects = await startOpenaiProjects({
    onMade: async (project, account) => {
      secrets.push(account.key);
      await onMade.get(project)?.(account);
    },
    onDeleted: ({ key }) => llm.revoke(key),
    forwardTo: llm.baseUrls.openai.sdk,
  });
  const starts = await Promise.all(CASES.map(prepare));
  const points = Object.fromEntries(starts.map(({ provider, point }) => [rotationWorkflowId(provider), point]));
  const doomed = startWorker(points);
  const allParked = parked(doomed, Object.keys(points));
  runs = await Promise.all(starts.map(start));
  await allParked;
  await kill(doomed.pid as number);
  startWorker({});
});

afterAll(async () => {
  for (const child of running) await kill(child.pid as number);
  await projects?.stop();
});

function startWorker(points: Record<string, string>): ChildProcess {
  const { database, encryptionKey, grantKeys } = stage;
  const settings = {
    store: { databaseUrl: database.managerUrl, ...database.store },
    encryptionKey,
    grantKeySet: grantKeys.keySet,
    temporalAddress: temporalAddress(),
    points,
  };
  const { PATH = '', HOME = '' } = process.env;
  const child = fork(PARKING_WORKER, {
    env: { PATH, HOME, PARKING_WORKER: JSON.stringify({ ...settings, taskQueue: stage.taskQueue }) },
    stdio: ['ignore', 'ignore', process.env.DEBUG_ROTATIONS ? 'inherit' : 'ignore', 'ipc'],
    execArgv: [],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Resolves when all rotations have stopped at their points. */
function parked(child: ChildProcess, workflowIds: readonly string[]): Promise<void> {
  const missing = new Set(workflowIds);
  return new Promise((resolve, reject) => {
    const arrive = (workflowId: string) => {
      missing.delete(workflowId);
      if (missing.size === 0) resolve();
    };
    child.on('message', ({ parked: workflowId }: { parked: string }) => arrive(workflowId));
    arrivals.on('made and not stored', arrive);
    child.once('exit', () =>
      reject(new Error(`the worker ended before all rotations had stopped; missing: ${[...missing].join(', ')}`)),
    );
  });
}

const isMinted = ({ kind }: Case) => kind === 'minted' || kind === 'minted and refused';

async function prepare(each: Case) {
  const workspaceId = newWorkspace();
  if (isMinted(each)) return prepareMinted(each, workspaceId);
  const { provider, apiKey: older } = await stage.addAnthropic(workspaceId);
  const newer = each.kind === 'refused' ? stage.newKey('refused') : stage.admittedKey(workspaceId);
  return { ...each, provider, older, newer };
}

async function prepareMinted(each: Case, workspaceId: string) {
  const { llm, manager } = stage;
  const baseURL = projects.url;
  const older = await stage.addLlm(workspaceId, 'openai', { config: { baseURL } });
  const config = { baseURL, project: workspaceId };
  const secret = { adminKey: stage.newKey('admin') };
  await manager.configureProvider({ workspaceId, type: 'llm-admin', name: 'openai', config, secret });
  const provider = { workspaceId, type: 'llm', name: 'openai' };
  let isFirst = true;
  onMade.set(workspaceId, async ({ key }) => {
    if (each.kind === 'minted') llm.admit({ provider: 'openai', key, owner: workspaceId });
    if (!isFirst || each.point !== MADE_NOT_STORED) return;
    isFirst = false;
    arrivals.emit(MADE_NOT_STORED, rotationWorkflowId(provider));
    await new Promise(() => {});
  });
  return { ...each, provider, older, newer: undefined };
}

async function start(prepared: Omit<Run, 'handle'>): Promise<Run> {
  const { provider, newer: apiKey, kind } = prepared;
  // A rotation that is to be rolled back waits for it in its overlap.
  const overlap: Partial<RotateInput> = kind === 'rolled back' ? { overlap: '10m' } : {};
  const secret = apiKey === undefined ? undefined : { apiKey };
  const handle = await stage.rotations.rotate({ ...provider, secret, ...overlap });
  if (kind === 'rolled back') {
    await vi.waitFor(async () => expect((await stage.rotations.status(provider)).overlapUntil).toBeDefined(), 30_000);
    // The call returns when the rotation rolls back, which another process does if this one is killed first.
    void stage.rotations.rollBack(provider, 'a test').catch(() => {});
  }
  return { ...prepared, handle };
}

function find({ kind, point }: Case): Run {
  return runs.find((run) => run.kind === kind && run.point === point) as Run;
}

async function expectEnd({ provider, handle }: Run, state: string): Promise<void> {
  expect(await stage.rotationRows(provider.workspaceId)).toMatchObject([{ state, ended: true, sealed: 0 }]);
  expect(await stage.leaksOf(handle)).toEqual([]);
  const attempts = attemptsIn(await handle.fetchHistory());
  expect(attempts.some(({ attempt }) => attempt > 1)).toBe(true);
}

const ofKind = (kind: Case['kind']) => CASES.filter((each) => each.kind === kind);

describe('a rotation whose process is killed completes exactly once and leaves no sealed secret [G22]', () => {
  test.each(ofKind('rotated'))('killed at: $point', async (each) => {
    const run = find(each);
    expect(await run.handle.result()).toMatchObject({
      fromVersion: 1,
      toVersion: 2,
      drain: { drained: true },
      revocation: { outcome: 'by-hand' },
    });
    expect(await stage.served(run.provider)).toEqual({ version: 2, apiKey: run.newer });
    await expectEnd(run, 'drained');
  });
});

describe('a rollback whose process is killed restores the older credential exactly once', () => {
  test.each(ofKind('rolled back'))('killed at: $point', async (each) => {
    const run = find(each);
    expect(await run.handle.result()).toMatchObject({ state: 'rolled-back', toVersion: 3 });
    expect(await stage.served(run.provider)).toEqual({ version: 3, apiKey: run.older });
    await expectEnd(run, 'rolled-back');
  });
});

describe('a rotation to a refused key changes nothing, even if its process is killed', () => {
  test.each(ofKind('refused'))('killed at: $point', async (each) => {
    const run = find(each);
    await expect(run.handle.result()).rejects.toThrow();
    expect(await stage.served(run.provider)).toEqual({ version: 1, apiKey: run.older });
    await expectEnd(run, 'failed');
  });
});

describe('a rotation to a key that the service issues leaves one service account, even if its process is killed', () => {
  test.each(ofKind('minted'))('killed at: $point', async (each) => {
    const run = find(each);
    expect(await run.handle.result()).toMatchObject({ fromVersion: 1, toVersion: 2, drain: { drained: true } });
    const accounts = projects.accounts(run.provider.workspaceId);
    expect(await stage.served(run.provider)).toEqual({ version: 2, apiKey: accounts[0]?.key });
    expect(accounts).toHaveLength(1);
    await expectEnd(run, 'drained');
  });

  test.each(ofKind('minted and refused'))('or none if the key is refused, killed at: $point', async (each) => {
    const run = find(each);
    await expect(run.handle.result()).rejects.toThrow();
    expect(projects.accounts(run.provider.workspaceId)).toEqual([]);
    expect(await stage.served(run.provider)).toEqual({ version: 1, apiKey: run.older });
    await expectEnd(run, 'failed');
  });
});
