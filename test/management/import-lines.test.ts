import { describe, expect, it } from 'vitest';
import { type ImportLine, readLines } from '../../src/management/import-lines.js';

const KIB = 1024;

async function* chunks(...parts: (string | Uint8Array)[]) {
  yield* parts;
}

async function read(...parts: (string | Uint8Array)[]): Promise<ImportLine[]> {
  const lines: ImportLine[] = [];
  for await (const line of readLines(chunks(...parts))) lines.push(line);
  return lines;
}

describe('the lines of NDJSON', () => {
  it('are the same, however the text is cut into chunks', async () => {
    const text = Buffer.from('{"name":"zü"}\r\n\n{"name":"b"}\n{"name":"c"}');
    const expected = [
      { line: 1, value: { name: 'zü' } },
      { line: 3, value: { name: 'b' } },
      { line: 4, value: { name: 'c' } },
    ];
    for (let size = 1; size <= text.length; size += 1) {
      const parts = Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
        text.subarray(index * size, (index + 1) * size),
      );
      expect(await read(...parts)).toEqual(expected);
    }
  });

  it('may begin with a byte order mark, and contain line separators within a text', async () => {
    expect(await read('\uFEFF{"a":"x\u2028y\u0085z"}\n')).toEqual([{ line: 1, value: { a: 'x\u2028y\u0085z' } }]);
  });

  it.each([
    ['not JSON', 'canary-key'],
    ['JSON that is cut off', '{"secret":{"apiKey":"canary'],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['longer than 128 KiB', `{"secret":"${'canary'.repeat(30 * KIB)}"}`],
  ])('is reported by its number and without its content if it is %s', async (_what, bad) => {
    const lines = await read('{"a":1}\n', bad, '\n{"a":3}\n');
    expect(lines.map(({ line }) => line)).toEqual([1, 2, 3]);
    expect(lines[1]).toEqual({ line: 2, problem: expect.stringMatching(/^is /) });
    expect(JSON.stringify(lines)).not.toContain('canary');
    expect(lines[2]).toEqual({ line: 3, value: { a: 3 } });
  });
});

it('a list of providers counts its places', async () => {
  const lines: ImportLine[] = [];
  const provider = { workspaceId: 'ws', type: 'llm', name: 'anthropic', secret: {} };
  for await (const line of readLines([provider, provider])) lines.push(line);
  expect(lines).toEqual([
    { line: 1, value: provider },
    { line: 2, value: provider },
  ]);
});
