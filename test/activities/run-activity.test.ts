import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { runActivity, toFailure } from '../../src/activities/run-activity.js';
import { ProviderError } from '../../src/protocol/errors.js';
import { FAILURE_TYPES, type FailureType } from '../../src/protocol/failure-types.js';
import { inActivity } from './in-activity.js';

const SECRET = 'canary-in-a-foreign-error';
const PROVIDER = { workspaceId: 'ws_acme', type: 'llm', name: 'anthropic' };

class HostileError extends TypeError {
  constructor() {
    super(`GET https://service.example/${SECRET} failed`, { cause: new Error(SECRET) });
  }

  readonly request = { headers: { authorization: SECRET } };
}

/** The whole text of a failure and of its causes: message, stack, details. */
function allOf(failure: unknown): string {
  const parts: string[] = [];
  for (let each = failure; each instanceof Error; each = each.cause) {
    parts.push(each.message, each.stack ?? '', JSON.stringify(each), JSON.stringify(Object.entries(each)));
  }
  return parts.join('\n');
}

const failureOf = (run: Promise<unknown>): Promise<unknown> =>
  run.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("the failure that Temporal records for an activity's error [G6]", () => {
  test('is a final one once the error says that trying again is pointless [G23]', () => {
    const final = ProviderError.configInvalid('version', 'is newer than any');
    const error = new ProviderError('StoreUnavailable', 'behind', { givesUp: { afterAttempts: 3, with: final } });
    const seen = [1, 2, 3, 4].map((attempt) => toFailure(error, attempt) as ApplicationFailure);
    expect(seen.map(({ type, nonRetryable }) => `${type} ${nonRetryable}`)).toEqual([
      ...[
        'StoreUnavailable false',
        'StoreUnavailable false',
        'ProviderConfigInvalid true',
        'ProviderConfigInvalid true',
      ],
    ]);
  });

  test.each(Object.keys(FAILURE_TYPES) as FailureType[])(
    'keeps the type, the message and the retryability of %s',
    (type) => {
      const error = new ProviderError(type, 'fixed text', {
        provider: PROVIDER,
        fields: ['config.model'],
        retryAfterMs: 1_500,
      });
      expect(toFailure(error, 1)).toMatchObject({
        type,
        message: 'fixed text',
        nonRetryable: !FAILURE_TYPES[type].retryable,
        details: [{ provider: PROVIDER, fields: ['config.model'] }],
        nextRetryDelay: 1_500,
      });
    },
  );

  test('leaves the delay to the retry policy if the service named none', () => {
    expect(toFailure(new ProviderError('ProviderRateLimited', 'fixed text'), 1)).toMatchObject({
      nextRetryDelay: undefined,
    });
  });

  test.each([
    ["a library's error", new HostileError(), 'unexpected HostileError in this activity'],
    ['a thrown string', SECRET, 'unexpected string in this activity'],
    ['a thrown object', { message: SECRET }, 'unexpected object in this activity'],
    ['a thrown undefined', undefined, 'unexpected undefined in this activity'],
  ])('names only the class of %s [G6]', (_, thrown, message) => {
    const failure = toFailure(thrown, 1);
    expect(failure).toMatchObject({ type: 'UnexpectedError', message });
    expect(allOf(thrown)).toContain(thrown instanceof Error ? SECRET : '');
    expect(allOf(failure)).not.toContain(SECRET);
  });

  test('is the same object if the activity threw a Temporal failure itself', () => {
    const chosen = [ApplicationFailure.nonRetryable('no such page', 'PageMissing'), new CancelledFailure('cancelled')];
    for (const failure of chosen) expect(toFailure(failure, 9)).toBe(failure);
  });

  test("keeps the causes that are Temporal failures, and drops a library's error at the end of the chain", () => {
    const cause = ApplicationFailure.create({ message: 'the page is private', cause: new HostileError() });
    const chosen = ApplicationFailure.create({ message: 'no such page', type: 'PageMissing', cause });
    expect(allOf(chosen)).toContain(SECRET);
    const failure = toFailure(chosen, 1);
    expect(failure).toMatchObject({
      message: 'no such page',
      type: 'PageMissing',
      cause: { message: 'the page is private' },
    });
    expect(allOf(failure)).not.toContain(SECRET);
  });

  test.each([
    [1, false],
    [4, false],
    [5, true],
    [6, true],
  ])(
    'ends the retries of an unexpected error at the fifth attempt: at attempt %i, nonRetryable is %s',
    (attempt, nonRetryable) => {
      expect(toFailure(new HostileError(), attempt)).toMatchObject({ nonRetryable });
    },
  );
});

describe('the activity boundary', () => {
  test('returns the result', async () => {
    expect(await inActivity().run(() => runActivity(async () => 'result'))).toBe('result');
  });

  test("uses Temporal's attempt number", async () => {
    const run = (attempt: number) =>
      failureOf(inActivity({ attempt }).run(() => runActivity(() => Promise.reject(new HostileError()))));
    expect(await run(4)).toMatchObject({ type: 'UnexpectedError', nonRetryable: false });
    expect(await run(5)).toMatchObject({ type: 'UnexpectedError', nonRetryable: true });
  });

  test('also maps an error that is thrown before the first await [G6]', async () => {
    const hostile = () => {
      throw new HostileError();
    };
    expect(await failureOf(inActivity().run(() => runActivity(hostile)))).toMatchObject({ type: 'UnexpectedError' });
  });

  test('reports a cancellation as a cancellation, whatever error the library threw for it', async () => {
    const activity = inActivity();
    const aborted = () =>
      runActivity(() => {
        activity.cancel();
        return Promise.reject(new HostileError());
      });
    const failure = await failureOf(activity.run(aborted));
    expect(failure).toBeInstanceOf(CancelledFailure);
    expect(allOf(failure)).not.toContain(SECRET);
  });

  test('returns the result of work that finished although it was cancelled', async () => {
    const activity = inActivity();
    const finished = () =>
      runActivity(async () => {
        activity.cancel();
        return 'result';
      });
    expect(await activity.run(finished)).toBe('result');
  });
});
