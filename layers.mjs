/**
 * The rooms of `src/`, from the bottom up: what each contains, which rooms it may import, and whether it may use
 * Temporal's packages. The dependency rules (`.dependency-cruiser.mjs`), their test, and the table in
 * docs/architecture.md are generated from this list.
 */

/** @type {readonly import('./layers.d.mts').Room[]} */
export const ROOMS = [
  {
    room: 'protocol',
    has: 'the contract between workflows and activities: names, references, inputs, failure types; safe in the sandbox',
    imports: [],
  },
  { room: 'vendor', has: 'packages that the build writes into the output', imports: [] },
  {
    room: 'observer',
    has: 'what happens in a process, reported once to those who listen: names, versions, outcomes, durations',
    imports: ['protocol'],
  },
  {
    room: 'telemetry',
    has: 'what listens: the table of metrics, and its bindings to OpenTelemetry and Prometheus',
    imports: ['protocol', 'observer'],
  },
  { room: 'redaction', has: '`Secret`, and the redaction of opened secrets in texts and values', imports: [] },
  {
    room: 'egress',
    has: 'the egress policy, and the only HTTP client',
    imports: ['protocol', 'observer', 'redaction'],
  },
  {
    room: 'grants',
    has: 'the grants of workflows: keys, signer, verifier, policy',
    imports: ['protocol', 'vendor', 'redaction', 'egress'],
  },
  {
    room: 'store',
    has: 'Postgres: the schema, its functions, the interfaces to them; the only room with SQL',
    imports: ['protocol', 'observer', 'redaction'],
  },
  {
    room: 'sealing',
    has: 'sealing and opening: JWEs, data keys, root-key backends',
    imports: ['protocol', 'vendor', 'redaction', 'store/ports'],
  },
  {
    room: 'fence',
    has: 'the fence, the drain, the lease and its keeper, the janitor',
    imports: ['protocol', 'observer', 'store/ports'],
  },
  {
    room: 'providers',
    has: 'the provider types, a folder per type; the set of types that a process knows; `answers`: what the answer of a service means',
    imports: ['protocol', 'redaction', 'egress'],
  },
  {
    room: 'sdk',
    has: "access to parts of Temporal's SDK that are not public; the uses that secrets depend on are checked at the start; what a client knows of a rotation's workflow",
    imports: ['protocol'],
    temporal: true,
  },
  {
    room: 'codec',
    has: 'encryption of the payloads that Temporal stores, for workers and clients',
    imports: ['protocol', 'sealing', 'sdk'],
    temporal: true,
  },
  {
    room: 'config',
    has: 'settings and options: how they are read, checked and shown',
    imports: ['protocol', 'redaction', 'egress', 'grants', 'store', 'sealing', 'fence', 'providers', 'codec'],
    temporal: true,
  },
  {
    room: 'resolver',
    has: '`ProviderResolver`: the cache, loads, and which callbacks hold a credential; no Temporal, no SQL',
    imports: [
      ...['protocol', 'observer', 'telemetry', 'redaction', 'egress', 'store', 'sealing', 'fence', 'providers'],
      ...['config'],
    ],
  },
  {
    room: 'management',
    has: '`ProviderClient`: changes to providers, the stages of a rotation, checks; needs only Postgres',
    imports: [
      ...['protocol', 'observer', 'telemetry', 'redaction', 'egress', 'store', 'sealing', 'fence', 'providers'],
      ...['config'],
    ],
  },
  {
    room: 'activities',
    has: 'the activities, and the only mapping from errors to failures',
    imports: ['protocol', 'observer', 'redaction', 'store', 'fence', 'providers', 'sdk', 'resolver', 'management'],
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
      ...[
        'protocol',
        'observer',
        'telemetry',
        'redaction',
        'egress',
        'grants',
        'store',
        'sealing',
        'fence',
        'providers',
      ],
      ...['codec', 'config', 'resolver', 'management', 'sdk', 'activities'],
    ],
    temporal: true,
  },
  {
    room: 'integrations',
    has: "model providers for frameworks of agents, whose models open the running workflow's own provider",
    imports: ['protocol', 'providers', 'resolver', 'plugin'],
    temporal: true,
  },
  {
    room: 'testing',
    has: 'for the tests of users: providers in memory, and stand-ins of services, which the tests of this repository use too',
    imports: [
      ...[
        'protocol',
        'observer',
        'redaction',
        'egress',
        'grants',
        'store/ports',
        'providers',
        'resolver',
        'activities',
      ],
      ...['workflows', 'client', 'plugin'],
    ],
    temporal: true,
  },
  {
    room: 'dev',
    has: 'embedded Postgres and Temporal, for development and tests',
    imports: ['protocol'],
    temporal: true,
  },
  {
    room: 'doctor',
    has: 'the checks of a set-up, end to end, for the command `doctor`; they change nothing',
    imports: [
      ...['protocol', 'redaction', 'egress', 'grants', 'store', 'sealing', 'fence', 'providers', 'config'],
      ...['resolver', 'client'],
    ],
    temporal: true,
  },
  {
    room: 'cli',
    has: 'the commands, and `terminal`: output, prompts, live views',
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
      ...['doctor', 'dev'],
    ],
    temporal: true,
  },
];

/** The entries of the package: explicit exports, no logic. */
export const ENTRIES = [
  'index',
  'workflow',
  'client',
  'management',
  'ai-sdk',
  'openai-agents',
  'langchain',
  'testing',
  'worker',
];
