/** Many providers are imported whole, or not at all, with one fence at the end. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { ConfigureProviderInput, ImportOptions, ImportProgress } from '../../src/management.js';
import { uniqueName } from '../support/parts.js';
import { registerSilentWorker } from '../support/silent-worker.js';
import { anthropicOf, CANARY, manageProviders, NEW_CANARY, newRootKey } from './management.js';

const management = manageProviders();
const imported = (source: Iterable<ConfigureProviderInput>, options?: ImportOptions) =>
  management.client.importProviders(source, options);
const anthropic = (workspaceId: string, apiKey = CANARY) => ({ ...anthropicOf(workspaceId), secret: { apiKey } });
const versions = async (...workspaceIds: string[]) => {
  const text = 'select version from public.workspace_providers where workspace_id = any ($1) order by workspace_id';
  return (await management.query(text, [workspaceIds])).map(({ version }) => Number(version));
};
const keysOf = (workspaceIds: readonly string[]) =>
  management.query('select * from public.workspace_keys where workspace_id = any ($1)', [workspaceIds]);

/** An rpc provider each, in workspaces of four. */
function endpoints(count: number, prefix = uniqueName('ws')) {
  const workspaceIds = Array.from({ length: Math.ceil(count / 4) }, (_, index) => `${prefix}-${index}`);
  const providers = Array.from({ length: count }, (_, index) => ({
    workspaceId: workspaceIds[index >> 2] as string,
    ...{ type: 'rpc', name: `node-${index % 4}`, config: { chainId: 1 } },
    secret: { url: `https://rpc.example/${CANARY}-${index}` },
  }));
  return { workspaceIds, providers };
}

async function* ndjson(providers: readonly object[]) {
  for (const provider of providers) yield Buffer.from(`${JSON.stringify(provider)}\n`);
}

describe('importProviders', () => {
  it('writes 1,000 providers of 250 workspaces in a few transactions, and waits once', async () => {
    const { workspaceIds, providers } = endpoints(1_000);
    await registerSilentWorker(management.database, 300);
    const before = await management.client.readEpoch();
    const fences = new Set<number>();
    const report = await management.client.importProviders(ndjson(providers), {
      onProgress: ({ epoch }) => fences.add(epoch),
    });
    expect(report).toMatchObject({ providers: 1_000, added: 1_000, replaced: 0, unchanged: 0, complete: true });
    expect(report.fence).toMatchObject({ complete: true, workers: [{ outcome: 'waited-out' }] });
    expect(report.fence?.tookMs).toBeGreaterThanOrEqual(300);
    const epoch = await management.client.readEpoch();
    expect(epoch - before).toBeLessThanOrEqual(10);
    expect([...fences]).toEqual([epoch]);
    expect(await keysOf(workspaceIds)).toHaveLength(250);
    const listed = await management.client.listProviders(workspaceIds.at(-1) as string);
    expect(listed.map(({ name, readable, version }) => ({ name, readable, version }))).toEqual(
      [0, 1, 2, 3].map((index) => ({ name: `node-${index}`, readable: true, version: 1 })),
    );
  });

  it('changes nothing if the same is imported again', async () => {
    const { workspaceIds, providers } = endpoints(8);
    await imported(providers);
    expect(await imported(providers)).toMatchObject({ providers: 8, added: 0, unchanged: 8, complete: true });
    expect(await versions(...workspaceIds)).toEqual(Array(8).fill(1));
  });

  it('stores secrets sealed, under the name of the actor [G1]', async () => {
    const workspaceId = uniqueName('ws');
    await management.client.actingAs('user:ana@acme').importProviders([anthropic(workspaceId)]);
    const rows = await management.query('select * from public.workspace_providers where workspace_id = $1', [
      workspaceId,
    ]);
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(CANARY);
    const [event] = await management.client.audit.listEvents({ workspaceId, type: 'llm' });
    expect(event).toMatchObject({ event: 'created', actor: 'user:ana@acme' });
  });

  it('reports every line that does not fit by its number and fields, and writes nothing', async () => {
    const [good, other] = [uniqueName('ws'), uniqueName('ws')];
    const lines = [
      anthropic(good),
      { ...anthropic(other), name: 'Anthropic' },
      { ...anthropic(other), secret: { apiKey: 'canary with spaces' } },
      anthropic(good, NEW_CANARY),
      { ...anthropic(other), type: 'rpc', config: { chainId: 1 }, secret: longHeaders() },
    ];
    const importing = management.client.importProviders(ndjson(lines));
    await expect(importing).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      message: expect.stringContaining('4 of 5 providers cannot be imported. Nothing was imported\nline 2: name must'),
      facts: {
        fields: ['name', 'secret.apiKey', 'secret'],
        lines: [
          { line: 2, fields: ['name'] },
          { line: 3, fields: ['secret.apiKey'] },
          { line: 4, fields: [], message: `llm/anthropic of ${good} is in line 1 too` },
          { line: 5, fields: ['secret'] },
        ],
      },
    });
    await expect(importing).rejects.not.toSatisfy((error) => inspect(error, { depth: null }).includes('canary'));
    expect(await versions(good, other)).toEqual([]);
    expect(await keysOf([good, other])).toEqual([]);
  });

  it('reports a problem after thousands of lines that fit', async () => {
    const { workspaceIds, providers } = endpoints(1_000);
    const importing = management.client.importProviders(ndjson([...providers, { name: 'anthropic' }]));
    await expect(importing).rejects.toMatchObject({ facts: { lines: [{ line: 1_001 }] } });
    expect(await keysOf(workspaceIds)).toEqual([]);
  });

  it('refuses more than 100,000 providers', async () => {
    function* endless() {
      for (;;) yield 0 as unknown as ConfigureProviderInput;
    }
    await expect(imported(endless())).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      message: expect.stringContaining('at most 100000 providers'),
    });
  });
});

describe('a provider that exists with another secret', () => {
  /** One that exists and differs, one that is the same, and one that is missing. */
  async function mixed() {
    const prefix = uniqueName('ws');
    const [differs, same, missing] = [`${prefix}-1`, `${prefix}-2`, `${prefix}-3`] as const;
    await imported([anthropic(differs), anthropic(same)]);
    await management.client.disableProvider(anthropicOf(differs));
    const providers = [anthropic(differs, NEW_CANARY), anthropic(same), anthropic(missing)];
    return { providers, workspaceIds: [differs, same, missing] as const };
  }

  it('is refused with all others, unless the caller says what to do', async () => {
    const { providers, workspaceIds } = await mixed();
    await expect(imported(providers)).rejects.toMatchObject({
      type: 'ProviderConfigInvalid',
      message: expect.stringContaining('--replace'),
      facts: {
        lines: [{ line: 1, message: `llm/anthropic of ${workspaceIds[0]} exists with another config or secret` }],
      },
    });
    expect(await versions(...workspaceIds)).toEqual([2, 1]);
  });

  it('is replaced with `replace`, and stays disabled', async () => {
    const { providers, workspaceIds } = await mixed();
    const report = await imported(providers, { existing: 'replace' });
    expect(report).toMatchObject({ added: 1, replaced: 1, unchanged: 1, skipped: 0 });
    expect(await versions(...workspaceIds)).toEqual([3, 1, 1]);
    expect(await management.only(workspaceIds[0])).toMatchObject({ status: 'disabled', secret: { apiKey: '…c3d4' } });
  });

  it('is left as it is with `skip`', async () => {
    const { providers, workspaceIds } = await mixed();
    const report = await imported(providers, { existing: 'skip' });
    expect(report).toMatchObject({ added: 1, replaced: 0, skipped: 2 });
    expect(await versions(...workspaceIds)).toEqual([2, 1, 1]);
  });

  it('is replaced also if it does not open', async () => {
    const workspaceId = uniqueName('ws');
    await imported([anthropic(workspaceId)]);
    await management.client.shredWorkspace(workspaceId);
    const report = await imported([anthropic(workspaceId)], { existing: 'replace' });
    expect(report).toMatchObject({ replaced: 1 });
    expect(await management.only(workspaceId)).toMatchObject({ readable: true, version: 2 });
  });
});

describe('a dry run', () => {
  it('reports what would be done, and writes nothing', async () => {
    const { workspaceIds, providers } = endpoints(8);
    await imported(providers.slice(0, 4));
    const epoch = await management.client.readEpoch();
    const changed = providers.map((provider, index) =>
      index === 0 ? { ...provider, config: { chainId: 10 } } : provider,
    );
    const report = await imported(changed, { dryRun: true, existing: 'replace' });
    expect(report).toEqual({ providers: 8, added: 4, replaced: 1, unchanged: 3, skipped: 0, complete: true });
    expect(await management.client.readEpoch()).toBe(epoch);
    expect(await keysOf(workspaceIds)).toHaveLength(1);
    await expect(imported(changed, { dryRun: true })).rejects.toMatchObject({ type: 'ProviderConfigInvalid' });
  });

  it('finds that the root key does not open the data key of a workspace', async () => {
    const { workspaceId } = await management.configured();
    const client = management.managerWith(newRootKey('other'));
    const provider = { ...anthropic(workspaceId), name: 'openai' };
    await expect(client.importProviders([provider], { dryRun: true })).rejects.toMatchObject({
      type: 'CredentialUnreadable',
    });
  });
});

describe('an import that is interrupted', () => {
  it('has written whole transactions, says so, and is completed by importing the same again', async () => {
    const { workspaceIds, providers } = endpoints(600);
    const interruption = new AbortController();
    const onImport = ({ stage }: ImportProgress) => stage === 'writing' && interruption.abort();
    const report = await imported(providers, { signal: interruption.signal, onImport });
    expect(report).toMatchObject({ providers: 600, added: 250, complete: false });
    expect(await versions(...workspaceIds)).toHaveLength(250);
    expect(await imported(providers)).toMatchObject({ added: 350, unchanged: 250, complete: true });
  });

  it('has written nothing if it was still being checked', async () => {
    const { workspaceIds, providers } = endpoints(600);
    const interruption = new AbortController();
    const onImport = () => interruption.abort();
    await expect(imported(providers, { signal: interruption.signal, onImport })).rejects.toThrow('aborted');
    expect(await versions(...workspaceIds)).toEqual([]);
  });
});

describe('two imports of the same providers at the same time', () => {
  it('write each provider once, under one data key per workspace', async () => {
    const { workspaceIds, providers } = endpoints(400);
    const reports = await Promise.allSettled([imported(providers), imported([...providers].reverse())]);
    const written = reports.map((result) => (result.status === 'fulfilled' ? result.value.added : undefined));
    for (const result of reports) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ type: 'ProviderChanged' });
    }
    expect(written).not.toEqual([undefined, undefined]);
    expect(await imported(providers)).toMatchObject({ unchanged: 400 });
    expect(await versions(...workspaceIds)).toEqual(Array(400).fill(1));
    expect(await keysOf(workspaceIds)).toHaveLength(100);
  });
});

/** Each fits, but together they are longer than a secret may be. */
function longHeaders() {
  const headers = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`x-${index}`, 'c'.repeat(4_000)]));
  return { url: 'https://rpc.example/', headers };
}
