/**
 * Any API that takes a key in a header or in the query: most services need no type of their own. The `fetch` of
 * `withProvider` calls only this API, and puts the key into each request when it is sent.
 */
import { z } from 'zod';
import { mask } from '../../redaction/secret.js';
import { defineProviderType } from '../define-type.js';
import { anyServiceURL, HEADERS_OF_HTTP, secretKey, word } from '../fields.js';
import { answerRules, type HttpAnswer, meaningOfAnswer } from './answer-rules.js';

export interface HttpConfig {
  /** The base URL of the API. */
  readonly baseURL: string;
  /** How the key is sent: `bearer`, `basic`, `scheme:<name>`, `header:<name>` or `query:<name>`. Default: `bearer`. */
  readonly auth: string;
  /** For `basic`: the user name; the key is then the password. Default: the key is the user name. */
  readonly username?: string | undefined;
  /** The paths below the base URL that may be called. Default: all. */
  readonly paths?: readonly string[] | undefined;
  /** The path of the check, with its query. Default: there is no check. */
  readonly probe?: string | undefined;
  /** What answers mean, if it is not what their status says. */
  readonly answers?: readonly HttpAnswer[] | undefined;
}

export interface HttpSecret {
  readonly key: string;
}

/** What a call to the API needs. */
export interface HttpCredential {
  /** A placeholder, for clients that want a key: `fetch` puts the key in, whether the request has it or not. */
  readonly key: string;
  /** The base URL of the API. `fetch` also takes a path below it. */
  readonly baseURL: string;
}

const AUTH_RULE =
  'must be bearer, basic, scheme:<name>, header:<name> or query:<name>, without headers that HTTP itself sets';
const AUTH = /^(bearer|basic|(?<kind>scheme|header|query):(?<name>[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}))$/;
const USERNAME_RULE = 'must be 1 to 200 printable ASCII characters without spaces and colons';
const PATH = /^(\/[A-Za-z0-9_.~!$&'()*+,;=:@-]+)+$/;
const PATHS_RULE = 'must be up to 50 paths such as /v2/reports, as a list or separated by commas';
const PROBE_RULE = 'must be a path below the base URL, such as /v1/account?limit=1';

const auth = z
  .string({ error: AUTH_RULE })
  .refine(
    (value) => {
      const { kind, name = '' } = AUTH.exec(value)?.groups ?? {};
      return AUTH.test(value) && !(kind === 'header' && HEADERS_OF_HTTP.has(name.toLowerCase()));
    },
    { error: AUTH_RULE },
  )
  .default('bearer');

const paths = z.preprocess(
  (value) => (typeof value === 'string' ? value.split(',').map((path) => path.trim()) : value),
  z
    .array(z.string({ error: PATHS_RULE }).regex(PATH, { error: PATHS_RULE }), { error: PATHS_RULE })
    .min(1, { error: PATHS_RULE })
    .max(50, { error: PATHS_RULE })
    .optional(),
);

export const http = defineProviderType<'http', HttpSecret, HttpConfig, HttpCredential>({
  type: 'http',
  variants: [{ name: 'any', title: 'with any name: an API that takes a key in a header or in the query' }],
  config: {
    baseURL: anyServiceURL,
    auth,
    username: word(USERNAME_RULE, /^[\x21-\x39\x3b-\x7e]{1,200}$/).optional(),
    paths,
    probe: word(PROBE_RULE, /^\/[\x21-\x22\x24-\x7e]{0,1000}$/).optional(),
    answers: answerRules.optional(),
  },
  secret: { key: secretKey },
  credential: ({ config: { baseURL }, secret: { key } }) => ({ baseURL, key }),
  shown: ({ config: { baseURL }, secret }) => ({ key: mask(secret.key), host: new URL(baseURL).host }),
  destination: ({ config: { baseURL, auth: way, username } }) => [
    baseURL,
    `auth=${way}`,
    ...(username === undefined ? [] : [`username=${username}`]),
  ],
  sentIn: ({ config: { auth: way, username }, secret: { key } }) => {
    const { kind, name = '' } = AUTH.exec(way)?.groups ?? {};
    if (kind === 'query') return { query: { [name]: key } };
    if (kind === 'header') return { headers: { [name]: key } };
    if (kind === 'scheme') return { headers: { authorization: `${name} ${key}` } };
    return { headers: { authorization: way === 'basic' ? basic(username, key) : `Bearer ${key}` } };
  },
  paths: ({ config }) => config.paths,
  failsOnRefusal: true,
  limits: { firstByteMs: 60_000, progressMs: 15_000 },
  fromEnvironment: (name, env) => {
    const prefix = `HTTP_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
    const { [`${prefix}_KEY`]: key, [`${prefix}_URL`]: baseURL, [`${prefix}_AUTH`]: way = 'bearer' } = env;
    return key && baseURL ? { config: { baseURL, auth: way }, secret: { key } } : undefined;
  },
  probe: ({ config: { probe: path } }) => (path === undefined ? undefined : { path }),
  answers: (reply, { config }) => meaningOfAnswer(config.answers ?? [], reply),
  revokeByHand: 'delete the key at the service that the base URL leads to',
});

function basic(username: string | undefined, key: string): string {
  return `Basic ${Buffer.from(username === undefined ? `${key}:` : `${username}:${key}`).toString('base64')}`;
}
