/**
 * Which room of `src/` may import which: made from `layers.mjs`, with the rules that the table cannot express. Type-only
 * imports count as imports (`tsPreCompilationDeps`), unless a rule says otherwise. test/architecture/dependencies.long.test.ts
 * shows that each rule finds a planted violation.
 */
import { ENTRIES, ROOMS } from './layers.mjs';

/** A forbidden edge; `from` and `to` are paths, or what dependency-cruiser takes. */
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const any = (names) => `(${names.join('|')})`;

/** `store/ports` is a file, `store` is a folder. */
const pathOf = (room) => (room.includes('/') ? `^src/${room}\\.ts$` : `^src/${room}/`);

const rooms = ROOMS.map(({ room, has, imports }) =>
  forbid(
    `${room}-imports`,
    `${room}: ${has}`,
    { path: pathOf(room) },
    { path: '^src/', pathNot: [pathOf(room), ...imports.map(pathOf)] },
  ),
);

/** What webpack puts into the workflow sandbox. */
const SANDBOX = '^src/(workflow\\.ts$|workflows/)';

const withTemporal = ROOMS.filter(({ temporal }) => temporal).map(({ room }) => room);

export default {
  forbidden: [
    forbid('no-cycles', 'A cycle has no lower end to start reading from.', {}, { circular: true }),
    forbid('resolves', 'No rule here sees an import that the tool cannot follow.', {}, { couldNotResolve: true }),
    ...rooms,
    forbid(
      'entries-do-not-import-dev',
      'Embedded servers stay out of a production process.',
      { path: `^src/${any(ENTRIES)}\\.ts$` },
      { path: '^src/dev/' },
    ),
    forbid(
      'dev-is-loaded-by-one-command',
      'Only `dev` starts embedded servers.',
      { path: '^src/cli/', pathNot: '^src/cli/dev/' },
      { path: '^src/dev/' },
    ),
    forbid(
      'protocol-imports-no-package',
      'Workflows and workers share it.',
      { path: '^src/protocol/' },
      { pathNot: '^src/protocol/' },
    ),
    forbid(
      'workflows-import-only-the-protocol',
      'What a workflow imports is bundled into the sandbox, and replayed for as long as a history lives.',
      { path: SANDBOX },
      {
        pathNot: [
          '^src/(workflow\\.ts$|workflows/|protocol/|activities/)',
          'node_modules/@temporalio/(workflow|common)/',
        ],
      },
    ),
    forbid(
      'workflows-know-activities-by-type',
      'An activity runs outside the sandbox; workflow code sees only its signature.',
      { path: SANDBOX },
      { path: '^src/activities/', dependencyTypesNot: ['type-only'] },
    ),
    forbid(
      'only-store-speaks-sql',
      'Tenancy rests on every query going through the functions in that room.',
      { path: '^src/', pathNot: '^src/store/' },
      { path: 'node_modules/(@types/)?pg(-|/)|node_modules/node-pg-migrate/' },
    ),
    forbid(
      'only-egress-opens-sockets',
      'Every call to a service leaves through the guarded client. Two files reach addresses of the settings: a cancel ' +
        'request to Postgres, and the reason why Temporal cannot be reached. Stand-ins of services are servers.',
      {
        path: '^src/',
        pathNot: '^src/((egress|dev|testing/services)/|store/run-statement\\.ts$|config/temporal-errors\\.ts$)',
      },
      { path: 'node_modules/undici/|^(node:)?(net|tls|http|https|http2|dgram|dns|dns/promises)$' },
    ),
    forbid(
      'temporal-stays-above-the-resolver',
      'The resolver serves callers who have no Temporal.',
      { path: '^src/', pathNot: [`^src/${any(withTemporal)}/`, `^src/${any(ENTRIES)}\\.ts$`] },
      { path: 'node_modules/@temporalio/' },
    ),
    forbid(
      'ships-what-it-needs',
      'An installed package has no dev dependencies, except those that the build writes into the output.',
      { path: '^src/', pathNot: '^src/vendor/' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer', 'type-only'] },
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
