/** What is piped or typed becomes secret fields. */
import { describe, expect, it } from 'vitest';
import { toFields } from '../../../src/cli/terminal/prompts.js';

describe('a secret that is given as text', () => {
  it.each([
    ['as it is', 'canary-key'],
    ["without echo's newline", 'canary-key\n'],
    ['without the newline of Windows', 'canary-key\r\n'],
  ])('fills the main field, %s', (_how, text) => {
    expect(toFields(text, 'apiKey')).toEqual({ apiKey: 'canary-key' });
  });

  it('loses one newline and no more: what is left is refused as a whole', () => {
    expect(toFields(' canary-key\n\n', 'apiKey')).toEqual({ apiKey: ' canary-key\n' });
  });

  it('fills several fields as a JSON object', () => {
    const fields = { url: 'https://rpc.example/canary', headers: { 'x-token': 'canary' } };
    expect(toFields(`${JSON.stringify(fields)}\n`, 'url')).toEqual(fields);
  });

  it('is not repeated where it is no JSON object after all', () => {
    expect(() => toFields('{"apiKey": canary-key}', 'apiKey')).toThrow(
      /^the secret begins with \{ but is not valid JSON: put such text into a field of a JSON object$/,
    );
  });

  it.each(['', '\n'])('must be there: %j', (text) => {
    expect(() => toFields(text, 'apiKey')).toThrow(/no secret was given/);
  });
});
