/**
 * Errors of a promise that nothing awaits get lost, and in a workflow the step runs out of order. Two typed rules of
 * ESLint find the cases below, most of which are in workflow code. They are the reason to run ESLint beside Biome.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createScratchProject, linkPackages, REPOSITORY, runTool, type ScratchProject } from './scratch-project.js';

const TIMEOUT_MS = 120_000;
const CONFIG_FILES = ['eslint.config.js', 'package.json', 'tsconfig.json'];
const FLOATING = '@typescript-eslint/no-floating-promises';
const MISUSED = '@typescript-eslint/no-misused-promises';

const ACTIVITIES = `
export interface Deps { readonly resolver: { open(name: string): Promise<string> } }
export const createActivities = (deps: Deps) => ({
  resolveLlmKey: (input: { provider: string }): Promise<string> => deps.resolver.open(input.provider),
});
export async function notify(text: string): Promise<void> { await Promise.resolve(text); }
`;

/** ESLint must find each line that ends in `// floating` or `// misused`, and no other. */
const WORKFLOW = `
import { condition, executeChild, proxyActivities, sleep } from '@temporalio/workflow';
import type { createActivities, Deps } from '../activities/planted.js';
import { notify } from '../activities/planted.js';

const steps = proxyActivities<ReturnType<typeof createActivities>>({ startToCloseTimeout: 1_000 });
const { resolveLlmKey } = steps;

export async function agent(deps: Deps, names: readonly string[]): Promise<number> {
  notify('an imported function'); // floating
  sleep(1_000); // floating
  condition(() => true); // floating
  executeChild('a child workflow'); // floating
  steps.resolveLlmKey({ provider: 'a proxied activity' }); // floating
  resolveLlmKey({ provider: 'a proxied activity, by name' }); // floating
  deps.resolver.open('a method of an interface'); // floating
  notify('then').then(() => 1); // floating
  Promise.all(names.map(notify)); // floating
  (async () => { await notify('called at once'); })(); // floating
  names.forEach(async (name) => { await notify(name); }); // misused
  if (resolveLlmKey({ provider: 'a condition that always holds' })) return 1; // misused
  await notify('awaited');
  void notify('voided: somebody said that it may float');
  notify('caught').catch(() => undefined);
  return notify('returned').then(() => 2);
}
`;

interface LintedFile {
  readonly filePath: string;
  readonly messages: readonly { readonly ruleId: string | null; readonly line: number; readonly message: string }[];
}

describe('promises', () => {
  let project: ScratchProject;

  beforeAll(async () => {
    project = await createScratchProject(CONFIG_FILES);
    await linkPackages(project.folder);
    await project.write('src/activities/planted.ts', ACTIVITIES);
    await project.write('src/workflows/planted.ts', WORKFLOW);
  });

  afterAll(() => project.remove());

  it('are reported by ESLint if they float or are misused', { timeout: TIMEOUT_MS }, async () => {
    const { stdout } = await runTool(project.folder, 'eslint/bin/eslint.js', ['src', '--format', 'json']);
    const files = JSON.parse(stdout) as LintedFile[];
    const found = files.flatMap(({ messages }) => messages.map(({ ruleId, line }) => `${line} ${ruleId}`));
    const planted = WORKFLOW.split('\n').flatMap((text, index) => {
      const rule = text.endsWith('// floating') ? FLOATING : text.endsWith('// misused') ? MISUSED : undefined;
      return rule ? [`${index + 1} ${rule}`] : [];
    });
    expect(planted).toHaveLength(12);
    expect(found).toEqual(planted);
  });

  it('are checked in the sources', { timeout: TIMEOUT_MS }, async () => {
    const file = 'src/activities/provider-activities.ts';
    const { stdout } = await runTool(REPOSITORY, 'eslint/bin/eslint.js', ['--print-config', file]);
    const { rules } = JSON.parse(stdout) as { rules: Record<string, readonly unknown[]> };
    expect([rules[FLOATING]?.[0], rules[MISUSED]?.[0]]).toEqual([2, 2]);
  });
});
