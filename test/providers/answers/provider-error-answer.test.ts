/**
 * What services of language models answer, as public reports and the pages of the vendors
 * show it. A row per answer: who, the provider's name, HTTP status, body, and the failure that it must become.
 */
import { anthropic, error, google, testModelKinds } from './kinds.js';

const choice = (fields: object) => ({
  choices: [{ index: 0, message: { role: 'assistant', content: null }, finish_reason: 'stop', ...fields }],
});

testModelKinds({
  'A: a success that holds an error, or no answer': [
    ['OpenRouter', 'router', 200, { ...choice({}), ...error({ code: 429 }) }, 'ProviderRateLimited'],
    ['OpenRouter, in the choice', 'router', 200, choice({ error: { code: 502, message: 'x' } }), 'ProviderUnavailable'],
    ['OpenRouter, without a reason', 'router', 200, choice({ finish_reason: 'error' }), 'ProviderUnavailable'],
    ['a gateway', 'gateway', 200, error({ code: 402 }), 'ProviderQuotaExhausted'],
    ['a gateway', 'gateway', 200, error({ code: 400 }), 'ProviderRequestInvalid'],
    ['a gateway, as a text', 'gateway', 200, error({ code: '401' }), 'CredentialRejected'],
    ['a gateway, by type', 'gateway', 200, error({ type: 'rate_limit_error' }), 'ProviderRateLimited'],
    ['a gateway, without a code', 'gateway', 200, { error: 'upstream failed' }, 'ProviderUnavailable'],
    ['MiniMax', 'minimax', 200, { base_resp: { status_code: 1008, status_msg: 'x' } }, 'ProviderQuotaExhausted'],
    ['MiniMax', 'minimax', 200, { base_resp: { status_code: 1004, status_msg: 'x' } }, 'CredentialRejected'],
    ['Cloudflare', 'workers-ai', 200, { success: false, errors: [{ code: 500, message: 'x' }] }, 'ProviderUnavailable'],
    ['Anthropic', 'anthropic', 200, anthropic('overloaded_error', 'Overloaded'), 'ProviderRateLimited'],
    ['OpenAI', 'openai', 200, { output: [], error: { code: 'server_error', message: 'x' } }, 'ProviderUnavailable'],
    [
      'OpenAI',
      'openai',
      200,
      { output: [], error: { code: 'rate_limit_exceeded', message: 'x' } },
      'ProviderRateLimited',
    ],
    ['OpenAI', 'openai', 200, { output: [], status: 'failed', error: null }, 'ProviderUnavailable'],
    ['Gemini', 'gemini', 200, google(503, 'UNAVAILABLE', 'overloaded'), 'ProviderUnavailable'],
  ],
  'H: a status with a body that says nothing': [
    ['a gateway', 'gateway', 401, '', 'CredentialRejected'],
    ['a gateway', 'gateway', 402, '', 'ProviderQuotaExhausted'],
    ['a gateway', 'gateway', 429, 'null', 'ProviderRateLimited'],
    ['a gateway', 'gateway', 503, '[]', 'ProviderUnavailable'],
    ['a gateway', 'gateway', 401, '{"half":', 'CredentialRejected', { headers: { 'content-type': 'text/plain' } }],
  ],
  'I: an answer of another shape': [
    ['a compatible service', 'gateway', 200, { choices: [] }, 'ProviderUnavailable'],
    ['a compatible service', 'gateway', 200, { choices: [null] }, 'ProviderUnavailable'],
    ['a compatible service', 'gateway', 200, { choices: [{ index: 0 }] }, 'ProviderUnavailable'],
    ['a compatible service', 'gateway', 200, {}, 'ProviderUnavailable'],
    ['a compatible service', 'gateway', 200, '', 'ProviderUnavailable'],
    ['Anthropic', 'anthropic', 200, { message: 'ok' }, 'ProviderUnavailable'],
    ['OpenAI', 'openai', 200, { object: 'response' }, 'ProviderUnavailable'],
    ['Gemini', 'gemini', 200, { candidates: [] }, 'ProviderUnavailable'],
    ['Gemini', 'gemini', 200, 'null', 'ProviderUnavailable'],
  ],
  'P: a rate limit that no wait helps': [
    [
      'OpenAI',
      'openai',
      429,
      error({
        type: 'tokens',
        code: 'rate_limit_exceeded',
        message:
          'Request too large for gpt-4.1 in organization org-1 on tokens per min (TPM): Limit 30000, Requested 61337.',
      }),
      'ProviderRequestInvalid',
      { says: 'size' },
    ],
    [
      'Groq',
      'groq',
      413,
      error({
        type: 'tokens',
        code: 'rate_limit_exceeded',
        message: 'Request too large for model `llama` on tokens per minute (TPM): Limit 6000, Requested 9000',
      }),
      'ProviderRequestInvalid',
    ],
    [
      'Groq, behind LiteLLM',
      'litellm',
      429,
      error({ message: 'litellm.RateLimitError: RateLimitError: GroqException - Request too large for model `llama`' }),
      'ProviderRequestInvalid',
      { says: 'size' },
    ],
    [
      'Anthropic',
      'anthropic',
      429,
      anthropic('rate_limit_error', 'Extra usage is required for long context requests.'),
      'ProviderQuotaExhausted',
    ],
    [
      'OpenAI, one that passes',
      'openai',
      429,
      error({
        type: 'tokens',
        code: 'rate_limit_exceeded',
        message:
          'Rate limit reached for gpt-4.1 on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 2s.',
      }),
      'ProviderRateLimited',
      { waitMs: 2000 },
    ],
  ],
  'P: a request that is larger than the limit it names': [
    [
      'a gateway',
      'gateway',
      429,
      error({ message: 'Input tokens per minute: Limit 8,000, Requested 10,044.' }),
      'ProviderRequestInvalid',
      { says: 'size' },
    ],
    [
      'a gateway, that fits later',
      'gateway',
      429,
      error({ message: 'Limit 8000, Used 7000, Requested 2000.' }),
      'ProviderRateLimited',
    ],
  ],
  'Q: a status that passes': [
    [
      'OpenRouter, credit that running calls have reserved',
      'router',
      402,
      error({ code: 402, type: 'in_flight_budget_exhausted' }),
      'ProviderRateLimited',
    ],
    ['Gemini', 'gemini', 499, google(499, 'CANCELLED', 'The operation was cancelled.'), 'ProviderUnavailable'],
    ['Groq', 'groq', 498, error({ message: 'Flex tier capacity exceeded' }), 'ProviderRateLimited'],
    ['Amazon Bedrock', 'bedrock', 424, { message: 'x' }, 'ProviderUnavailable'],
    ['a load balancer', 'gateway', 460, '', 'ProviderUnavailable'],
    ['Gemini, aborted', 'gemini', 409, google(409, 'ABORTED', 'x'), 'ProviderUnavailable'],
  ],
  'controls: a rate limit whose words speak of billing': [
    [
      'Gemini',
      'gemini',
      429,
      google(
        429,
        'RESOURCE_EXHAUSTED',
        'You exceeded your current quota, please check your plan and billing details. limit: 10',
        { retryDelay: '34s' },
      ),
      'ProviderRateLimited',
      { waitMs: 34_000 },
    ],
    [
      'Gemini, by Vertex AI',
      'gemini',
      429,
      google(429, 'RESOURCE_EXHAUSTED', 'Resource exhausted. Please try again later.'),
      'ProviderRateLimited',
    ],
    [
      'OpenRouter',
      'router',
      429,
      error({
        code: 429,
        message: 'Rate limit exceeded: free-models-per-min. Add credits to unlock 1000 free model requests per day',
      }),
      'ProviderRateLimited',
    ],
    [
      'Mistral',
      'mistral',
      429,
      { object: 'error', message: 'Service tier capacity exceeded for this model.', code: '3505' },
      'ProviderRateLimited',
    ],
  ],
});
