/** A database that was restored while workers run: what they, fences and whoever changes a provider notice. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Janitor } from '../../src/fence/janitor.js';
import { Lease } from '../../src/fence/lease.js';
import { LeaseKeeper } from '../../src/fence/lease-keeper.js';
import { fenceChange, waitForFence } from '../../src/management/change-fence.js';
import { continueAfterRestore } from '../../src/management/continue-after-restore.js';
import { createParts } from '../../src/resolver/connect-parts.js';
import { ProviderResolver } from '../../src/resolver/provider-resolver.js';
import { openManagementStore } from '../../src/store/management-store.js';
import { openProviderStore } from '../../src/store/provider-store.js';
import { migratedDatabase } from '../../testbed/stage-database.js';
import { Teardown } from '../../testbed/teardown.js';
import { provider, row } from '../store/rows.js';
import { startOwnPostgres, withSession } from '../support/database.js';
import { uniqueName } from '../support/parts.js';
import { useStage } from '../support/use-stage.js';

const LEASE_MS = 2_000;
const WORKSPACE = 'ws_acme';

const stage = useStage(async (teardown) => {
  const postgres = await startOwnPostgres(teardown);
  const database = await migratedDatabase(postgres.url);
  const manager = openManagementStore({ databaseUrl: database.managerUrl });
  teardown.defer(() => manager.close());
  return { postgres, database, manager };
});

let teardown: Teardown;
const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
beforeEach(() => {
  teardown = new Teardown();
  warnings.mockClear();
});
afterEach(() => teardown.run());

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-standby-'));
  teardown.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A worker that renews only when it is told to. */
function worker() {
  const store = openProviderStore({ databaseUrl: stage.database.resolverUrl });
  const lease = new Lease(LEASE_MS);
  const sealer = { open: async () => JSON.stringify({ apiKey: 'canary-key-of-a-workspace' }) };
  const resolver = ProviderResolver.of(createParts({ store, sealer, lease, fetch }));
  const facts = { workerId: uniqueName('worker'), taskQueue: 'q', identity: 'agents', build: '0' };
  const registration = { ...facts, leaseMs: LEASE_MS, longestStepMs: 1_000 };
  const keeper = new LeaseKeeper({ store, worker: registration, lease, cache: resolver.parts.cache });
  teardown.defer(async () => {
    await keeper.stop();
    await store.close();
  });
  const served = () => resolver.peek(WORKSPACE, 'llm', 'anthropic')?.version;
  const warm = async () => {
    await keeper.renew();
    await resolver.resolveLlmKey({ workspaceId: WORKSPACE, provider: 'anthropic' });
  };
  return { ...facts, keeper, lease, warm, served };
}

const put = (letter: string) => stage.manager.putProvider(provider(WORKSPACE), { ...row(letter), config: {} });
const answered = () => vi.waitFor(() => stage.manager.readEpoch(), { timeout: 10_000, interval: 50 });
const renewed = (one: ReturnType<typeof worker>) =>
  vi.waitFor(() => one.keeper.renew(), { timeout: 10_000, interval: 50 });

describe('after a restore to an earlier time', () => {
  it.each([
    ['is still behind what a worker has applied', 0],
    ['has overtaken what a worker has applied', 9],
  ])(
    'whose epoch %s, a worker drops its cache at its next renewal, says so, and serves the stored version',
    async (_, changes) => {
      await put('a');
      const one = worker();
      await one.warm();
      await stage.postgres.backUp();
      await renewed(one);
      warnings.mockClear();
      await put('b');
      await put('c');
      await one.warm();
      const lost = one.served();
      await stage.postgres.restore();
      await answered();
      for (let count = 0; count < changes; count += 1) await put('d');
      await renewed(one);
      expect(one.served()).toBeUndefined();
      expect(one.lease.isHeld()).toBe(true);
      expect(warnings).toHaveBeenCalledTimes(1);
      expect(warnings).toHaveBeenCalledWith(expect.stringContaining('after-restore'), 'ProviderLeaseWarning');
      await one.warm();
      const [stored] = await stage.manager.listProviders(WORKSPACE);
      expect(one.served()).toBe(stored?.version);
      if (changes === 0) expect(one.served()).toBeLessThan(lost ?? 0);
    },
  );

  it('a fence waits for the leases of workers that the database does not know, and only once [G16]', async () => {
    await put('a');
    const known = worker();
    await known.warm();
    await known.keeper.stop();
    await waitForFence(stage.manager, {});
    await stage.postgres.backUp();
    const unknown = worker();
    await renewed(unknown);
    await unknown.warm();
    await put('b');
    await unknown.warm();
    await stage.postgres.restore();
    await answered();
    const { fence } = await fenceChange(stage.manager, () => put('c'));
    expect(unknown.served()).toBeUndefined();
    expect(fence?.tookMs).toBeGreaterThan(LEASE_MS / 2);
    expect(fence?.workers).toMatchObject([{ outcome: 'waited-out' }]);
    expect((await fenceChange(stage.manager, () => put('d'))).fence).toMatchObject({ workers: [] });
  });

  it('a janitor saves the next fence that wait', async () => {
    const one = worker();
    await one.warm();
    await stage.postgres.stop();
    await stage.postgres.restart();
    await answered();
    const janitor = new Janitor(stage.manager);
    await vi.waitFor(
      async () => {
        await janitor.look();
        expect((await stage.manager.listWorkers()).filter(({ state }) => state === 'live')).toEqual([]);
      },
      { timeout: 10_000, interval: 100 },
    );
    expect((await waitForFence(stage.manager, {})).workers).toEqual([]);
  });

  it('a change that was lost before its fence is not reported as fenced', async () => {
    await put('a');
    await stage.postgres.backUp();
    await answered();
    const changed = fenceChange(stage.manager, async () => {
      const version = await put('b');
      await stage.postgres.restore();
      await answered();
      return version;
    });
    await expect(changed).rejects.toMatchObject({
      type: 'StoreUnavailable',
      message: expect.stringContaining('look whether the change is still there'),
    });
  });
});

describe('after-restore', () => {
  it('raises what workflows can have seen, removed providers too, and counts on from there', async () => {
    const [kept, removed] = [provider('ws_kept'), provider('ws_removed')];
    for (const each of [kept, removed]) await stage.manager.putProvider(each, row('a'));
    await stage.manager.removeProvider(removed);
    await stage.postgres.backUp();
    await answered();
    const { version: lost } = await stage.manager.putProvider(kept, row('b'));
    const { epoch: lostEpoch } = await stage.manager.readEpoch();
    await stage.postgres.restore();
    await answered();
    const before = await stage.manager.readEpoch();
    const report = await continueAfterRestore(stage.manager);
    expect(report.complete).toBe(true);
    const after = await stage.manager.readEpoch();
    expect(after.epoch).toBeGreaterThan(lostEpoch);
    expect(after.lineage).not.toBe(before.lineage);
    const [stored] = await stage.manager.listProviders(kept.workspaceId);
    expect(stored?.version).toBeGreaterThan(lost);
    expect((await stage.manager.putProvider(kept, row('c'))).version).toBe((stored?.version ?? 0) + 1);
    expect((await stage.manager.putProvider(removed, row('c'))).version).toBeGreaterThan(1_000_000);
    expect(await stage.manager.audit.listEvents(kept)).toContainEqual(expect.objectContaining({ event: 'restored' }));
  });
});

describe('a standby', () => {
  it('answers neither reads nor fences, also through a proxy that moves to it; after it is promoted it is another lineage [G16]', async () => {
    await put('a');
    await stage.postgres.backUp();
    await answered();
    const { lineage } = await stage.manager.readEpoch();
    const standby = await teardown.use(stage.postgres.startStandby(await temporaryFolder(), true));
    const at = (url: string) => Object.assign(new URL(url), { port: String(standby.port) }).href;
    const store = openProviderStore({ databaseUrl: at(stage.database.resolverUrl) });
    const manager = openManagementStore({ databaseUrl: at(stage.database.managerUrl) });
    teardown.defer(async () => {
      await Promise.all([store.close(), manager.close()]);
    });
    const refused = { type: 'StoreUnavailable', message: expect.stringContaining('standby') };
    await expect(store.readWorkspace(WORKSPACE)).rejects.toMatchObject(refused);
    await expect(store.listWorkers()).rejects.toMatchObject(refused);
    await expect(manager.readEpoch()).rejects.toMatchObject({ message: expect.stringContaining('standby') });
    await withSession(at(stage.postgres.url), (session) => session.query('select pg_promote()'));
    expect((await store.readWorkspace(WORKSPACE)).lineage).toBeUndefined();
    expect((await manager.readEpoch()).lineage).not.toBe(lineage);
    expect((await store.readWorkspace(WORKSPACE)).lineage).toBeDefined();
  });
});
