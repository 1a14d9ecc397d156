/** Turns piped or typed text into secret fields. */
import { describe, expect, it } from 'vitest';
import { toFields } from '../../../src/cli/terminal/prompts.js';

describe('a secret that is given as text', () => {
  it.each([
    ['unchanged', 'canary-key'],
    ['without the newline of echo', 'canary-key\n'],
    ['without the newline of Windows', 'canary-key\r\n'],
  ])('fills the main field, %s', (_how, text) => {
    expect(toFields(text, 'apiKey')).toEqual({ apiKey: 'canary-key' });
  });

  it('loses only one newline: a second one stays and is refused later', () => {
    expect(toFields(' canary-key\n\n', 'apiKey')).toEqual({ apiKey: ' canary-key\n' });
  });

  it('fills several fields as a JSON object', () => {
    const fields = { url: 'https://rpc.example/canary', headers: { 'x-token': 'canary' } };
    expect(toFields(`${JSON.stringify(fields)}\n`, 'url')).toEqual(fields);
  });

  it('does not appear in the message if it is not a valid JSON object', () => {
    expect(() => toFields('{"apiKey": canary-key}', 'apiKey')).toThrow(
      /^the secret begins with \{ but is not valid JSON: put such text into a field of a JSON object$/,
    );
  });

  it.each(['', '\n'])('must not be empty: %j', (text) => {
    expect(() => toFields(text, 'apiKey')).toThrow(/no secret was given/);
  });
});
