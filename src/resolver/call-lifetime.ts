/**
 * The `fetch` and the `signal` of one `withProvider` callback. Both end with it: a client that was kept would go on to
 * send a credential that no drain waits for any more.
 */
import type { Fetch } from '../egress/http-client.js';
import { ProviderError } from '../protocol/errors.js';

export interface CallLifetime {
  readonly fetch: Fetch;
  readonly signal: AbortSignal;
  /** @throws ProviderError `SetupInvalid` if the callback has ended */
  checkRunning(): void;
  /** The callback has ended: `fetch` refuses, what is still in flight is aborted, and so is `signal`. */
  end(): void;
}

/** @param signal - ends the callback early. Default: nothing does */
export function callLifetime(fetch: Fetch, signal?: AbortSignal): CallLifetime {
  const ended = new AbortController();
  return {
    async fetch(input, init) {
      ended.signal.throwIfAborted();
      const own = [init?.signal, input instanceof Request ? input.signal : undefined].filter((each) => each != null);
      return fetch(input, { ...init, signal: AbortSignal.any([ended.signal, ...own]) });
    },
    signal: signal ? AbortSignal.any([signal, ended.signal]) : ended.signal,
    checkRunning: () => ended.signal.throwIfAborted(),
    end() {
      ended.abort(hasEnded());
    },
  };
}

function hasEnded(): ProviderError {
  const message =
    'this fetch belongs to a withProvider callback that has ended: make the client within the callback, read the ' +
    'whole answer there, and keep neither of them';
  return new ProviderError('SetupInvalid', message, { fields: ['fetch'] });
}
