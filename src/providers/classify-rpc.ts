/**
 * What a JSON-RPC error means. Codes are few and shared (EIP-1474), and hosts put their own conditions under them, so
 * here texts decide where codes do not; the phrases are those that eRPC matches in production.
 */
import type { Outcome } from './classify.js';
import type { ServiceAnswer } from './service-answer.js';

const REVERTED = /execution reverted|^reverted|vm execution error/i;
const UNAUTHENTICATED =
  /be authenticated|access key|invalid (api|project|access)[ -]?(key|id|token)|api[ -]?key (is )?(inactive|disabled|invalid|expired)|key is inactive|unauthorized/i;
const OUT_OF_CAPACITY = /monthly capacity limit|\/billing|daily request count exceeded|out of credits/i;
const TOO_MUCH_ASKED = /returned more than|more than [\d,]+ results|block range|too many results/i;
const NODE_IS_BEHIND = /header not found|missing trie node|unknown block|block not found|timed? ?out|temporarily/i;

/** `undefined` where the HTTP status says it all. */
export function classifyRpc({ status, rpcCode, text = '' }: ServiceAnswer): Outcome | undefined {
  const isReverted = rpcCode === 3 || REVERTED.test(text);
  if (rpcCode !== undefined && isReverted) {
    return { type: 'ProviderRequestInvalid', text: 'says that the execution reverted' };
  }
  if (OUT_OF_CAPACITY.test(text)) {
    return { type: 'ProviderQuotaExhausted', text: 'is out of credit or over its capacity' };
  }
  switch (rpcCode) {
    case undefined:
      return undefined;
    case -32700:
    case -32601:
    case -32602:
    case -32001:
    case -32003:
    case -32004:
    case -32006:
      return { type: 'ProviderRequestInvalid', text: 'refused the request' };
    case 4100:
      return { type: 'CredentialRejected', text: 'refused the credential', isDeadKey: true };
    case -32005:
    case -32007:
    case -32009:
    case 429:
      return TOO_MUCH_ASKED.test(text)
        ? { type: 'ProviderRequestInvalid', text: 'will not answer with so many results' }
        : { type: 'ProviderRateLimited', text: 'limits the rate' };
  }
  if (status === 401 || UNAUTHENTICATED.test(text)) {
    return { type: 'CredentialRejected', text: 'refused the credential', isDeadKey: true };
  }
  if (status !== undefined && status >= 400) return undefined;
  if (rpcCode === -32002 || rpcCode === -32603 || NODE_IS_BEHIND.test(text)) {
    return { type: 'ProviderUnavailable', text: 'failed' };
  }
  return { type: 'ProviderRequestInvalid', text: 'refused the request' };
}
