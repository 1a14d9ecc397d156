/**
 * Reads the error in the body of an answer: its codes, its message, and the status that it names. Services and gateways
 * put it into different envelopes, and some send it with HTTP 200 because they had sent their headers already.
 */
import { parseJson } from '../../redaction/parse-json.js';
import type { ServiceAnswer } from './service-answer.js';

/** What a service answered, and what it says about an error if the answer is one. */
export interface ServiceReply {
  /** The HTTP status, and the status that the body names. */
  readonly statuses: readonly number[];
  /** The status that counts: that of HTTP, or if it is a success, that of the body. */
  readonly status?: number;
  readonly codes: readonly string[];
  /** Whether one of the codes says more than the HTTP status does. */
  readonly hasOwnCode: boolean;
  /** The message, without the prefixes that gateways add. */
  readonly message: string;
  /** The data of a revert, in the `data` of a JSON-RPC error. Empty if there is none. */
  readonly data: string;
  /** Whether it is an error at all: by its status, or by an `error` in its body. */
  readonly isError: boolean;
  /** The JSON body. Absent if there was none. */
  readonly body?: unknown;
  header(name: string): string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** Longer messages quote something: a prompt, a page. */
const MAX_MESSAGE_LENGTH = 2_000;

/** Codes of services for what HTTP has a status for. They count if HTTP says success, or nothing: within a stream. */
const STATUS_OF_CODE: ReadonlyMap<string, number> = new Map([
  // https://docs.anthropic.com/en/api/errors
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['request_too_large', 413],
  ['rate_limit_error', 429],
  ['api_error', 500],
  ['timeout_error', 504],
  // https://platform.openai.com/docs/api-reference/responses/object
  ['invalid_prompt', 400],
  ['model_not_found', 404],
  ['context_length_exceeded', 400],
  ['rate_limit_exceeded', 429],
  ['server_error', 500],
  ['vector_store_timeout', 504],
  // https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
  ['INVALID_ARGUMENT', 400],
  ['FAILED_PRECONDITION', 400],
  ['OUT_OF_RANGE', 400],
  ['UNAUTHENTICATED', 401],
  ['PERMISSION_DENIED', 403],
  ['NOT_FOUND', 404],
  ['ABORTED', 409],
  ['RESOURCE_EXHAUSTED', 429],
  ['CANCELLED', 499],
  ['INTERNAL', 500],
  ['UNAVAILABLE', 503],
  ['DEADLINE_EXCEEDED', 504],
  // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
  ['ValidationException', 400],
  ['AccessDeniedException', 403],
  ['ResourceNotFoundException', 404],
  ['ModelTimeoutException', 408],
  ['ModelErrorException', 424],
  ['ThrottlingException', 429],
  ['ModelNotReadyException', 429],
  ['InternalServerException', 500],
  ['ServiceUnavailableException', 503],
  // https://docs.tenderly.co: the slugs are the names of the statuses
  ['bad_request', 400],
  ['unauthorized', 401],
  ['forbidden', 403],
  ['not_found', 404],
  ['too_many_requests', 429],
  ['internal_server_error', 500],
]);

/** Codes that only repeat the status 400, in lower case. */
const GENERIC_CODE =
  /^(-?\d+|error|invalid[_-]?(request|argument|params?)([_-]?error)?|bad_?request([_-]?error)?|badrequesterror)$/;

/** Reads what the answer says. */
export function replyIn(answer: ServiceAnswer): ServiceReply {
  const { status: http, body, text } = withoutGateway(answer);
  const error = errorIn(body);
  const isRefused = http !== undefined && http >= 400;
  const isError = isRefused || error !== undefined;
  const flat = isRefused || error !== undefined ? fieldsOf(Array.isArray(body) ? body[0] : body) : {};
  const codes = [...codesOf(fieldsOf(error)), ...codesOf(flat), ...codesOfHeader(answer)];
  const named = codes.map((code) => (/^[45]\d\d$/.test(code) ? Number(code) : STATUS_OF_CODE.get(code))).find(Boolean);
  const message = messageOf(error) ?? messageOf(flat) ?? (isRefused && body === undefined ? text : '');
  return {
    statuses: [http, named].filter((each) => each !== undefined),
    status: isRefused ? http : (named ?? http),
    codes,
    hasOwnCode: codes.some((code) => !GENERIC_CODE.test(code.toLowerCase())),
    message: withoutPrefixes(
      titleOf(message) ?? `${message.trim()}${innerMessageOf(error)}`.slice(0, MAX_MESSAGE_LENGTH),
    ),
    data: dataOf(error),
    isError,
    body,
    header: answer.header,
  };
}

/**
 * The error in a body, whatever the HTTP status: an object, or its text. `undefined` if the body is not an error.
 */
export function errorIn(body: unknown): unknown {
  // Google's OpenAI-compatible endpoint sends the error within a list.
  const fields = fieldsOf(Array.isArray(body) ? body[0] : body);
  const { error, errors, choices, response, base_resp: base } = fields;
  if (isSomething(error)) return error;
  const [first] = Array.isArray(errors) ? (errors as unknown[]) : [];
  if (first !== undefined) return first; // Cloudflare
  const [choice] = Array.isArray(choices) ? (choices as unknown[]) : [];
  const nested = [fieldsOf(choice).error, fieldsOf(response).error].find(isSomething); // OpenRouter; OpenAI's streams
  if (nested !== undefined) return nested;
  const { status_code: code, status_msg: message } = fieldsOf(base); // MiniMax
  if (typeof code === 'number' && code !== 0) return { code, message };
  const isDeclared = fields.type === 'error' || fields.object === 'error' || fields.success === false;
  return isDeclared ? fields : undefined;
}

/**
 * The answer with the error of the service behind a gateway, if the gateway passes it on as text: OpenRouter in
 * `metadata.raw`, LiteLLM after its prefix.
 */
function withoutGateway(answer: ServiceAnswer): ServiceAnswer {
  const error = errorIn(answer.body);
  const { raw } = fieldsOf(fieldsOf(error).metadata);
  const message = messageOf(error) ?? '';
  const unprefixed = withoutPrefixes(message);
  const inner = parseJson(typeof raw === 'string' ? raw : unprefixed === message ? '' : unprefixed);
  return errorIn(inner) === undefined ? answer : { ...answer, body: inner };
}

function isSomething(error: unknown): boolean {
  return (typeof error === 'string' && error !== '') || Object.keys(fieldsOf(error)).length > 0;
}

/** The fields of an object. Empty for anything else. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function codesOf(fields: Fields): string[] {
  const { code, type, status, reason, slug, error_code, status_code, __type, details, detail } = fields;
  const more = (Array.isArray(details) ? details : [details, detail]).map(fieldsOf);
  const all = [
    ...[code, type, status, reason, slug, error_code, status_code, __type],
    ...more.flatMap((each) => [each.reason, each.error_code, each.code]),
  ];
  return all
    .filter((each) => typeof each === 'string' || typeof each === 'number')
    .map((each) => String(each).replace(/^.*#/, '')); // AWS: com.amazon.coral.service#UnrecognizedClientException
}

/** AWS names the exception in a header: `ThrottlingException:http://…`. */
function codesOfHeader({ header }: ServiceAnswer): string[] {
  const code = header('x-amzn-errortype')?.split(':')[0];
  return code ? [code] : [];
}

function messageOf(error: unknown): string | undefined {
  if (typeof error === 'string') return error;
  const { message, Message, msg, detail, error: text } = fieldsOf(error);
  return [message, Message, msg, detail, fieldsOf(detail).message, text].find((each) => typeof each === 'string');
}

/** JSON-RPC: what a node said to the host that answers. */
function innerMessageOf(error: unknown): string {
  const { data } = fieldsOf(error);
  const inner = typeof data === 'string' ? data : (messageOf(data) ?? messageOf(fieldsOf(data).originalError));
  return inner === undefined || inner.startsWith('0x') ? '' : `\n${inner}`;
}

/** Ganache nests the data of a revert under the hash of the transaction, others under names. */
const MAX_DATA_DEPTH = 3;

/** The data of a revert, wherever a client puts it. Other texts in it say nothing. */
function dataOf(error: unknown): string {
  return textsIn(fieldsOf(error).data, MAX_DATA_DEPTH).find((text) => /^(reverted )?0x[0-9a-f]{8}/i.test(text)) ?? '';
}

function textsIn(value: unknown, depth: number): string[] {
  if (typeof value === 'string') return [value];
  return depth === 0 ? [] : Object.values(fieldsOf(value)).flatMap((each) => textsIn(each, depth - 1));
}

/** A page says what it is in its title: its text may be anything. `undefined` if the text is not a page. */
function titleOf(text: string): string | undefined {
  if (!/^\s*<(!doctype|html|\?xml)/i.test(text)) return undefined;
  const signature = /<center>cloudflare<\/center>/i.exec(text)?.[0] ?? '';
  return `${/<title>[^<]{0,200}<\/title>/i.exec(text)?.[0] ?? ''}${signature}`;
}

/** LiteLLM and other gateways: `litellm.RateLimitError: RateLimitError: OpenAIException - Request too large …`. */
function withoutPrefixes(message: string): string {
  return message.replace(/^((litellm\.)?\w+(Error|Exception)( -|:) *)+/, '');
}
