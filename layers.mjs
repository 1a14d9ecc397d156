/**
 * The rooms of `src/`, from the bottom up: what each is for, which rooms it may import, and whether it may use Temporal's
 * packages. The dependency rules (`.dependency-cruiser.mjs`), the table in docs/architecture.md and their test are made
 * from this table.
 */

/** @type {readonly import('./layers.d.mts').Room[]} */
export const ROOMS = [
  {
    room: 'protocol',
    has: 'the contract between workflows and activities: names, references, inputs, failure types; runs in the sandbox too',
    imports: [],
  },
  { room: 'redaction', has: '`Secret`, and the search for opened secrets in texts and values', imports: [] },
  { room: 'egress', has: 'where calls may go; the one HTTP client', imports: ['protocol'] },
  {
    room: 'grants',
    has: 'for whom a workflow works: keys, signer, verifier, policy',
    imports: ['protocol', 'redaction'],
  },
  {
    room: 'store',
    has: 'Postgres: the schema, functions, ports; the only room that speaks SQL',
    imports: ['protocol', 'redaction'],
  },
  {
    room: 'sealing',
    has: 'JWEs, data keys, root-key backends',
    imports: ['protocol', 'redaction', 'store/ports'],
  },
  {
    room: 'fence',
    has: 'the lease, its keeper, the janitor, and the wait of a fence',
    imports: ['protocol', 'store/ports'],
  },
  {
    room: 'providers',
    has: 'the registry, a folder per provider type, and `answers`: what a service meant',
    imports: ['protocol', 'redaction', 'egress'],
  },
  {
    room: 'codec',
    has: 'encryption of the payloads that Temporal stores, for workers and clients',
    imports: ['protocol', 'sealing'],
    temporal: true,
  },
  {
    room: 'config',
    has: 'settings and options: read, refused, described',
    imports: ['protocol', 'redaction', 'egress', 'grants', 'store', 'sealing', 'fence', 'providers', 'codec'],
    temporal: true,
  },
  {
    room: 'resolver',
    has: '`ProviderResolver`: cache, loads, which callbacks hold what; no Temporal, no SQL',
    imports: ['protocol', 'redaction', 'egress', 'store', 'sealing', 'fence', 'providers', 'config'],
  },
  {
    room: 'management',
    has: '`ProviderClient`: what changes providers, the stages of a rotation, checks; needs only Postgres',
    imports: ['protocol', 'redaction', 'egress', 'store', 'sealing', 'fence', 'providers', 'config'],
  },
  {
    room: 'sdk',
    has: "what is private in Temporal's SDK, in one file, checked at the start",
    imports: ['protocol'],
    temporal: true,
  },
  {
    room: 'activities',
    has: 'what Temporal retries; the one mapper from errors to failures',
    imports: ['protocol', 'redaction', 'store', 'fence', 'providers', 'resolver', 'management'],
    temporal: true,
  },
  {
    room: 'workflows',
    has: 'deterministic code: `agent` (steps), `rotation`, `schedules`, the interceptors',
    imports: ['protocol', 'activities'],
    temporal: true,
  },
  {
    room: 'client',
    has: 'what needs a Temporal client: grants, rotations, schedules',
    imports: ['protocol', 'grants', 'config', 'management', 'sdk'],
    temporal: true,
  },
  {
    room: 'plugin',
    has: "the worker plugin, its interceptors, a process's own task queue, the operations worker",
    imports: [
      ...['protocol', 'redaction', 'egress', 'grants', 'store', 'sealing', 'fence', 'providers', 'codec', 'config'],
      ...['resolver', 'management', 'sdk', 'activities'],
    ],
    temporal: true,
  },
  {
    room: 'dev',
    has: 'embedded Postgres and Temporal, for development and tests',
    imports: ['protocol', 'grants'],
    temporal: true,
  },
  {
    room: 'cli',
    has: 'the commands, and `terminal`: output, questions, live views',
    imports: [
      ...[
        'protocol',
        'redaction',
        'grants',
        'store',
        'sealing',
        'providers',
        'config',
        'management',
        'client',
        'plugin',
      ],
      ...['dev'],
    ],
    temporal: true,
  },
];

/** The entries of the package: explicit exports, no logic. */
export const ENTRIES = ['index', 'workflow', 'client', 'management', 'worker'];
