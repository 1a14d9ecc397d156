/** Checks a credential by the request that its type names. */

import type { Fetch } from '../egress/http-client.js';
import type { MeaningOf } from './answers/meanings.js';
import { probe, provenByKey } from './answers/probe.js';
import type { CheckContext, CheckResult } from './type.js';

/** A request that needs the credential, costs nothing and changes nothing. */
export interface ProbeCall {
  /** Below the base URL, with its query: `/v1/account?limit=1`. */
  readonly path: string;
  /** Default: `GET`. */
  readonly method?: 'GET' | 'POST' | 'HEAD';
  /** Sent as JSON. */
  readonly body?: unknown;
  /**
   * Judges the body of a successful answer, parsed: fixed text that says what it shows, or `undefined` if it does not
   * show that the credential is valid. Default: each successful answer shows it.
   */
  accepts?(body: unknown): string | undefined;
}

interface ProbeParts {
  readonly baseURL: string;
  readonly meaningOf: MeaningOf;
  /** Puts the credential into the request. */
  readonly fetch: Fetch;
  /** Has the `fetch` that does not. */
  readonly context: CheckContext;
}

export function probeCredential(call: ProbeCall, parts: ProbeParts): Promise<CheckResult> {
  const { fetch, context } = parts;
  return provenByKey(
    (withKey) => ask(call, withKey ? { ...parts, context: { ...context, fetch } } : parts),
    'the service answers the check without a key too',
  );
}

function ask(
  { path, method = 'GET', body, accepts = () => 'the service accepted the credential' }: ProbeCall,
  parts: ProbeParts,
) {
  const json =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const request = { url: `${parts.baseURL}${path}`, init: { method, ...json } };
  return probe(parts.meaningOf, request, parts.context, (answer) => {
    const detail = accepts(answer);
    return detail === undefined ? undefined : { outcome: 'ok', detail };
  });
}
