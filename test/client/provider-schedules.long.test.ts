/** The schedules on a real Temporal and a real Postgres: creating, deleting, and the results of their runs. */
import { randomBytes, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { ProviderSchedules, type ScheduleRun, type ScheduleTimes } from '../../src/client/provider-schedules.js';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import { runCli } from '../cli/run-cli.js';
import { newWorkspace } from '../support/agent-stage.js';
import { pastDue, stagedLongAgo } from '../support/due.js';
import { temporalAddress } from '../support/parts.js';
import { useRotationStage } from '../support/rotation-stage.js';
import { countingService } from './counting-service.js';

const stage = useRotationStage();
let schedules: ProviderSchedules;

beforeAll(async () => {
  schedules = new ProviderSchedules(stage.operator, stage.taskQueue);
});

/** Triggers the schedule, and waits until that run ends. */
async function run(name: 'rotate-due' | 'check'): Promise<ScheduleRun> {
  const lastRun = async () => (await schedules.list()).find((each) => each.name === name)?.lastRun;
  // Two runs within a second share a workflow id, so the start time tells them apart.
  const before = (await lastRun())?.startedAt.getTime();
  await schedules.trigger(name);
  return vi.waitFor(
    async () => {
      const last = await lastRun();
      if (!last || last.startedAt.getTime() === before || last.status === 'RUNNING') throw new Error('not yet');
      return last;
    },
    { timeout: 30_000, interval: 100 },
  );
}

async function due(provider: ProviderIdentity): Promise<ProviderIdentity> {
  await stage.manager.setRotationInterval(provider, '30d');
  await pastDue(stage.database, provider);
  return provider;
}

async function stageAhead(provider: ProviderIdentity, apiKey: string): Promise<void> {
  const rotationId = await stage.manager.actingAs('ann').stageRotation({ ...provider, secret: { apiKey } });
  await stagedLongAgo(stage.database, rotationId);
}

describe('a schedule', () => {
  test('is created, changed, shown, paused, resumed and deleted', async () => {
    expect(await schedules.create('check', { every: '6h' })).toBe('created');
    const [shown, ...others] = await schedules.list();
    expect(others).toEqual([]);
    expect(shown).toMatchObject({ name: 'check', times: 'every 6h', paused: false, nextRunAt: expect.any(Date) });
    await schedules.pause('check', 'the service is moving');
    expect(await schedules.create('check', { cron: '0 3 * * *' }), 'a change keeps it paused').toBe('changed');
    const [paused] = await schedules.list();
    expect(paused).toMatchObject({ times: '0 3 * * *', paused: true, note: 'the service is moving' });
    expect(paused?.nextRunAt).toBeUndefined();
    await schedules.resume('check');
    expect(await schedules.list()).toMatchObject([{ paused: false }]);
    await schedules.delete('check');
    expect(await schedules.list()).toEqual([]);
  });

  test('is refused if its name is unknown, if it was not created, or if its times are invalid', async () => {
    const invalid = { type: 'ProviderConfigInvalid' };
    await expect(schedules.create('rotate')).rejects.toMatchObject(invalid);
    for (const change of ['pause', 'resume', 'trigger', 'delete'] as const) {
      await expect(schedules[change]('rotate-due')).rejects.toMatchObject({ type: 'SetupInvalid' });
    }
    const misfits: ScheduleTimes[] = [
      { every: '10s' },
      { every: '500d' },
      { cron: 'daily' },
      { every: '1h', cron: '0 3 * * *' },
    ];
    for (const times of misfits) {
      await expect(schedules.create('check', times), JSON.stringify(times)).rejects.toMatchObject(invalid);
    }
    expect(await schedules.list()).toEqual([]);
  });
});

describe('the commands', () => {
  const run = async (...args: string[]) => {
    const { database, grantKeys } = stage;
    const ENCRYPTION_KEY = `test:${randomBytes(32).toString('base64')}`;
    const { taskQueue: PROVIDER_OPERATIONS_TASK_QUEUE } = stage;
    const env = {
      ...stage.database.settings,
      ...grantKeys.starterEnv,
      DATABASE_URL: database.managerUrl,
      TEMPORAL_ADDRESS: temporalAddress(),
      ENCRYPTION_KEY,
    };
    const ran = await runCli([...args, '--json'], { env: { ...env, PROVIDER_OPERATIONS_TASK_QUEUE } });
    return { exitCode: ran.exitCode, document: JSON.parse(ran.stdout) };
  };

  test('schedules creates, pauses, lists and deletes a schedule', async () => {
    expect((await run('schedules', 'create', 'check', '--every', '2h')).document).toEqual({
      ...{ schedule: 'check', outcome: 'created' },
    });
    expect((await run('schedules', 'pause', 'check')).document).toEqual({ schedule: 'check', outcome: 'paused' });
    expect((await run('schedules', 'list')).document).toMatchObject({
      schedules: [{ name: 'check', times: 'every 2h', paused: true }],
    });
    expect((await run('schedules', 'delete', 'check')).document).toEqual({ schedule: 'check', outcome: 'deleted' });
    const again = await run('schedules', 'delete', 'check');
    expect(again).toMatchObject({ exitCode: 2, document: { error: { type: 'SetupInvalid' } } });
  });

  test('rotate-every sets the rotation interval, and refuses an invalid one', async () => {
    const { workspaceId, type, name } = (await stage.addAnthropic(newWorkspace())).provider;
    const rotateEvery = (interval: string) => run('rotate-every', workspaceId, type, name, interval);
    expect((await rotateEvery('90d')).document).toEqual({ workspaceId, type, name, rotateEvery: '90d' });
    expect((await rotateEvery('never')).document).toMatchObject({ rotateEvery: null });
    expect(await rotateEvery('soon')).toMatchObject({ exitCode: 2, document: { error: { type: 'UsageInvalid' } } });
    expect(await rotateEvery('1s')).toMatchObject({ exitCode: 2, document: { error: { fields: ['rotateEvery'] } } });
  });
});

describe('rotate-due', () => {
  test('rotates staged credentials, continues after a failure, and reports once what needs a person', async () => {
    const names = ['staged', 'refused', 'forgotten'] as const;
    const providers = names.map(() => newWorkspace());
    const [staged, refused, forgotten] = await Promise.all(
      providers.map(async (workspaceId) => due((await stage.addAnthropic(workspaceId)).provider)),
    );
    if (!staged || !refused || !forgotten) throw new Error('unreachable');
    const apiKey = stage.admittedKey(staged.workspaceId);
    await stageAhead(staged, apiKey);
    await stageAhead(refused, stage.newKey('anthropic'));
    await schedules.create('rotate-due');

    expect((await run('rotate-due')).totals).toEqual({
      ...{ due: 3, rotated: 1, underWay: 0, failed: 1, skipped: 0, needPerson: 1, overdue: 1, abandoned: 0 },
    });
    expect(await stage.served(staged)).toEqual({ version: 2, apiKey });
    expect((await stage.served(refused)).version).toBe(1);
    // The refused key was deleted with its rotation, so this provider now needs a person too.
    expect((await run('rotate-due')).totals).toMatchObject({ due: 2, rotated: 0, needPerson: 2, overdue: 1 });
    expect((await run('rotate-due')).totals).toMatchObject({ due: 2, rotated: 0, needPerson: 2, overdue: 0 });

    const { manager } = stage;
    for (const { workspaceId } of [refused, forgotten]) {
      expect(await manager.audit.listEvents({ workspaceId })).toContainEqual(
        expect.objectContaining({ event: 'rotation-overdue', version: 1 }),
      );
    }
    const events = (await manager.audit.listEvents(staged)).map(({ event }) => event);
    expect(events).not.toContain('rotation-overdue');
    expect(await manager.countOverdue()).toBe(2);
  });
});

describe('check', () => {
  test('checks every provider, page by page and a few at once, and records a rejection once', async () => {
    const { manager } = stage;
    const service = await countingService();
    try {
      const workspaces = Array.from({ length: 250 }, (_, index) => `ws_check_${String(index).padStart(3, '0')}`);
      const key = stage.newKey('counted');
      const refused = stage.newKey('counted');
      service.admit(key);
      for (const workspaceId of workspaces) {
        const apiKey = workspaceId.endsWith('7') ? refused : key;
        const provider = { workspaceId, type: 'llm', name: 'counted' };
        await manager.configureProvider({ ...provider, config: { baseURL: service.baseURL }, secret: { apiKey } });
      }
      const checkAll = async () => {
        const options = { workflowId: randomUUID(), taskQueue: stage.taskQueue, args: [{ pageSize: 100 }] };
        const handle = await stage.operator.workflow.start('checkProviders', options);
        return { handle, totals: await handle.result() };
      };
      const { handle, totals } = await checkAll();
      const others = totals.checked - workspaces.length;
      expect(totals).toEqual({ checked: 250 + others, ok: 225 + others, rejected: 25, cannotTell: 0, failed: 0 });
      expect(service.calls, 'each was checked once').toBe(250);
      expect(service.mostAtOnce).toBeGreaterThan(1);
      expect(service.mostAtOnce).toBeLessThanOrEqual(5);
      expect(await historiesOf(handle.workflowId, handle.firstExecutionRunId)).toBe(
        Math.floor(totals.checked / 100) + 1,
      );

      const [checked] = await manager.listProviders('ws_check_007');
      expect(checked?.lastCheck).toMatchObject({ outcome: 'rejected' });
      expect((await checkAll()).totals).toEqual(totals);
      const rejections = async (workspaceId: string) =>
        (await manager.audit.listEvents({ workspaceId })).filter(({ event }) => event === 'credential-rejected');
      expect(await rejections('ws_check_007')).toMatchObject([{ version: 1 }]);
      expect(await rejections('ws_check_008')).toEqual([]);
    } finally {
      await service.stop();
    }
  });
});

/** The number of histories of a workflow, each of which continued as the next. */
async function historiesOf(workflowId: string, firstRunId: string): Promise<number> {
  let runId: string | null | undefined = firstRunId;
  for (let count = 0; ; count += 1) {
    if (!runId) return count;
    const { events } = await stage.client.workflow.getHandle(workflowId, runId).fetchHistory();
    runId = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
  }
}
