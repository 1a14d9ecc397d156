/** The dependency rules: the sources keep them, and each rule finds the violation that it is there for. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createScratchProject, linkPackages, REPOSITORY, runTool, type ScratchProject } from './scratch-project.js';

const TIMEOUT_MS = 60_000;
const CONFIG_FILES = ['.dependency-cruiser.mjs', 'package.json', 'tsconfig.json'];

interface Cruise {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly { readonly rule: { readonly name: string }; readonly from: string }[];
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string }[] };
  };
}

async function cruise(folder: string) {
  const tool = 'dependency-cruiser/bin/dependency-cruise.mjs';
  const { stdout } = await runTool(folder, tool, ['src', '--output-type', 'json']);
  const { summary } = JSON.parse(stdout) as Cruise;
  return {
    modules: summary.totalCruised,
    violations: summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`).sort(),
    rules: summary.ruleSetUsed.forbidden.map(({ name }) => name),
  };
}

describe('the sources', () => {
  it('keep every dependency rule', { timeout: TIMEOUT_MS }, async () => {
    const { modules, violations } = await cruise(REPOSITORY);
    expect(violations).toEqual([]);
    expect(modules, 'the tool is known to pass having read nothing').toBeGreaterThan(20);
  });
});

/** What is planted, by the rule that must find it: a file, and what it imports. */
const VIOLATIONS: Readonly<Record<string, readonly (readonly [file: string, code: string])[]>> = {
  'no-cycles': [['src/providers/ring-a.ts', "import './ring-b.js';"]],
  resolves: [['src/cli/lost.ts', "import './nowhere.js';"]],
  'protocol-imports-nothing': [
    ['src/protocol/node.ts', "import 'node:crypto';"],
    ['src/protocol/package.ts', "import { z } from 'zod'; export const any = z.any();"],
    ['src/protocol/upward.ts', "import type { Target } from '../providers/target.js'; export type Again = Target;"],
  ],
  'redaction-knows-nobody': [['src/redaction/upward.ts', "import '../providers/target.js';"]],
  'egress-knows-protocol-alone': [['src/egress/upward.ts', "import '../providers/target.js';"]],
  'grants-know-protocol-alone': [['src/grants/upward.ts', "import '../store/target.js';"]],
  'egress-guards-calls': [['src/store/egress.ts', "import '../egress/target.js';"]],
  'store-sealing-providers-fence-know-protocol-alone': [
    ['src/store/sideways.ts', "import '../sealing/target.js';"],
    ['src/sealing/sideways.ts', "import '../store/target.js';"],
    ['src/providers/upward.ts', "import '../resolver/target.js';"],
    ['src/fence/sideways.ts', "import '../store/target.js';"],
  ],
  'resolver-looks-down': [['src/resolver/upward.ts', "import '../activities/target.js';"]],
  'management-looks-down': [['src/management/upward.ts', "import '../resolver/target.js';"]],
  'activities-and-temporal-look-down': [
    ['src/activities/upward.ts', "import '../cli/target.js';"],
    ['src/temporal/upward.ts', "import '../workflows/target.js';"],
  ],
  'workflows-import-protocol-alone': [
    ['src/workflows/node.ts', "import 'node:timers/promises';"],
    ['src/workflows/client.ts', "import '@temporalio/client';"],
    ['src/workflows/below.ts', "import type { Target } from '../resolver/target.js'; export type Again = Target;"],
    ['src/workflow.ts', "export * from './providers/target.js';"],
  ],
  'workflows-know-activities-by-type': [['src/workflows/activities.ts', "import '../activities/target.js';"]],
  'only-store-speaks-sql': [
    ['src/resolver/sql.ts', "import pg from 'pg'; export const pool = pg.Pool;"],
    ['src/cli/sql.ts', "import type { Pool } from 'pg'; export type Again = Pool;"],
    ['src/dev/migrate.ts', "import 'node-pg-migrate';"],
  ],
  'temporal-stays-above-the-resolver': [
    ['src/resolver/temporal.ts', "import type { Client } from '@temporalio/client'; export type Again = Client;"],
    ['src/index.ts', "import '@temporalio/worker';"],
  ],
  'dev-is-for-dev': [
    ['src/worker.ts', "import './dev/target.js';"],
    ['src/cli/list.ts', "export const dev = () => import('../dev/target.js');"],
  ],
  'ships-what-it-needs': [['src/dev/tool.ts', "import 'knip';"]],
};

/** Neighbours of the violations that no rule forbids; and the other half of the ring, which is reported once. */
const PERMITTED: readonly (readonly [file: string, code: string])[] = [
  ['src/providers/ring-b.ts', "import type { Target } from './ring-a.js'; export type Again = Target;"],
  ['src/workflows/steps.ts', "import type { Target } from '../activities/target.js'; export type Again = Target;"],
  [
    'src/workflows/sdk.ts',
    "import '@temporalio/workflow'; import '@temporalio/common'; import '../protocol/target.js';",
  ],
  ['src/sealing/secret.ts', "import '../providers/secret.js';"],
  ['src/providers/egress.ts', "import '../egress/target.js';"],
  ['src/store/pool.ts', "import pg from 'pg'; export const pool = pg.Pool;"],
  ['src/cli/dev.ts', "import '../dev/target.js';"],
  ['src/client.ts', "import '@temporalio/client'; import './store/target.js'; import './sealing/target.js';"],
];

describe('each dependency rule', () => {
  let project: ScratchProject;
  let found: Awaited<ReturnType<typeof cruise>>;

  beforeAll(async () => {
    project = await createScratchProject(CONFIG_FILES);
    await linkPackages(project.folder);
    const folders = 'activities cli dev egress protocol providers resolver sealing store temporal workflows'.split(' ');
    const target = 'export const target = 1; export type Target = number;';
    for (const folder of folders) await project.write(`src/${folder}/target.ts`, target);
    await project.write('src/providers/secret.ts', target);
    for (const [file, code] of [...PERMITTED, ...Object.values(VIOLATIONS).flat()]) await project.write(file, code);
    found = await cruise(project.folder);
  }, TIMEOUT_MS);

  afterAll(() => project.remove());

  it('has a planted violation', () => {
    expect(Object.keys(VIOLATIONS).sort()).toEqual([...found.rules].sort());
  });

  it('finds what was planted for it, and nothing else', () => {
    const planted = Object.entries(VIOLATIONS).flatMap(([rule, files]) => files.map(([file]) => `${rule}: ${file}`));
    expect([...new Set(found.violations)]).toEqual(planted.sort());
  });
});
