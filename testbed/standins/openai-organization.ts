/**
 * The part of OpenAI's admin API for the service accounts of a project. An account is created with a key, whose value
 * is returned only once, and deleted with it. A new key is accepted for calls at once, in the name of the admin key's
 * owner; a deleted key is refused.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { parseJson } from '../../src/redaction/parse-json.js';
import type { KeyRing } from '../../src/testing/services/calls.js';
import { openai } from '../../src/testing/services/openai.js';
import type { Reply, Service } from '../../src/testing/services/stand-in.js';
import { pageOf } from './pages.js';

/** A key of the admin API, and the project that it may manage. */
export interface OpenaiAdminKey {
  readonly key: string;
  readonly owner: string;
  readonly project: string;
}

export interface ServiceAccount {
  readonly id: string;
  readonly name: string;
  readonly project: string;
  /** The owner of the admin key that created it. */
  readonly owner: string;
  /** The plaintext key, for tests that search for it. */
  readonly key: string;
  readonly isDeleted: boolean;
}

const PATH = /^\/projects\/([^/]+)\/service_accounts(?:\/([^/]+))?$/;
const MAX_LIMIT = 100;

const request = z.object({ name: z.string().min(1) });

export class OpenaiOrganization {
  readonly #projects = new Map<string, string>();
  readonly #accounts: ServiceAccount[] = [];

  /** @param keys - shared with the APIs for models, which accept the keys that are created here */
  constructor(private readonly keys: KeyRing) {}

  admit({ key, owner, project }: OpenaiAdminKey): void {
    this.keys.admit('openai-admin', key, owner);
    this.#projects.set(project, owner);
  }

  /** All accounts that were ever created, in order. */
  serviceAccounts(): readonly ServiceAccount[] {
    return this.#accounts.map((account) => ({ ...account }));
  }

  service(): Service {
    return {
      ...openai,
      provider: 'openai-admin',
      prefix: '/openai/v1/organization',
      expectedOwner: () => undefined,
      answer: ({ method, path, query, body }, owner) => {
        const [, project = '', id] = PATH.exec(path) ?? [];
        if (this.#projects.get(project) !== owner) return openai.error(404);
        if (id !== undefined) return method === 'DELETE' ? this.#delete(project, id) : openai.error(404);
        if (method === 'GET') return this.#list(project, query);
        return method === 'POST' ? this.#make(project, owner, body) : openai.error(404);
      },
    };
  }

  #list(project: string, query: URLSearchParams): Reply {
    const living = this.#accounts.filter((account) => account.project === project && !account.isDeleted);
    const page = pageOf(living.map(shown), query, { cursor: 'after', maxLimit: MAX_LIMIT });
    return page ? { status: 200, body: { object: 'list', ...page } } : openai.error(400);
  }

  #make(project: string, owner: string, body: string): Reply {
    const asked = request.safeParse(parseJson(body));
    if (!asked.success) return openai.error(400, z.prettifyError(asked.error));
    const { name } = asked.data;
    const account = {
      id: `user-${randomUUID()}`,
      name,
      project,
      owner,
      key: `minted-${randomUUID()}`,
      isDeleted: false,
    };
    this.#accounts.push(account);
    this.keys.admit('openai', account.key, owner);
    const { created_at } = shown(account);
    const object = 'organization.project.service_account.api_key';
    const api_key = { object, id: `key_${randomUUID()}`, name: 'Secret Key', created_at, value: account.key };
    return { status: 200, body: { ...shown(account), api_key } };
  }

  #delete(project: string, id: string): Reply {
    const index = this.#accounts.findIndex((each) => each.id === id && each.project === project && !each.isDeleted);
    const account = this.#accounts[index];
    if (!account) return openai.error(404, 'No such service account.');
    this.#accounts[index] = { ...account, isDeleted: true };
    this.keys.revoke(account.key);
    return { status: 200, body: { object: 'organization.project.service_account.deleted', id, deleted: true } };
  }
}

function shown({ id, name }: ServiceAccount) {
  return {
    object: 'organization.project.service_account',
    id,
    name,
    role: 'member',
    created_at: 1_767_225_600,
  } as const;
}
