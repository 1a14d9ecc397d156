/**
 * Keeps secrets out of a request until its head is written to the socket. Until then a stand-in of the secret travels
 * through the HTTP client: diagnostics channels, debug output and errors show the stand-in. A stand-in is for one
 * request, and is replaced only on a socket of the origin that the request is for.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';

/** Watches over a request. */
export interface RequestWatch {
  /** Whether the secrets may still be sent. It is asked when the head is written. Default: they may. */
  readonly isCurrent?: (() => boolean) | undefined;
  /** The service has answered in full, or the request was given up. Called once. */
  readonly onEnd?: (() => void) | undefined;
  /** The request goes to another address, without the secrets. Called in place of `onEnd`. */
  readonly onElsewhere?: (() => void) | undefined;
}

/** What a request carries, and when it may still be sent. */
export interface SealedRequest extends RequestWatch {
  /** The origin whose sockets get the secrets. */
  readonly origin: string;
  /** The secrets, by their stand-ins. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Nobody can guess it, so no other text of a request contains it. It is left as it is in a path, a query and a header. */
const MARK = `wpk-${randomBytes(12).toString('hex')}-`;
const STAND_IN = new RegExp(`${MARK}[0-9a-z]+_`, 'g');
let made = 0;

/** Returns a stand-in that no other request has. */
export function newStandIn(): string {
  made += 1;
  return `${MARK}${made.toString(36)}_`;
}

/** The requests whose heads may not be written yet, by stand-in. */
const waiting = new Map<string, SealedRequest>();

/** From now on sockets know the stand-ins of the request. @returns what ends that */
export function awaitHead(request: SealedRequest): () => void {
  for (const standIn of request.texts.keys()) waiting.set(standIn, request);
  return () => {
    for (const standIn of request.texts.keys()) waiting.delete(standIn);
  };
}

/** The text with the secrets in place of their stand-ins. */
export function unsealed(text: string, texts: SealedRequest['texts']): string {
  return text.includes(MARK) ? text.replace(STAND_IN, (standIn) => texts.get(standIn) ?? standIn) : text;
}

/** The `code` of the error of a request whose credential was replaced before it was sent. */
export const CREDENTIAL_CHANGED = 'CREDENTIAL_CHANGED';

/** Completes the heads that are written to the socket. undici writes heads as text, and bodies as bytes. */
export function completingHeads<Connection extends Socket>(socket: Connection, origin: string): Connection {
  const { write } = socket;
  socket.write = ((chunk: unknown, ...rest: never[]) => {
    if (typeof chunk !== 'string' || !chunk.includes(MARK)) return write.call(socket, chunk as string, ...rest);
    const head = completed(chunk, origin);
    if (typeof head === 'string') return write.call(socket, head, ...rest);
    socket.destroy(head);
    return false;
  }) as typeof write;
  return socket;
}

function completed(head: string, origin: string): string | Error {
  let refusal: Error | undefined;
  const text = head.replace(STAND_IN, (standIn) => {
    const request = waiting.get(standIn);
    if (request?.origin !== origin) refusal = notHere();
    else if (request.isCurrent?.() === false) refusal = hasChanged();
    return request?.texts.get(standIn) ?? standIn;
  });
  return refusal ?? text;
}

function notHere(): Error {
  return Object.assign(new Error('the credential of the request does not go to this address'), {
    code: 'REFUSED_CREDENTIAL',
  });
}

function hasChanged(): Error {
  return Object.assign(new Error('the credential was replaced before the request was sent'), {
    code: CREDENTIAL_CHANGED,
  });
}
