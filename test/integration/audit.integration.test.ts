/** What steps write to the audit: that they used a credential, or that one could not be opened. */
import { expect, test } from 'vitest';
import type { WorkspaceProviders } from '../../src/plugin/workspace-providers.js';
import { isProviderError } from '../../src/protocol/errors.js';
import type { ProviderReference } from '../../src/protocol/references.js';
import { inActivity } from '../activities/in-activity.js';
import { newWorkspace, useAgentStage } from '../support/agent-stage.js';
import { withSession } from '../support/database.js';

const PLATFORM_KEY = 'canary-platform-key-0001';

const stage = useAgentStage();

function connect(): Promise<WorkspaceProviders> {
  // A fallback that must not be used.
  return stage.connect({ fallback: ['llm/anthropic'], identity: 'agents-7', env: { ANTHROPIC_API_KEY: PLATFORM_KEY } });
}

const asStepOf = (workflowId: string) =>
  inActivity({ workflowType: 'addressAgent', workflowExecution: { workflowId, runId: 'r' } });

/** Copies a workspace's rows as a superuser, who may do everything. */
async function copyRow(from: string, to: string): Promise<void> {
  await withSession(stage.database.ownerUrl, async (session) => {
    for (const [table, columns] of [
      ['workspace_keys', 'kid, wrapped_key, root_key_id, state'],
      ['workspace_providers', 'provider_type, provider_name, config, encrypted_config'],
    ]) {
      const copy = `insert into ${table} (workspace_id, ${columns}) select $2, ${columns} from ${table} where workspace_id = $1`;
      await session.query(copy, [from, to]);
    }
  });
}

test('the audit contains which workflow got which version, and the last use, after the process has ended [G13]', async () => {
  const providers = await connect();
  const [workspaceId, without] = [newWorkspace(), newWorkspace()];
  await stage.addLlm(workspaceId);
  const use = async (of: string) => {
    const reference = await providers.resolver.resolveLlmKey({ workspaceId: of, provider: 'anthropic' });
    return providers.resolver.withProvider(reference, async () => 'answer');
  };
  for (const workflowId of ['agent-1', 'agent-2', 'agent-2']) await asStepOf(workflowId).run(() => use(workspaceId));
  await use(workspaceId);
  await asStepOf('agent-3').run(() => use(without));
  await providers.close();

  const { audit } = stage.manager;
  const provider = { workspaceId, type: 'llm', name: 'anthropic' };
  const counted = async (of = provider) =>
    (await audit.listUsage({ ...of })).map(({ workflowType, workflowId, version, count }) =>
      [workflowType, workflowId, version, count].join(' '),
    );
  expect((await counted()).sort()).toEqual(['  1 1', 'addressAgent agent-1 1 1', 'addressAgent agent-2 1 2']);
  expect(await counted({ ...provider, workspaceId: without })).toEqual(['addressAgent agent-3 0 1']);
  const [summary] = await stage.manager.listProviders(workspaceId);
  expect(summary?.lastUsedAt).toEqual((await audit.listUsage({ ...provider, limit: 1 }))[0]?.lastUsedAt);
});

test('a row that was copied by SQL fails with CredentialUnreadable, and adds exactly one audit event [G13]', async () => {
  const providers = await connect();
  const [theirs, mine] = [newWorkspace(), newWorkspace()];
  const key = await stage.addLlm(theirs);
  await copyRow(theirs, mine);
  const before = await stage.manager.audit.listEvents({ workspaceId: mine });
  const served: unknown[] = [];
  const provider = { workspaceId: mine, type: 'llm', name: 'anthropic' } as const;
  const reference: ProviderReference<'llm'> = { ...provider, version: 1, source: 'workspace', cache: 'hit', shown: {} };
  const steps = [
    () => providers.resolver.resolveLlmKey({ workspaceId: mine, provider: 'anthropic' }),
    () => providers.resolver.withProvider(reference, async (call) => served.push(call)),
    () => providers.resolver.withProvider({ ...reference, source: 'platform' }, async (call) => served.push(call)),
  ];
  for (const step of [...steps, ...steps]) {
    const error = await asStepOf('agent-1')
      .run(step)
      .catch((thrown: unknown) => thrown);
    expect(isProviderError(error, 'CredentialUnreadable'), String(error)).toBe(true);
    expect(String(error)).toBe(
      `ProviderError: the stored credential of llm/anthropic of ${mine} does not open: check that ENCRYPTION_KEY has its root key, or configure the provider again`,
    );
  }
  expect(served).toEqual([]);

  // Closing waits for running statements.
  await providers.close();
  const after = await stage.manager.audit.listEvents({ workspaceId: mine });
  expect(after.slice(1)).toEqual(before);
  expect(after[0]).toEqual({
    ...{ eventId: expect.any(String), at: expect.any(Date), workspaceId: mine, provider, version: 1 },
    ...{ event: 'credential-unreadable', actor: 'agents-7', details: {}, workflowId: 'agent-1' },
    ...{ login: new URL(stage.database.resolverUrl).username, application: 'workspace-providers' },
    clientAddress: expect.any(String),
  });
  for (const secret of [key, PLATFORM_KEY]) expect(JSON.stringify(after)).not.toContain(secret);
  expect(await stage.manager.audit.listUsage({ ...provider }), 'no use was recorded').toEqual([]);
  expect(await stage.manager.audit.listEvents({ workspaceId: theirs })).toMatchObject([
    { event: 'created' },
    { event: 'data-key-added' },
  ]);
});
