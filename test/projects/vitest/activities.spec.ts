import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test, vi } from 'vitest';
import { createActivities } from '../agents/activities.js';
import { providers } from './providers.js';
import { answer } from './workflows.js';

vi.mock('workspace-providers/workflow', async () => {
  const { providers } = await import('./providers.js');
  return providers.workflowFunctions('ws_acme');
});

test('an activity opens a provider of the test', async () => {
  const { countModels } = createActivities({ nameOf: async (workspace) => workspace });
  const ref = await providers.resolver.resolveLlmKey({ workspaceId: 'ws_acme', provider: 'openai' });
  const environment = new MockActivityEnvironment({}, { interceptors: providers.interceptors('ws_acme') });
  expect(await environment.run(countModels, ref as never)).toBe(2);
  expect(providers.calls).toMatchObject([{ provider: { workspaceId: 'ws_acme', name: 'openai' } }]);
});

test('a workflow runs as a function, and fails as the test asks', async () => {
  expect(await answer('Say hello.')).toBe('Hello.');
  providers.failNext('ws_acme', 'llm/openai', 'CredentialRejected');
  expect(await answer('Say hello.')).toBe('failed: CredentialRejected');
});
