/**
 * A Tenderly account, with the project whose API simulates transactions. There is one per workspace, named `default`.
 * The node access key is a separate secret, for Tenderly's RPC gateway; the API does not accept it.
 */
import { USUAL_HEADERS } from '../../egress/caller-headers.js';
import { ProviderError } from '../../protocol/errors.js';
import { mask } from '../../redaction/secret.js';
import { fieldsOf } from '../answers/error-body.js';
import { listIn } from '../answers/list-in.js';
import { probe } from '../answers/probe.js';
import { meaningOfTenderly } from '../answers/rules/by-type.js';
import { defineProviderType } from '../define-type.js';
import { restrictedURL, secretKey, word } from '../fields.js';

export interface TenderlyConfig {
  /** The slug of the account, as in the address of the dashboard. */
  readonly account: string;
  /** The slug of the project. */
  readonly project: string;
  /** The API's origin. Default: `https://api.tenderly.co`. */
  readonly baseURL?: string;
}

export interface TenderlySecret {
  readonly accessKey: string;
  readonly nodeAccessKey?: string;
}

/** What a call to Tenderly needs. */
export interface TenderlyCredential {
  readonly account: string;
  readonly project: string;
  /** The API's origin, without `/api/v1`. */
  readonly baseURL: string;
  /** A placeholder: `fetch` sends the key in the header `X-Access-Key`. */
  readonly accessKey: string;
  /** A placeholder, for `https://<network>.gateway.tenderly.co/<node access key>`: `fetch` puts the key in its place. */
  readonly nodeAccessKey?: string;
}

const DEFAULT_BASE_URL = 'https://api.tenderly.co';
const slug = word('must be a slug: 1 to 100 of A-Z a-z 0-9 _ -', /^[A-Za-z0-9_-]{1,100}$/);
const API_PATH = {
  ending: /\/api(\/v\d+(\/.*)?)?$/,
  rule: 'must be without the path /api/v1: https://api.tenderly.co',
};
const config = { account: slug, project: slug, baseURL: restrictedURL(undefined, API_PATH).optional() };

export const tenderly = defineProviderType<'tenderly', TenderlySecret, TenderlyConfig, TenderlyCredential>({
  type: 'tenderly',
  variants: [{ name: 'default', title: 'named default' }],
  config: (name) => {
    if (name === 'default') return config;
    throw new ProviderError('ProviderConfigInvalid', 'name must be `default` for a tenderly provider', {
      fields: ['name'],
    });
  },
  secret: { accessKey: secretKey, nodeAccessKey: secretKey.optional() },
  primarySecret: 'accessKey',
  limits: { firstByteMs: 45_000, progressMs: 10_000 },
  credential: ({ config: { account, project, baseURL: own = DEFAULT_BASE_URL }, secret }) => ({
    account,
    project,
    baseURL: own,
    accessKey: secret.accessKey,
    nodeAccessKey: secret.nodeAccessKey,
  }),
  shown: ({ config: { account, project }, secret }) => ({ account, project, key: mask(secret.accessKey) }),
  destination: ({ config: { account, project, baseURL: own = DEFAULT_BASE_URL } }) => [
    own,
    `account=${account}`,
    `project=${project}`,
  ],
  sentIn: ({ secret }) => ({
    headers: { 'x-access-key': secret.accessKey },
    pathsAt: { '*.gateway.tenderly.co': secret.nodeAccessKey },
  }),
  callerHeaders: USUAL_HEADERS,
  fromEnvironment: (name, env) => {
    const { TENDERLY_ACCOUNT: account, TENDERLY_PROJECT: project, TENDERLY_ACCESS_KEY: accessKey } = env;
    if (name !== 'default' || !account || !project || !accessKey) return undefined;
    const { TENDERLY_BASE_URL: own, TENDERLY_NODE_ACCESS_KEY: nodeAccessKey } = env;
    return {
      config: { account, project, ...(own && { baseURL: own }) },
      secret: { accessKey, ...(nodeAccessKey && { nodeAccessKey }) },
    };
  },
  check: (credential, context) => {
    const url = `${credential.baseURL}/api/v1/account/${credential.account}/projects`;
    return probe(meaningOfTenderly, { url }, context, (body) =>
      hasProject(body, credential.project)
        ? { outcome: 'ok', detail: 'the account has the project' }
        : {
            outcome: 'cannot-tell',
            detail: 'the service answered, but the account has no such project: check config.project',
          },
    );
  },
  answers: meaningOfTenderly,
  revokeByHand: 'delete the access key at dashboard.tenderly.co, in the settings of the account or project',
});

function hasProject(body: unknown, project: string): boolean {
  return listIn(body)?.some((each) => fieldsOf(each).slug === project) ?? false;
}
