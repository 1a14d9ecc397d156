/**
 * What the egress guard throws. Every refused address has the same code and text, whether anything listens there or not:
 * the person who configures a URL must not learn from it what the network behind the worker looks like.
 */

/** The rule that a URL breaks, by the `code` of the refusal: text that continues the name of a field. */
const RULES = {
  REFUSED_INSECURE_URL: 'must be https: plain http is only for loopback addresses',
  REFUSED_USERINFO: 'must have neither user nor password',
  REFUSED_PORT: 'leads to a port that is not allowed: see PROVIDER_EGRESS_PORTS',
  REFUSED_ADDRESS: 'leads to an address that is not public: see PROVIDER_EGRESS_NETWORKS',
} as const;

/** The `code` of a refusal. */
export type EgressRefusalCode = keyof typeof RULES;

/** An error with that code. It names neither the URL nor the address, since either may be a secret. */
export function egressRefusal(code: EgressRefusalCode): Error {
  return Object.assign(new Error(`refused: the URL ${RULES[code]}`), { code });
}

/** The broken rule, as text that continues a field's name. `undefined` for a code that is not one of the policy's. */
export function egressRuleOf(code: string | undefined): string | undefined {
  return code !== undefined && Object.hasOwn(RULES, code) ? RULES[code as EgressRefusalCode] : undefined;
}
