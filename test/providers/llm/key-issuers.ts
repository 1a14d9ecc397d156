/** A vendor's admin credential and its key service, with a stand-in and the real HTTP client. */
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { createFetch, type HttpClient } from '../../../src/egress/http-client.js';
import type { ProviderIdentity } from '../../../src/protocol/references.js';
import type { ParsedProvider } from '../../../src/providers/parse-provider.js';
import type { AnyKeyIssuer, CheckContext } from '../../../src/providers/type.js';
import { LOOPBACK_POLICY } from '../../../testbed/loopback.js';
import { type LlmStandIn, startLlmStandIn } from '../../../testbed/standins/llm.js';
import { keyIssuerOf, parseProvider, toProviderError } from '../../support/built-in-types.js';

export const ADMIN_KEY = 'canary-admin-of-acme-7f3e';

export const adminOf = (name: string): ProviderIdentity => ({ workspaceId: 'ws_acme', type: 'llm-admin', name });

interface KeyIssuerTest {
  readonly standIn: LlmStandIn;
  readonly context: CheckContext;
}

/** Starts a new stand-in for each test of the file. */
export function keyIssuerTest(): { readonly current: KeyIssuerTest } {
  const stage = {} as { current: KeyIssuerTest };
  let http: HttpClient;
  beforeAll(() => {
    http = createFetch({ egress: LOOPBACK_POLICY });
  });
  beforeEach(async () => {
    const standIn = await startLlmStandIn({ keys: [] });
    stage.current = { standIn, context: { fetch: http.fetch, signal: new AbortController().signal } };
  });
  afterEach(() => stage.current.standIn.stop());
  afterAll(() => http.close());
  return stage;
}

/** The issuer, called as management calls it: the `fetch` puts the admin key in. */
export function keyIssuer(name: string): Required<AnyKeyIssuer> {
  const issuer = keyIssuerOf('llm', name) as Required<AnyKeyIssuer>;
  const asAdmin =
    <Request, Answer>(call: (admin: unknown, request: Request, context: CheckContext) => Promise<Answer>) =>
    (admin: unknown, request: Request, context: CheckContext) => {
      const { credential, service } = admin as ParsedProvider;
      return call(credential, request, { ...context, fetch: service.adaptFetch(context.fetch) });
    };
  const { adminType, issue, discard, revoke } = issuer;
  return {
    adminType,
    ...(issue && { issue: asAdmin(issue), discard: asAdmin(discard) }),
    revoke: asAdmin(revoke),
  } as Required<AnyKeyIssuer>;
}

export function adminCredential(name: string, config: object, adminKey = ADMIN_KEY): ParsedProvider {
  return parseProvider('llm-admin', name, config, { adminKey });
}

/** Returns the error that a call threw, and the provider error that it is mapped to. */
export async function failureOf(call: Promise<unknown>, name: string) {
  const thrown = await call.then(
    () => undefined,
    (error: unknown) => error,
  );
  return { thrown, failure: toProviderError(thrown, adminOf(name)) };
}
