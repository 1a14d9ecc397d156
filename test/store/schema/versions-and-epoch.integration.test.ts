import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ManagementStore, openManagementStore } from '../../../src/store/management-store.js';
import { withSession } from '../../support/database.js';
import { useDatabase } from '../../support/use-database.js';
import { anyWorkspace, provider, row, sealed } from '../rows.js';

const database = useDatabase();
let store: ManagementStore;
/** The connection of a service that bypasses the functions. */
let service: pg.Client;
beforeAll(async () => {
  store = database.manager;
  service = new pg.Client({ connectionString: database.ownerUrl });
  await service.connect();
});
afterAll(() => service?.end());

/** One provider, as a reader sees it. */
async function seen(workspaceId: string, name: string) {
  const { providers } = await store.readWorkspace(workspaceId);
  const found = providers.find((stored) => stored.name === name);
  return (
    found && { content: JSON.stringify([found.config, found.encryptedConfig, found.status]), version: found.version }
  );
}

const NAMES = ['one', 'two'] as const;
const CHANGES = [
  ...(['put', 'put raw', 'overwrite raw', 'remove', 'remove raw'] as const),
  ...(['disable', 'enable', 'check', 'move'] as const),
];

interface Step {
  readonly name: string;
  readonly change: (typeof CHANGES)[number];
  readonly content: string;
  /** The version that a raw statement writes. */
  readonly forged: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  name: fc.constantFrom(...NAMES),
  change: fc.constantFrom(...CHANGES),
  content: fc.constantFrom('a', 'b'),
  forged: fc.integer({ min: -5, max: 50 }),
});

/** Makes a change through the functions, or by a raw statement of a service that omits or forges the version. */
async function apply(workspaceId: string, { name, change, content, forged }: Step) {
  const identity = provider(workspaceId, name);
  const raw = (text: string, ...values: unknown[]) => service.query(text, [workspaceId, name, ...values]);
  const INSERT = `insert into workspace_providers values ($1, 'llm', $2, $3, $4, 'active', $5)`;
  switch (change) {
    case 'put':
      return store.putProvider(identity, row(content));
    case 'put raw':
      return raw(`${INSERT} on conflict do nothing`, { note: content }, sealed(content), forged);
    case 'overwrite raw':
      return raw(
        `${INSERT} on conflict (workspace_id, provider_type, provider_name)
          do update set config = excluded.config, encrypted_config = excluded.encrypted_config, version = excluded.version`,
        { note: content },
        sealed(content),
        forged,
      );
    case 'remove':
      return store.removeProvider(identity);
    case 'remove raw':
      return raw('delete from workspace_providers where (workspace_id, provider_name) = ($1, $2)');
    case 'disable':
    case 'enable':
      return store
        .setStatus(identity, change === 'disable' ? 'disabled' : 'active')
        .catch((error) => expect(error).toMatchObject({ type: 'ProviderNotConfigured' }));
    case 'check':
      return store.recordCheck(identity, (await seen(workspaceId, name))?.version ?? 1, 'ok');
    case 'move':
      return raw(
        `update workspace_providers set provider_name = $3, version = $4 where (workspace_id, provider_name) = ($1, $2)
          and not exists (select from workspace_providers where workspace_id = $1 and provider_name = $3)`,
        name === 'one' ? 'two' : 'one',
        forged,
      ).catch((error) => expect(error).toMatchObject({ code: '23001' }));
  }
}

describe('the version of a provider', () => {
  it('is raised only by a change that a reader sees, and is never used again, even after a removal', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const workspaceId = anyWorkspace();
        const last = new Map<string, { version: number; content: string | undefined }>();
        for (const taken of steps) {
          await apply(workspaceId, taken);
          for (const name of NAMES) {
            const now = await seen(workspaceId, name);
            const before = last.get(name) ?? { version: 0, content: undefined };
            if (now?.content === before.content) {
              if (now) expect(now.version).toBe(before.version);
            } else if (now) {
              expect(now.version).toBeGreaterThan(before.version);
            }
            last.set(name, { version: now?.version ?? before.version, content: now?.content });
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('counts 1, 2, 3, regardless of what a writer puts into the column [G22]', async () => {
    const workspaceId = anyWorkspace();
    await apply(workspaceId, { name: 'one', change: 'put raw', content: 'a', forged: 41 });
    expect(await seen(workspaceId, 'one')).toMatchObject({ version: 1 });
    await apply(workspaceId, { name: 'one', change: 'overwrite raw', content: 'b', forged: 0 });
    expect(await seen(workspaceId, 'one')).toMatchObject({ version: 2 });
    await store.removeProvider(provider(workspaceId, 'one'));
    expect(await store.putProvider(provider(workspaceId, 'one'), row('a'))).toEqual({ version: 3 });
  });

  it('is unique per change when writers, removals and upserts race [G22]', async () => {
    const identity = provider(anyWorkspace(), 'one');
    const racing = openManagementStore({ databaseUrl: database.managerUrl });
    const versions: number[] = [];
    const turns = Array.from({ length: 20 }, (_, turn) => `turn ${turn}`);
    const remover = async () => {
      for (const _ of turns) await racing.removeProvider(identity);
    };
    const upserter = async () => {
      for (const content of turns) {
        const upsert = apply(identity.workspaceId, { name: 'one', change: 'overwrite raw', content, forged: 0 });
        await upsert.catch((error) => expect(error).toMatchObject({ code: '40001' }));
      }
    };
    const writer = async (_: unknown, index: number) => {
      for (const turn of turns) versions.push((await racing.putProvider(identity, row(`${index} ${turn}`))).version);
    };
    await Promise.all([remover(), upserter(), ...Array.from({ length: 6 }, writer)]);
    await racing.close();

    expect(versions).toHaveLength(120);
    expect(new Set(versions).size).toBe(120);
  });

  it('is not locked by an upsert that waits for an update, so the two do not deadlock [G22]', async () => {
    const workspaceId = anyWorkspace();
    await store.putProvider(provider(workspaceId, 'one'), row('a'));
    await withSession(database.ownerUrl, async (updater) => {
      const OF_WORKSPACE = 'workspace_id = $1';
      await updater.query('begin');
      await updater.query(`select from workspace_providers where ${OF_WORKSPACE} for update`, [workspaceId]);
      const upserted = apply(workspaceId, { name: 'one', change: 'overwrite raw', content: 'c', forged: 0 });
      await vi.waitUntil(async () => (await updater.query('select from pg_locks where not granted')).rowCount, {
        timeout: 20_000,
      });
      await updater.query(`update workspace_providers set status = 'disabled' where ${OF_WORKSPACE}`, [workspaceId]);
      await updater.query('commit');
      await upserted;
    });
    expect(await seen(workspaceId, 'one')).toMatchObject({ version: 3 });
  });
});
