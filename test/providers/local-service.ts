/** A service on loopback for one test. It records requests, and answers as the test decides. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ServiceRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ServiceReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, or unchanged if it is a string. */
  readonly body?: unknown;
  /** Sent one after the other, in place of a body: the events of a stream. */
  readonly events?: AsyncIterable<string> | Iterable<string>;
  /** The connection breaks in the middle of the body. */
  readonly isCut?: boolean;
}

/** Returns `undefined` to send no answer. */
export type Answer = (request: ServiceRequest) => ServiceReply | undefined;

/** Starts the service. It stops when the test ends. */
export async function startService(answer: Answer | ServiceReply) {
  const requests: ServiceRequest[] = [];
  let connections = 0;
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = '', url: path = '', headers } = incoming;
    const request = { method, path, headers, body: Buffer.concat(chunks).toString() };
    requests.push(request);
    const reply = typeof answer === 'function' ? answer(request) : answer;
    if (!reply) return;
    if (reply.events) return stream(outgoing, reply);
    const text = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
    const replyHeaders = { 'content-type': 'application/json', ...reply.headers };
    if (reply.isCut) {
      outgoing.writeHead(reply.status, { ...replyHeaders, 'content-length': String(text.length) });
      outgoing.write(text.slice(0, text.length / 2), () => incoming.socket.destroy());
    } else {
      outgoing.writeHead(reply.status, replyHeaders);
      outgoing.end(text);
    }
  }
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests, connections: () => connections };
}

async function stream(outgoing: ServerResponse, { status, headers, events = [], isCut }: ServiceReply): Promise<void> {
  outgoing.writeHead(status, { 'content-type': 'text/event-stream', ...headers });
  for await (const event of events) outgoing.write(event);
  if (isCut) outgoing.destroy();
  else outgoing.end();
}

/** An origin where no server listens. */
export async function closedOrigin(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
