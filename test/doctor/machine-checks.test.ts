import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { checkEnvironment, checkNode } from '../../src/doctor/machine-checks.js';
import { readSetup } from '../../src/doctor/setup.js';

describe('checkNode', () => {
  it('accepts exactly what package.json accepts', () => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8'));
    const [, oldest = ''] = /^>=(\d+\.\d+)$/.exec(engines.node) ?? [];
    const [major, minor = 0] = oldest.split('.').map(Number);
    expect(checkNode(`v${oldest}.0`).outcome).toBe('ok');
    expect(checkNode(`v${Number(major) + 1}.0.0`).outcome).toBe('ok');
    expect(checkNode(`v${major}.${minor - 1}.9`)).toMatchObject({
      outcome: 'fail',
      message: expect.stringContaining(oldest),
    });
  });
});

describe('checkEnvironment', () => {
  test.each([
    ['NODE_OPTIONS', '--max-old-space-size=100 --inspect=0.0.0.0'],
    ['NODE_DEBUG', 'fs,http'],
    ['NODE_DEBUG', 'stream'],
    ['GRPC_VERBOSITY', 'DEBUG'],
    ['HTTPS_PROXY', 'http://proxy.example'],
    ['GEMINI_API_KEY', 'a-key'],
  ])('warns of %s=%s, and does not show the value', (name, value) => {
    const [found, ...others] = checkEnvironment(readSetup({ [name]: value }));
    expect(others).toEqual([]);
    expect(found).toMatchObject({ outcome: 'warn', message: expect.stringContaining(name) });
    expect(found?.message).not.toContain(value);
  });

  test.each([
    ['NODE_DEBUG', 'fs'],
    ['OPENAI_LOG', 'warn'],
    ['NO_PROXY', 'db.example'],
    ['GRPC_VERBOSITY', 'ERROR'],
  ])('has nothing against %s=%s', (name, value) => {
    expect(checkEnvironment(readSetup({ [name]: value }))).toMatchObject([{ outcome: 'ok' }]);
  });

  it('has nothing against a key of the platform that is allowed as a fallback', () => {
    const env = { ANTHROPIC_API_KEY: 'a-key-of-the-platform-0123456789', PROVIDER_PLATFORM_FALLBACK: 'llm/anthropic' };
    expect(checkEnvironment(readSetup(env))).toMatchObject([{ outcome: 'ok' }]);
  });
});
