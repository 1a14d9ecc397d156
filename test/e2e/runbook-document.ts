/**
 * Reads `docs/runbook.md` as drills: each section with command blocks that are marked `sh drill`, and the output that
 * it shows for them. Commands run unchanged, because an operator copies them from the page.
 */
import { readFileSync } from 'node:fs';

const RUNBOOK = new URL('../../docs/runbook.md', import.meta.url);

export interface DrillStep {
  /** Unchanged from the page. */
  readonly commands: string;
  /** The lines that the page shows as output, without `…`, which marks omitted lines. */
  readonly shows: readonly string[];
}

/** The drills by the heading of their section. */
export function readDrills(): ReadonlyMap<string, readonly DrillStep[]> {
  const [, ...sections] = readFileSync(RUNBOOK, 'utf8').split(/^## /m);
  const drills = sections.map((section) => [headingOf(section), stepsOf(section)] as const);
  return new Map(drills.filter(([, steps]) => steps.length > 0));
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
export function likeShown(line: string): string {
  return line
    .replace(/\d+(\.\d+)? (ms|s|min|h|d)\b/g, '<duration>')
    .replace(/\bnever used\b|\bused \d{4}-\d\d-\d\d \d\d:\d\d UTC/g, '<used>')
    .replace(/\d+/g, '0')
    .replace(/…\w{4}\b/g, '…')
    .replace(/\bcli:\S+/g, 'cli:<whoever>')
    .replace(/\s+/g, ' ')
    .trim();
}
