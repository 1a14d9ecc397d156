/** What the answers of an `http` provider mean, as its config says: for APIs that report errors in their own way. */
import { z } from 'zod';
import { fieldsOf, type ServiceReply } from '../answers/error-body.js';
import type { AnswerMeaning } from '../answers/meanings.js';

const MEANINGS = {
  CredentialRejected: 'key refused',
  ProviderQuotaExhausted: 'out of credit',
  ProviderRateLimited: 'rate limited',
  ProviderUnavailable: 'passing',
  ProviderRequestInvalid: 'final',
} as const satisfies Readonly<Record<string, AnswerMeaning>>;

/** One kind of answer. All parts that are given must fit. */
export interface HttpAnswer {
  /** The HTTP status. Default: any. */
  readonly status?: number | undefined;
  /**
   * Fields of the JSON body, and a text that each contains, in any case: `{ "message": "NOTOK", "result": "rate limit" }`.
   * A field within another one is written `error.code`. Default: any body.
   */
  readonly body?: Readonly<Record<string, string>> | undefined;
  /** The failure that the answer becomes. */
  readonly means: keyof typeof MEANINGS;
}

const RULE =
  'must be a list of up to 50 rules such as {"status":200,"body":{"message":"NOTOK"},"means":"CredentialRejected"}, ' +
  `where means is one of ${Object.keys(MEANINGS).join(', ')}`;
const error = { error: RULE };
const text = z.string(error).min(1, error).max(200, error);

export const answerRules = z
  .array(
    z
      .strictObject(
        {
          status: z.int(error).min(200, error).max(599, error).optional(),
          body: z.record(text, text, error).optional(),
          means: z.enum(Object.keys(MEANINGS) as [HttpAnswer['means']], error),
        },
        error,
      )
      .refine(({ status, body }) => status !== undefined || Object.keys(body ?? {}).length > 0, error),
    error,
  )
  .max(50, error);

export function meaningOfAnswer(rules: readonly HttpAnswer[], reply: ServiceReply): AnswerMeaning | undefined {
  const rule = rules.find(
    ({ status, body = {} }) =>
      (status === undefined || status === reply.status) &&
      Object.entries(body).every(([field, wanted]) => contains(fieldIn(reply.body, field), wanted)),
  );
  return rule && MEANINGS[rule.means];
}

function fieldIn(body: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, field) => fieldsOf(value)[field], body);
}

function contains(value: unknown, wanted: string): boolean {
  const isText = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return isText && String(value).toLowerCase().includes(wanted.toLowerCase());
}
