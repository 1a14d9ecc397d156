/**
 * The limits on an answer, whatever the service sends: in which encoding, how late, how slowly, and how large it is
 * once it is decoded. They are checked here and not by the libraries that read answers, because those read an answer as
 * far as it goes.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { DecoratorHandler, type Dispatcher, Response as UndiciResponse } from 'undici';

export interface AnswerLimits {
  /** The time to the first byte of the answer, in milliseconds. */
  readonly firstByteMs: number;
  /** The time in which at least 1 KiB of an answer that has begun must come, in milliseconds. */
  readonly progressMs: number;
}

/** The progress that keeps an answer alive: every model streams faster, and one byte per second is slower. */
const MIN_PROGRESS_BYTES = 1024;

/** What a request asks for and a decoder takes bounded memory for. Zstandard needs up to 128 MiB for one answer. */
const ENCODINGS: ReadonlySet<string> = new Set(['', 'identity', 'gzip', 'x-gzip', 'deflate', 'br']);

/** Notes when an answer has ended. A request that was dropped may be sent again: then the last answer counts. */
export class AnswerEnd {
  #hasEnded = false;
  #hasBegun = false;

  /** @param onEnd - called once, when an answer that a caller has received is complete or was given up */
  constructor(private readonly onEnd: (() => void) | undefined) {}

  sent(): void {
    this.#hasEnded = false;
  }

  ended(): void {
    this.#hasEnded = true;
    if (this.#hasBegun) this.onEnd?.();
  }

  /** The caller receives this answer. */
  after<Answer>(answer: Answer): Answer {
    this.#hasBegun = true;
    if (this.#hasEnded) this.onEnd?.();
    return answer;
  }
}

/** Returns the interceptor that holds requests to these limits, for undici's `compose`. */
export function withinLimits(
  { firstByteMs, progressMs }: AnswerLimits,
  end?: AnswerEnd,
): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    end?.sent();
    return dispatch(
      { ...options, headersTimeout: firstByteMs, bodyTimeout: progressMs },
      new LimitedAnswer(handler, progressMs, end),
    );
  };
}

class LimitedAnswer implements Dispatcher.DispatchHandler {
  /** Wrapped, because `fetch` has a handler of undici's older form. */
  readonly #next: Dispatcher.DispatchHandler;
  #receivedBytes = 0;
  #watch: NodeJS.Timeout | undefined;

  constructor(
    handler: Dispatcher.DispatchHandler,
    private readonly progressMs: number,
    private readonly end: AnswerEnd | undefined,
  ) {
    this.#next = new DecoratorHandler(handler);
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#next.onRequestStart?.(controller, context);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
    statusMessage?: string,
  ): void {
    // Before a decoder exists: several encodings on top of each other multiply what each one can expand to.
    const encoding = String(headers['content-encoding'] ?? '');
    if (!ENCODINGS.has(encoding.trim().toLowerCase())) {
      controller.abort(refusedEncoding());
      return;
    }
    if (statusCode >= 200) this.#startWatch(controller);
    this.#next.onResponseStart?.(controller, statusCode, headers, statusMessage);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    this.#next.onResponseData?.(controller, chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    clearInterval(this.#watch);
    this.#next.onResponseEnd?.(controller, trailers);
    this.end?.ended();
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    clearInterval(this.#watch);
    this.#next.onResponseError?.(controller, error);
    this.end?.ended();
  }

  #startWatch(controller: Dispatcher.DispatchController): void {
    let beforeBytes = 0;
    this.#watch = setInterval(() => {
      // While the caller does not read, it is the caller that is slow.
      if (!controller.paused && this.#receivedBytes - beforeBytes < MIN_PROGRESS_BYTES) controller.abort(tooSlow());
      beforeBytes = this.#receivedBytes;
    }, this.progressMs).unref();
  }
}

/** Returns the response with a body that fails once more than `maxBytes` of it are decoded. */
export function withMaxDecodedBytes(response: UndiciResponse, maxBytes: number): UndiciResponse {
  if (!response.body) return response;
  let decodedBytes = 0;
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      decodedBytes += chunk.byteLength;
      if (decodedBytes > maxBytes) controller.error(tooLarge());
      else controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers, url } = response;
  const limited = new UndiciResponse(response.body.pipeThrough(count), { status, statusText, headers });
  return Object.defineProperty(limited, 'url', { value: url, configurable: true });
}

// With the codes of undici, which callers and libraries know.

function tooSlow(): Error {
  return Object.assign(new Error('the answer comes too slowly'), { code: 'UND_ERR_BODY_TIMEOUT' });
}

function tooLarge(): Error {
  const error = new TypeError('terminated');
  error.cause = Object.assign(new Error('the decoded answer is too large'), { code: 'UND_ERR_RES_EXCEEDED_MAX_SIZE' });
  return error;
}

function refusedEncoding(): Error {
  return Object.assign(new Error('the content encoding of the answer is not accepted'), { code: 'REFUSED_ENCODING' });
}
