/** The vendors of language models whose own API a provider is named after. */
import type { ServiceRules } from '../rule.js';

export const ANTHROPIC: readonly ServiceRules[] = [
  {
    service: 'Anthropic',
    source: 'https://docs.anthropic.com/en/api/errors',
    rules: [
      { means: 'out of credit', codes: ['billing_error', 'enforced_spend_limit_reached'] },
      { means: 'overloaded', codes: ['overloaded_error'] },
      { means: 'out of credit', status: [400, 403], words: /^Your credit balance is too low to access/i },
      {
        means: 'out of credit',
        status: [400, 403],
        words: /^You have reached your specified (\w+ )?API usage limits?\b/i,
      },
      { means: 'key refused', status: [400, 403], words: /^(This|Your) organization has been disabled\b/i },
      // Asked again it is refused again: the account has to be changed.
      { means: 'out of credit', status: [429], words: /^Extra usage is required for long context requests/i },
    ],
  },
];

export const OPENAI: readonly ServiceRules[] = [
  {
    service: 'OpenAI: limits that were set',
    source: 'https://developers.openai.com/api/docs/guides/spend-limits',
    rules: [
      {
        means: 'out of credit',
        codes: [
          'organization_spend_limit_exceeded',
          'project_spend_limit_exceeded',
          'organization_usage_limit_exceeded',
        ],
      },
    ],
  },
  {
    service: 'OpenAI',
    source: 'https://platform.openai.com/docs/guides/error-codes',
    rules: [
      {
        means: 'out of credit',
        codes: [
          'insufficient_quota',
          'credit_balance_exhausted',
          'billing_not_active',
          'billing_hard_limit_reached',
          'access_terminated_billing',
        ],
      },
      { means: 'key refused', codes: ['invalid_api_key', 'account_deactivated'] },
      { means: 'address refused', codes: ['ip_not_authorized'] },
      { means: 'organization missing', codes: ['no_organization'] },
      { means: 'organization refused', codes: ['invalid_organization', 'mismatched_organization'] },
      { means: 'project refused', codes: ['mismatched_project'] },
      { means: 'region refused', codes: ['unsupported_country_region_territory'] },
      { means: 'scope or model refused', codes: ['missing_scope', 'insufficient_permissions'] },
      { means: 'content refused', codes: ['content_policy_violation', 'image_content_policy_violation'] },
      { means: 'overloaded', codes: ['server_is_overloaded', 'slow_down'] },
      { means: 'address refused', status: [401], words: /\bIP\b.{0,40}not authorized/i },
      { means: 'organization refused', status: [401, 403], words: /organization tied to the API key/i },
      { means: 'organization missing', status: [401], words: /^You must be a member of an organization/i },
      // Limit 30000, Requested 61337: no minute is long enough.
      { means: 'too large for any wait', status: [413, 429], words: /^Request too large for /i },
    ],
  },
];

export const GEMINI: readonly ServiceRules[] = [
  {
    service: 'Google APIs: Gemini, Vertex AI',
    source: 'https://github.com/googleapis/googleapis/blob/master/google/api/error_reason.proto',
    rules: [
      { means: 'key refused', codes: ['API_KEY_INVALID', 'CONSUMER_INVALID', 'CONSUMER_SUSPENDED'] },
      { means: 'key refused', codes: ['ACCESS_TOKEN_EXPIRED', 'ACCESS_TOKEN_TYPE_UNSUPPORTED', 'CREDENTIALS_MISSING'] },
      { means: 'key refused', codes: ['ACCOUNT_STATE_INVALID'] },
      { means: 'address refused', codes: ['API_KEY_IP_ADDRESS_BLOCKED', 'API_KEY_HTTP_REFERRER_BLOCKED'] },
      {
        means: 'scope or model refused',
        codes: [
          'API_KEY_SERVICE_BLOCKED',
          'SERVICE_DISABLED',
          'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
          'IAM_PERMISSION_DENIED',
        ],
      },
      { means: 'out of credit', codes: ['BILLING_DISABLED'] },
    ],
  },
  {
    service: 'Gemini',
    source: 'https://ai.google.dev/gemini-api/docs/troubleshooting',
    rules: [
      { means: 'key refused', codes: ['authentication'] },
      { means: 'key refused', status: [403], words: /API key was reported as leaked/i },
      {
        means: 'out of credit',
        status: [429],
        words: /^Your (prepayment|prepaid|billing) .{0,40}(depleted|exhausted)/i,
      },
      { means: 'out of credit', status: [429], words: /exceeded its (monthly )?spending cap/i },
      // A quota of nothing: the plan does not have the model.
      { means: 'out of credit', status: [429], words: /\blimit: 0(?![.\d])/ },
    ],
  },
];
