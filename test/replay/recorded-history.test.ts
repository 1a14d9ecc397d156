import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { historyFromText, historyToText } from './recorded-history.js';

const HISTORIES = new URL('histories/', import.meta.url);

/** The strings of a JSON value, with the payloads' bytes decoded. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value, Buffer.from(value, 'base64').toString('latin1')];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

/** An absolute path of Unix or Windows, a file URL, or a worker's `pid@host`. */
const OF_A_MACHINE = /(?:^|[\s("'=])\/(?:[\w.@-]+\/)+[\w.-]+|\b[A-Z]:\\\w|file:\/\/|^\d+@[\w.-]+$/;

const describesMachine = (history: string) => textsIn(JSON.parse(history)).filter((text) => OF_A_MACHINE.test(text));

describe('a recorded history', () => {
  it('has no path, host or process of the machine that recorded it', () => {
    const files = readdirSync(HISTORIES, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.json'),
    );
    expect(files.length).toBeGreaterThan(0);
    expect(files.flatMap((file) => describesMachine(readFileSync(new URL(file, HISTORIES), 'utf8')))).toEqual([]);
  });

  it('is written without the stack traces and identities of its workers', () => {
    const recorded = {
      events: [
        {
          activityTaskFailedEventAttributes: {
            identity: '4711@host',
            failure: { message: 'refused', stackTrace: 'Error: refused\n    at /home/ann/src/agent.ts:3:9' },
          },
        },
      ],
    };
    expect(describesMachine(JSON.stringify(recorded))).toHaveLength(2);
    const text = historyToText(historyFromText(JSON.stringify(recorded)));
    expect(describesMachine(text)).toEqual([]);
    expect(text).toContain('refused');
  });
});
