/** Calls to a vendor's admin API. What is no success is thrown as `ServiceAnswerError`, which prints nothing of it. */
import { z } from 'zod';
import { parseJson } from '../../redaction/parse-json.js';
import { answerFromResponse, ServiceAnswerError } from '../answers/service-answer.js';
import type { CheckContext } from '../type.js';
import type { LlmAdminCredential } from './llm-admin.js';
import { keyHeaders } from './vendors.js';

interface AdminRequest {
  readonly method?: 'POST' | 'DELETE';
  /** Below `keysURL`: the id of one of its items, or a query. Default: the collection itself. */
  readonly below?: string;
  readonly body?: object;
}

/** The most that both vendors give at once. */
const PAGE_SIZE = 100;

export async function callAdmin<Answer>(
  { provider, adminKey, keysURL }: LlmAdminCredential,
  { method, below = '', body }: AdminRequest,
  schema: z.ZodType<Answer>,
  { fetch, signal }: CheckContext,
): Promise<Answer> {
  const response = await fetch(`${keysURL}${below}`, {
    method,
    headers: { ...keyHeaders(provider, adminKey.reveal()), ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
    signal,
  });
  const text = await response.text();
  const answer = response.ok ? schema.safeParse(parseJson(text)) : undefined;
  if (!answer?.success) throw new ServiceAnswerError(answerFromResponse(response, text));
  return answer.data;
}

/**
 * Everything in the collection, page after page.
 *
 * @param cursor - what the vendor calls the parameter that names the last item of the page before
 */
export async function listAll<Item>(
  admin: LlmAdminCredential,
  cursor: 'after' | 'after_id',
  item: z.ZodType<Item>,
  context: CheckContext,
): Promise<Item[]> {
  const page = z.discriminatedUnion('has_more', [
    z.object({ data: z.array(item), has_more: z.literal(false) }),
    z.object({ data: z.array(item), has_more: z.literal(true), last_id: z.string().min(1) }),
  ]);
  const items: Item[] = [];
  for (let after: string | undefined, isLast = false; !isLast; ) {
    const query = new URLSearchParams({ limit: String(PAGE_SIZE), ...(after !== undefined && { [cursor]: after }) });
    const answer = await callAdmin(admin, { below: `?${query}` }, page, context);
    items.push(...answer.data);
    if (answer.has_more) after = answer.last_id;
    else isLast = true;
  }
  return items;
}
