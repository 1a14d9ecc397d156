/**
 * A service that echoes everything: the keys and the URL of a request are in the body, in headers and in the address of
 * a redirect. The first part of the path is the kind of failure, the second is the API.
 */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { cutInKeys, modelAnswer, type PathControls, streamOf, writeApart } from './echo-answers.js';

const STATUSES = [200, 400, 401, 403, 404, 429, 500, 529] as const;

/** The answers by name. `refused` is missing, because for it no server listens. */
const FAILURES: Readonly<Record<string, (echo: Echo, response: ServerResponse) => void>> = {
  ...Object.fromEntries(STATUSES.map((status) => [`json-${status}`, (echo, response) => json(echo, response, status)])),
  'html-401': (echo, response) => html(echo, response, 401),
  'html-502': (echo, response) => html(echo, response, 502),
  'html-200': (echo, response) => html(echo, response, 200),
  'malformed-200': (echo, response) => malformed(echo, response, 200),
  'malformed-500': (echo, response) => malformed(echo, response, 500),
  'redirect-307': (echo, response) => {
    const location = `http://127.0.0.1:9/elsewhere/${echo.keys.map(encodeURIComponent).join('/')}?from=${echo.url}`;
    response.writeHead(307, { ...headersOf(echo), location }).end(`moved: ${echo.said}`);
  },
  cut: (echo, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100000' });
    response.write(`{"id":"${echo.keys[0]}"`, () => response.destroy());
  },
  'said-200': (echo, response) => said(echo, response),
  'reverted-200': (echo, response) => reverted(echo, response),
  'stream-200': (echo, response) => stream(echo, response, [`${echo.said} ${echo.controls.stream}`]),
  'cut-stream-200': (echo, response) => {
    const text = `${echo.said} ${echo.controls.cutStream}`;
    stream(echo, response, cutInKeys(text, [...echo.keys, echo.controls.cutStream]));
  },
  'stream-error-200': (echo, response) => {
    const { keys, said: message, controls } = echo;
    const error = { type: keys[0], code: keys[0], message: `${message} ${controls.streamError}` };
    const [begin = ''] = streamOf(echo.api, [message]);
    streamed(echo, response, [begin, `event: error\ndata: ${JSON.stringify({ type: 'error', error })}\n\n`]);
  },
  silent: () => {},
};

export const FAILING = [...Object.keys(FAILURES), 'refused'];

interface Echo {
  readonly url: string;
  readonly api: string;
  readonly controls: PathControls;
  readonly keys: readonly string[];
  readonly said: string;
  readonly rpcId: unknown;
}

export interface EchoService {
  /** The base URL for this kind of failure, or for calls that succeed (`works`). */
  base(how: string): string;
  /** The number of requests per kind of answer. */
  readonly requests: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** @param controls - what the new paths of an answer leak on purpose */
export async function startEchoService(controls: PathControls): Promise<EchoService> {
  const requests: Record<string, number> = {};
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request).catch(() => '');
    const { url = '', headers } = request;
    const [, how = '', api = '', chain = ''] = url.split(/[/?]/);
    requests[how] = (requests[how] ?? 0) + 1;
    const keys = keysIn(headers, url);
    const { id = null, method } = (api === 'rpc' && body.startsWith('{') ? JSON.parse(body) : {}) as Rpc;
    const echo = {
      url,
      api,
      controls,
      keys,
      said: `refused ${keys.join(' and ')} at ${url} ${JSON.stringify(headers)}`,
      rpcId: id,
    };
    response.on('error', () => {});
    const fail = FAILURES[how];
    if (fail) fail(echo, response);
    else response.writeHead(200, headersOf(echo)).end(JSON.stringify(works(api, chain, method, echo)));
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    requests,
    // Port 1 is reserved, so no server listens there.
    base: (how) => (how === 'refused' ? 'http://127.0.0.1:1/refused' : `http://127.0.0.1:${port}/${how}`),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Rpc {
  readonly id?: unknown;
  readonly method?: string;
}

function works(api: string, chain: string, method: string | undefined, echo: Echo): object {
  if (api === 'tenderly') {
    const [key = ''] = echo.keys;
    const output = `0x${Buffer.from(echo.said).toString('hex')}`;
    const raw = { address: key, topics: echo.keys, data: output };
    const transaction_info = {
      contract_address: key,
      call_trace: { output, error_reason: echo.said },
      logs: [{ name: key, inputs: [{ soltype: { name: key, type: key }, value: echo.said }], raw }],
      asset_changes: [{ type: key, from: key, to: key, amount: key, token_info: { symbol: key } }],
    };
    const transaction = { status: false, gas_used: 1, error_message: echo.said, transaction_info };
    return { transaction, simulation: { id: key } };
  }
  const result =
    method === 'eth_chainId' ? `0x${Number(chain).toString(16)}` : method === 'eth_getBalance' ? '0x1' : echo;
  return { jsonrpc: '2.0', id: echo.rpcId, result };
}

function keysIn(headers: IncomingHttpHeaders, url: string): string[] {
  const { authorization = '' } = headers;
  const [scheme = '', token = ''] = authorization.split(' ');
  const keys = ['x-api-key', 'x-goog-api-key', 'x-access-key', 'x-secret'].map((name) => String(headers[name] ?? ''));
  const inUrl = url
    .split(/[/?=&]/)
    .slice(4)
    .map(decodeURIComponent);
  const basic = scheme === 'Basic' ? Buffer.from(token, 'base64').toString().split(':') : [];
  return [...keys, token, ...basic, ...inUrl].filter((each) => each.length >= 8);
}

function headersOf({ keys, url }: Echo) {
  const [first = ''] = keys;
  return {
    'content-type': 'application/json',
    'www-authenticate': `Bearer realm="${encodeURIComponent(first)}"`,
    'x-request-id': first,
    'x-url': url,
    'retry-after': '1',
    'set-cookie': `session=${encodeURIComponent(first)}`,
  };
}

/** All the shapes in which services return an error, in one body. */
function json(echo: Echo, response: ServerResponse, status: number): void {
  const { keys, url, rpcId, controls } = echo;
  const message = status === 200 ? `${echo.said} ${controls.errorIn200}` : echo.said;
  const error = { type: keys[0], message, code: keys[0], status: keys[0], slug: keys[0], param: url, details: keys };
  const inRpc = rpcId === null ? {} : { jsonrpc: '2.0', id: rpcId, error: { code: -32_000, message, data: keys } };
  const body = JSON.stringify({ type: 'error', error, message, request_id: keys[0], ...inRpc });
  response.writeHead(status, headersOf(echo)).end(body);
}

/** An answer that holds the key in its text, and in base64 in its files. */
function said(echo: Echo, response: ServerResponse): void {
  const file = Buffer.from(`PNG ${echo.said} ${echo.controls.file}`).toString('base64');
  const body = modelAnswer(echo.api, echo.said, file) ?? works(echo.api, '', undefined, echo);
  response.writeHead(200, headersOf(echo)).end(JSON.stringify(body));
}

/** A revert whose reason and data are the key. */
function reverted(echo: Echo, response: ServerResponse): void {
  const text = Buffer.from(echo.keys.join(' '));
  const word = (value: number) => value.toString(16).padStart(64, '0');
  const hex = text.toString('hex').padEnd(Math.ceil(text.length / 32) * 64, '0');
  const data = `0x08c379a0${word(32)}${word(text.length)}${hex}`;
  const error = { code: 3, message: `execution reverted: ${echo.said}`, data };
  response.writeHead(200, headersOf(echo)).end(JSON.stringify({ jsonrpc: '2.0', id: echo.rpcId, error }));
}

function stream(echo: Echo, response: ServerResponse, texts: readonly string[]): void {
  streamed(echo, response, streamOf(echo.api, texts));
}

/** Each write ends in the middle of a key, as a packet of the network may. */
function streamed(echo: Echo, response: ServerResponse, events: readonly string[]): void {
  response.writeHead(200, { ...headersOf(echo), 'content-type': 'text/event-stream' });
  const keys = echo.keys.map((key) => JSON.stringify(key).slice(1, -1));
  writeApart(response, cutInKeys(events.join(''), keys)).catch(() => response.destroy());
}

function html(echo: Echo, response: ServerResponse, status: number): void {
  const headers = { ...headersOf(echo), 'content-type': 'text/html' };
  response.writeHead(status, headers).end(`<html><title>${echo.keys[0]}</title><body>${echo.said}</body></html>`);
}

/** Invalid JSON that begins with a key, because a parser's error quotes the beginning. */
function malformed(echo: Echo, response: ServerResponse, status: number): void {
  response.writeHead(status, headersOf(echo)).end(`${echo.keys[0]} {"is": no JSON: ${echo.said}`);
}
