/** The commands of an operator, as processes: each one, and then with wrong usage, wrong input and wrong settings. */
import { randomBytes } from 'node:crypto';
import { OWN_SETTINGS } from './parts/proc-watch.js';
import { failingWorkspace, type Secrets, WORKING } from './providers.js';
import type { Stage } from './stage.js';

const AT_ONCE = 3;

type Command = readonly [args: string, stdin?: string | Buffer, env?: Readonly<Record<string, string>>];

/** @returns the number of commands, and the number of those that failed, as most of them should */
export async function runCommands(stage: Stage, secrets: Secrets): Promise<{ run: number; failed: number }> {
  const { managerEnv, processes } = stage;
  let [run, failed] = [0, 0];
  const execute = async ([args, stdin = '', env = {}]: Command) => {
    const { exitCode } = await processes.command(args.split(' '), { ...managerEnv, ...env }, stdin);
    run += 1;
    if (exitCode !== 0) failed += 1;
    return exitCode;
  };
  const expectSuccess = async (command: Command) => {
    const exitCode = await execute(command);
    if (exitCode !== 0) throw new Error(`workspace-providers ${command[0]} ended with ${exitCode}`);
  };

  const { llm } = secrets;
  const anthropic = stage.llm.baseUrls.anthropic.sdk;
  const failing = failingWorkspace('json-401');
  for (const command of [
    [`configure ws_cli llm anthropic --set baseURL=${anthropic}`, `${llm.anthropic}\n`],
    [`configure ws_cli llm-admin anthropic --set baseURL=${anthropic}`, JSON.stringify({ adminKey: secrets.adminKey })],
    ['configure ws_cli llm openai --secret-env MY_KEY', '', { MY_KEY: llm.openai as string, [OWN_SETTINGS]: '1' }],
    ['rotate ws_cli llm anthropic --overlap 20s --drain-limit 1s --no-wait', secrets.oneMore],
  ] as Command[]) {
    await expectSuccess(command);
  }
  // Succeeds once the next credential is active. Until then there is nothing to roll back.
  for (let tries = 0; (await execute(['rollback ws_cli llm anthropic --reason drill'])) !== 0; tries += 1) {
    if (tries === 20) throw new Error('the rotation could not be rolled back');
  }
  await expectSuccess(['rotate ws_cli llm anthropic --drain-limit 1s', secrets.next]);

  await inTurns(
    [
      ['list ws_cli --json'],
      ['rotations --json'],
      ['audit ws_cli --json'],
      [`usage ${failing} llm anthropic --json`],
      ['workers'],
      ['schedules create check --every 1d'],
      ['schedules create rotate-due'],
      ['rotate-every ws_cli llm openai never'],
      ['disable ws_cli llm openai'],
    ],
    expectSuccess,
  );
  await inTurns([['schedules list --json'], ['enable ws_cli llm openai']], expectSuccess);

  const others: Command[] = [
    ['status --json'],
    ['doctor'],
    ['check ws_cli'],
    [`check ${failing} --json`],
    [`check ${failingWorkspace('html-401')}`],
    [`check ${failingWorkspace('malformed-200')} llm openai`],
    [`rotate ${failing} llm anthropic`, secrets.refusedNext],
    [`rotate ${failing} llm anthropic --issue`],
    [`rotate ${failingWorkspace('json-500')} llm anthropic --accept-unchecked --no-wait`, secrets.refusedNext],
    ['rollback ws_cli llm anthropic --reason why'],
    ['list ws_cli', '', { DATABASE_URL: stage.database.managerUrl, DATABASE_URL_FILE: '', [OWN_SETTINGS]: '1' }],
    ...misuse(stage),
  ];
  await inTurns(others, execute);
  await inTurns([['schedules trigger check'], ['schedules trigger rotate-due']], execute);
  await inTurns([['schedules delete check'], ['remove ws_cli llm openai --yes'], ['rotations ws_cli']], execute);

  return { run, failed };

  async function inTurns(commands: readonly Command[], how: (command: Command) => Promise<unknown>): Promise<void> {
    const left = [...commands];
    const lane = async () => {
      for (let next = left.shift(); next; next = left.shift()) await how(next);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  }
}

/** Must run last, because the running workers have only the older root key. */
export async function changeRootKey({
  canaries,
  managerEnv,
  processes,
  encryptionKey,
  settingsFile,
}: Stage): Promise<void> {
  const rootKeys = `root-2:${canaries.keyInBase64('the next root key')},${encryptionKey}`;
  const env = { ...managerEnv, ENCRYPTION_KEY_FILE: await settingsFile('next-root-key', rootKeys) };
  for (const command of ['rewrap', 'list ws_cli', 'shred ws_cli --yes']) {
    const { exitCode } = await processes.command(command.split(' '), env);
    if (exitCode !== 0) throw new Error(`workspace-providers ${command} ended with ${exitCode}`);
  }
  await processes.command(['list', WORKING], managerEnv); // with only the older key
}

/** Puts secrets where they do not belong, except into arguments, which are always visible in `/proc`. */
function misuse({ canaries, database, encryptionKey, grantKeys }: Stage): Command[] {
  const secret = canaries.key('a malformed secret of a command');
  const rootKeyWrong = canaries.key('a malformed root key');
  const password = canaries.word('a password in a malformed URL');
  const signingWrong = canaries.key('a malformed key that signs grants');
  const own = { [OWN_SETTINGS]: '1' };
  const wrongPassword = database.managerUrl.replace(/:[^:@/]+@/, `:${password}@`);
  return [
    ...[
      `{"apiKey": "${secret}`,
      `{"${secret}": "${secret}"}`,
      `{"apiKey": ["${secret}"]}`,
      `${secret}\u0001`,
      `${secret} ${secret}`,
      secret.repeat(3_000),
      Buffer.concat([Buffer.from(secret), randomBytes(1), Buffer.from([0xff, 0xfe])]),
    ].map((stdin): Command => ['configure ws_cli llm openai', stdin]),
    ...[`https//${secret}`, `https://u:${secret}@`, secret, `{"url":"https://rpc.example","headers":"${secret}"}`].map(
      (stdin): Command => ['configure ws_cli rpc endpoint --set chainId=1', stdin],
    ),
    ['rotate ws_cli llm openai', `{"apiKey": "${secret}`],
    ['configure ws_cli tenderly default', secret],
    ['configure ws_cli nothing default', secret],
    ['list ws_cli', '', { ...own, ENCRYPTION_KEY_FILE: '', ENCRYPTION_KEY: rootKeyWrong }],
    ['list ws_cli', '', { ...own, ENCRYPTION_KEY_FILE: '', ENCRYPTION_KEY: `${encryptionKey}:${rootKeyWrong}` }],
    ['list ws_cli', '', { ...own, DATABASE_URL_FILE: '', DATABASE_URL: wrongPassword.replace('//', '') }],
    ['list ws_cli', '', { ...own, DATABASE_URL_FILE: '', DATABASE_URL: wrongPassword }],
    ['list ws_cli', '', { ...own, DATABASE_URL: wrongPassword }],
    ['workers', '', { ...own, DATABASE_URL_FILE: '', DATABASE_URL: wrongPassword.replace(/:\d+\//, ':1/') }],
    ['rotations ws_cli', '', { ...own, TEMPORAL_API_KEY: secret, TEMPORAL_ADDRESS: '127.0.0.1:1' }],
    ['doctor', '', { ...own, DATABASE_URL_FILE: '', DATABASE_URL: wrongPassword }],
    ['doctor', '', { ...own, ENCRYPTION_KEY_FILE: '', ENCRYPTION_KEY: rootKeyWrong }],
    ['doctor', '', { ...own, PROVIDER_GRANT_KEYS: signingWrong, TEMPORAL_API_KEY: secret }],
    ['worker', '', { ...own, PROVIDER_PAYLOAD_KEY: rootKeyWrong }],
    ['worker', '', { ...own, PROVIDER_GRANT_KEYS: `{"keys":[${grantKeys.signingKey}]}` }],
    ['worker', '', { ...own, PROVIDER_GRANT_KEYS: signingWrong }],
    ...[signingWrong, `{"d":"${signingWrong}"`, `{"d":"${signingWrong}"}`].map(
      (key): Command => [
        'schedules trigger check',
        '',
        { ...own, PROVIDER_GRANT_SIGNING_KEY_FILE: '', PROVIDER_GRANT_SIGNING_KEY: key },
      ],
    ),
  ];
}

/** Pastes a secret into arguments. This is separate, because the command lines themselves contain it. */
export async function pasteIntoArguments({ canaries, processes, managerEnv }: Stage): Promise<string> {
  const pasted = canaries.key('a secret that was pasted into an argument');
  for (const args of [
    ['configure', 'ws_cli', 'llm', 'openai', '--set', `apiKey=${pasted}`],
    ['configure', 'ws_cli', 'llm', 'openai', '--secret-env', pasted],
    ['configure', 'ws_cli', 'llm', 'openai', pasted],
    ['configure', 'ws_cli', 'llm', pasted],
    ['configure', 'ws_cli', pasted, 'openai'],
    ['configure', 'ws_cli', 'llm', 'openai', `--${pasted}`],
    ['configure', 'ws_cli', 'rpc', 'one', '--set', `url=https://rpc.example/${pasted}`],
    [pasted],
    ['rotate', 'ws_cli', 'llm', 'openai', '--overlap', pasted],
    ['check', 'ws_cli', pasted, '--json'],
  ]) {
    await processes.command(args, managerEnv);
  }
  return pasted;
}
