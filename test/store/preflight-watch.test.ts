import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ProviderError } from '../../src/protocol/errors.js';
import { watchPreflight } from '../../src/store/preflight-watch.js';

const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
beforeEach(() => {
  vi.useFakeTimers();
  warnings.mockClear();
});
afterEach(() => void vi.useRealTimers());

it('a running process checks its database again, and warns each time that something is wrong [G14]', async () => {
  const preflight = vi.fn(async () => {
    throw new ProviderError('SetupInvalid', 'a policy is missing');
  });
  const end = watchPreflight(preflight, 1_000);
  expect(preflight).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(warnings.mock.calls.length).toBeGreaterThanOrEqual(6);
  expect(warnings).toHaveBeenCalledWith('a policy is missing', 'ProviderSetupWarning');
  end();
  const checked = preflight.mock.calls.length;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(preflight).toHaveBeenCalledTimes(checked);
});

it('a database that is away is checked later, without a warning', async () => {
  const preflight = vi.fn(async () => {
    throw new ProviderError('StoreUnavailable', 'Postgres does not answer');
  });
  const end = watchPreflight(preflight, 1_000);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(preflight.mock.calls.length).toBeGreaterThanOrEqual(6);
  expect(warnings).not.toHaveBeenCalled();
  end();
});

it('a check that ends after the watch starts no other', async () => {
  let answer = () => {};
  const preflight = vi.fn(() => new Promise<void>((resolve) => (answer = resolve)));
  const end = watchPreflight(preflight, 1_000);
  await vi.advanceTimersByTimeAsync(2_000);
  end();
  answer();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(preflight).toHaveBeenCalledTimes(1);
});
