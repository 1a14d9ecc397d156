/** Checks of what is stored: whether the services can be called from here, and whether the packages for them are there. */
import { setTimeout as delay } from 'node:timers/promises';
import type { EgressPolicy } from '../egress/policy.js';
import { egressRuleOf } from '../egress/refusal.js';
import { isProviderError } from '../protocol/errors.js';
import { aiSdkProvider } from '../providers/llm/ai-sdk-model.js';
import type { ProviderTypes } from '../providers/provider-types.js';
import type { ManagementStore } from '../store/management-store.js';
import type { ProviderRecord } from '../store/ports.js';
import { fail, ok, type Part, type Result, skipped, warn } from './finding.js';

/** Enough to meet each kind of provider that a platform has, and not so many that a large one is burdened. */
const PROVIDERS_LOOKED_AT = 50;
const WORKSPACES_LOOKED_AT = 20;
const LOOK_UP_TIMEOUT_MS = 3_000;
const NAMES_SHOWN = 5;

export type StoredProvider = Pick<ProviderRecord, 'type' | 'name' | 'config'>;

/** Some active providers, without their secrets. @throws ProviderError `StoreUnavailable` */
export async function sampleProviders(store: ManagementStore): Promise<readonly StoredProvider[]> {
  const listed = await store.listActiveProviders({ limit: PROVIDERS_LOOKED_AT });
  const workspaces = [...new Set(listed.map(({ provider }) => provider.workspaceId))].slice(0, WORKSPACES_LOOKED_AT);
  const rows = await Promise.all(workspaces.map((workspaceId) => store.listProviders(workspaceId)));
  return rows.flat().filter(({ status }) => status === 'active');
}

interface Destinations {
  readonly hosts: ReadonlyMap<string, URL>;
  /** `type/name` of those that this process cannot read. */
  readonly unknown: readonly string[];
}

function destinationsOf(stored: readonly StoredProvider[], types: ProviderTypes): Destinations {
  const hosts = new Map<string, URL>();
  const unknown = new Set<string>();
  for (const { type, name, config } of stored) {
    try {
      // Empty if the address is in the secret, which is not opened here.
      const [address = ''] = types.destinationOf(type, name, config).split(' ');
      const url = URL.canParse(address) ? new URL(address) : undefined;
      if (url) hosts.set(url.origin, url);
    } catch (error) {
      if (!isProviderError(error)) throw error;
      unknown.add(`${type}/${name}`);
    }
  }
  return { hosts, unknown: [...unknown] };
}

/** @param stored - `undefined` if no login could list them */
export async function checkEgress(
  stored: readonly StoredProvider[] | undefined,
  { egress, types }: { readonly egress: Part<EgressPolicy>; readonly types: Part<ProviderTypes> },
): Promise<Result | readonly Result[]> {
  if ('problem' in egress) return fail(egress.problem);
  if ('problem' in types) return skipped('the provider types could not be read');
  if (!stored) return skipped('no login of a manager could list the providers');
  const { hosts, unknown } = destinationsOf(stored, types.value);
  const refused = await Promise.all([...hosts.values()].map((url) => checkHost(url, egress.value)));
  const results = refused.filter((result) => result !== undefined);
  if (unknown.length > 0) {
    const names = unknown.slice(0, NAMES_SHOWN).join(', ');
    results.push(warn(`these providers are of types that this process does not know: ${names}; set PROVIDER_TYPES`));
  }
  if (results.length > 0) return results;
  if (hosts.size === 0) return skipped('no stored provider has a host outside its secret');
  return ok(`${hosts.size} ${hosts.size === 1 ? 'host' : 'hosts'} of stored providers: allowed, and resolved`);
}

async function checkHost(url: URL, egress: EgressPolicy): Promise<Result | undefined> {
  const rule = egressRuleOf(egress.refusalOf(url));
  if (rule) return fail(`a provider leads to ${url.host}, and its URL ${rule}`);
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const late = delay(LOOK_UP_TIMEOUT_MS, 'late' as const, { ref: false });
  const found = await Promise.race([egress.addressesOf(hostname), late]).catch(() => 'late' as const);
  if (found === 'late') {
    return fail(
      `the host ${url.hostname} of a provider does not resolve here: check the name server, and the provider`,
    );
  }
  if (found) return undefined;
  return fail(
    `the host ${url.hostname} of a provider resolves to an address that is not allowed: see PROVIDER_EGRESS_NETWORKS ` +
      'and PROVIDER_EGRESS_REFUSED',
  );
}

/** Throws ProviderError `SetupInvalid` if the package for a model service is not installed. */
export type NeedsPackage = (name: string, config: unknown) => void;

/** The AI SDK's packages, as a step would load them. */
export const needsAiSdk: NeedsPackage = (name, config) => {
  const facts = Object(config) as { readonly baseURL?: string };
  const credential = {
    ...facts,
    provider: name,
    apiKey: 'none',
    baseURL: facts.baseURL ?? 'http://localhost',
  };
  aiSdkProvider(credential, () => Promise.reject(new Error('this model is never called')));
};

export function checkPackages(
  stored: readonly StoredProvider[] | undefined,
  needs: NeedsPackage,
): Result | readonly Result[] {
  if (!stored) return skipped('no login of a manager could list the providers');
  const missing = new Set<string>();
  for (const { type, name, config } of stored) {
    try {
      if (type === 'llm') needs(name, config);
    } catch (error) {
      if (!isProviderError(error, 'SetupInvalid')) continue;
      missing.add(`${error.message} (if steps run on this machine)`);
    }
  }
  return missing.size > 0 ? [...missing].map(warn) : ok('the packages for the stored providers are installed');
}
