/**
 * What a service answered, read off the errors of the libraries that called it: by shape, never by `instanceof`, since
 * a user's activity may bring a library of its own in another copy or version. Bodies echo keys: what stands here is
 * matched against documented codes and never passed on.
 */

/** A failed call, as far as the error tells. */
export interface ServiceAnswer {
  /** The HTTP status; absent where no answer came. */
  readonly status?: number;
  /** A JSON-RPC error code. */
  readonly rpcCode?: number;
  /** Why no answer came: an error code of Node, undici or this project's `fetch`, or `TIMEOUT`. */
  readonly networkCode?: string;
  /** The JSON body, where there was one. */
  readonly body?: unknown;
  /** The body's text, or the JSON-RPC error's message. */
  readonly text?: string;
  header(name: string): string | undefined;
}

/** Thrown by this project's own calls on an answer that is no success. Prints nothing of it. */
export class ServiceAnswerError extends Error {
  override readonly name = 'ServiceAnswerError';
  readonly #answer: ServiceAnswer;

  constructor(answer: ServiceAnswer) {
    super(`a service answered with an error`);
    this.#answer = answer;
  }

  get answer(): ServiceAnswer {
    return this.#answer;
  }
}

/** Links of `cause` that are followed: more than any library nests, and an end to a cycle. */
const MAX_CAUSES = 12;

const NETWORK_CODE =
  /^(ECONN|ENOTFOUND$|EAI_|ETIMEDOUT$|EHOST|ENET|EPIPE$|EPROTO$|CERT_|ERR_TLS|ERR_SSL|HPE_|UND_ERR_(CONNECT|HEADERS_TIMEOUT|BODY_TIMEOUT|SOCKET|RES_)|REFUSED_|(DEPTH_ZERO_)?SELF_SIGNED|UNABLE_TO_)/;

/** What the service answered; `undefined` where the error is none of a service's: a bug, or the caller's own abort. */
export function answerOf(error: unknown): ServiceAnswer | undefined {
  const chain = causesOf(error);
  if (chain.some(isAbort)) return undefined;
  for (const link of chain) {
    if (link instanceof ServiceAnswerError) return link.answer;
  }
  const withStatus = chain.find((link) => statusOf(link) !== undefined);
  const withRpcCode = chain.find((link) => link.name === 'RpcRequestError' && typeof link.code === 'number');
  if (withStatus || withRpcCode) {
    const text = textOf(withRpcCode ?? withStatus ?? {});
    return {
      status: withStatus && statusOf(withStatus),
      rpcCode: withRpcCode?.code as number | undefined,
      body: bodyOf(withStatus ?? {}) ?? parseJson(text),
      text,
      header: headerReader(withStatus?.headers ?? withStatus?.responseHeaders),
    };
  }
  const networkCode = chain.map(networkCodeOf).find(Boolean);
  return networkCode ? { networkCode, header: () => undefined } : undefined;
}

export function answerFromResponse(response: Response, text: string): ServiceAnswer {
  return { status: response.status, body: parseJson(text), text, header: headerReader(response.headers) };
}

/** `undefined` for what is no JSON: the parser's own error quotes its input. */
export function parseJson(text: string | undefined): unknown {
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Link = Readonly<Record<string, unknown>>;

/** The error, what it wraps, and so on: `cause`, and `lastError` of the AI SDK's RetryError. */
function causesOf(error: unknown): Link[] {
  const chain: Link[] = [];
  let link = error;
  while (typeof link === 'object' && link !== null && chain.length < MAX_CAUSES) {
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
  return typeof status === 'number' && status >= 200 && status <= 599 && link instanceof Error ? status : undefined;
}

/** Anthropic's SDK keeps the whole body in `error`, OpenAI's only what stands in the body's `error`. */
function bodyOf(link: Link): unknown {
  if (typeof link.responseBody === 'string') return parseJson(link.responseBody);
  if (typeof link.error !== 'object' || link.error === null) return undefined;
  return 'error' in link.error ? link.error : { error: link.error };
}

/** `details`: viem. `message` holds the body as JSON in Google's SDK alone. */
function textOf(link: Link): string | undefined {
  const text = link.responseBody ?? link.details ?? link.message;
  return typeof text === 'string' ? text : undefined;
}

function networkCodeOf(link: Link): string | undefined {
  if (typeof link.code === 'string' && NETWORK_CODE.test(link.code)) return link.code;
  if (link.name === 'TimeoutError' || link.constructor?.name === 'APIConnectionTimeoutError') return 'TIMEOUT';
  return link.name === 'TypeError' && link.message === 'fetch failed' ? 'FETCH_FAILED' : undefined;
}

function headerReader(headers: unknown): ServiceAnswer['header'] {
  if (typeof headers !== 'object' || headers === null) return () => undefined;
  if ('get' in headers && typeof headers.get === 'function') {
    const { get } = headers;
    return (name) => {
      const value: unknown = get.call(headers, name);
      return typeof value === 'string' ? value : undefined;
    };
  }
  return (name) => {
    const value: unknown = (headers as Link)[name];
    return typeof value === 'string' ? value : undefined;
  };
}
