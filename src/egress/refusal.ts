/**
 * What the guard throws. One code and text for every address, whether anybody listens there or not: whoever configures
 * a URL must not learn from it what the network behind the worker looks like.
 */
const TEXTS = {
  REFUSED_INSECURE_URL: 'plain http is for a loopback address alone',
  REFUSED_USERINFO: 'a URL with a user or password is not called',
  REFUSED_PORT: 'a port that is not allowed',
  REFUSED_ADDRESS: 'an address that is not public',
} as const;

/** The `code` of a refusal. */
export type EgressRefusalCode = keyof typeof TEXTS;

/** An error of that code. It names neither URL nor address: either may be a secret. */
export function egressRefusal(code: EgressRefusalCode): Error {
  return Object.assign(new Error(TEXTS[code]), { code });
}
