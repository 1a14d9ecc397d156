/** Where a worker process serves its metrics: only what is clearly an address. */
import { expect, test } from 'vitest';
import { localURL, parseMetricsAddress } from '../../src/config/metrics-address.js';

test.each([
  ['9464', { host: '127.0.0.1', port: 9464 }, 'http://127.0.0.1:9464'],
  ['0.0.0.0:9464', { host: '0.0.0.0', port: 9464 }, 'http://127.0.0.1:9464'],
  ['10.1.2.3:80', { host: '10.1.2.3', port: 80 }, 'http://10.1.2.3:80'],
  ['[::]:9464', { host: '::', port: 9464 }, 'http://[::1]:9464'],
  [' 0 ', { host: '127.0.0.1', port: 0 }, 'http://127.0.0.1:0'],
])('%s is an address', (text, address, url) => {
  expect(parseMetricsAddress(text)).toEqual(address);
  expect(localURL(address)).toBe(url);
});

test.each([
  '',
  '65536',
  'localhost:9464',
  ':9464',
  '::1:9464',
  '[127.0.0.1]:9464',
  '9464/metrics',
  'http://0.0.0.0:1',
  '-1',
  '1.5',
])('%j is refused, and not shown', (text) => {
  expect(() => parseMetricsAddress(text)).toThrow(
    expect.objectContaining({
      type: 'SetupInvalid',
      message: expect.stringMatching(/^PROVIDER_METRICS_ADDRESS must be a port/),
    }),
  );
});
