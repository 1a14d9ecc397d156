/**
 * One HTTP server on loopback in place of real services: it accepts only the keys that it was given, records every
 * call, and fails or holds calls on request. A `Service` adds the wire format.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Call, isWrongKey, type KeyRing, type StandInProvider } from './calls.js';
import { Controls, type Failure } from './controls.js';

/** A request, as a service sees it. */
export interface ServiceRequest {
  readonly method: string;
  /** The path below the service's prefix, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  /** Text is sent as it is, an object as JSON, and `events` as a stream. */
  readonly body: string | object | { readonly events: readonly string[] };
  readonly headers?: Readonly<Record<string, string>>;
}

/** The part that differs by service. */
export interface Service {
  readonly provider: StandInProvider;
  /** The path under which it is mounted: `/anthropic`; empty for the root. */
  readonly prefix: string;
  keyOf(headers: IncomingHttpHeaders, path: string, query: URLSearchParams): string | undefined;
  /** The documented answer to a key that is not accepted, or to a missing key. */
  refusal(key: string | undefined): Reply;
  /** The documented body of an error status. */
  error(status: number, message?: string): Reply;
  /** The workspace that the call is for, derived only from the request. */
  expectedOwner(request: ServiceRequest): string | undefined;
  answer(request: ServiceRequest, owner: string): Reply | Promise<Reply>;
}

export interface StandIn extends Pick<Controls, 'failNext' | 'holdNext'> {
  /** `http://127.0.0.1:port`, without a slash at its end. */
  readonly url: string;
  /** Every call so far, in the order of arrival. */
  calls(): readonly Call[];
  /** The calls that came with exactly this key. An owner may have had several keys. */
  callsWith(key: string): readonly Call[];
  /** The calls that came with a key of another workspace than they were for. */
  wrongKeyCalls(): readonly Call[];
  /** Makes the service refuse this key from now on. Calls that have already arrived are still answered. */
  revoke(key: string): void;
  /** Stops the server and ends every connection. Idempotent. */
  stop(): Promise<void>;
}

/** @param port - default: 0, which is a free port */
export async function startStandIn(services: readonly Service[], keys: KeyRing, port = 0): Promise<StandIn> {
  const calls: { -readonly [Field in keyof Call]: Call[Field] }[] = [];
  const controls = new Controls();
  // Kept apart from the calls, because calls are printed.
  const keysOfCalls = new WeakMap<Call, string>();

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const gone = new Promise<void>((resolve) => outgoing.once('close', resolve));
    const body = await text(incoming);
    const [path = '', query] = (incoming.url ?? '/').split('?', 2);
    const service = services.find(({ prefix }) => path.startsWith(`${prefix}/`));
    if (!service) return send(outgoing, { status: 404, body: 'no service is mounted here' });

    const { method = '', headers } = incoming;
    const request = {
      method,
      path: path.slice(service.prefix.length),
      query: new URLSearchParams(query),
      headers,
      body,
    };
    const key = service.keyOf(headers, request.path, request.query);
    const { owner, admitted } = keys.find(service.provider, key);
    const call: (typeof calls)[number] = {
      at: new Date().toISOString(),
      provider: service.provider,
      method,
      path: key ? request.path.replaceAll(key, '…') : request.path,
      owner,
      expectedOwner: service.expectedOwner(request),
    };
    calls.push(call);
    if (key !== undefined) keysOfCalls.set(call, key);

    const failure = controls.takeFailure(call, body);
    await Promise.race([controls.pass(call, body), gone]);
    if (failure?.status === 'cut') return void outgoing.destroy();
    const status = failure?.status;
    const reply =
      failure && typeof status === 'number'
        ? failed(service, failure, status, key ?? '')
        : admitted
          ? await answered(service, request, owner)
          : service.refusal(key);
    if (status === 'lost') return void outgoing.destroy();
    if (outgoing.destroyed) return;
    call.status = reply.status;
    send(outgoing, reply);
  }

  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  const stopped = new Promise<void>((resolve) => server.once('close', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: () => calls.map((call) => ({ ...call })),
    callsWith: (key) => calls.filter((call) => keysOfCalls.get(call) === key).map((call) => ({ ...call })),
    wrongKeyCalls: () => calls.filter(isWrongKey).map((call) => ({ ...call })),
    failNext: (failure) => controls.failNext(failure),
    holdNext: (match) => controls.holdNext(match),
    revoke: (key) => keys.revoke(key),
    stop: () => {
      server.close();
      server.closeAllConnections();
      return stopped;
    },
  };
}

function failed(service: Service, failure: Failure, status: number, key: string): Reply {
  const body = typeof failure.body === 'function' ? failure.body(key) : failure.body;
  const documented = service.error(status);
  return body === undefined
    ? { ...documented, headers: { ...documented.headers, ...failure.headers } }
    : { status, body, headers: failure.headers };
}

async function answered(service: Service, request: ServiceRequest, owner: string): Promise<Reply> {
  try {
    return await service.answer(request, owner);
  } catch (error) {
    return service.error(500, `the stand-in itself failed: ${error instanceof Error ? error.message : typeof error}`);
  }
}

function send(outgoing: ServerResponse, { status, body, headers }: Reply): void {
  if (typeof body === 'object' && 'events' in body) {
    outgoing.writeHead(status, { 'content-type': 'text/event-stream', ...headers });
    for (const event of body.events as readonly string[]) outgoing.write(event);
    return void outgoing.end();
  }
  const json = typeof body !== 'string';
  outgoing.writeHead(status, { 'content-type': json ? 'application/json' : 'text/plain', ...headers });
  outgoing.end(json ? JSON.stringify(body) : body);
}
