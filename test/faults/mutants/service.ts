/**
 * A service whose connections stop between their steps: a connection is made, the head is written to its socket, an
 * answer begins, an answer ends. The schedule decides which of them goes on. Heads are completed by the shipped code, so
 * what is checked is what a service gets to see. Unlike the shipped client, this one follows redirects.
 */

import type { Fetch } from '../../../src/egress/http-client.js';
import type { RequestWatch } from '../../../src/egress/sealed-head.js';
import { awaitHead, completingHeads, newStandIn, type SealedRequest } from '../../../src/egress/sealed-head.js';
import { defineProviderType } from '../../../src/providers/define-type.js';
import { secretKey } from '../../../src/providers/fields.js';

const ORIGIN = 'https://api.stepped.example';
const ELSEWHERE = 'https://elsewhere.example';
const KEY = /canary-key-of-version-(\d+)/;

/** The secret of a version. */
export const apiKeyOf = (version: string | number) => `canary-key-of-version-${version}`;
export const versionOf = (text: string) => Number(KEY.exec(text)?.[1]);

/** What a request is sent with. */
export interface SteppedRequest {
  readonly apiKey: string;
  readonly watch: RequestWatch;
}

/** When a request was made, or made again because nothing was sent. */
export interface Made {
  /** The newest version whose fence was reported then. */
  done: number;
}

interface Asked extends RequestInit {
  readonly made: Made;
  /** What a request is given, when it has its credential. */
  readonly stepped: SteppedRequest;
}

const defined = defineProviderType({ type: 'stepped', secret: { apiKey: secretKey }, destination: () => ORIGIN });

/** A type whose `fetch` passes the secret on, as the bound one does, and what watches over the request. */
export const STEPPED: typeof defined = {
  ...defined,
  adaptFetch: ({ fields }, fetch, watch = {}) => {
    const stepped: SteppedRequest = { apiKey: fields.secret.apiKey, watch };
    return (input, init) => fetch(input, { ...init, stepped } as Asked);
  },
};

/** The socket of a connection to `origin`. */
export type Completing = (socket: FakeSocket, origin: string, sealed: SealedRequest) => FakeSocket;

/** As shipped. */
export const completing: Completing = (socket, origin) =>
  completingHeads(socket as unknown as Parameters<typeof completingHeads>[0], origin) as unknown as FakeSocket;

export class FakeSocket {
  written = '';
  error: Error | undefined;
  write(text: string): boolean {
    this.written += text;
    return true;
  }
  destroy(error?: Error): void {
    this.error = error;
  }
}

interface Sent {
  state: 'connecting' | 'written' | 'answering';
  origin: string;
  /** How the next head is completed. */
  complete: Completing;
  /** The version in its last head. */
  version: number | undefined;
  /** Whether it got its credential under the lease. */
  readonly isUnderLease: boolean;
  readonly made: Made;
  readonly standIn: string;
  readonly sealed: SealedRequest;
  readonly settle: (error?: Error) => void;
}

export interface ServiceOptions {
  readonly completing: Completing;
  /** How a head is completed on the connection that a redirect leads to. */
  readonly afterRedirect: Completing;
  readonly bind: (request: SteppedRequest) => SteppedRequest;
  readonly isLeaseHeld: () => boolean;
  /** The newest version whose fence was reported. */
  readonly done: () => number;
  /** The newest version whose drain has ended. */
  readonly drained: () => number;
  readonly onViolation: (what: string) => void;
}

export class SteppedService {
  /** The number of heads that were written and checked. */
  heads = 0;
  readonly #sent: Sent[] = [];
  readonly #spent = new Set<string>();

  constructor(private readonly options: ServiceOptions) {}

  /** The oldest version that the service has been sent, and has not answered in full. */
  get oldestInFlight(): number {
    return Math.min(...this.#sent.map(({ version }) => version ?? Number.POSITIVE_INFINITY));
  }

  readonly fetch: Fetch = async (_input, init) => {
    init?.signal?.throwIfAborted();
    const { made, stepped } = init as Asked;
    const { apiKey, watch } = this.options.bind(stepped);
    const standIn = newStandIn();
    const sealed = { ...watch, origin: ORIGIN, texts: new Map([[standIn, apiKey]]) };
    const isUnderLease = this.options.isLeaseHeld();
    return new Promise((answer, fail) => {
      const forget = awaitHead(sealed);
      const settle = (error?: Error) => {
        forget();
        if (error) this.#sent.splice(this.#sent.indexOf(sent), 1);
        if (error) fail(Object.assign(new TypeError('fetch failed'), { cause: error }));
        else answer(new Response('{}'));
      };
      const sent: Sent = {
        ...{ state: 'connecting', origin: ORIGIN, complete: this.options.completing, version: undefined },
        ...{ isUnderLease, made, standIn, sealed, settle },
      };
      this.#sent.push(sent);
      init?.signal?.addEventListener('abort', () => this.#sent.includes(sent) && settle(new Error('aborted')));
    });
  };

  /** Gives up all requests: the process knows each of them until then. */
  end(): void {
    for (const { settle } of [...this.#sent]) settle(new Error('the schedule has ended'));
  }

  actions(): Map<string, () => void> {
    const actions = new Map<string, () => void>();
    const may = (name: string, run: () => void) => !actions.has(name) && actions.set(name, run);
    for (const sent of this.#sent) {
      if (sent.state === 'connecting') may('a head is written', () => this.#write(sent));
      if (sent.state === 'answering') may('an answer ends', () => this.#end(sent));
      if (sent.state !== 'written') continue;
      may('an answer begins', () => {
        sent.state = 'answering';
        sent.settle();
      });
      const again = (name: string, change: Partial<Sent>) =>
        this.#spent.has(name) ||
        may(name, () => {
          this.#spent.add(name);
          Object.assign(sent, change, { state: 'connecting' });
        });
      const { afterRedirect: complete } = this.options;
      // A client sends it again. What has been sent is answered by nobody.
      again('a connection is dropped', { version: undefined });
      again('a redirect to the same service', { complete });
      again('a redirect to another one', { complete, origin: ELSEWHERE });
    }
    return actions;
  }

  #write(sent: Sent): void {
    const { origin, standIn, sealed, complete, isUnderLease, made, settle } = sent;
    const { done, drained, onViolation } = this.options;
    const socket = new FakeSocket();
    complete(socket, origin, sealed).write(`GET / HTTP/1.1\r\nx-api-key: ${standIn}\r\n\r\n`);
    if (socket.error) {
      made.done = done();
      settle(socket.error);
      return;
    }
    sent.state = 'written';
    sent.version = versionOf(socket.written);
    this.heads += 1;
    // What was read without a lease is as new as the request, and a drain waits for it.
    const floor = Math.max(drained(), isUnderLease ? done() : made.done);
    if (origin !== ORIGIN) onViolation('a credential was sent to another service');
    else if (!(sent.version >= floor)) onViolation(`a head had version ${sent.version}, and ${floor} was done`);
  }

  #end(sent: Sent): void {
    this.#sent.splice(this.#sent.indexOf(sent), 1);
    sent.sealed.onEnd?.();
  }
}
