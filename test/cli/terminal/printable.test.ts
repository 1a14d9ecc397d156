/** What a terminal gets of text that others wrote. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { line, Output, table } from '../../../src/cli/terminal/output.js';
import { printable, printableJson } from '../../../src/cli/terminal/printable.js';
import { ProviderError } from '../../../src/protocol/errors.js';

/** Each turns, moves or hides text; the last one is a tag, beyond 16 bits. */
const UNSEEN: readonly [string, string][] = [
  ['escape', '\u001b'],
  ['a backspace', '\b'],
  ['delete', '\u007f'],
  ['the control sequence introducer of C1', '\u009b'],
  ['a next line of C1', '\u0085'],
  ['a soft hyphen', '\u00ad'],
  ['an Arabic letter mark', '\u061c'],
  ['a zero-width space', '\u200b'],
  ['a right-to-left mark', '\u200f'],
  ['a line separator', '\u2028'],
  ['a paragraph separator', '\u2029'],
  ['a right-to-left override', '\u202e'],
  ['an isolate', '\u2066'],
  ['a word joiner', '\u2060'],
  ['a filler', '\u3164'],
  ['a byte order mark', '\ufeff'],
  ['a tag', '\u{e0041}'],
];

let printed = '';
beforeEach(() => {
  printed = '';
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      printed += text;
      return true;
    });
});
afterEach(() => vi.restoreAllMocks());

describe.each(UNSEEN)('%s', (_, character) => {
  const name = `ana${character}ops`;
  const escaped = character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

  test.each<[string, (output: Output) => void]>([
    ['a line', (output) => output.result({}, [line('ok', 'removed', [name])])],
    ['a table', (output) => output.result({}, table([[name, 'cell']]))],
    ['a line of another form', (output) => output.result({}, [`  identity  ${name}`])],
    ['a part of a result', (output) => output.print(`# ${name}`)],
    ['a note', (output) => output.note(`note: ${name}`)],
    ['an error', (output) => void output.failure(new ProviderError('StoreUnavailable', `the session of ${name}`))],
  ])('is written as an escape in %s [G18]', (_where, print) => {
    print(new Output(false));
    vi.restoreAllMocks();
    expect(printed).toContain(`ana${escaped}ops`);
    expect(printed).not.toContain(character);
  });

  test.each<[string, (output: Output) => void]>([
    ['a document', (output) => output.result({ name }, [])],
    ['an error', (output) => void output.failure(new ProviderError('StoreUnavailable', name), { name })],
  ])('is written as an escape in the JSON of %s, and read back as it was [G18]', (_where, print) => {
    print(new Output(true));
    vi.restoreAllMocks();
    expect(printed).not.toContain(character);
    expect(JSON.parse(printed).name).toBe(name);
  });
});

test('a colored mark of ours stays, and colors of others do not', () => {
  const mark = '\u001b[32m✔\u001b[39m ';
  expect(printable(`${mark}removed  \u001b[31mred`)).toBe(`${mark}removed  \\u001b[31mred`);
  expect(printable('\u001b[31mred\u001b[39m')).toBe('\\u001b[31mred\\u001b[39m');
});

test('white space becomes a space, and text in any script stays', () => {
  expect(printable('a\r\n\tb')).toBe('a b');
  for (const text of ['Ñandú', 'канал', '鍵', 'مفتاح', '…a1b2 · 🔑']) expect(printable(text)).toBe(text);
});

test('JSON means the same, whatever is in it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(JSON.parse(printableJson({ [text]: text }))).toEqual({ [text]: text });
    }),
  );
});
