/** Runs rows of answers of language-model services through `aiSdkModel`, over HTTP. */
import { describe, expect, it } from 'vitest';
import type { FailureType } from '../../../src/protocol/failure-types.js';
import { toProviderError } from '../../support/built-in-types.js';
import { aiSdk, KEY } from '../callers.js';
import { expectOutcome, impatientClient, llm, thrownBy } from './outcomes.js';

/** `name` is the provider's: a name that the vendors do not have is a compatible service. */
export type ModelRow = [
  who: string,
  name: string,
  status: number,
  body: unknown,
  type: FailureType,
  more?: { headers?: Record<string, string>; says?: string; waitMs?: number },
];

export const error = (fields: object) => ({ error: { message: `no ${KEY}`, ...fields } });
export const anthropic = (type: string, message: string) => ({ type: 'error', error: { type, message } });
export const google = (code: number, status: string, message: string, ...details: object[]) => ({
  error: { code, status, message, details },
});
export const reason = (name: string) => ({ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: name });
export const html = (title: string) =>
  `<!DOCTYPE html><html><head><title>${title}</title></head><body>${KEY}</body></html>`;

/** Declares a test per row, in a group per kind. Call it once per file. */
export function testModelKinds(kinds: Readonly<Record<string, readonly ModelRow[]>>): void {
  const http = impatientClient();
  describe.each(Object.entries(kinds))('%s', (_kind, rows) => {
    it.each(rows.map((row) => [row[0], row[2], row[4], row] as const))(
      'of %s, with HTTP %i, is %s',
      async (_who, _status, _type, [, name, status, body, type, { headers, says = '', waitMs } = {}]) => {
        const thrown = await thrownBy(aiSdk(name), { status, headers, body }, { fetch: http.current.fetch });
        const outcome = toProviderError(thrown, llm(name));
        expectOutcome(outcome, type, llm(name));
        expect(outcome?.message).toContain(says);
        if (waitMs !== undefined) expect(outcome?.facts.retryAfterMs).toBe(waitMs);
      },
    );
  });
}
