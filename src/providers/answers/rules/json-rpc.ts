/**
 * Errors of JSON-RPC nodes and of the hosts that run them. The standard's codes are few (EIP-1474), hosts use them for
 * conditions that have nothing to do with them, and put what they mean into words. So the order matters: what a
 * contract says comes first, since a contract chooses the words of its revert.
 */
import type { ServiceRules } from '../rule.js';

const any = (...parts: readonly RegExp[]) => new RegExp(parts.map(({ source }) => source).join('|'), 'i');

const REVERTED = any(
  /execution reverted|\breverted (with|without)\b/, // geth, Erigon, reth, Besu, Anvil; Hardhat
  /^(\w+: )?((the )?(transaction|contract|call|message|evm|execution)( call| was| is| has been)? )?revert(ed)?\b/,
  /vm execution error|vm exception while processing transaction/, // Parity, Nethermind; Ganache, Hardhat, Frontier
  /revert opcode executed|contract_revert_executed|\brevert reason\b/, // Tron; Hedera; Filecoin
);

/** A selector and words of 32 bytes, as Solidity encodes errors. Parity writes `Reverted ` before it. */
const REVERT_DATA = /^(Reverted )?0x[0-9a-f]{8}([0-9a-f]{64})*$/i;

const OUT_OF_CREDIT = any(
  /monthly capacity limit|\/billing|daily request count exceeded/,
  /(daily|monthly) .{0,20}(request|usage|credit|compute unit|quota)s?\b.{0,20}(limit|exceeded|reached|exhausted|used up)/,
  /exceeded (your|the|its) (daily|monthly)\b/,
  /(quota|credits|compute units) (is |are |has been |have been )?(exceeded|exhausted|depleted|used up)/,
  /out of (credits|compute units|requests)\b|usage limit/,
);

const TOO_MANY_RESULTS = /returned more than|more than [\d,]+ (results|logs)|block range|response size/i;

const RATE_LIMITED = any(
  /rate[ -]?limit|too many (requests|connections|concurrent)|throttl|concurrent requests|^limit exceeded$/,
  /\brate (is |was )?exceeded/,
  /\b(requests?|calls?|rps|qps)( limit)? ?(\/|per) ?(s|sec|second|m|min|minute)\b|\d+ ?\/ ?(sec|second|minute)\b/,
  /(request|call|throughput|concurrency) (limit|capacity) .{0,20}(reached|exceeded)/,
  /(compute units?|throughput|capacity) (per|limit|exceeded)|over capacity/,
);

const PASSING = any(
  /header not found|missing trie node|(unknown|unfinalized) block|block not found|timed? ?out/,
  /node is (syncing|behind|not ready|starting)|still syncing|try again|temporarily/,
  /no (healthy |available )?(nodes?|backends?|upstreams?)\b.{0,20}(available|healthy)|service unavailable/,
);

const LACKED_METHOD = any(
  /(method|namespace|module|api|apis)\b.{0,100}(not (found|supported|available|enabled|allowed|whitelisted|permitted|implemented)|(does not|doesn'?t) exist|unsupported|is disabled)/,
  /(unsupported|unknown|disabled|unavailable) (method|namespace)|not whitelisted/,
  /(requests|calls) are not (allowed|supported|enabled)/,
);

const LACKED_BY_PLAN = any(
  /not (available|supported|included|enabled|allowed|accessible) (on|in|for|with|under|by) (your|the|this|a)? ?.{0,20}(plan|tier|subscription|package)/,
  /(upgrade|switch) (your |to )(a )?.{0,20}(plan|tier|account|subscription)|(free|public|current|your) (tier|plan)\b/,
  /requires? (a |an )?.{0,20}(plan|tier|add-?on|archive|dedicated)|paid (plan|tier)|add-?on\b/,
  /rejected due to project id settings/, // Infura: the key may not call this method or contract
);

const LACKED_STATE = any(
  /archive|prun(ed|ing)|(historical|old|world) state|state .{0,60}(not|un|no longer )(be )?available|no state available/,
  /no historical rpc|history .{0,20}unavailable|missing state|(proof|lookback|history) window|state histor(y|ies)/,
);

const KEY_REFUSED = any(
  /be authenticated|access key|unauthorized|invalid (api|project|access)[ -]?(key|id|token)|project id is invalid/,
  /(key|token) (is )?(inactive|disabled|disallowed|invalid|expired|revoked|not valid)|authentication failed|app is inactive/,
);

/** Hosts send these for their own limits: within HTTP 200, and also for a range of logs that is too large. */
const LIMIT_CODES = [-32005, -32007, -32009, 429];

export const JSON_RPC: readonly ServiceRules[] = [
  {
    service: 'geth, Erigon, reth, Nethermind, Besu, Hardhat, Anvil',
    source: 'https://github.com/ethereum/go-ethereum/blob/master/internal/ethapi/errors.go',
    rules: [
      { means: 'reverted', codes: [3] },
      { means: 'reverted', words: REVERTED },
      { means: 'reverted', data: REVERT_DATA },
      {
        means: 'final',
        words: /^(err: )?(out of gas|invalid (opcode|jump)|stack (under|over)flow|gas required exceeds)/i,
      },
    ],
  },
  {
    service: 'Alchemy, Infura, QuickNode, Ankr, Chainstack: limits of the account',
    source: 'https://www.alchemy.com/docs/reference/error-reference',
    rules: [
      { means: 'out of credit', status: [402] },
      { means: 'out of credit', words: OUT_OF_CREDIT },
    ],
  },
  {
    service: 'Infura, QuickNode: limits of a request',
    source: 'https://docs.metamask.io/services/reference/ethereum/json-rpc-methods/',
    rules: [{ means: 'too many results', codes: LIMIT_CODES, words: TOO_MANY_RESULTS }],
  },
  {
    service: 'Infura, QuickNode, Alchemy: limits of the rate',
    source: 'https://www.quicknode.com/docs/ethereum/error-references',
    rules: [{ means: 'rate limited', codes: LIMIT_CODES }],
  },
  {
    service: 'Goldsky, which has other meanings for codes of proxyd',
    source: 'https://docs.goldsky.com/edge-rpc/evm/error-codes',
    rules: [
      { means: 'key refused', codes: [-32016], words: /unauthorized|authentication/i },
      { means: 'too many results', codes: [-32012], words: /range/i },
    ],
  },
  {
    service: 'proxyd, the gateway of the OP stack',
    source: 'https://github.com/ethereum-optimism/infra/blob/main/proxyd/backend.go',
    rules: [{ means: 'rate limited', codes: [-32013, -32016, -32017] }],
  },
  {
    service: 'other gateways: limits of the rate',
    source: 'https://github.com/reown-com/blockchain-api',
    rules: [
      { means: 'rate limited', codes: [-32029, -32090] },
      { means: 'rate limited', status: [429] },
      { means: 'rate limited', words: RATE_LIMITED },
    ],
  },
  {
    service: 'nodes that are behind, and gateways without a node',
    source: 'https://github.com/erpc/erpc/blob/main/architecture/evm/error_normalizer.go',
    rules: [{ means: 'failed', words: PASSING }],
  },
  {
    service: 'methods, states and plans',
    source: 'https://eips.ethereum.org/EIPS/eip-1474#error-codes',
    rules: [
      { means: 'key refused', status: [401] },
      { means: 'endpoint lacks it', codes: [-32601, -32004, -32001] },
      { means: 'endpoint lacks it', codes: [-32604, 4444] }, // Besu: method not enabled; EIP-4444: pruned history
      { means: 'endpoint lacks it', words: LACKED_METHOD },
      { means: 'endpoint lacks it', words: LACKED_BY_PLAN },
      { means: 'endpoint lacks it', words: LACKED_STATE },
    ],
  },
  {
    service: 'keys',
    source: 'https://eips.ethereum.org/EIPS/eip-1193#provider-errors',
    rules: [
      { means: 'key refused', codes: [4100] },
      { means: 'key refused', words: KEY_REFUSED },
    ],
  },
];

/** Codes that count if neither the words nor an HTTP status decide: resource unavailable, internal error, proxyd's own. */
export const FAILED_CODES: readonly number[] = [-32002, -32603, -32011, -32012, -32014, -32018];
