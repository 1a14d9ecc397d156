/**
 * What a JSON-RPC error means. The codes are few and shared (EIP-1474), and hosts put conditions of their own under
 * them, so where the code does not decide, the words do: those that eRPC matches in production.
 */
import type { Outcome } from './classify.js';
import type { ServiceAnswer } from './service-answer.js';

const REVERTED = /execution reverted|^reverted|vm execution error/i;
const UNAUTHENTICATED =
  /be authenticated|access key|unauthorized|invalid (api|project|access)[ -]?(key|id|token)|key (is )?(inactive|disabled|invalid|expired)/i;
const OUT_OF_CAPACITY = /monthly capacity limit|\/billing|daily request count exceeded/i;
const TOO_MANY_RESULTS = /returned more than|more than [\d,]+ (results|logs)|block range/i;
const NODE_IS_BEHIND = /header not found|missing trie node|(unknown|unfinalized) block|block not found|timed? ?out/i;

const DEAD_KEY: Outcome = { type: 'CredentialRejected', text: 'refused the credential', isDeadKey: true };
const REQUEST_INVALID: Outcome = { type: 'ProviderRequestInvalid', text: 'refused the request' };

/** `undefined` where only the HTTP status tells. */
export function classifyRpc({ status, rpcCode, text }: ServiceAnswer): Outcome | undefined {
  if (OUT_OF_CAPACITY.test(text)) {
    return { type: 'ProviderQuotaExhausted', text: 'is out of credit or over its capacity' };
  }
  if (rpcCode === undefined) return undefined;
  if (rpcCode === 3 || REVERTED.test(text)) {
    return { type: 'ProviderRequestInvalid', text: 'says that the execution reverted' };
  }
  switch (rpcCode) {
    case -32005: // limit exceeded
    case -32007: // QuickNode: requests per second
    case -32009: // QuickNode: trace requests
    case 429: // Alchemy, within HTTP 200
      return TOO_MANY_RESULTS.test(text)
        ? { type: 'ProviderRequestInvalid', text: 'does not answer with so many results' }
        : { type: 'ProviderRateLimited', text: 'limits the rate' };
    case -32601: // method not found: also within a 403
    case -32602: // invalid params
    case -32004: // method not supported
      return REQUEST_INVALID;
  }
  if (status === 401 || rpcCode === 4100 || UNAUTHENTICATED.test(text)) return DEAD_KEY;
  if (status !== undefined && status >= 400) return undefined;
  const isNodesFault = rpcCode === -32002 || rpcCode === -32603 || NODE_IS_BEHIND.test(text);
  return isNodesFault ? { type: 'ProviderUnavailable', text: 'failed' } : REQUEST_INVALID;
}
