/**
 * Reads what a service answered from the errors of the libraries that called it. Errors are recognized by shape, never
 * by `instanceof` a library's class, since a user's activity may bring another copy or version of the library. Services
 * echo keys in their bodies, so bodies are only matched against documented codes and never passed on.
 */
import { parseJson } from '../../redaction/parse-json.js';

/** A failed call, as far as the error describes it. */
export interface ServiceAnswer {
  /** The HTTP status. Absent if no answer came, or if the error came within a stream. */
  readonly status?: number;
  /** The code of a JSON-RPC error. */
  readonly rpcCode?: number;
  /** Why no answer came: an error code of Node, undici or this project's own client, or `TIMEOUT`. */
  readonly networkCode?: string;
  /** The JSON body, if there was one. */
  readonly body?: unknown;
  /** The body as it came, or the message of a library's error. */
  readonly text: string;
  header(name: string): string | undefined;
}

/** Thrown by this package's own calls if the answer is not a success. Printing it shows nothing of the answer. */
export class ServiceAnswerError extends Error {
  override readonly name = 'ServiceAnswerError';
  readonly #answer: ServiceAnswer;

  constructor(answer: ServiceAnswer) {
    super('a service answered with an error');
    this.#answer = answer;
  }

  /** A method, because `util.inspect` can be asked to print getters. */
  answer(): ServiceAnswer {
    return this.#answer;
  }
}

/**
 * Returns the error to throw within `withProvider` if the response of a plain `fetch` is not `ok`. `withProvider` turns
 * it into the failure that the provider's type knows for it. It shows nothing of the answer.
 *
 * @example
 * const body = await response.text();
 * if (!response.ok) throw serviceAnswerError(response, body);
 */
export function serviceAnswerError(response: Response, bodyText: string): Error {
  return new ServiceAnswerError(answerFromResponse(response, bodyText));
}

/** Reads the answer from a response of `fetch`. */
export function answerFromResponse(response: Response, bodyText: string): ServiceAnswer {
  const body = parseJson(bodyText);
  const rpcCode = rpcCodeIn(body);
  return { status: response.status, rpcCode, body, text: bodyText, header: headerReader(response.headers) };
}

/**
 * What the service answered. `undefined` if the error did not come from a service: it is a bug, or the caller's abort.
 */
export function answerOf(error: unknown): ServiceAnswer | undefined {
  const chain = causesOf(error);
  if (chain.some(isAbort)) return undefined;
  const own = chain.find((link) => link instanceof ServiceAnswerError);
  if (own) return own.answer();
  const rpcError = chain.find((link) => link.name === 'RpcRequestError' && typeof link.code === 'number');
  const isRevert = chain.some((link) => link.name === 'ContractFunctionRevertedError');
  const answered = rpcError ?? chain.find((link) => statusOf(link) !== undefined) ?? chain.find(isWithoutStatus);
  const networkCode = chain.map(networkCodeOf).find(Boolean);
  if (networkCode && !(answered && isRefusal(answered))) return { networkCode, text: '', header: () => undefined };
  if (!answered) return isRevert ? REVERT : undefined;
  const text = textOf(answered);
  return {
    status: statusOf(answered),
    rpcCode: rpcError?.code as number | undefined,
    body: bodyOf(answered) ?? parseJson(text),
    text,
    header: headerReader(answered.responseHeaders ?? answered.headers),
  };
}

/** Once viem has decoded a revert, it keeps neither the code nor the original error. */
const REVERT: ServiceAnswer = { rpcCode: 3, body: { error: { code: 3 } }, text: '', header: () => undefined };

type Link = Readonly<Record<string, unknown>>;

/** The length of the longest chain that is followed: longer than any library nests errors, and it ends a cycle. */
const MAX_CAUSES = 12;

/** The error and all errors that it wraps: in `cause`, or in the `lastError` of the AI SDK's RetryError. */
export function causesOf(error: unknown): Link[] {
  const chain: Link[] = [];
  for (let link = error; typeof link === 'object' && link !== null && chain.length < MAX_CAUSES; ) {
    chain.push(link as Link);
    const { lastError, cause } = link as Link;
    link = lastError ?? cause;
  }
  return chain;
}

function isAbort(link: Link): boolean {
  return link.name === 'AbortError' || link.constructor?.name === 'APIUserAbortError';
}

/** `statusCode`: the AI SDK. `status`: Anthropic's, OpenAI's and Google's SDKs, viem. */
function statusOf(link: Link): number | undefined {
  const status = link.statusCode ?? link.status;
  return link instanceof Error && typeof status === 'number' && status >= 200 && status <= 599 ? status : undefined;
}

/**
 * Anthropic's and OpenAI's SDKs have a body without a status for an error that comes after a stream has begun; viem has
 * neither if the answer is not JSON.
 */
function isWithoutStatus(link: Link): boolean {
  const isStreamError = typeof link.error === 'object' && link.error !== null && typeof link.type === 'string';
  return link instanceof Error && (isStreamError || link.name === 'HttpRequestError');
}

/** A status below 400 beside a network error only shows that the headers arrived before the connection broke. */
function isRefusal(link: Link): boolean {
  return (statusOf(link) ?? 0) >= 400;
}

/** Anthropic's SDK keeps the whole body in `error`; OpenAI's keeps only its `error` member; viem takes it apart. */
function bodyOf(link: Link): unknown {
  if (typeof link.responseBody === 'string') return parseJson(link.responseBody);
  if (link.name === 'RpcRequestError') return { error: { code: link.code, message: link.details, data: link.data } };
  if (typeof link.error !== 'object' || link.error === null) return undefined;
  return 'error' in link.error ? link.error : { error: link.error };
}

/** `responseBody`: the AI SDK. `details`: viem. Google's SDK puts the body only into `message`. */
function textOf(link: Link): string {
  const text = link.responseBody ?? link.details ?? link.message;
  return typeof text === 'string' ? text : '';
}

const NETWORK_CODE =
  /^(ECONN|ENOTFOUND|EAI_|ETIMEDOUT|EHOST|ENET|EPIPE|EPROTO|CERT_|ERR_TLS|ERR_SSL|HPE_|UND_ERR_(CONNECT|HEADERS|BODY|SOCKET|RES_|CLOSED|DESTROYED)|(DEPTH_ZERO_)?SELF_SIGNED|UNABLE_TO_|REFUSED_)[A-Z0-9_]{0,60}$/;

function networkCodeOf(link: Link): string | undefined {
  if (typeof link.code === 'string' && NETWORK_CODE.test(link.code)) return link.code;
  if (link.name === 'TimeoutError' || link.constructor?.name === 'APIConnectionTimeoutError') return 'TIMEOUT';
  return link.name === 'TypeError' && link.message === 'fetch failed' && !link.cause ? 'FETCH_FAILED' : undefined;
}

/** Only of JSON-RPC, because Google's errors have numeric codes too. */
function rpcCodeIn(body: unknown): number | undefined {
  const { jsonrpc, error } = ((Array.isArray(body) ? body[0] : body) ?? {}) as {
    jsonrpc?: unknown;
    error?: { code?: unknown } | null;
  };
  const code = error?.code;
  return typeof code === 'number' && (jsonrpc === '2.0' || code <= -32_000) ? code : undefined;
}

/** Reads from a `Headers`, or from an object with lower-case names. */
function headerReader(headers: unknown): ServiceAnswer['header'] {
  return (name) => {
    const all = (headers ?? {}) as Link;
    const value: unknown = typeof all.get === 'function' ? all.get(name) : all[name];
    return typeof value === 'string' ? value : undefined;
  };
}
