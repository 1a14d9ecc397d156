/** Invalid stored rows and invalid requests, and the failure that an agent gets for each. */

import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { type AgentStage, newWorkspace } from '../support/agent-stage.js';
import { withSession } from '../support/database.js';
import type { ModelQuestion } from './workflows.js';

/** A failure whose cause is in the stored row or in the request. */
export interface StoredFailure {
  readonly when: string;
  readonly question?: (workspaceId: string) => Partial<ModelQuestion>;
  readonly arrange?: (stage: AgentStage, workspaceId: string) => Promise<unknown>;
  readonly type: string;
  readonly message: (workspaceId: string) => string;
  readonly fields?: readonly string[];
}

const anthropicOf = (workspaceId: string) => ({ workspaceId, type: 'llm', name: 'anthropic' });

/** Changes the row by SQL. */
const writeRow = (stage: AgentStage, workspaceId: string, set: string, value: unknown) =>
  withSession(stage.database.ownerUrl, (session) =>
    session.query(`update workspace_providers set ${set} where workspace_id = $1`, [workspaceId, value]),
  );

export const STORED: readonly StoredFailure[] = [
  {
    when: 'the workspace has no providers',
    type: 'ProviderNotConfigured',
    message: (id) => `${id} has no llm/anthropic: run workspace-providers configure ${id} llm anthropic`,
  },
  {
    when: 'none of the requested providers is configured',
    arrange: (stage, id) => stage.addLlm(id),
    question: () => ({ provider: ['openai', 'gemini'] }),
    type: 'ProviderNotConfigured',
    message: (id) => `${id} has no llm/openai or llm/gemini: run workspace-providers configure ${id} llm openai`,
  },
  {
    when: 'the provider is disabled',
    arrange: async (stage, id) => {
      await stage.addLlm(id);
      await stage.manager.disableProvider(anthropicOf(id));
    },
    type: 'ProviderDisabled',
    message: (id) => `llm/anthropic of ${id} is disabled: enable it, or use another one`,
  },
  {
    when: 'the root key of the secret is lost',
    arrange: (stage, id) =>
      stage
        .managerWith(`stage:${randomBytes(32).toString('base64')}`)
        .configureProvider({ ...anthropicOf(id), secret: { apiKey: stage.newKey('lost') } }),
    type: 'CredentialUnreadable',
    message: (id) =>
      `the stored credential of llm/anthropic of ${id} does not open: check that ENCRYPTION_KEY has its root key, or configure the provider again`,
  },
  {
    when: 'the secret was copied from another workspace',
    arrange: async (stage, id) => {
      const other = newWorkspace();
      await Promise.all([stage.addLlm(id), stage.addLlm(other)]);
      const theirs = '(select encrypted_config from workspace_providers where workspace_id = $2)';
      await writeRow(stage, id, `encrypted_config = ${theirs}`, other);
    },
    type: 'CredentialUnreadable',
    message: (id) =>
      `the stored credential of llm/anthropic of ${id} does not open: check that ENCRYPTION_KEY has its root key, or configure the provider again`,
  },
  {
    when: 'the base URL contains a key instead of a URL',
    arrange: async (stage, id) => {
      await stage.addLlm(id);
      await writeRow(stage, id, 'config = $2', { baseURL: stage.newKey('pasted') });
    },
    type: 'ProviderConfigInvalid',
    message: () =>
      'llm/anthropic: config.baseURL must be an https URL (http only for a loopback address) of at most 2048 characters, in its normal form, without user, password, query or fragment',
    fields: ['config.baseURL'],
  },
  {
    when: 'the base URL was changed without its secret',
    arrange: async (stage, id) => {
      await stage.addLlm(id);
      await writeRow(stage, id, 'config = config || $2', { baseURL: 'https://api.attacker.example' });
    },
    type: 'CredentialUnreadable',
    message: (id) =>
      `the config of llm/anthropic of ${id} has another destination (base URL, organization, account, project, API version or headers) than its secret was sealed for: configure the provider again, with the secret`,
    fields: ['config', 'secret'],
  },
  {
    when: 'the config has a field that is unknown to its type',
    arrange: async (stage, id) => {
      await stage.addLlm(id);
      await writeRow(stage, id, 'config = $2', { apiKey: stage.newKey('misplaced') });
    },
    type: 'ProviderConfigInvalid',
    message: () =>
      'llm/anthropic: config has an unknown field; it takes baseURL, model, apiVersion, keyHeader, headers, ' +
      'tokenParameter, omitParameters, structuredOutputs, stream, defaultOptions',
    fields: ['config'],
  },
  {
    when: 'neither the step nor the provider names a model',
    arrange: (stage, id) => stage.addLlm(id, 'anthropic', { config: { model: undefined } }),
    type: 'ProviderConfigInvalid',
    message: (id) => `llmStep needs a model: set \`model\`, or configure a default model for llm/anthropic of ${id}`,
    fields: ['model'],
  },
  {
    when: 'the name of the provider contains a control character',
    question: () => ({ provider: 'anthropic\u0000' }),
    type: 'ProviderConfigInvalid',
    message: () => expect.stringMatching(/^resolveLlmKey: provider must be .*1 to 64 characters from a-z 0-9 _ \. : -/),
    fields: ['provider'],
  },
  {
    when: 'the workspace id contains look-alike letters',
    question: (id) => ({ workspaceId: id.replace('s', '\u0455') }),
    type: 'ProviderConfigInvalid',
    message: () => 'resolveLlmKey: workspaceId must be 1 to 128 characters from A-Z a-z 0-9 _ . : -',
    fields: ['workspaceId'],
  },
];
