/** A row that was copied into another workspace by SQL: the step is refused, the audit tells of it once, and that is all. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isProviderError } from '../../src/protocol/errors.js';
import type { ProviderReference } from '../../src/protocol/references.js';
import { PlatformFallback } from '../../src/resolver/platform-fallback.js';
import type { WorkspaceProviders } from '../../src/temporal/workspace-providers.js';
import { inActivity } from '../activities/in-activity.js';
import { AgentStage, newWorkspace } from '../support/agent-stage.js';
import { withSession } from '../support/database.js';

const PLATFORM_KEY = 'canary-platform-key-0001';

let stage: AgentStage;
let providers: WorkspaceProviders;

beforeAll(async () => {
  stage = await AgentStage.set();
  // What would serve instead, if anything did.
  const fallback = PlatformFallback.parse('llm/anthropic', { ANTHROPIC_API_KEY: PLATFORM_KEY });
  providers = await stage.connect({ fallback, identity: 'agents-7' });
});
afterAll(() => stage?.strike());

/** As a superuser, who is bound by nothing, with everything that belongs to it. */
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

test('CredentialUnreadable, one event, nothing else', async () => {
  const [theirs, mine] = [newWorkspace(), newWorkspace()];
  const key = await stage.addLlm(theirs);
  await copyRow(theirs, mine);
  const before = await stage.manager.audit.listEvents({ workspaceId: mine });
  const served: unknown[] = [];
  const provider = { workspaceId: mine, type: 'llm', name: 'anthropic' } as const;
  const reference: ProviderReference<'llm'> = { ...provider, version: 1, source: 'workspace', cache: 'hit', shown: {} };
  const steps = [
    () => providers.resolver.resolveLlmKey(mine, 'anthropic'),
    () => providers.resolver.withProvider(reference, async (call) => served.push(call)),
    () => providers.resolver.withProvider({ ...reference, source: 'platform' }, async (call) => served.push(call)),
  ];
  for (const step of [...steps, ...steps]) {
    const error = await inActivity({ workflowExecution: { workflowId: 'agent-1', runId: 'r' } })
      .run(step)
      .catch((thrown: unknown) => thrown);
    expect(isProviderError(error, 'CredentialUnreadable'), String(error)).toBe(true);
    expect(String(error)).toBe(`ProviderError: the stored credential of llm/anthropic of ${mine} does not open`);
  }
  expect(served).toEqual([]);

  // Statements under way are waited for.
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
  expect(await stage.manager.audit.listEvents({ workspaceId: theirs })).toMatchObject([
    { event: 'created' },
    { event: 'data-key-added' },
  ]);
});
