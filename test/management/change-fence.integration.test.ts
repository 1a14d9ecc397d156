/** How a change waits for the workers, with one that holds a lease and is silent. */
import { describe, expect, it } from 'vitest';
import type { ProviderClient } from '../../src/management.js';
import type { ProviderIdentity } from '../../src/protocol/references.js';
import type { FenceReport } from '../../src/protocol/rotation.js';
import { registerSilentWorker } from '../support/silent-worker.js';
import { manageProviders, NEW_CANARY } from './management.js';

/** Longer than any test, so that a call that waits for it does not return. */
const LONG_LEASE_MS = 600_000;
const WAITING = { identity: 'agents-9', outcome: 'waiting' };

const management = manageProviders();
const silentWorker = (leaseMs: number) => registerSilentWorker(management.database, leaseMs);
const isDisabled = async ({ workspaceId }: ProviderIdentity) =>
  (await management.only(workspaceId)).status === 'disabled';

/** Configures a provider, and only then registers a silent worker. */
async function configuredWithSilentWorker(leaseMs = LONG_LEASE_MS): Promise<ProviderIdentity> {
  const identity = await management.configured();
  await silentWorker(leaseMs);
  return identity;
}

type Options = Parameters<ProviderClient['removeProvider']>[1];

const CHANGES: [string, (client: ProviderClient, identity: ProviderIdentity, options: Options) => Promise<object>][] = [
  [
    'configureProvider',
    (client, identity, options) =>
      client.configureProvider({ ...identity, secret: { apiKey: NEW_CANARY } }, options as object),
  ],
  [
    'updateProvider',
    (client, identity, options) =>
      client.updateProvider({ ...identity, config: { model: 'large' } }, options as object),
  ],
  ['disableProvider', (client, identity, options) => client.disableProvider(identity, options as object)],
  ['enableProvider', (client, identity, options) => client.enableProvider(identity, options as object)],
  ['removeProvider', (client, identity, options) => client.removeProvider(identity, options)],
  ['shredWorkspace', (client, { workspaceId }, options) => client.shredWorkspace(workspaceId, options)],
];

describe.each(CHANGES)('%s', (_name, change) => {
  it('with `fence: false` returns without waiting, and without a proof', async () => {
    const identity = await configuredWithSilentWorker();
    expect(await change(management.client, identity, { fence: false })).not.toHaveProperty('fence');
  });

  it('returns after a limit with what was proven, and names the worker that has not answered', async () => {
    const identity = await configuredWithSilentWorker();
    const changed = await change(management.client, identity, { fence: '100ms' });
    expect(changed).toMatchObject({ fence: { complete: false, workers: [WAITING] } });
    const { tookMs } = (changed as { fence: FenceReport }).fence;
    expect(tookMs).toBeGreaterThanOrEqual(90);
  });
});

describe('the wait for the workers', () => {
  it('is over when the lease of a silent worker has expired, and the report says so', async () => {
    const identity = await configuredWithSilentWorker(300);
    const { fence } = await management.client.disableProvider(identity);
    expect(fence).toMatchObject({ complete: true, workers: [{ identity: 'agents-9', outcome: 'waited-out' }] });
    expect(fence?.tookMs).toBeGreaterThanOrEqual(300);
  });

  it('is over sooner than its limit if every worker is accounted for', async () => {
    const identity = await configuredWithSilentWorker(300);
    const { fence } = await management.client.disableProvider(identity, { fence: '10m' });
    expect(fence).toMatchObject({ complete: true });
  });

  it('ends when its signal is aborted: the change stays, and the report names the worker that has not answered', async () => {
    const identity = await configuredWithSilentWorker();
    const ending = new AbortController();
    const changed = await management.client.disableProvider(identity, {
      signal: ending.signal,
      onProgress: () => ending.abort(),
    });
    expect(changed).toMatchObject({ version: 2, fence: { complete: false, workers: [WAITING] } });
    expect(await isDisabled(identity)).toBe(true);
  });

  it('calls onChanged before it starts, and onProgress for each worker that is accounted for', async () => {
    const identity = await configuredWithSilentWorker(300);
    const calls: unknown[] = [];
    const { fence } = await management.client.disableProvider(identity, {
      onChanged: (changed) => calls.push(changed),
      onProgress: ({ complete, workers }) => calls.push([complete, workers.map(({ outcome }) => outcome)]),
    });
    expect(calls).toEqual([{ ...identity, version: 2 }, [false, ['waiting']], [true, ['waited-out']]]);
    expect(fence?.complete).toBe(true);
  });

  it('calls onChanged even with `fence: false`', async () => {
    const identity = await configuredWithSilentWorker();
    const versions: number[] = [];
    const onChanged = ({ version }: { version: number }) => versions.push(version);
    await management.client.disableProvider(identity, { fence: false, onChanged });
    expect(versions).toEqual([2]);
  });

  it('can be started separately, with a limit or a signal', async () => {
    await silentWorker(LONG_LEASE_MS);
    const waiting = { complete: false, workers: [WAITING] };
    expect(await management.client.awaitFence({ limit: '50ms' })).toMatchObject(waiting);
    expect(await management.client.awaitFence({ signal: AbortSignal.abort() })).toMatchObject(waiting);
  });
});
