/**
 * The code blocks of a page in Markdown, in order. Tests run them as they are printed, because a reader copies them.
 *
 * The info string after the language is for the tests; a reader does not see it:
 * - `sh server`: a command that keeps running
 * - `sh clone`: for a clone of this repository, not for a user's project
 * - `sh drill`: a step of the runbook
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../architecture/scratch-project.js';

export interface PageBlock {
  readonly language: string;
  readonly mark: string;
  /** Unchanged from the page. */
  readonly text: string;
  /** The name in the first line, `// worker.ts` or `# Dockerfile`, if it has one. */
  readonly file: string | undefined;
  /** The lines that the page shows as the output of these commands, without `…`, which marks omitted lines. */
  readonly shows: readonly string[];
}

const BLOCK = /^```(?<info>[^\n]+)\n(?<text>.*?)^```\n(?:\n```text\n(?<shown>.*?)^```\n)?/gms;
const FILE = /^(?:\/\/|#) (?<file>[\w./-]+\.\w+|Dockerfile)$/m;

/** @param path - relative to the repository */
export function readPage(path: string): string {
  return readFileSync(join(REPOSITORY, path), 'utf8');
}

export function readBlocks(markdown: string): readonly PageBlock[] {
  return Array.from(markdown.matchAll(BLOCK), ({ groups: { info = '', text = '', shown = '' } = {} }) => {
    const [language = '', mark = ''] = info.split(' ');
    return {
      ...{ language, mark, text },
      file: FILE.exec(text.slice(0, text.indexOf('\n')))?.groups?.file,
      shows: shown.split('\n').filter((line) => line.trim() !== '' && line.trim() !== '…'),
    };
  });
}

/** Replaces what differs between runs: numbers, times and the width of columns. */
export function likeShown(line: string): string {
  return line
    .replace(/\d+(\.\d+)? (ms|s|min|h|d)\b/g, '<duration>')
    .replace(/\bkeys [0-9a-f]{8}\b/g, 'keys <revision>')
    .replace(/\bnever used\b|\bused \d{4}-\d\d-\d\d \d\d:\d\d UTC/g, '<used>')
    .replace(/\d+/g, '0')
    .replace(/…\w{4}\b/g, '…')
    .replace(/\bcli:\S+/g, 'cli:<whoever>')
    .replace(/\s+/g, ' ')
    .trim();
}
