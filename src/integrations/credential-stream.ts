/**
 * Streams of a service. The credential stays open until the stream ends, its reader cancels, or the activity ends.
 */
import { runningActivity, withProvider } from '../plugin/with-provider.js';
import type { LlmCredential } from '../providers/llm/llm.js';
import type { ProviderCall } from '../resolver/provider-call.js';
import type { LlmHandle } from './model-names.js';
import { unwrapped } from './unwrapped.js';

/** A service's stream, and what came with its beginning. */
export interface OpenedStream<Head, Part> {
  readonly head: Head;
  readonly parts: AsyncIterable<Part>;
}

/** What {@link streamWithProvider} returns. */
export interface CredentialStream<Head, Part> {
  readonly head: Head;
  readonly parts: ReadableStream<Part>;
}

/**
 * Opens the provider, and returns the stream once its first part is there. If the service refuses the credential before
 * that, it is read again and tried once more, as `withProvider` does. What breaks the stream later ends it with a typed
 * failure.
 *
 * @param open - starts the call. Its `signal` is aborted if nobody reads the stream any longer
 * @param errorIn - the service's error, if a part is one
 * @throws what `withProvider` throws
 */
export function streamWithProvider<Head, Part>(
  provider: LlmHandle,
  open: (call: ProviderCall<LlmCredential>) => Promise<OpenedStream<Head, Part>>,
  errorIn: (part: Part) => unknown,
): Promise<CredentialStream<Head, Part>> {
  const { ended } = runningActivity();
  return new Promise((resolve, reject) => {
    let control: TransformStreamDefaultController<Part> | undefined;
    const { readable, writable } = new TransformStream<Part, Part>({
      start(controller) {
        control = controller;
      },
    });
    const writer = writable.getWriter();
    const unread = new AbortController();
    // Rejects if the reader cancels.
    writer.closed.catch(() => unread.abort());
    // Ends a write that waits for a reader too.
    const giveUp = () => control?.error(new Error('the activity that opened this stream has ended'));
    ended.addEventListener('abort', giveUp, { once: true });

    let broken: { readonly error: unknown } | undefined;
    let isHandedOver = false;
    const pass = async (call: ProviderCall<LlmCredential>): Promise<void> => {
      // The reader has parts of the first answer, so a second one must not follow them.
      if (broken) throw broken.error;
      const { head, parts } = await open({ ...call, signal: AbortSignal.any([call.signal, unread.signal]) });
      try {
        for await (const part of parts) {
          const error = errorIn(part);
          if (error !== undefined) throw error;
          if (!isHandedOver) resolve({ head, parts: readable });
          isHandedOver = true;
          await writer.write(part);
        }
      } catch (error) {
        if (unread.signal.aborted) return;
        if (isHandedOver) broken = { error };
        throw error;
      }
      resolve({ head, parts: readable });
      await writer.close();
    };
    withProvider(provider, pass)
      .catch((failure: unknown) => {
        reject(failure);
        control?.error(failure);
      })
      .finally(() => ended.removeEventListener('abort', giveUp));
  });
}

/**
 * The parts of a stream, as {@link streamWithProvider} reads it. What breaks it leaves the activity unwrapped.
 *
 * @param open - starts the call. Some clients end a stream early if its signal is aborted, which is a failure here
 */
export async function* partsWithProvider<Part>(
  provider: LlmHandle,
  open: (call: ProviderCall<LlmCredential>) => AsyncIterable<Part>,
): AsyncGenerator<Part, void, undefined> {
  const opened = await unwrapped(() =>
    streamWithProvider(
      provider,
      async (call) => ({ head: undefined, parts: untilAborted(open(call), call.signal) }),
      () => undefined,
    ),
  );
  const reader = opened.parts.getReader();
  try {
    for (let part = await unwrapped(() => reader.read()); !part.done; part = await unwrapped(() => reader.read())) {
      yield part.value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function* untilAborted<Part>(parts: AsyncIterable<Part>, signal: AbortSignal): AsyncGenerator<Part> {
  yield* parts;
  signal.throwIfAborted();
}
