/**
 * The drills of docs/runbook.md, run as they are written: the surroundings are made here, the operator's commands and
 * what they show come from the document alone.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type DrillStep, likeShown, readDrills } from './runbook-document.js';
import { PROVIDER, RunbookStage } from './runbook-stage.js';

const drills = readDrills();
const rehearsed = new Set<string>();
let stage: RunbookStage;

beforeAll(async () => {
  stage = await RunbookStage.set();
});
afterAll(() => stage?.strike());

/** The operator does the next thing that the document says, and sees what it shows. */
type Next = (how?: { exitCode?: number; env?: Readonly<Record<string, string>> }) => Promise<string>;

function drill(heading: string, rehearse: (next: Next) => Promise<void>): void {
  rehearsed.add(heading);
  it(heading, async () => {
    const steps = [...(drills.get(heading) ?? [])];
    expect(steps, 'a section of the runbook').not.toHaveLength(0);
    await rehearse(async ({ exitCode = 0, env } = {}) => {
      const step = steps.shift();
      expect(step, 'another step in the document').toBeDefined();
      return follow(step as DrillStep, exitCode, env);
    });
    expect(steps, 'steps that were left out').toEqual([]);
  });
}

async function follow({ commands, shows }: DrillStep, exitCode: number, env?: Readonly<Record<string, string>>) {
  const ran = await stage.operate(commands, env);
  if (process.env.RUNBOOK_SHOW) console.error(`$ ${commands}${ran.shown}(${ran.exitCode})\n`);
  expect(ran.exitCode, ran.shown).toBe(exitCode);
  const lines = ran.shown.split('\n').map(likeShown);
  for (const shown of shows) expect(lines).toContain(likeShown(shown));
  for (const secret of stage.secrets) expect(ran.shown).not.toContain(secret);
  return ran.shown;
}

const version = async () => (await stage.manager.getProviders(PROVIDER.workspaceId)).at(0)?.version;

drill('Before you need it', async (next) => {
  await next();
});
