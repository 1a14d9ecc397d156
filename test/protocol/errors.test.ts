import { expect, test } from 'vitest';
import { isProviderError, ProviderError } from '../../src/protocol/errors.js';

test('an error is recognized by its name and type, across realms', () => {
  const foreign = Object.assign(new Error('refused'), { name: 'ProviderError', type: 'CredentialRejected' });
  expect(isProviderError(foreign)).toBe(true);
  expect(isProviderError(foreign, 'ProviderDisabled')).toBe(false);
  expect(isProviderError(new ProviderError('ProviderDisabled', 'off'), 'ProviderDisabled')).toBe(true);
});

test("another library's error of the same name is not recognized", () => {
  expect(isProviderError(Object.assign(new Error('x'), { name: 'ProviderError' }))).toBe(false);
  expect(isProviderError(Object.assign(new Error('x'), { name: 'ProviderError', type: 'toString' }))).toBe(false);
  expect(isProviderError({ name: 'ProviderError', type: 'ProviderDisabled' })).toBe(false);
});
