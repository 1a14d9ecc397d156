/** The dependency rules: the sources keep them, and each rule finds the violation that it is meant to find. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENTRIES, ROOMS } from '../../layers.mjs';
import { createScratchProject, linkPackages, REPOSITORY, runTool, type ScratchProject } from './scratch-project.js';

const TIMEOUT_MS = 60_000;
const CONFIG_FILES = ['.dependency-cruiser.mjs', 'layers.mjs', 'package.json', 'tsconfig.json'];

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
    expect(modules, 'the tool also passes if it has read nothing').toBeGreaterThan(100);
  });
});

type Planted = readonly (readonly [file: string, code: string])[];

/** A room that `room` may not import. */
function forbiddenFor({ room, imports }: (typeof ROOMS)[number]): string {
  const found = ROOMS.find((other) => other.room !== room && !imports.some((each) => each.startsWith(other.room)));
  if (!found) throw new Error(`${room} may import every room: it needs no rule`);
  return found.room;
}

const importing = (room: string) => `import type { Target } from '../${room}/target.js'; export type Again = Target;`;

/** For each room of the table, a file that imports a forbidden room. */
const OF_ROOMS = Object.fromEntries(
  ROOMS.map((room): [string, Planted] => [
    `${room.room}-imports`,
    [[`src/${room.room}/upward.ts`, importing(forbiddenFor(room))]],
  ]),
);

/** The planted files per rule: those of the table, and those of the rules that the table does not express. */
const VIOLATIONS: Readonly<Record<string, Planted>> = {
  ...OF_ROOMS,
  'no-cycles': [['src/providers/ring-a.ts', "import './ring-b.js';"]],
  resolves: [['src/cli/lost.ts', "import './nowhere.js';"]],
  'entries-do-not-import-dev': ENTRIES.map((entry) => [`src/${entry}.ts`, "import './dev/target.js';"]),
  'dev-is-loaded-by-one-command': [['src/cli/list.ts', "export const dev = () => import('../dev/target.js');"]],
  'protocol-imports-no-package': [
    ['src/protocol/node.ts', "import 'node:crypto';"],
    ['src/protocol/package.ts', "import { z } from 'zod'; export const any = z.any();"],
  ],
  'workflows-import-only-the-protocol': [
    ['src/workflows/node.ts', "import 'node:timers/promises';"],
    ['src/workflows/client.ts', "import '@temporalio/client';"],
  ],
  'workflows-know-activities-by-type': [['src/workflows/activities.ts', "import '../activities/target.js';"]],
  'only-store-speaks-sql': [
    ['src/resolver/sql.ts', "import pg from 'pg'; export const pool = pg.Pool;"],
    ['src/cli/sql.ts', "import type { Pool } from 'pg'; export type Again = Pool;"],
    ['src/dev/migrate.ts', "import 'node-pg-migrate';"],
  ],
  'only-egress-opens-sockets': [
    ['src/providers/undici.ts', "import { fetch } from 'undici'; export const call = fetch;"],
    ['src/management/sockets.ts', "import { connect } from 'node:net'; export const open = connect;"],
    ['src/activities/https.ts', "import { request } from 'node:https'; export const open = request;"],
    ['src/grants/names.ts', "import { lookup } from 'node:dns/promises'; export const ask = lookup;"],
  ],
  'temporal-stays-above-the-resolver': [
    ['src/resolver/temporal.ts', "import type { Client } from '@temporalio/client'; export type Again = Client;"],
    ['src/management/temporal.ts', "import '@temporalio/worker';"],
  ],
  'ships-what-it-needs': [['src/dev/tool.ts', "import 'knip';"]],
};

/** Second violations of planted files, because a forbidden room may also break a rule of the sandbox or of `dev`. */
const ALSO: readonly string[] = [
  `workflows-import-only-the-protocol: src/workflows/upward.ts`,
  `workflows-import-only-the-protocol: src/workflow.ts`,
  `protocol-imports-no-package: src/protocol/upward.ts`,
];

/** Permitted imports that are close to the violations. Of a cycle, only one half is reported. */
const PERMITTED: Planted = [
  ['src/providers/ring-b.ts', "import type { Target } from './ring-a.js'; export type Again = Target;"],
  ['src/workflows/steps.ts', importing('activities')],
  [
    'src/workflows/sdk.ts',
    "import '@temporalio/workflow'; import '@temporalio/common'; import '../protocol/target.js';",
  ],
  ['src/sealing/records.ts', "import '../store/ports.js';"],
  ['src/sealing/secret.ts', "import '../redaction/target.js';"],
  ['src/providers/egress.ts', "import '../egress/target.js';"],
  ['src/egress/client.ts', "import 'undici'; import 'node:net';"],
  ['src/store/pool.ts', "import pg from 'pg'; export const pool = pg.Pool;"],
  ['src/cli/run-dev.ts', "import '../dev/target.js';"],
  ['src/client/sdk.ts', "import '@temporalio/client'; import '../management/target.js';"],
];

describe('each dependency rule', () => {
  let project: ScratchProject;
  let found: Awaited<ReturnType<typeof cruise>>;

  beforeAll(async () => {
    project = await createScratchProject(CONFIG_FILES);
    await linkPackages(project.folder);
    const target = 'export const target = 1; export type Target = number;';
    for (const { room } of ROOMS) await project.write(`src/${room}/target.ts`, target);
    await project.write('src/store/ports.ts', target);
    for (const [file, code] of [...PERMITTED, ...Object.values(VIOLATIONS).flat()]) await project.write(file, code);
    found = await cruise(project.folder);
  }, TIMEOUT_MS);

  afterAll(() => project.remove());

  it('has a planted violation', () => {
    expect(Object.keys(VIOLATIONS).sort()).toEqual([...found.rules].sort());
  });

  it('finds the planted violations and nothing else', () => {
    const planted = Object.entries(VIOLATIONS).flatMap(([rule, files]) => files.map(([file]) => `${rule}: ${file}`));
    const others = [...new Set(found.violations)].filter((violation) => !ALSO.includes(violation));
    expect(others).toEqual(planted.sort());
  });
});
