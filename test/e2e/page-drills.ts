/**
 * Reads a page of `docs/` as drills: each section with command blocks that are marked `sh drill`, and the output that
 * it shows for them.
 */
import { expect } from 'vitest';
import { likeShown, type PageBlock, readBlocks, readPage } from './page-blocks.js';

export type DrillStep = Pick<PageBlock, 'text' | 'shows'>;

/** The drills by the heading of their section. @param page - its name in `docs/` */
export function readDrills(page: string): ReadonlyMap<string, readonly DrillStep[]> {
  const [, ...sections] = readPage(`docs/${page}`).split(/^## /m);
  const drills = sections.map((section) => [headingOf(section), stepsOf(section)] as const);
  return new Map(drills.filter(([, steps]) => steps.length > 0));
}

/** The blocks that a reader saves as files, by their names: the mark of such a block is `js name.mjs`. */
export function readScripts(page: string): ReadonlyMap<string, string> {
  const scripts = readBlocks(readPage(`docs/${page}`)).filter(({ language, mark }) => language === 'js' && mark !== '');
  return new Map(scripts.map(({ mark, text }) => [mark, text]));
}

/** Checks that a step's commands showed each line that the page shows, and ended as expected. */
export function expectShown(
  { shows }: DrillStep,
  ran: { readonly exitCode: number | null; readonly shown: string },
  exitCode = 0,
): void {
  expect(ran.exitCode, ran.shown).toBe(exitCode);
  const lines = ran.shown.split('\n').map(likeShown);
  for (const shown of shows) expect(lines).toContain(likeShown(shown));
}

function headingOf(section: string): string {
  return section.slice(0, section.indexOf('\n'));
}

function stepsOf(section: string): readonly DrillStep[] {
  return readBlocks(section).filter(({ mark }) => mark === 'drill');
}
