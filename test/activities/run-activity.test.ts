import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { checkResultSize, runActivity, toFailure } from '../../src/activities/run-activity.js';
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

/** All that a failure holds, down its causes: message, stack, details. */
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

function failureThrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

describe("an activity's error becomes what Temporal writes down [G6]", () => {
  test.each(Object.keys(FAILURE_TYPES) as FailureType[])(
    '%s keeps its type, its text and whether it is retried',
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

  test('where no service said when to come back, the retry policy decides', () => {
    expect(toFailure(new ProviderError('ProviderRateLimited', 'fixed text'), 1)).toMatchObject({
      nextRetryDelay: undefined,
    });
  });

  test.each([
    ['an Error of a library', new HostileError(), 'unexpected HostileError in this activity'],
    ['a text that was thrown', SECRET, 'unexpected string in this activity'],
    ['an object that was thrown', { message: SECRET }, 'unexpected object in this activity'],
    ['nothing', undefined, 'unexpected undefined in this activity'],
  ])('of %s only the class is named [G6]', (_, thrown, message) => {
    const failure = toFailure(thrown, 1);
    expect(failure).toMatchObject({ type: 'UnexpectedError', message });
    expect(allOf(thrown)).toContain(thrown instanceof Error ? SECRET : '');
    expect(allOf(failure)).not.toContain(SECRET);
  });

  test('a failure that an activity chose itself passes as it is', () => {
    const chosen = [ApplicationFailure.nonRetryable('no such page', 'PageMissing'), new CancelledFailure('cancelled')];
    for (const failure of chosen) expect(toFailure(failure, 9)).toBe(failure);
  });

  test('of what it names as the cause, failures pass, and a foreign error at their end does not', () => {
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
    'an unexpected error ends the retries at the fifth attempt: at attempt %i nonRetryable is %s',
    (attempt, nonRetryable) => {
      expect(toFailure(new HostileError(), attempt)).toMatchObject({ nonRetryable });
    },
  );
});

describe("at an activity's edge", () => {
  test('a result passes', async () => {
    expect(await inActivity().run(() => runActivity(async () => 'result'))).toBe('result');
  });

  test("the attempt is Temporal's", async () => {
    const run = (attempt: number) =>
      failureOf(inActivity({ attempt }).run(() => runActivity(() => Promise.reject(new HostileError()))));
    expect(await run(4)).toMatchObject({ type: 'UnexpectedError', nonRetryable: false });
    expect(await run(5)).toMatchObject({ type: 'UnexpectedError', nonRetryable: true });
  });

  test('an error that is thrown before the first await is mapped too [G6]', async () => {
    const hostile = () => {
      throw new HostileError();
    };
    expect(await failureOf(inActivity().run(() => runActivity(hostile)))).toMatchObject({ type: 'UnexpectedError' });
  });

  test('a cancellation is said as one, whatever the library made of it', async () => {
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

  test('work that ended all the same, although it was cancelled, counts', async () => {
    const activity = inActivity();
    const finished = () =>
      runActivity(async () => {
        activity.cancel();
        return 'result';
      });
    expect(await activity.run(finished)).toBe('result');
  });
});

describe("a result's size", () => {
  const LIMIT_BYTES = 2 * 1024 * 1024;
  /** As JSON, which adds two quotation marks. */
  const resultOf = (bytes: number) => 'x'.repeat(bytes - 2);

  test('is checked in bytes of its JSON form: 2 MiB pass', () => {
    const result = resultOf(LIMIT_BYTES);
    expect(checkResultSize(result, PROVIDER)).toBe(result);
    expect(checkResultSize(undefined, PROVIDER)).toBeUndefined();
  });

  test.each([
    ['one byte more than 2 MiB', resultOf(LIMIT_BYTES + 1), '2.0 MiB'],
    ['a shorter text of more bytes', 'é'.repeat(LIMIT_BYTES / 2), '2.0 MiB'],
    ['an object of 3 MiB', { text: resultOf(LIMIT_BYTES * 1.5) }, '3.0 MiB'],
  ])('%s is ResultTooLarge: it is not retried, and the message names the provider and the limit', (_, result, size) => {
    const failure = failureThrownBy(() => checkResultSize(result, { ...PROVIDER, extra: SECRET } as typeof PROVIDER));
    expect(toFailure(failure, 1)).toMatchObject({
      type: 'ResultTooLarge',
      nonRetryable: true,
      message: `the result of llm/anthropic of ws_acme has ${size}, but a workflow history takes at most 2 MiB: ask for less`,
      details: [{ provider: PROVIDER }],
    });
    expect(allOf(toFailure(failure, 1))).not.toContain(SECRET);
  });
});
