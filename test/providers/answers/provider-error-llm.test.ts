/** Errors of language-model services, through the libraries that call them. Each answer echoes the key. */
import { describe, expect, it } from 'vitest';
import type { FailureType } from '../../../src/protocol/failure-types.js';
import { toProviderError } from '../../support/built-in-types.js';
import {
  aiSdk,
  anthropicSdk,
  anthropicSdkStream,
  type Caller,
  googleSdk,
  KEY,
  openaiSdk,
  openaiSdkStream,
} from '../callers.js';
import { everyPrintOf } from '../prints.js';
import { expectOutcome, impatientClient, llm, thrownBy } from './outcomes.js';

const http = impatientClient();

const anthropicBody = (type: string, message = 'no', details?: object) => ({
  type: 'error',
  error: { type, message: `${message} ${KEY}`, details },
  request_id: 'req_1',
});
const openaiBody = (code: string | null, type = 'invalid_request_error', message = 'no') => ({
  error: { message: `${message}: ${KEY}`, type, param: null, code },
});
const googleBody = (code: number, status: string, message = 'no', ...details: object[]) => ({
  error: { code, message: `${message} ${KEY}`, status, details },
});
const invalidGoogleKey = googleBody(400, 'INVALID_ARGUMENT', 'API key not valid.', {
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason: 'API_KEY_INVALID',
  domain: 'googleapis.com',
});
const retryInfo = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.5s' };

type Row = [what: string, status: number, body: unknown, type: FailureType];

const anthropicRows: Row[] = [
  ['an invalid key', 401, anthropicBody('authentication_error', 'invalid x-api-key'), 'CredentialRejected'],
  ['no permission', 403, anthropicBody('permission_error'), 'ProviderRequestInvalid'],
  ['no credit', 402, anthropicBody('billing_error'), 'ProviderQuotaExhausted'],
  [
    'no credit, as a bad request',
    400,
    anthropicBody('invalid_request_error', 'Your credit balance is too low to access the Anthropic API.'),
    'ProviderQuotaExhausted',
  ],
  [
    'the spend limit, as a rate limit',
    429,
    anthropicBody('rate_limit_error', 'limit', { error_code: 'enforced_spend_limit_reached' }),
    'ProviderQuotaExhausted',
  ],
  [
    'a disabled organization',
    400,
    anthropicBody('invalid_request_error', 'This organization has been disabled.'),
    'CredentialRejected',
  ],
  ['a rate limit', 429, anthropicBody('rate_limit_error'), 'ProviderRateLimited'],
  ['an overload', 529, anthropicBody('overloaded_error'), 'ProviderRateLimited'],
  ['a bad request', 400, anthropicBody('invalid_request_error'), 'ProviderRequestInvalid'],
  ['an unknown model', 404, anthropicBody('not_found_error'), 'ProviderRequestInvalid'],
  ['a request too large', 413, anthropicBody('request_too_large'), 'ProviderRequestInvalid'],
  ['an internal error', 500, anthropicBody('api_error'), 'ProviderUnavailable'],
  ['a gateway timeout', 504, `<html>${KEY}</html>`, 'ProviderUnavailable'],
];

const openaiRows: Row[] = [
  ['an invalid key', 401, openaiBody('invalid_api_key'), 'CredentialRejected'],
  ['a closed account', 401, openaiBody('account_deactivated'), 'CredentialRejected'],
  ['another organization', 401, openaiBody('mismatched_organization'), 'CredentialRejected'],
  ['an IP address that is not allowed', 401, openaiBody(null, 'x', 'IP not authorized'), 'CredentialRejected'],
  ['an unsupported region', 403, openaiBody('unsupported_country_region_territory'), 'ProviderRequestInvalid'],
  ['a scope that the key lacks', 403, openaiBody(null), 'ProviderRequestInvalid'],
  ['no quota, as a rate limit', 429, openaiBody('insufficient_quota', 'insufficient_quota'), 'ProviderQuotaExhausted'],
  [
    'no credit, as a rate limit',
    429,
    openaiBody('credit_balance_exhausted', 'insufficient_quota'),
    'ProviderQuotaExhausted',
  ],
  ['a rate limit', 429, openaiBody('rate_limit_exceeded', 'tokens'), 'ProviderRateLimited'],
  ['an overload', 503, openaiBody('server_is_overloaded', 'service_unavailable_error'), 'ProviderRateLimited'],
  ['a bad request', 400, openaiBody('invalid_value'), 'ProviderRequestInvalid'],
  ['an unknown model', 404, openaiBody('model_not_found'), 'ProviderRequestInvalid'],
  ['an unprocessable request', 422, openaiBody(null), 'ProviderRequestInvalid'],
  ['a conflict', 409, openaiBody(null), 'ProviderUnavailable'],
  ['an internal error', 500, openaiBody(null, 'server_error'), 'ProviderUnavailable'],
  ['a gateway error', 502, `bad gateway ${KEY}`, 'ProviderUnavailable'],
];

const geminiRows: Row[] = [
  ['an invalid key, as a bad request', 400, invalidGoogleKey, 'CredentialRejected'],
  [
    'a leaked key',
    403,
    googleBody(403, 'PERMISSION_DENIED', 'Your API key was reported as leaked.'),
    'CredentialRejected',
  ],
  ['a key for another API', 403, googleBody(403, 'PERMISSION_DENIED'), 'CredentialRejected'],
  ['no authentication', 401, googleBody(401, 'UNAUTHENTICATED'), 'CredentialRejected'],
  ['an unsupported region', 400, googleBody(400, 'FAILED_PRECONDITION'), 'ProviderRequestInvalid'],
  ['a bad request', 400, googleBody(400, 'INVALID_ARGUMENT'), 'ProviderRequestInvalid'],
  ['an unknown model', 404, googleBody(404, 'NOT_FOUND'), 'ProviderRequestInvalid'],
  ['a rate limit', 429, googleBody(429, 'RESOURCE_EXHAUSTED', 'slow', retryInfo), 'ProviderRateLimited'],
  ['an overload', 503, googleBody(503, 'UNAVAILABLE'), 'ProviderUnavailable'],
  ['an internal error', 500, googleBody(500, 'INTERNAL'), 'ProviderUnavailable'],
];

const compatibleRows: Row[] = [
  ['an invalid key', 401, openaiBody('invalid_api_key'), 'CredentialRejected'],
  ['an invalid key, as a 403', 403, { error: 'unauthorized' }, 'CredentialRejected'],
  ['an invalid key at Gemini, in a list', 400, [invalidGoogleKey], 'CredentialRejected'],
  ['no credit', 402, { message: KEY }, 'ProviderQuotaExhausted'],
  ['a bad request', 400, { detail: KEY }, 'ProviderRequestInvalid'],
  [
    'a code that is the name of a built-in property',
    400,
    openaiBody('constructor', '__proto__'),
    'ProviderRequestInvalid',
  ],
  ['an HTML page', 200, `<html>${KEY}</html>`, 'ProviderUnavailable'],
];

describe.each<[string, string, Caller, Row[]]>([
  ['Anthropic through the AI SDK', 'anthropic', aiSdk('anthropic'), anthropicRows],
  ['Anthropic through its own SDK', 'anthropic', anthropicSdk, anthropicRows],
  ['OpenAI through the AI SDK', 'openai', aiSdk('openai'), openaiRows],
  ['OpenAI through its own SDK', 'openai', openaiSdk, openaiRows],
  ['Gemini through the AI SDK', 'gemini', aiSdk('gemini'), geminiRows],
  ["Gemini through Google's own SDK", 'gemini', googleSdk, geminiRows],
  ['a compatible service through the AI SDK', 'mistral', aiSdk('mistral'), compatibleRows],
])('%s', (_through, name, caller, rows) => {
  it.each(rows)('maps %s (HTTP %i) to a provider error', async (_what, status, body, type) => {
    const thrown = await thrownBy(caller, { status, body }, { fetch: http.current.fetch });
    // The control: the errors of the libraries contain the key. This package reads a success itself.
    if (status >= 400 && everyPrintOf(body).includes(KEY)) expect(everyPrintOf(thrown)).toContain(KEY);
    const outcome = toProviderError(thrown, llm(name));
    expectOutcome(outcome, type, llm(name));
    expect(outcome?.message).toContain(`(HTTP ${status})`);
  });
});

describe('an error within a stream, which has no status', () => {
  const frame = (body: object) => `event: error\ndata: ${JSON.stringify(body)}\n\n`;
  it.each<[string, Caller, object, FailureType]>([
    ['anthropic', anthropicSdkStream, anthropicBody('overloaded_error'), 'ProviderRateLimited'],
    ['anthropic', anthropicSdkStream, anthropicBody('authentication_error'), 'CredentialRejected'],
    ['anthropic', anthropicSdkStream, anthropicBody('api_error'), 'ProviderUnavailable'],
    ['openai', openaiSdkStream, openaiBody('insufficient_quota', 'insufficient_quota'), 'ProviderQuotaExhausted'],
    ['openai', openaiSdkStream, openaiBody(null, 'server_error'), 'ProviderUnavailable'],
  ])('is mapped by its type: %s', async (name, caller, body, type) => {
    const headers = { 'content-type': 'text/event-stream' };
    const thrown = await thrownBy(caller, { status: 200, headers, body: frame(body) }, { fetch: http.current.fetch });
    expectOutcome(toProviderError(thrown, llm(name)), type, llm(name));
  });
});
