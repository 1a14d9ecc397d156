import { expect, it } from 'vitest';
import { requireVersion } from '../../src/store/administrator.js';

it.each([140_000, 150_018, 180_004])('Postgres %d is new enough', (version) => {
  expect(() => requireVersion(version)).not.toThrow();
});

it.each([
  [130_023, 13],
  [90_624, 9],
])('Postgres %d is refused, with the version that is needed', (version, major) => {
  expect(() => requireVersion(version)).toThrow(`Postgres ${major} is too old: use Postgres 14 or later`);
});
