/**
 * Mistyped command lines, without settings. Each ends by itself with 0 (for help) or 2, prints the reason as text or as
 * one JSON document, and repeats nothing that may be a misplaced key. They run in this process, because a thousand
 * processes would be slow.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parseAssignments } from '../../src/cli/assignments.js';
import { runCli } from '../../src/cli/program.js';
import { formatDuration, parseDuration } from '../../src/config/duration.js';
import { SETTINGS } from '../../src/config/settings-table.js';
import { providerType } from '../support/built-in-types.js';

const CANARY = 'canary-argument-5eed';

const COMMANDS = [
  ...['migrate', 'configure', 'list', 'check', 'disable', 'enable', 'remove', 'rewrap', 'shred', 'rotate', 'rollback'],
  ...['rotations', 'rotate-every', 'schedules', 'grants', 'audit', 'usage', 'status', 'workers', 'worker'],
];
const OPTIONS = [
  ...['--json', '--help', '-h', '--version', '--yes', '--no-wait', '--set', '--secret-env', '--overlap', '--issue'],
  ...[
    '--drain-limit',
    '--accept-unchecked',
    '--when-due',
    '--version-number',
    '--reason',
    '--every',
    '--cron',
    '--',
    '-',
  ],
];
const ARGUMENTS = [
  'ws_acme',
  'llm',
  'rpc',
  'tenderly',
  'llm-admin',
  'anthropic',
  'default',
  'rotate-due',
  'create',
  '1h',
];

const word = fc.oneof(
  fc.constantFrom(...ARGUMENTS),
  fc.constantFrom(...OPTIONS),
  fc.constantFrom(CANARY, `--${CANARY}`, `--api-key=${CANARY}`, `apiKey=${CANARY}`, `baseURL=${CANARY}`, `=${CANARY}`),
  fc.constantFrom('\r', '\n', '\u2028', "'").map((between) => `${between}${CANARY}${between}x`),
  fc.constantFrom(...COMMANDS, ...OPTIONS).map((known) => `${known}=${CANARY}`),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('', '0', '-1', '1e999', '..', '%00', '\n', '🗝️', 'k'.repeat(100_000)),
);
/** `dev` is left out: it would start servers. */
const commandLine = fc
  .tuple(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...COMMANDS) }, word), fc.array(word, { maxLength: 6 }))
  .map(([first, others]) => [first, ...others])
  .filter((argv) => !argv.includes('dev'));

let written: { stdout: string; stderr: string };

beforeEach(() => {
  // Invalid, so that a command stops at its settings, before it reads stdin or calls a service.
  for (const name of Object.keys(SETTINGS)) vi.stubEnv(name, undefined);
  vi.stubEnv('DATABASE_URL', 'none');
  vi.stubEnv('PROVIDER_PAYLOAD_KEY', 'none');
  written = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    vi.spyOn(process[stream], 'write').mockImplementation((chunk) => {
      written[stream] += String(chunk);
      return true;
    });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

test('any command line ends with 0 or 2, and prints only our own messages [G18]', async () => {
  const reached = new Set<string>();
  await fc.assert(
    fc.asyncProperty(commandLine, async (argv) => {
      written = { stdout: '', stderr: '' };
      const exitCode = await runCli(argv);
      const { stdout, stderr } = written;
      expect([0, 2]).toContain(exitCode);
      expect(`${stdout}${stderr}`).not.toContain(CANARY);
      expect(`${stdout}${stderr}`).not.toMatch(/^\s+at .*:\d+:\d+/m);
      expect(`${stdout}${stderr}`.length, 'a line, or help').toBeLessThan(8_000);
      if (exitCode === 0) expect({ stderr, helped: stdout !== '' }).toEqual({ stderr: '', helped: true });
      else if (argv.includes('--json')) expect(JSON.parse(stdout).error.message, stderr).not.toBe('');
      else expect(stderr).toMatch(/^✖ (UsageInvalid|ProviderConfigInvalid|SetupInvalid): \S|^Usage: /);
      reached.add(/✖ (\w+)|"type":"(\w+)"|Usage/.exec(`${stderr}${stdout}`)?.[0] ?? 'version');
    }),
    { numRuns: 1_500 },
  );
  expect(reached.size, 'usage, settings, help').toBeGreaterThan(3);
});

test('any --set is parsed as an assignment, or is refused without its value in the message', () => {
  const assignment = fc.oneof(
    word,
    fc.tuple(fc.string(), word).map(([field, value]) => `${field}=${value}`),
  );
  fc.assert(
    fc.property(
      fc.constantFrom('llm', 'rpc', 'tenderly', 'http', 'llm-admin'),
      fc.array(assignment),
      (type, assignments) => {
        try {
          const config = parseAssignments(providerType(type), 'default', assignments);
          expect(Object.keys(config)).not.toContain(providerType(type).primarySecret);
        } catch (error) {
          expect((error as Error).name).toMatch(/^(UsageInvalid|ProviderError)$/);
          expect((error as Error).message).not.toContain(CANARY);
        }
      },
    ),
  );
});

test('any duration is refused, or is the same after formatting and parsing', () => {
  const text = fc.oneof(
    word,
    fc.tuple(fc.nat(), fc.constantFrom('ms', 's', 'm', 'h', 'd', 'w', '')).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (given) => {
      const ms = parseDuration(given);
      if (ms === undefined) return;
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(parseDuration(formatDuration(ms))).toBe(ms);
    }),
  );
});
