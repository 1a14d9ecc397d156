/** Calls a vendor's admin API. An answer that is not a success is thrown as `ServiceAnswerError`, which hides it. */
import { z } from 'zod';
import { parseJson } from '../../redaction/parse-json.js';
import { errorIn } from '../answers/error-body.js';
import { answerFromResponse, ServiceAnswerError } from '../answers/service-answer.js';
import type { CheckContext } from '../type.js';
import type { LlmAdminCredential } from './llm-admin.js';
import { versionHeaders } from './vendors.js';

interface AdminRequest {
  readonly method?: 'POST' | 'DELETE';
  /** What follows `keysURL`: the id of an item, or a query. Default: nothing, for the collection itself. */
  readonly below?: string;
  readonly body?: object;
}

/** The largest page size of both vendors. */
const PAGE_SIZE = 100;

export async function callAdmin<Answer>(
  admin: LlmAdminCredential,
  { method, below = '', body }: AdminRequest,
  schema: z.ZodType<Answer>,
  { fetch, signal }: CheckContext,
): Promise<Answer> {
  const { provider, keysURL } = admin;
  const response = await fetch(`${keysURL}${below}`, {
    method,
    headers: { ...versionHeaders(provider), ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
    signal,
  });
  const text = await response.text();
  const answered = parseJson(text);
  const answer = response.ok && errorIn(answered) === undefined ? schema.safeParse(answered) : undefined;
  if (!answer?.success) throw new ServiceAnswerError(answerFromResponse(response, text));
  return answer.data;
}

/**
 * Lists the whole collection, page by page.
 *
 * @param cursor - the vendor's name for the parameter with the last id of the previous page
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
