/**
 * Rules that hold for every service, after the rules of each: firewalls, and words of statuses whose messages do not
 * quote a request. A message of a 400 may quote the caller's prompt, so its words are anchored.
 */
import type { ServiceRules } from '../rule.js';

export const FIREWALLS: readonly ServiceRules[] = [
  {
    service: 'Cloudflare',
    source: 'https://developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response/',
    rules: [
      { means: 'firewall in front', header: ['cf-mitigated', /./] },
      {
        means: 'firewall in front',
        status: [403, 503],
        words:
          /<title>\s*(Just a moment|Attention Required! \| Cloudflare|Access denied \|)|<center>cloudflare|^error code: 1\d{3}$/i,
      },
    ],
  },
  {
    service: 'AWS WAF, CloudFront',
    source: 'https://docs.aws.amazon.com/waf/latest/developerguide/waf-captcha-and-challenge-actions.html',
    rules: [
      { means: 'firewall in front', header: ['x-amzn-waf-action', /./] },
      {
        means: 'firewall in front',
        status: [403],
        words: /<title>\s*ERROR: The request could not be satisfied/i,
      },
    ],
  },
  {
    service: 'Akamai',
    source: 'https://techdocs.akamai.com/edge-diagnostics/docs/error-codes',
    rules: [{ means: 'firewall in front', status: [403], header: ['server', /^AkamaiGHost/i] }],
  },
];

const MONEY = new RegExp(
  [
    /insufficient[ _](account |credit )?(balance|credits?|funds)/,
    /(balance|credits?|funds) (is|are) (insufficient|not enough|too low|depleted|exhausted|used up)/,
    /not enough (balance|credits?|funds)/,
    /(out of|ran out of|run out of|no more) credits?/,
    /no credits? (left|remaining|available)/,
    /(used (up )?all|exhausted) (of )?(your|its|the|available) .{0,20}credits?/,
    /(prepaid|prepayment|free|monthly|included) credits? .{0,30}(depleted|exhausted|exceeded|used up|expired)/,
    /(exceeded|reached|hit|over) (your|the|its|their) .{0,30}(credits|budget|(spend(ing)?|credit|billing) (limit|cap))/,
    /(doesn'?t|does not) have any (credits|balance)/,
    /over budget|exceededbudget/,
    /used up your .{0,20}allocation/,
    /(spend(ing)?|budget|credit|billing|key) (limit|cap) .{0,20}(reached|exceeded|exhausted)/,
    /budget .{0,20}(exceeded|exhausted)/,
    /(subscription|monthly|account|plan) quota .{0,20}(reached|exceeded|exhausted)/,
    /(exceeded|reached) .{0,20}(subscription|monthly) (quota|usage limit|spending)/,
    /usage limit for this billing cycle/,
    /calls? ?\/ ?month/,
    /(please )?(recharge|top[ -]up) (your|the) (account|balance)/,
    /account .{0,30}(in arrears|overdue|not in good standing)/,
    /unpaid invoice/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
);

const SCOPE = new RegExp(
  [
    /missing (required )?(scopes?|permissions?)\b/,
    /(insufficient|(does|do) not have (the )?(sufficient|required|necessary)?) ?(permissions?|scopes?|privileges)/,
    /(does|do) not have (access|permission) to/,
    /(don'?t|doesn'?t) have (access|permission) to/,
    /not (allowed|permitted|authorized|enabled) to (access|use|call|perform|view|list)/,
    /no access to (the )?(model|resource|endpoint|project)/,
    /model .{0,100}(not allowed|not permitted|access denied|requires? (a )?(higher|paid))/,
    /not (available|included|supported|allowed) (on|in|for|with) (your|this) .{0,20}(plan|tier|subscription)/,
    /(plan|tier|subscription) (does not|doesn'?t) (include|support|allow)/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
);

/** Only at the start: what follows may be the caller's text. */
const DEAD_KEY = new RegExp(
  [
    /^(the |your )?(provided )?(incorrect|invalid|wrong|unknown|expired|revoked|inactive|malformed) (api|access|secret|subscription|auth\w*)?[ _-]?(key|token)\b/,
    /^(the |your )?(provided |given )?(api|access|secret|subscription)[ _-]?key .{0,40}(invalid|incorrect|not valid|expired|revoked|disabled|deactivated|deleted|suspended|not found|does not exist|inactive)/,
    /^access denied due to invalid subscription key/,
    /^no (such|matching) (api )?key/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
);

const REGION =
  /\b(country|region|location|territory)\b.{0,40}not (supported|available|allowed)|not (supported|available|offered|allowed) in (your|this) (country|region|location)/i;

/** The whole message of a 400, which quotes nothing. */
const NO_MONEY =
  /^(insufficient (credits?|balance|funds)|(you are )?out of credits|budget (has been )?exceeded)\b[^"'`]{0,200}$/i;

export const ANY_MODEL_SERVICE: readonly ServiceRules[] = [
  {
    service: 'any service of language models',
    source: 'https://www.rfc-editor.org/rfc/rfc9110#name-status-codes',
    rules: [
      { means: 'scope or model refused', status: [401, 403], words: SCOPE },
      { means: 'out of credit', status: [402, 403, 429], words: MONEY },
      {
        means: 'content refused',
        status: [403],
        words: /\b(content (policy|filter)|moderation|safety (system|policy))\b/i,
      },
      { means: 'region refused', status: [403], words: REGION },
      { means: 'out of credit', status: [403], words: /usage limit|(inactive|expired) subscription/i },
      { means: 'out of credit', status: [400], words: NO_MONEY },
      { means: 'key refused', status: [400, 403], words: DEAD_KEY },
    ],
  },
];

export const TENDERLY: readonly ServiceRules[] = [
  {
    service: 'Tenderly',
    source: 'https://docs.tenderly.co/api-reference/simulations/simulate-transaction',
    rules: [
      { means: 'out of credit', codes: ['quota_limit_reached', 'quota_exceeded', 'limit_reached', 'payment_required'] },
      {
        means: 'out of credit',
        status: [402, 403, 429],
        words: /\b(quota|(usage|plan|monthly) limit|simulation limit|tenderly units)\b|upgrade your (plan|account)/i,
      },
      { means: 'not executable', codes: ['invalid_transaction_simulation'] },
      { means: 'key refused', codes: ['invalid_access_key', 'invalid_token'] },
      { means: 'key refused', status: [400, 403], words: DEAD_KEY },
    ],
  },
];
