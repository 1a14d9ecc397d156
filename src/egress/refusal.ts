/**
 * The errors of the egress policy. All refused addresses have the same code and text, whether or not anything listens
 * there: the person who configures a URL must not learn from an error what the network behind the worker looks like.
 */

/** The rule that a URL breaks, by the error's `code`, as text that follows the name of a field. */
const RULES = {
  REFUSED_INSECURE_URL: 'must be https: plain http is allowed only for loopback addresses',
  REFUSED_USERINFO: 'must not contain a user name or a password',
  REFUSED_PORT: 'leads to a port that is not allowed: see PROVIDER_EGRESS_PORTS',
  REFUSED_ADDRESS: 'leads to an address that is not allowed: see PROVIDER_EGRESS_NETWORKS and PROVIDER_EGRESS_REFUSED',
} as const;

/** The `code` of such an error. */
export type EgressRefusalCode = keyof typeof RULES;

/** Makes an error with this code. It names neither the URL nor the address, because either may be a secret. */
export function egressRefusal(code: EgressRefusalCode): Error {
  return Object.assign(new Error(`refused: the URL ${RULES[code]}`), { code });
}

/** The broken rule, as text that follows a field's name. `undefined` if the code is not one of the policy's. */
export function egressRuleOf(code: string | undefined): string | undefined {
  return code !== undefined && Object.hasOwn(RULES, code) ? RULES[code as EgressRefusalCode] : undefined;
}
