/**
 * Variables that clients of services read by themselves: keys, accounts, addresses, headers, proxies. They are the
 * platform's, and a process that serves many workspaces must not send them along. Rules name them, because each version
 * of a client reads others.
 */
import { ProviderError } from '../protocol/errors.js';
import type { Settings } from './settings.js';

/** Vendors of models, the clouds that resell them, and gateways in front of them: `AZURE_OPENAI_ENDPOINT`. */
const VENDOR =
  /(^|_)(OPENAI|ANTHROPIC|CLAUDE|GEMINI|GOOGLE|GCLOUD|CLOUDSDK|GCE|VERTEX|VERTEXAI|BEDROCK|(AI|LLM|LANGSMITH)_GATEWAY)(_|$)/i;
/** Headers that a client adds to each request. */
const HEADERS = /_(CUSTOM|DEFAULT|EXTRA|ADDITIONAL)_HEADERS$/i;
/** Not `grpc_proxy`, which is how a client of Temporal reaches its server. */
const PROXY = /^(https?|all|no|socks\d?|ftp)_proxy$/i;

export function isReadByClients(name: string): boolean {
  return VENDOR.test(name) || HEADERS.test(name) || PROXY.test(name);
}

/** The setting that names variables which stay in the environment. */
export const KEPT_VARIABLES = 'PROVIDER_KEPT_VARIABLES';

const KEPT_NAME = /^([A-Za-z_][A-Za-z0-9_]*)?\*?$/;

/** Returns whether a variable stays. */
export function readKeptVariables(settings: Settings): (name: string) => boolean {
  const kept = settings.parsed(KEPT_VARIABLES, parseKept) ?? [];
  return (name) => kept.some((each) => (each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : name === each));
}

function parseKept(list: string): readonly string[] {
  const names = list.split(',').map((name) => name.trim());
  if (names.every((name) => KEPT_NAME.test(name))) return names.filter((name) => name !== '');
  const rule = 'must be names of variables, with commas, such as HTTPS_PROXY,GOOGLE_*';
  throw ProviderError.setupInvalid(KEPT_VARIABLES, rule);
}
