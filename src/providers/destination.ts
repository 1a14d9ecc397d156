/**
 * What the egress policy's refusals are called in messages. Whoever reads them may be the one who configured the
 * address, so they name the field and the setting, and nothing of what was looked up.
 */
import type { EgressPolicy } from '../egress/policy.js';
import type { EgressRefusalCode } from '../egress/refusal.js';
import { ProviderError } from '../protocol/errors.js';

const RULES: Readonly<Record<EgressRefusalCode, string>> = {
  REFUSED_INSECURE_URL: 'must be https: plain http is for loopback alone',
  REFUSED_USERINFO: 'must have neither user nor password',
  REFUSED_PORT: 'leads to a port that is not allowed: see PROVIDER_EGRESS_PORTS',
  REFUSED_ADDRESS: 'leads to an address that is not public: see PROVIDER_EGRESS_NETWORKS',
};

/** What was wrong, as text that continues the field's name; `undefined` for a code that is no refusal of the policy. */
export function egressRuleOf(code: string | undefined): string | undefined {
  return code !== undefined && Object.hasOwn(RULES, code) ? RULES[code as EgressRefusalCode] : undefined;
}

/** The field that says where a provider of that type is. */
export function destinationField(type: string): string {
  return type === 'rpc' ? 'secret.url' : 'config.baseURL';
}

/**
 * Refuses, before it is stored, what a call would refuse by its URL alone. A courtesy: names are looked up when they
 * are called.
 *
 * @throws ProviderError `ProviderConfigInvalid` naming the field
 */
export function checkDestination(
  { type, name }: { readonly type: string; readonly name: string },
  destination: string,
  egress: EgressPolicy,
): void {
  const rule = egressRuleOf(egress.refusalOf(new URL(destination)));
  if (!rule) return;
  const field = destinationField(type);
  throw new ProviderError('ProviderConfigInvalid', `${type}/${name}: ${field} ${rule}`, { fields: [field] });
}
