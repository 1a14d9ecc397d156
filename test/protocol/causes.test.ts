import {
  ApplicationFailure,
  CancelledFailure,
  defaultFailureConverter,
  defaultPayloadConverter,
} from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { withBoundedCauses } from '../../src/protocol/causes.js';

function nested(depth: number, make: (cause: unknown, index: number) => unknown): unknown {
  let error: unknown;
  for (let index = depth; index > 0; index -= 1) error = make(error, index);
  return error;
}

function depthOf(error: unknown): number {
  let depth = 0;
  for (let link = error; link; link = (link as { cause?: unknown }).cause) {
    depth += 1;
    if (depth > 1_000) break;
  }
  return depth;
}

const circular = new Error('its own cause');
circular.cause = circular;
const [first, second] = [new Error('first'), new Error('second')];
first.cause = second;
second.cause = first;

/** A failure as it comes from Temporal, with its received form. */
function received(): unknown {
  const failure = defaultFailureConverter.errorToFailure(nested(90, withCause), defaultPayloadConverter);
  return defaultFailureConverter.failureToError(failure, defaultPayloadConverter);
}

function withCause(cause: unknown, index: number): Error {
  return new Error(`level ${index}`, { cause });
}

describe('the causes of an error', () => {
  it.each<[string, () => unknown]>([
    ['100 errors', () => nested(100, withCause)],
    ['100,000 errors', () => nested(100_000, withCause)],
    ['frozen errors', () => nested(100, (cause, index) => Object.freeze(withCause(cause, index)))],
    ['plain objects', () => nested(100, (cause) => ({ message: 'no error', cause }))],
    ['failures of Temporal', () => nested(100, (cause) => ApplicationFailure.create({ cause: cause as Error }))],
    ['a cancellation within', () => nested(100, (cause) => new CancelledFailure('cancelled', [], cause as Error))],
    ['failures that were received', received],
    ['an error that is its own cause', () => circular],
    ['two errors that are each other’s cause', () => first],
  ])('are cut at 20, and can be sent: %s [G23]', (_, make) => {
    const error = make();
    const bounded = withBoundedCauses(error);
    expect(depthOf(bounded)).toBe(21);
    expect(Object.getPrototypeOf(bounded)).toBe(Object.getPrototypeOf(error));
    const sent = defaultFailureConverter.errorToFailure(bounded, defaultPayloadConverter);
    expect(depthOf(sent)).toBeLessThan(25);
  });

  it('stay as they are if they are few, and the given error is never changed', () => {
    const few = nested(21, withCause);
    expect(withBoundedCauses(few)).toBe(few);
    const many = nested(100, withCause);
    withBoundedCauses(many);
    expect(depthOf(many)).toBe(100);
    for (const other of [undefined, null, 'text', 7]) expect(withBoundedCauses(other)).toBe(other);
  });
});
