/**
 * An environment in which every variable that code asks for is set, whatever its name is: each has a canary of its own,
 * in the form in which a client of services would take it. Addresses lead to a server that records what it is sent.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { isHarmless } from '../../src/config/harmless-variables.js';

export interface PlantedEnvironment {
  /** What the addresses in the environment were sent, and the variables that were asked for, since the last call. */
  taken(): { readonly sentAway: readonly string[]; readonly asked: readonly string[] };
  /** The variables whose values are in the text. */
  foundIn(text: string): readonly string[];
  restore(): void;
}

/** Variables of the test runner, and names of one word: a variable of a client has two. */
const ANOTHERS = /^(VITEST|VITE|JEST|NODE|NPM|CI|GITHUB|FORCE|UNDICI)_|^[^_]+$/i;
const ADDRESS = /(URL|URI|BASE|PATH|ENDPOINTS?|HOST|PROXY|GATEWAY)$/i;

/** What a proxy, a gateway or an instrumentation of the platform has its clients send. */
const HEADERS = [
  ...['Authorization: Bearer', 'X-Api-Key:', 'Api-Key:', 'X-Goog-Api-Key:', 'X-Goog-User-Project:', 'Cookie: session='],
  ...['OpenAI-Organization:', 'OpenAI-Project:', 'Anthropic-Workspace-Id:', 'Proxy-Authorization: Basic', 'X-Team:'],
  ...['Cf-Aig-Authorization: Bearer', 'Helicone-Auth: Bearer', 'Ocp-Apim-Subscription-Key:', 'X-Portkey-Virtual-Key:'],
  ...['X-Amz-Security-Token:', 'Baggage: platform='],
];

/** Replaces `process.env`. */
export async function plantEnvironment(): Promise<PlantedEnvironment> {
  const sentAway: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (bytes) => {
      sentAway.push(bytes.toString());
      socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}');
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const canaries = new Map<string, string>();
  const asked = new Set<string>();
  const planted = (name: string): string => {
    const canary = canaries.get(name) ?? randomBytes(36).toString('hex');
    canaries.set(name, canary);
    if (/HEADERS$/.test(name)) return HEADERS.map((header) => `${header} ${canary}`).join('\n');
    if (ADDRESS.test(name)) return `${address}/${canary}`;
    if (/_USE_/.test(name)) return 'true';
    return /_LOG$/.test(name) ? 'off' : canary;
  };
  const real = process.env;
  process.env = new Proxy(real, {
    get(target, name) {
      if (typeof name !== 'string' || ANOTHERS.test(name) || isHarmless(name, '')) return Reflect.get(target, name);
      asked.add(name);
      return planted(name);
    },
  });
  return {
    taken() {
      const taken = { sentAway: [...sentAway], asked: [...asked].sort() };
      sentAway.length = 0;
      asked.clear();
      return taken;
    },
    foundIn: (text) => [...canaries].filter(([, canary]) => text.includes(canary)).map(([name]) => name),
    restore() {
      process.env = real;
      server.close();
    },
  };
}
