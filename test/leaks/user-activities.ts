/** A platform's own activities that leak a key in every way, except sending it somewhere. */
import { Context, log } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { streamText } from 'ai';
import { aiSdkModel, type ProviderReference, withProvider } from '../../src/index.js';

export { askClaude, askGemini, askGpt, readBalance } from '../integration/own-activities.js';

export interface Stream {
  readonly ref: ProviderReference<'llm'>;
  /** The API that the provider speaks: the last part of its base URL is the name of the echo's. */
  readonly prompt: string;
}

/** Streams an answer by the AI SDK, and returns its whole text. */
export function streamWithAiSdk({ ref, prompt }: Stream): Promise<string> {
  return withProvider(ref, async ({ credential, fetch, signal }) => {
    const model = aiSdkModel(credential, 'a-model', fetch);
    const errors: unknown[] = [];
    const onError = ({ error }: { error: unknown }) => void errors.push(error);
    const { textStream } = streamText({ model, prompt, maxRetries: 0, abortSignal: signal, onError });
    let text = '';
    for await (const part of textStream) text += part;
    if (errors.length > 0) throw errors[0];
    return text;
  });
}

/**
 * Reads a body by the bound `fetch` alone, and returns what is in it. Not the text of the body itself: in it, a key may be
 * encoded twice or cut in two, which redaction does not find (docs/redaction.md).
 */
export function readsBody({ ref }: Stream): Promise<unknown> {
  return withProvider(ref, async ({ credential, fetch, signal }) => {
    const { provider, baseURL, apiKey } = credential;
    const key = apiKey;
    const path = provider === 'anthropic' ? '/v1/messages' : provider === 'gemini' ? '/v1beta/models' : '/models';
    const headers = { 'x-api-key': key, 'x-goog-api-key': key, authorization: `Bearer ${key}` };
    const response = await fetch(`${baseURL}${path}`, { method: 'POST', headers, body: '{}', signal });
    const body = await response.text();
    if (!body.includes('data: ')) return JSON.parse(body);
    if (baseURL.includes('cut-stream')) return 'read by the AI SDK';
    const events = body.split('\n').filter((line) => line.startsWith('data: {'));
    return events.map((line) => JSON.parse(line.slice('data: '.length)));
  });
}

export interface Misdeed {
  readonly ref: ProviderReference<'llm' | 'rpc' | 'tenderly'>;
  readonly how: string;
  /** Whether it leaks after the callback, where no error is mapped. Default: false. */
  readonly outside?: boolean;
}

type Deed = (keys: Readonly<Record<string, string>>, key: string) => unknown;

const told = (keys: Readonly<Record<string, string>>) => ({
  keys,
  json: JSON.stringify(keys),
  url: Object.values(keys).map(encodeURIComponent),
  base64: Buffer.from(`user:${JSON.stringify(keys)}`).toString('base64'),
  hex: Buffer.from(JSON.stringify(keys)).toString('hex'),
  bytes: Buffer.from(JSON.stringify(keys)),
});

const circular = (keys: object) => {
  const value: Record<string, unknown> = { ...keys };
  value.self = value;
  return value;
};

const twoFaced = (keys: object, looksBefore: number) => {
  let looks = 0;
  return {
    toJSON: () => {
      looks += 1;
      return looks > looksBefore ? keys : {};
    },
  };
};

class ClientError extends Error {
  constructor(readonly request: unknown) {
    super(`request failed: ${JSON.stringify(request)}`);
    this.name = JSON.stringify(request);
  }
}

const DEEDS: Readonly<Record<string, Deed>> = {
  'throws it in a message': (keys) => {
    throw new Error(`failed with ${JSON.stringify(keys)}`, { cause: new Error(JSON.stringify(keys)) });
  },
  'throws it in a failure': (keys, key) => {
    const cause = new Error(JSON.stringify(keys));
    throw ApplicationFailure.create({ message: key, type: key, details: [told(keys), key], cause, nonRetryable: true });
  },
  "throws a client's error": (keys) => {
    throw Object.assign(new ClientError(keys), { headers: told(keys) });
  },
  'throws a text': (_, key) => {
    throw `not an error: ${key}`;
  },
  'throws several': (keys, key) => {
    throw new AggregateError([new Error(key), new ClientError(keys)], key);
  },
  'returns it': (keys) => told(keys),
  'returns what JSON cannot hold': (keys) => ({ ...told(keys), big: 1n }),
  'returns a circle': circular,
  'returns a map': (keys) => new Map(Object.entries(told(keys))),
  'returns a boxed text': (_, key) => [new String(key)],
  'returns what differs at each look': (keys) => [0, 1, 2, 3].map((looks) => twoFaced(keys, looks)),
  'throws details that differ at each look': (keys) => {
    throw ApplicationFailure.create({
      details: [0, 1, 2, 3].map((looks) => twoFaced(keys, looks)),
      nonRetryable: true,
    });
  },
  'says a boxed text in a heartbeat': (_, key) => {
    Context.current().heartbeat(new String(key));
    throw ApplicationFailure.retryable('Beaten');
  },
  'says it in a heartbeat and fails': (keys, key) => {
    Context.current().heartbeat(told(keys));
    Context.current().heartbeat(key);
    throw ApplicationFailure.retryable(key, 'Beaten', told(keys));
  },
  'says it in a heartbeat and falls silent': (keys) => {
    Context.current().heartbeat(told(keys));
    return new Promise(() => {});
  },
  'logs it': (keys, key) => {
    log.warn(`the key is ${key}`, told(keys));
    log.warn('boxed', { key: new String(key), symbol: Symbol(key), of: Object.assign(() => {}, { key }) });
    Context.current().log.error(key, { error: new ClientError(keys) });
  },
  'parses it as JSON': (_, key) => JSON.parse(key),
  'parses it as a URL': (_, key) => new URL(key),
  'fetches a URL with it': (_, key) => fetch(`http://user:${encodeURIComponent(key)}@127.0.0.1:1/${key}`),
};

/** A parser quotes ten characters of the key, which are not redacted if no error is mapped (docs/redaction.md). */
const ONLY_WITHIN = 'parses it as JSON';

export const MISDEEDS = Object.keys(DEEDS).filter((how) => how !== ONLY_WITHIN);
export const MISDEEDS_WITHIN = Object.keys(DEEDS);

export async function misbehave({ ref, how, outside = false }: Misdeed): Promise<unknown> {
  const deed = DEEDS[how] as Deed;
  let kept: Readonly<Record<string, string>> = {};
  const result = await withProvider(ref, async ({ credential, reveal }) => {
    kept = secretsOf(credential, await reveal());
    return outside ? undefined : deed(kept, Object.values(kept)[0] as string);
  });
  return outside ? deed(kept, Object.values(kept)[0] as string) : result;
}

/** The texts that are placeholders in the credential of a step. */
function secretsOf(credential: object, revealed: object): Record<string, string> {
  const keys: Record<string, string> = {};
  const collect = (shown: object, value: object) => {
    for (const [name, each] of Object.entries(value)) {
      const before = (shown as Readonly<Record<string, unknown>>)[name];
      if (typeof each === 'string' && each !== before) keys[name] = each;
      else if (typeof each === 'object' && each !== null) collect(Object(before), each);
    }
  };
  collect(credential, revealed);
  return keys;
}

/** Holds a credential, sends a heartbeat, and waits until its process is killed. The next attempt ends. */
export async function holds({ ref }: Misdeed): Promise<string> {
  const { info, heartbeat, cancellationSignal } = Context.current();
  return withProvider(ref, async ({ credential, reveal }) => {
    const keys = secretsOf(credential, await reveal());
    heartbeat({ attempt: info.attempt, ...told(keys) });
    if (info.attempt > 1) return 'went on';
    const beat = setInterval(() => heartbeat(told(keys)), 300);
    await new Promise<void>((resolve) => cancellationSignal.addEventListener('abort', () => resolve()));
    clearInterval(beat);
    throw new Error(Object.values(keys).join());
  });
}

/** A deliberate leak of a secret that no process has opened. */
export async function failWith(text: string): Promise<void> {
  throw ApplicationFailure.retryable(text, 'Control');
}
