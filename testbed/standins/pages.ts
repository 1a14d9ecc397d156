/** The lists of both vendors' admin APIs: pages that name their first and last id; the next page is requested by id. */

interface Page<Item> {
  readonly data: readonly Item[];
  readonly has_more: boolean;
  readonly first_id: string | null;
  readonly last_id: string | null;
}

const DEFAULT_LIMIT = 20;

/**
 * @param cursor - the query parameter that names the last item of the page before
 * @returns `undefined` if the limit or the cursor is not valid
 */
export function pageOf<Item extends { readonly id: string }>(
  items: readonly Item[],
  query: URLSearchParams,
  { cursor, maxLimit }: { readonly cursor: 'after' | 'after_id'; readonly maxLimit: number },
): Page<Item> | undefined {
  const limit = Number(query.get('limit') ?? DEFAULT_LIMIT);
  const after = query.get(cursor);
  const before = after === null ? -1 : items.findIndex(({ id }) => id === after);
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit || (after !== null && before < 0)) return undefined;
  const data = items.slice(before + 1, before + 1 + limit);
  return {
    data,
    has_more: before + 1 + limit < items.length,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}
