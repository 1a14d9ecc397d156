/** Services and gateways that speak the API of OpenAI or Anthropic, with their own codes. */
import type { ServiceRules } from '../rule.js';

export const GATEWAYS: readonly ServiceRules[] = [
  {
    service: 'OpenRouter',
    source: 'https://openrouter.ai/docs/api-reference/errors',
    rules: [
      // The credit is reserved by calls that are running: it is free again when they end.
      { means: 'rate limited', codes: ['in_flight_budget_exhausted'] },
      { means: 'out of credit', status: [403], words: /^Key limit exceeded\b/i },
      { means: 'content refused', status: [403], words: /input was flagged\b/i },
    ],
  },
  {
    service: 'LiteLLM',
    source: 'https://github.com/BerriAI/litellm/blob/main/litellm/proxy/_types.py',
    rules: [
      { means: 'out of credit', codes: ['budget_exceeded'] },
      {
        means: 'scope or model refused',
        codes: [
          'key_model_access_denied',
          'team_model_access_denied',
          'user_model_access_denied',
          'org_model_access_denied',
          'team_member_permission_error',
        ],
      },
      { means: 'key refused', codes: ['auth_error', 'expired_key', 'token_not_found_in_db'] },
    ],
  },
  {
    // It says the same to a dead token and to one without the permission.
    service: 'Cloudflare AI Gateway, Workers AI',
    source: 'https://developers.cloudflare.com/fundamentals/api/reference/',
    rules: [{ means: 'key not accepted', status: [400, 401, 403], codes: [9106, 9109, 10_000] }],
  },
  {
    service: 'Vercel AI Gateway',
    source: 'https://vercel.com/docs/ai-gateway',
    rules: [{ means: 'out of credit', codes: ['insufficient_funds'] }],
  },
];

export const COMPATIBLE: readonly ServiceRules[] = [
  {
    service: 'Groq',
    source: 'https://console.groq.com/docs/spend-limits',
    rules: [
      { means: 'out of credit', codes: ['blocked_api_access'] },
      { means: 'key refused', codes: ['organization_restricted'] },
      {
        means: 'scope or model refused',
        codes: ['model_permission_blocked_org', 'model_permission_blocked_project', 'model_terms_required'],
      },
      { means: 'overloaded', status: [498] }, // flex tier capacity
    ],
  },
  {
    service: 'xAI',
    source: 'https://docs.x.ai/developers/debugging',
    rules: [
      { means: 'key refused', status: [400], codes: ['invalid-argument'], words: /^Incorrect API key provided\b/i },
      {
        means: 'out of credit',
        status: [403, 429],
        words: /used all available credits or reached its monthly spending limit/i,
      },
    ],
  },
  {
    service: 'Mistral',
    source: 'https://docs.mistral.ai/api/',
    rules: [{ means: 'overloaded', status: [429], codes: ['3505'] }],
  },
  {
    service: 'DeepSeek',
    source: 'https://api-docs.deepseek.com/quick_start/error_codes',
    rules: [{ means: 'out of credit', status: [402] }],
  },
  {
    service: 'Together',
    source: 'https://docs.together.ai/docs/error-codes',
    rules: [
      { means: 'out of credit', codes: ['credit_limit'] },
      // Here 403 is a request that does not fit the context of the model.
      { means: 'too large for any wait', status: [403], words: /\b(max_tokens|context length|input token count)\b/i },
    ],
  },
  {
    service: 'Fireworks',
    source: 'https://docs.fireworks.ai/guides/inference-error-codes',
    rules: [{ means: 'out of credit', status: [412], words: /^Account \S+ is suspended\b/i }],
  },
  {
    service: 'Zhipu, Z.ai',
    source: 'https://docs.z.ai/api-reference/api-code',
    rules: [
      { means: 'key refused', status: [400, 401, 403], codes: [1000, 1001, 1002, 1003, 1004, 1110, 1111, 1112] },
      { means: 'out of credit', codes: [1113, 1309, 1310] },
      { means: 'content refused', codes: [1301] },
      { means: 'rate limited', codes: [1302, 1303, 1305, 1308] },
    ],
  },
  {
    service: 'Moonshot, Kimi',
    source: 'https://platform.moonshot.ai/docs',
    rules: [
      { means: 'out of credit', codes: ['exceeded_current_quota_error'] },
      { means: 'key refused', codes: ['invalid_authentication_error', 'incorrect_api_key_error'] },
      { means: 'overloaded', codes: ['engine_overloaded_error'] },
    ],
  },
  {
    service: 'MiniMax',
    source: 'https://platform.minimax.io/docs/api-reference/errorcode',
    rules: [
      { means: 'key refused', status: [200], codes: [1004, 2049] },
      { means: 'out of credit', status: [200], codes: [1008] },
      { means: 'rate limited', status: [200], codes: [1002, 1039] },
      { means: 'content refused', status: [200], codes: [1026, 1027] },
      { means: 'final', status: [200], codes: [2013] },
    ],
  },
  {
    service: 'Alibaba Cloud Model Studio',
    source: 'https://www.alibabacloud.com/help/en/model-studio/error-code',
    rules: [
      { means: 'out of credit', codes: ['Arrearage', 'AllocationQuota.FreeTierOnly', 'PrepaidBillOverdue'] },
      { means: 'out of credit', codes: ['PostpaidBillOverdue', 'CommodityNotPurchased'] },
      { means: 'key refused', codes: ['InvalidApiKey'] },
      { means: 'scope or model refused', codes: ['Model.AccessDenied', 'AccessDenied.Unpurchased'] },
      { means: 'content refused', codes: ['data_inspection_failed', 'DataInspectionFailed'] },
    ],
  },
  {
    service: 'Volcengine Ark',
    source: 'https://www.volcengine.com/docs/82379/1299023',
    rules: [
      { means: 'out of credit', codes: ['AccountOverdueError', 'AccountOverdue'] },
      { means: 'overloaded', codes: ['ServerOverloaded'] },
    ],
  },
  {
    service: 'Novita',
    source: 'https://novita.ai/docs/api-reference/basic-error-code',
    rules: [{ means: 'out of credit', codes: ['NOT_ENOUGH_BALANCE'] }],
  },
  {
    service: 'SiliconFlow',
    source: 'https://docs.siliconflow.cn/en/faqs/error-code',
    rules: [{ means: 'out of credit', status: [402, 403], codes: [30001, 30011] }],
  },
];

export const CLOUDS: readonly ServiceRules[] = [
  {
    service: 'Azure OpenAI',
    source: 'https://learn.microsoft.com/en-us/azure/ai-services/openai/concepts/content-filter',
    rules: [
      { means: 'content refused', codes: ['content_filter', 'ResponsibleAIPolicyViolation'] },
      { means: 'scope or model refused', codes: ['PermissionDenied'] },
      { means: 'address refused', status: [403], words: /^Access denied due to Virtual Network\/Firewall rules/i },
    ],
  },
  {
    service: 'Amazon Bedrock',
    source: 'https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html',
    rules: [
      {
        means: 'key refused',
        codes: ['UnrecognizedClientException', 'ExpiredTokenException', 'InvalidSignatureException'],
      },
      { means: 'key refused', codes: ['IncompleteSignature', 'InvalidClientTokenId', 'MissingAuthenticationToken'] },
      { means: 'key refused', codes: ['AccessDeniedException'], words: /^(Authentication failed|Invalid API Key)/i },
      { means: 'scope or model refused', codes: ['AccessDeniedException', 'OptInRequired'] },
      { means: 'key refused', status: [403], words: /^Authentication failed: Please make sure your API Key is valid/i },
    ],
  },
];
