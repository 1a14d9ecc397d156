/**
 * Which folder may import which: dependencies point one way,
 * surfaces → temporal, activities → resolver, management → store, sealing, providers, fence → protocol.
 * Type-only imports count as imports (`tsPreCompilationDeps`), save where a rule says otherwise. Each rule is shown to
 * find a planted violation in test/architecture/dependencies.test.ts.
 */

/** A forbidden edge; `from` and `to` are paths, or what dependency-cruiser takes. */
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** What webpack puts into the workflow sandbox. */
const SANDBOX = '^src/(workflow\\.ts$|workflows/)';

const SURFACES = '^src/(api|cli|client|dev)/|^src/(client|index|rotations|worker)\\.ts$';

export default {
  forbidden: [
    forbid('no-cycles', 'A cycle has no lower end to start reading from.', {}, { circular: true }),
    forbid(
      'resolves',
      'An import that the tool cannot follow is one that no rule here sees.',
      {},
      { couldNotResolve: true },
    ),

    forbid(
      'protocol-imports-nothing',
      'Workflows and workers share it: no Node module, no package.',
      { path: '^src/protocol/' },
      { pathNot: '^src/protocol/' },
    ),
    forbid(
      'redaction-knows-nobody',
      'Everyone may redact; what redacts works on texts and values alone.',
      { path: '^src/redaction/' },
      { path: '^src/', pathNot: '^src/redaction/' },
    ),
    forbid(
      'egress-knows-protocol-alone',
      'It judges addresses and ports; whose provider they are of does not matter there.',
      { path: '^src/egress/' },
      { path: '^src/', pathNot: '^src/(egress|protocol)/' },
    ),
    forbid(
      'grants-know-protocol-alone',
      'Who may use a workspace is decided without a look at what it has.',
      { path: '^src/grants/' },
      { path: '^src/', pathNot: '^src/(grants|protocol|redaction)/' },
    ),
    forbid(
      'store-sealing-providers-fence-know-protocol-alone',
      'Four neighbours that do not know each other; they share `Secret`, and what redacts it.',
      { path: '^src/(store|sealing|providers|fence)/' },
      {
        path: '^src/',
        pathNot: ['^src/$1/', '^src/(protocol|redaction)/', '^src/providers/secret\\.ts$', '^src/egress/'],
      },
    ),
    forbid(
      'egress-guards-calls',
      'Those who call no service have nothing to guard.',
      { path: '^src/(store|sealing|fence|resolver|activities)/' },
      { path: '^src/egress/' },
    ),
    forbid(
      'resolver-looks-down',
      'It is used by activities and surfaces, and knows neither.',
      { path: '^src/resolver/' },
      { path: '^src/', pathNot: '^src/(resolver|fence|store|sealing|providers|protocol|redaction)/' },
    ),
    forbid(
      'management-looks-down',
      'What changes providers knows neither who reads them nor who asked.',
      { path: '^src/management/' },
      { path: '^src/', pathNot: '^src/(management|fence|store|sealing|providers|egress|protocol|redaction)/' },
    ),
    forbid(
      'activities-and-temporal-look-down',
      'Of workflows they know a path alone.',
      { path: '^src/(activities|temporal)/' },
      { path: [SURFACES, SANDBOX] },
    ),

    forbid(
      'workflows-import-protocol-alone',
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
      'An activity runs outside the sandbox; workflow code sees its signature.',
      { path: SANDBOX },
      { path: '^src/activities/', dependencyTypesNot: ['type-only'] },
    ),

    forbid(
      'only-store-speaks-sql',
      'Tenancy rests on every query going through the functions there.',
      { path: '^src/', pathNot: '^src/store/' },
      { path: 'node_modules/(@types/)?pg(-|/)|node_modules/node-pg-migrate/' },
    ),
    forbid(
      'temporal-stays-above-the-resolver',
      'The resolver serves callers who have no Temporal.',
      {
        path: '^src/',
        pathNot: '^src/(temporal|activities|workflows|cli|client|dev)/|^src/(client|rotations|worker|workflow)\\.ts$',
      },
      { path: 'node_modules/@temporalio/' },
    ),
    forbid(
      'dev-is-for-dev',
      'Embedded parts and stand-ins stay out of a production process.',
      { path: '^src/', pathNot: '^src/dev/|^src/cli/dev\\.ts$' },
      { path: '^src/dev/' },
    ),
    forbid(
      'ships-what-it-needs',
      'An installed package has no dev dependencies.',
      { path: '^src/' },
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
