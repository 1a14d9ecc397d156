/**
 * Reads a page of `docs/` as drills: each section with command blocks that are marked `sh drill`, and the output that
 * it shows for them. Commands run unchanged, because an operator copies them from the page.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

export interface DrillStep {
  /** Unchanged from the page. */
  readonly commands: string;
  /** The lines that the page shows as output, without `…`, which marks omitted lines. */
  readonly shows: readonly string[];
}

/** The drills by the heading of their section. */
export function readDrills(page: string): ReadonlyMap<string, readonly DrillStep[]> {
  const [, ...sections] = readPage(page).split(/^## /m);
  const drills = sections.map((section) => [headingOf(section), stepsOf(section)] as const);
  return new Map(drills.filter(([, steps]) => steps.length > 0));
}

/** The blocks that a reader saves as files, by their names: the mark of such a block is `js name.mjs`. */
export function readScripts(page: string): ReadonlyMap<string, string> {
  const blocks = readPage(page).matchAll(/^```js (?<name>\S+)\n(?<text>.*?)^```$/gms);
  return new Map([...blocks].map(({ groups: { name = '', text = '' } = {} }) => [name, text]));
}

/** What a step's commands showed has each line that the page shows, and ended as expected. */
export function expectShown(
  { shows }: DrillStep,
  ran: { readonly exitCode: number | null; readonly shown: string },
  exitCode = 0,
): void {
  expect(ran.exitCode, ran.shown).toBe(exitCode);
  const lines = ran.shown.split('\n').map(likeShown);
  for (const shown of shows) expect(lines).toContain(likeShown(shown));
}

function readPage(page: string): string {
  return readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
}

function headingOf(section: string): string {
  return section.slice(0, section.indexOf('\n'));
}

function stepsOf(section: string): readonly DrillStep[] {
  const steps = section.matchAll(/^```sh drill\n(?<commands>.*?)^```\n(?:\n```text\n(?<shown>.*?)^```\n)?/gms);
  return [...steps].map(({ groups: { commands = '', shown = '' } = {} }) => ({
    commands,
    shows: shown.split('\n').filter((line) => line.trim() !== '' && line.trim() !== '…'),
  }));
}

/** Replaces what differs between runs: numbers, times and the width of columns. */
function likeShown(line: string): string {
  return line
    .replace(/\d+(\.\d+)? (ms|s|min|h|d)\b/g, '<duration>')
    .replace(/\bnever used\b|\bused \d{4}-\d\d-\d\d \d\d:\d\d UTC/g, '<used>')
    .replace(/\d+/g, '0')
    .replace(/…\w{4}\b/g, '…')
    .replace(/\bcli:\S+/g, 'cli:<whoever>')
    .replace(/\s+/g, ' ')
    .trim();
}
