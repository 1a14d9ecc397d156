/**
 * The part of Anthropic's admin API for API keys: it lists the keys of an organization, each with a hint of its text,
 * and deactivates a key. It cannot create keys, like the real one. The keys of one owner are one organization.
 */
import { z } from 'zod';
import { parseJson } from '../../src/redaction/parse-json.js';
import { anthropic } from '../../src/testing/services/anthropic.js';
import type { KeyRing } from '../../src/testing/services/calls.js';
import type { Service } from '../../src/testing/services/stand-in.js';
import { pageOf } from './pages.js';

const COLLECTION = '/api_keys';
const HINT_START = 12;
const HINT_END = 4;
const MAX_LIMIT = 1000;

const update = z.object({ status: z.enum(['active', 'inactive']) });

/** @param keys - shared with the Messages API, which refuses the keys that are deactivated here */
export function anthropicAdmin(keys: KeyRing): Service {
  const keysOf = (owner: string) =>
    keys
      .known('anthropic')
      .map(({ key, ...known }, index) => ({ id: `apikey_${index}`, key, ...known }))
      .filter((known) => known.owner === owner);
  const shown = ({ id, key, admitted }: ReturnType<typeof keysOf>[number]) => ({
    id,
    type: 'api_key',
    name: id,
    status: admitted ? 'active' : 'inactive',
    partial_key_hint: `${key.slice(0, HINT_START)}...${key.slice(-HINT_END)}`,
    workspace_id: null,
    created_at: '2026-01-01T00:00:00Z',
  });
  return {
    ...anthropic,
    provider: 'anthropic-admin',
    prefix: '/anthropic/v1/organizations',
    expectedOwner: () => undefined,
    answer({ method, path, query, body }, owner) {
      const organization = keysOf(owner);
      if (method === 'GET' && path === COLLECTION) {
        const page = pageOf(organization.map(shown), query, { cursor: 'after_id', maxLimit: MAX_LIMIT });
        return page ? { status: 200, body: page } : anthropic.error(400);
      }
      const found = organization.find(({ id }) => method === 'POST' && path === `${COLLECTION}/${id}`);
      if (!found) return anthropic.error(404);
      const wanted = update.safeParse(parseJson(body));
      if (!wanted.success) return anthropic.error(400, z.prettifyError(wanted.error));
      const admitted = wanted.data.status === 'active';
      if (admitted) keys.admit('anthropic', found.key, owner);
      else keys.revoke(found.key);
      return { status: 200, body: shown({ ...found, admitted }) };
    },
  };
}
