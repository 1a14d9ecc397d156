/**
 * Reads `docs/runbook.md` as drills: each section with command blocks that are marked `sh drill`, and the output that
 * it shows for them.
 */
import { type PageBlock, readBlocks, readPage } from './page-blocks.js';

export type DrillStep = Pick<PageBlock, 'text' | 'shows'>;

/** The drills by the heading of their section. */
export function readDrills(): ReadonlyMap<string, readonly DrillStep[]> {
  const [, ...sections] = readPage('docs/runbook.md').split(/^## /m);
  const drills = sections.map((section) => [headingOf(section), stepsOf(section)] as const);
  return new Map(drills.filter(([, steps]) => steps.length > 0));
}

function headingOf(section: string): string {
  return section.slice(0, section.indexOf('\n'));
}

function stepsOf(section: string): readonly DrillStep[] {
  return readBlocks(section).filter(({ mark }) => mark === 'drill');
}
