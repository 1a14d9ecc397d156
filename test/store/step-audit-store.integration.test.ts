/** Who used which version, and when. Workers write the uses and cannot read them; managers read them. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import type { ManagementStore } from '../../src/store/management-store.js';
import type { CountedUse } from '../../src/store/ports.js';
import type { ProviderStore } from '../../src/store/provider-store.js';
import { withSession } from '../support/database.js';
import { useDatabase } from '../support/use-database.js';
import { anyWorkspace, provider, row } from './rows.js';

/** Half a day ago, because uses are refused that are more than a day old. */
const NOON = Math.floor(Date.now() / 60_000) * 60_000 - 12 * 3_600_000;
const at = (minute: number) => new Date(NOON + minute * 60_000);

const database = useDatabase();
let manager: ManagementStore;
let worker: ProviderStore;
beforeAll(async () => {
  ({ manager, worker } = database);
  const facts = { taskQueue: 'q', identity: 'agents-1', build: '0', leaseMs: 1_000, longestStepMs: 1_000 };
  await worker.registerWorker({ workerId: 'w', ...facts });
});

function use(of: ProviderIdentity, minute: number, change: Partial<CountedUse> = {}): CountedUse {
  return {
    ...{ provider: of, version: 1, workflowType: 'addressAgent', workflowId: 'agent-1', count: 1 },
    ...{ minuteMs: at(minute).getTime(), ...change },
  };
}

describe('the uses that workers recorded', () => {
  test('add up within a batch, across batches, and from many workers at once', async () => {
    const anthropic = provider(anyWorkspace());
    const batch = [3, 1, 2].map((minute) => use(anthropic, minute, { count: 2 }));
    await worker.recordUses([...batch, use(anthropic, 1)]);
    await Promise.all([1, 2, 3, 4].map((run) => worker.recordUses(run % 2 ? batch : batch.toReversed())));
    expect(await manager.audit.listUsage({ ...anthropic })).toEqual([
      {
        ...{ version: 1, workflowType: 'addressAgent', workflowId: 'agent-1', count: 31 },
        ...{ firstUsedAt: at(1), lastUsedAt: at(3) },
      },
    ]);
  });

  test('list which workflows used a version between two times, the last user first [G13]', async () => {
    const anthropic = provider(anyWorkspace());
    await worker.recordUses([
      use(anthropic, 0, { workflowId: 'before' }),
      use(anthropic, 1, { version: 3, workflowId: 'early' }),
      use(anthropic, 5, { version: 3, workflowId: 'late' }),
      use(anthropic, 5, { version: 4, workflowId: 'late' }),
      use(anthropic, 6, { version: 3, workflowId: 'after' }),
      use({ ...anthropic, name: 'openai' }, 3, { version: 3, workflowId: 'other' }),
      use(provider(anyWorkspace()), 3, { version: 3, workflowId: 'others' }),
    ]);
    const ids = async (of: { version?: number; from?: Date; to?: Date; limit?: number }) =>
      (await manager.audit.listUsage({ ...anthropic, ...of })).map(({ workflowId }) => workflowId);
    const halfPast = new Date(at(1).getTime() + 30_000);
    expect(await ids({ version: 3, from: halfPast, to: at(5) })).toEqual(['late', 'early']);
    expect(await ids({ version: 3 })).toEqual(['after', 'late', 'early']);
    expect(await ids({ to: at(0) })).toEqual(['before']);
    expect(await ids({ limit: 2 })).toEqual(['after', 'late']);
  });

  test('accept any workflow id, or none', async () => {
    const anthropic = provider(anyWorkspace());
    const long = `${'é'.repeat(600)}`;
    const workflowIds = ['', 'a\0b', '\ud800', long, `${long}, and another end`, '{"a":"b"}', "'); drop table"];
    await worker.recordUses(
      workflowIds.map((workflowId) => use(anthropic, 0, { workflowId, workflowType: workflowId })),
    );
    const uses = await manager.audit.listUsage({ ...anthropic });
    expect(uses.map(({ workflowId, count }) => [workflowId, count])).toEqual(
      expect.arrayContaining([
        [undefined, 1],
        ['ab', 1],
        ['\ufffd', 1],
        [long.slice(0, 250), 2],
      ]),
    );
    expect(uses).toHaveLength(6);
  });

  test('give the time when a provider was last used, at any version', async () => {
    const anthropic = provider(anyWorkspace());
    await manager.putProvider(anthropic, row('a'));
    const lastUsed = async () => (await manager.listProviders(anthropic.workspaceId))[0]?.lastUsedAt;
    expect(await lastUsed()).toBeUndefined();
    await worker.recordUses([use(anthropic, 7), use(anthropic, 2, { version: 2 })]);
    expect(await lastUsed()).toEqual(at(7));
  });

  test('are deleted when they are old, except for the last use', async () => {
    const [busy, idle] = [provider(anyWorkspace()), provider(anyWorkspace())];
    const old = [-120, -60];
    await worker.recordUses([...old, 0].map((minute) => use(busy, minute)));
    await worker.recordUses(old.map((minute) => use(idle, minute)));
    expect(await manager.audit.pruneUsage(at(-1))).toBe(3);
    expect(await manager.audit.pruneUsage(at(-1))).toBe(0);
    expect(await manager.audit.listUsage({ ...busy })).toMatchObject([{ count: 1, firstUsedAt: at(0) }]);
    expect(await manager.audit.listUsage({ ...idle })).toMatchObject([{ count: 1 }]);
  });

  test.each<[string, Partial<CountedUse>]>([
    ['older than a day', { minuteMs: Date.now() - 25 * 3_600_000 }],
    ['a day ahead', { minuteMs: Date.now() + 25 * 3_600_000 }],
    ['of a negative version', { version: -1 }],
    ['counted as zero', { count: 0 }],
    ['counted as more than an int4', { count: 2 ** 31 }],
  ])('are refused if one is %s', async (_, change) => {
    const refused = worker.recordUses([use(provider(anyWorkspace()), 0, change)]);
    await expect(refused).rejects.toMatchObject({ type: 'ProviderConfigInvalid' });
  });

  test('are refused if they do not name a valid provider', async () => {
    const refused = worker.recordUses([use({ workspaceId: 'canary pasted', type: 'llm', name: 'x' }, 0)]);
    await expect(refused).rejects.toMatchObject({ type: 'ProviderConfigInvalid' });
    await expect(refused).rejects.not.toThrow('canary');
  });
});

test('a workspace’s service sees only the uses of its workspace and cannot write them; a manager cannot add any', async () => {
  const [mine, theirs] = [provider(anyWorkspace()), provider(anyWorkspace())];
  await worker.recordUses([use(mine, 0), use(theirs, 0)]);
  await withSession(database.tenantUrl, async (session) => {
    const seen = async () => (await session.query('select workspace_id from provider_use')).rows;
    expect(await seen()).toEqual([]);
    await session.query(`select set_config('app.workspace_id', $1, false)`, [mine.workspaceId]);
    expect(await seen()).toEqual([{ workspace_id: mine.workspaceId }]);
    await expect(session.query('update provider_use set count = 9')).rejects.toMatchObject({ code: '42501' });
  });
  await withSession(database.managerUrl, async (session) => {
    const add = 'select provider_api.record_use(null, null, null, null, null, null, null, null, null, null)';
    await expect(session.query(add)).rejects.toMatchObject({ code: '42501' });
  });
});
