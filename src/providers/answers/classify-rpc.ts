/**
 * Classifies JSON-RPC errors. The codes are few and shared (EIP-1474), and hosts use them for their own conditions too.
 * If the code does not decide, the words of the message do: the patterns are those that eRPC matches in production.
 */
import type { ServiceAnswer } from './service-answer.js';
import { DEAD_KEY, OUT_OF_CREDIT, RATE_LIMITED, REQUEST_INVALID, type Verdict } from './verdict.js';

const REVERTED = /execution reverted|^reverted|vm execution error/i;
const UNAUTHENTICATED =
  /be authenticated|access key|unauthorized|invalid (api|project|access)[ -]?(key|id|token)|key (is )?(inactive|disabled|invalid|expired)/i;
const OUT_OF_CAPACITY = /monthly capacity limit|\/billing|daily request count exceeded/i;
const TOO_MANY_RESULTS = /returned more than|more than [\d,]+ (results|logs)|block range/i;
const NODE_IS_BEHIND = /header not found|missing trie node|(unknown|unfinalized) block|block not found|timed? ?out/i;

/** Returns `undefined` if only the HTTP status decides. */
export function classifyRpc({ status, rpcCode, text }: ServiceAnswer): Verdict | undefined {
  // Comes first: a contract chooses the words of its revert, and they might match any pattern below.
  if (rpcCode === 3 || (rpcCode !== undefined && REVERTED.test(text))) {
    return { type: 'ProviderRequestInvalid', text: 'reports that the execution reverted' };
  }
  if (OUT_OF_CAPACITY.test(text)) return OUT_OF_CREDIT;
  switch (rpcCode) {
    case undefined:
      return undefined;
    case -32005: // limit exceeded
    case -32007: // QuickNode: requests per second
    case -32009: // QuickNode: trace requests
    case 429: // Alchemy, within HTTP 200
      return TOO_MANY_RESULTS.test(text)
        ? { type: 'ProviderRequestInvalid', text: 'refuses to return so many results: ask for a smaller range' }
        : RATE_LIMITED;
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
