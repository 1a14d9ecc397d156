/** What can be wrong with what is stored or asked for, and what an agent's author is told of each. */
import { randomBytes } from 'node:crypto';
import { type AgentStage, newWorkspace } from '../support/agent-stage.js';
import { withSession } from '../support/database.js';
import type { ModelQuestion } from './workflows.js';

/** Where the failure lies in what is stored, or in what is asked for. */
export interface StoredFailure {
  readonly when: string;
  readonly question?: (workspaceId: string) => Partial<ModelQuestion>;
  readonly arrange?: (stage: AgentStage, workspaceId: string) => Promise<unknown>;
  readonly type: string;
  readonly says: (workspaceId: string) => string;
  readonly fields?: readonly string[];
}

const anthropicOf = (workspaceId: string) => ({ workspaceId, type: 'llm', name: 'anthropic' });

/** By whatever hand: the row as SQL writes it. */
const writeRow = (stage: AgentStage, workspaceId: string, set: string, value: unknown) =>
  withSession(stage.database.ownerUrl, (session) =>
    session.query(`update workspace_providers set ${set} where workspace_id = $1`, [workspaceId, value]),
  );

export const STORED: readonly StoredFailure[] = [
  {
    when: 'the workspace has stored nothing',
    type: 'ProviderNotConfigured',
    says: (id) => `${id} has no llm/anthropic: run workspace-providers configure ${id} llm anthropic`,
  },
  {
    when: 'none of the providers that were asked for is configured',
    arrange: (stage, id) => stage.addLlm(id),
    question: () => ({ provider: ['openai', 'gemini'] }),
    type: 'ProviderNotConfigured',
    says: (id) => `${id} has no llm/openai or llm/gemini: run workspace-providers configure ${id} llm openai`,
  },
  {
    when: 'the provider is switched off',
    arrange: async (stage, id) => {
      await stage.addLlm(id);
      await stage.manager.disableProvider(anthropicOf(id));
    },
    type: 'ProviderDisabled',
    says: (id) => `llm/anthropic of ${id} is disabled: enable it, or use another one`,
  },
  {
    when: 'the root key that it was sealed under is lost',
    arrange: (stage, id) =>
      stage
        .managerWith(`stage:${randomBytes(32).toString('base64')}`)
        .configureProvider({ ...anthropicOf(id), secret: { apiKey: stage.newKey('lost') } }),
    type: 'CredentialUnreadable',
    says: (id) =>
      `the stored credential of llm/anthropic of ${id} does not open: check that ENCRYPTION_KEY has its root key, or configure the provider again`,
  },
  {
    when: 'it was pasted from another workspace',
    arrange: async (stage, id) => {
      const other = newWorkspace();
      await Promise.all([stage.addLlm(id), stage.addLlm(other)]);
      const theirs = '(select encrypted_config from workspace_providers where workspace_id = $2)';
      await writeRow(stage, id, `encrypted_config = ${theirs}`, other);
    },
    type: 'CredentialUnreadable',
    says: (id) =>
      `the stored credential of llm/anthropic of ${id} does not open: check that ENCRYPTION_KEY has its root key, or configure the provider again`,
  },
  {
    when: 'a key stands where the base URL should',
    arrange: async (stage, id) => {
      await stage.addLlm(id);
      await writeRow(stage, id, 'config = $2', { baseURL: stage.newKey('pasted') });
    },
    type: 'ProviderConfigInvalid',
    says: () =>
      'llm/anthropic: config.baseURL must be an https URL (http only for a loopback address) without user, password, query or fragment',
    fields: ['config.baseURL'],
  },
  {
    when: 'the config has a field that its type does not know',
    arrange: async (stage, id) => {
      await stage.addLlm(id);
      await writeRow(stage, id, 'config = $2', { apiKey: stage.newKey('misplaced') });
    },
    type: 'ProviderConfigInvalid',
    says: () => 'llm/anthropic: config has an unknown field; it takes baseURL, model',
    fields: ['config'],
  },
  {
    when: 'neither step nor provider names a model',
    arrange: (stage, id) => stage.addLlm(id, 'anthropic', { config: { model: undefined } }),
    type: 'ProviderConfigInvalid',
    says: (id) => `llmStep needs a model: set \`model\`, or configure a default model for llm/anthropic of ${id}`,
    fields: ['model'],
  },
  {
    when: 'the name of the provider holds a control character',
    question: () => ({ provider: 'anthropic\u0000' }),
    type: 'ProviderConfigInvalid',
    says: () => 'name must be 1 to 64 characters from a-z 0-9 _ . : -',
    fields: ['name'],
  },
  {
    when: 'the name of the workspace is written in look-alikes',
    question: (id) => ({ workspaceId: id.replace('s', '\u0455') }),
    type: 'GrantInvalid',
    says: () => 'the workflow names a workspace that its grant is not for: start it with a client of that workspace',
  },
];
