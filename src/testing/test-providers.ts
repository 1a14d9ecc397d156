/** Providers in memory, with the real resolver, grants, steps and failures, for the tests of users. */
import { generateKeyPairSync } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { SimplePlugin } from '@temporalio/plugin';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { createProviderActivities, type ProviderActivities } from '../activities/provider-activities.js';
import { WorkspaceGrants } from '../client/workspace-grants.js';
import { GrantSigner } from '../grants/grant-signer.js';
import { GrantVerifier } from '../grants/grant-verifier.js';
import { workspaceGuard, workspaceScope } from '../plugin/grant-guard.js';
import { redactingActivity } from '../plugin/redacting-activity.js';
import { resolverInContext } from '../plugin/with-provider.js';
import { WorkflowPlugin } from '../plugin/workflow-plugin.js';
import { ProviderError } from '../protocol/errors.js';
import { FAILURE_TYPES, type FailureType } from '../protocol/failure-types.js';
import { GRANT_HEADERS } from '../protocol/grants.js';
import type { ProviderIdentity } from '../protocol/references.js';
import type { OwnTypes } from '../providers/credentials.js';
import { ProviderTypes } from '../providers/provider-types.js';
import { redact } from '../redaction/opened-secrets.js';
import { createParts } from '../resolver/connect-parts.js';
import { ProviderResolver } from '../resolver/provider-resolver.js';
import { MemoryStore, type TestProvider } from './memory-store.js';
import { type ServiceCall, ServiceCalls, serviceOf, type TestService } from './service-calls.js';
import { type WorkflowFunctions, workflowFunctions } from './workflow-functions.js';

export type { TestProvider } from './memory-store.js';

/** The providers of each workspace, by `type/name`: `{ ws_acme: { 'llm/anthropic': { apiKey: '…' } } }`. */
export type TestWorkspaces = Readonly<Record<string, Readonly<Record<string, TestProvider>>>>;

export interface TestProvidersOptions<Types extends OwnTypes = OwnTypes> {
  /** Provider types of your own, made by `defineProviderType`. Default: only the types of this package. */
  readonly types?: Types;
  /**
   * Answers the calls of the code under test. With `loopback`, they go to servers on this machine, such as those of
   * `startStandInService`. Default: each call fails, and says how to answer it.
   */
  readonly service?: TestService | 'loopback';
}

/**
 * Returns providers in memory for a test. Resolving, grants, steps, healing and failures are those of production; there
 * is no Postgres, no encryption and no service.
 *
 * @throws ProviderError `ProviderConfigInvalid` if a provider does not fit its type
 * @example
 * const providers = testProviders(
 *   { ws_acme: { 'llm/openai': { apiKey: 'a key for tests', model: 'gpt-5-mini' } } },
 *   { service: () => Response.json({ … }) },
 * );
 */
export function testProviders<const Types extends OwnTypes = []>(
  workspaces: TestWorkspaces,
  options: TestProvidersOptions<Types> = {},
): TestProviders<Types> {
  return new TestProviders<Types>(workspaces, options);
}

/** @typeParam Types - the provider types of your own that the test has */
export class TestProviders<Types extends OwnTypes = []> {
  readonly #store: MemoryStore;
  readonly #calls: ServiceCalls;
  readonly #workspaceIds: readonly string[];
  readonly #keys = newKeys();
  readonly #granted: ProviderResolver<Types>;
  readonly #activities: ProviderActivities;

  /** The resolver without grants, as `WorkspaceProviders` has it. */
  readonly resolver: ProviderResolver<Types>;

  /** @internal */
  constructor(workspaces: TestWorkspaces, { types: own = [], service = noService }: TestProvidersOptions) {
    const types = ProviderTypes.with(own);
    this.#store = new MemoryStore(types);
    this.#workspaceIds = Object.keys(workspaces);
    for (const [workspaceId, providers] of Object.entries(workspaces)) {
      for (const [provider, fields] of Object.entries(providers)) this.configure(workspaceId, provider, fields);
    }
    this.#calls = new ServiceCalls(serviceOf(service, redact), (text) => this.#store.ownerOf(text), redact);
    const { fetch } = this.#calls;
    this.resolver = ProviderResolver.of<Types>(createParts({ store: this.#store, sealer: this.#store, fetch, types }));
    this.#granted = this.resolver.scopedTo(workspaceScope(this.#keys.verifier));
    this.#activities = createProviderActivities(this.#granted);
  }

  /**
   * Returns the plugin for a worker of the test. If the test has one workspace, a workflow that was started without a
   * grant works for it.
   */
  plugin(): SimplePlugin {
    const [only, ...others] = this.#workspaceIds;
    const granted = only !== undefined && others.length === 0 ? [this.#grant(only)] : [];
    return new WorkflowPlugin({
      activities: (own: object = {}) => ({ ...own, ...this.#activities }),
      workerInterceptors: { activity: [...granted, ...this.#interceptors()] },
    });
  }

  /** Returns a client whose workflows work for the workspace. */
  clientFor(client: Client, workspaceId: string): Client {
    return new WorkspaceGrants(client, this.#keys.signer).clientFor(workspaceId);
  }

  /**
   * Returns the interceptors of an activity of the workspace.
   *
   * @example
   * const environment = new MockActivityEnvironment({}, { interceptors: providers.interceptors('ws_acme') });
   * await environment.run(summarize, 'a text');
   */
  interceptors(workspaceId: string): ActivityInterceptorsFactory[] {
    return [this.#grant(workspaceId), ...this.#interceptors()];
  }

  /**
   * Returns the functions of `workspace-providers/workflow`, which run each step at once and once, in this process: a
   * workflow that uses only these functions can be tested as a function.
   *
   * @example
   * vi.mock('workspace-providers/workflow', async () => {
   *   const { providers } = await import('./providers');
   *   return providers.workflowFunctions('ws_acme');
   * });
   */
  workflowFunctions(workspaceId: string): WorkflowFunctions {
    return workflowFunctions(this.#activities, this.interceptors(workspaceId));
  }

  /** The calls so far, and with whose secret each was made. */
  get calls(): readonly ServiceCall[] {
    return [...this.#calls.made];
  }

  /** Adds or changes a provider. @throws ProviderError `ProviderConfigInvalid` if the fields do not fit */
  configure(workspaceId: string, provider: string, fields: TestProvider): void {
    this.#store.put(identityOf(workspaceId, provider), fields);
  }

  disable(workspaceId: string, provider: string): void {
    this.#store.disable(identityOf(workspaceId, provider));
  }

  remove(workspaceId: string, provider: string): void {
    this.#store.remove(identityOf(workspaceId, provider));
  }

  /**
   * Makes the next step with the provider fail: by an answer of the service if services answer so, otherwise when the
   * provider is read.
   *
   * @param type - of {@link FAILURE_TYPES}: `CredentialRejected`, `ProviderRateLimited`, `StoreUnavailable`, …
   */
  failNext(workspaceId: string, provider: string, type: FailureType): void {
    if (!Object.hasOwn(FAILURE_TYPES, type)) throw new TypeError(`there is no failure type ${type}`);
    const identity = identityOf(workspaceId, provider);
    if (!this.#calls.failNext(identity, type)) this.#store.failNext(identity, type);
  }

  #interceptors(): ActivityInterceptorsFactory[] {
    const { verifier } = this.#keys;
    return [
      workspaceGuard(verifier, this.#activities),
      () => ({ inbound: resolverInContext(this.#granted) }),
      redactingActivity,
    ];
  }

  /** Adds a grant to an activity that came without one. */
  #grant(workspaceId: string): ActivityInterceptorsFactory {
    const header = GRANT_HEADERS.workspace;
    return ({ info }) => ({
      inbound: {
        execute: async (input, next) => {
          if (input.headers[header]) return next(input);
          const workflowIds = [info.workflowExecution?.workflowId ?? ''];
          const grant = { subject: workspaceId, namespace: info.namespace, workflowIds };
          const token = await this.#keys.signer.sign('workspace', grant);
          return next({ ...input, headers: { ...input.headers, [header]: defaultPayloadConverter.toPayload(token) } });
        },
      },
    });
  }
}

function newKeys() {
  const { kty, crv, x, d } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const publicKey = { kty, crv, x, kid: 'test', alg: 'EdDSA', use: 'sig', grants: ['workspace'] };
  return {
    signer: new GrantSigner(JSON.stringify({ ...publicKey, d })),
    verifier: new GrantVerifier(JSON.stringify({ keys: [publicKey] })),
  };
}

function identityOf(workspaceId: string, provider: string): ProviderIdentity {
  const [type = '', name, ...rest] = provider.split('/');
  if (name && rest.length === 0) return { workspaceId, type, name };
  throw ProviderError.configInvalid('provider', 'must be written type/name: llm/anthropic, tenderly/default, rpc/main');
}

const noService: TestService = () => {
  throw ProviderError.setupInvalid('service', 'is missing: give testProviders a function that returns a Response');
};
