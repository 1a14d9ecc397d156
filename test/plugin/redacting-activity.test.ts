/** What an activity that leaks a secret passes to Temporal, with the redacting interceptor and without it. */
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { CompleteAsyncError, Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { DefaultLogger, type LogEntry } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { noteWorkspace } from '../../src/plugin/activity-workspaces.js';
import { redactingActivity, redactingLogger } from '../../src/plugin/redacting-activity.js';
import { ownedBy, rememberSecret } from '../../src/redaction/opened-secrets.js';
import { Secret } from '../../src/redaction/secret.js';
import { inActivity } from '../activities/in-activity.js';

const CANARY = new Secret(`canary/+${randomBytes(36).toString('hex')}`).reveal();

const print = (value: unknown) => inspect(value, { depth: 20, showHidden: true, maxStringLength: null });

/** What `activity` throws, as seen from outside the interceptor. */
async function thrownBy(activity: () => unknown, interceptors = [redactingActivity]): Promise<unknown> {
  return inActivity({}, interceptors)
    .run(async () => activity())
    .then(
      (result) => expect.unreachable(`the activity returned ${result} and did not throw`),
      (error: unknown) => error,
    );
}

class ServiceError extends Error {
  readonly request = { url: `https://rpc.example/${CANARY}` };
}

const leaks: Record<string, () => never> = {
  'an error of a client library': () => {
    throw new ServiceError(`401 for ${CANARY}`, {
      cause: new Error(Buffer.from(`{"k":"${CANARY}"}`).toString('base64')),
    });
  },
  'a failure with details and a cause': () => {
    throw ApplicationFailure.create({
      message: CANARY,
      type: CANARY,
      details: [{ deep: [CANARY] }],
      cause: new Error(CANARY),
    });
  },
  'a string': () => {
    throw `not an error: ${CANARY}`;
  },
};

describe('an activity with the redacting interceptor', () => {
  it.each(Object.entries(leaks))(
    'throws %s without the secret, which is in it without the interceptor [G7]',
    async (_, leak) => {
      const encoded = Buffer.from(`{"k":"${CANARY}"}`).toString('base64').slice(8, -8);
      const before = print(await thrownBy(leak, []));
      expect(before).toContain(CANARY);
      const after = print(await thrownBy(leak));
      expect(after).toContain('[redacted]');
      expect(after).not.toContain(CANARY);
      expect(after).not.toContain(encoded);
    },
  );

  it('throws an error whose getters answer differently each time as it was searched [G7]', async () => {
    const twoFaced = () => {
      let reads = 0;
      return Object.defineProperty(new Error(), 'message', {
        get: () => {
          reads += 1;
          return reads > 1 ? CANARY : 'refused';
        },
      });
    };
    for (const error of [twoFaced(), ApplicationFailure.create({ message: 'refused', cause: twoFaced() })]) {
      const thrown = await thrownBy(() => {
        throw error;
      });
      expect(print(thrown) + print(thrown)).not.toContain(CANARY);
    }
  });

  it("keeps a foreign error's class, and the rest of its text", async () => {
    const error = await thrownBy(leaks['an error of a client library'] as () => never);
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({ message: '401 for [redacted]', request: { url: 'https://rpc.example/[redacted]' } });
  });

  it('throws failures, cancellations and asynchronous completions without a secret unchanged', async () => {
    for (const error of [
      new CancelledFailure('stop'),
      new CompleteAsyncError(),
      ApplicationFailure.create({}),
      'text',
    ]) {
      expect(
        await thrownBy(() => {
          throw error;
        }),
      ).toBe(error);
    }
  });

  it('drops a failure that came from Temporal if it contains a secret', async () => {
    const failure = ApplicationFailure.create({ message: 'passed on', type: 'CredentialRejected' });
    failure.failure = { message: CANARY };
    const thrown = await thrownBy(() => {
      throw failure;
    });
    expect(thrown).toBeInstanceOf(ApplicationFailure);
    expect(thrown).toMatchObject({ message: 'passed on', type: 'CredentialRejected', failure: undefined });
  });

  it('keeps the package’s failure types for retry policies, even if a workspace stored such a word as its key', async () => {
    ownedBy('ws_acme', () => new Secret('ProviderUnavailable'));
    const thrown = await thrownBy(() => {
      noteWorkspace('ws_acme');
      throw ApplicationFailure.create({ message: 'ProviderUnavailable', type: 'ProviderUnavailable' });
    });
    expect(thrown).toMatchObject({ message: '[redacted]', type: 'ProviderUnavailable' });
  });

  it('returns results and sends heartbeats without the secret', async () => {
    const environment = inActivity({}, [redactingActivity]);
    const heartbeats: unknown[] = [];
    environment.on('heartbeat', (details: unknown) => heartbeats.push(details));
    const untouched = { answer: 42, list: ['a'] };
    const results = await environment.run(async () => {
      Context.current().heartbeat({ at: CANARY });
      return [{ key: `Bearer ${CANARY}` }, untouched];
    });
    expect(results).toEqual([{ key: 'Bearer [redacted]' }, untouched]);
    expect(heartbeats).toEqual([{ at: '[redacted]' }]);
    expect(await environment.run(async () => untouched)).toBe(untouched);
  });

  it('refuses a result or a heartbeat that contains a Secret, which JSON would replace by [redacted] [G5]', async () => {
    const credential = { apiKey: new Secret(CANARY) };
    const refused = { type: 'UnexpectedError', nonRetryable: true, message: expect.stringMatching(/holds a Secret/) };
    expect(await thrownBy(() => [credential])).toMatchObject(refused);
    expect(await thrownBy(() => Context.current().heartbeat(credential))).toMatchObject(refused);
  });
});

describe('a secret that others could meet by chance', () => {
  const words = ['00000000000000000', '0x00000000000000000000000000000000000000000000021e19e0c9bab2400000'];
  ownedBy('ws_mallory', () => words.forEach(rememberSecret));

  it.each(words)('%s is removed from what its own workspace says, and from nothing else [G7]', async (word) => {
    const said = (workspaceId: string) =>
      inActivity({}, [redactingActivity]).run(async () => {
        noteWorkspace(workspaceId);
        return `balance: ${word}`;
      });
    expect(await said('ws_mallory')).toBe('balance: [redacted]');
    expect(await said('ws_acme')).toBe(`balance: ${word}`);
  });
});

describe('a redacting logger', () => {
  it.each<[string, unknown]>([
    ['a boxed string', { at: new String(CANARY) }],
    ['a symbol', { at: Symbol(CANARY) }],
    ['a property of a function', { at: Object.assign(() => {}, { key: CANARY }) }],
    ['the name of a class', { at: { [CANARY]: class {} }[CANARY] }],
    ['what inspect is told to show', { at: { [inspect.custom]: () => CANARY } }],
    [
      'a getter that answers differently each time',
      (() => {
        let reads = 0;
        return {
          get at() {
            reads += 1;
            return reads > 1 ? CANARY : 'nothing';
          },
        };
      })(),
    ],
  ])('passes on %s without the secret [G7]', (_, meta) => {
    const entries: LogEntry[] = [];
    redactingLogger(new DefaultLogger('INFO', (entry) => entries.push(entry))).info('says', meta as object);
    expect(print(entries)).not.toContain(CANARY);
  });

  it('passes on messages and attributes without the secret [G7]', () => {
    const entries: LogEntry[] = [];
    const logger = redactingLogger(new DefaultLogger('TRACE', (entry) => entries.push(entry)));
    for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const) {
      logger[level](`says ${CANARY}`, {
        error: new ServiceError(CANARY),
        url: new URL(`https://rpc.example/${CANARY}`),
      });
    }
    expect(entries.map(({ level }) => level)).toEqual(['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR']);
    expect(entries[0]).toMatchObject({ message: 'says [redacted]', meta: { error: expect.any(ServiceError) } });
    expect(print(entries)).not.toContain(CANARY);
  });
});
