/** An operator with a database of his own, whose every command is watched: nothing that it says may hold a secret. */

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import { readManagerConfig } from '../../src/config/manager-config.js';
import { ProviderClient } from '../../src/management.js';
import { newGrantKeys, type TestGrantKeys } from '../../testbed/grant-keys.js';
import { LOOPBACK_ENV } from '../../testbed/loopback.js';
import { type ModelsService, startModelsService } from '../management/models-service.js';
import { createStageDatabase, type TestDatabase } from '../support/database.js';
import { type CliOptions, type CliRun, runCli } from './run-cli.js';

/** The keys that the service accepts: the one of now, and the one after it. */
export const CANARY = 'canary-key-1234567890-a1b2';
export const NEXT_CANARY = 'canary-key-5647382910-e5f6';
/** One that it does not accept. */
export const NEW_CANARY = 'canary-key-0987654321-c3d4';

export interface Operator {
  readonly database: TestDatabase;
  readonly service: ModelsService;
  readonly grantKeys: TestGrantKeys;
  /** The settings of his commands. */
  readonly env: {
    readonly DATABASE_URL: string;
    readonly ENCRYPTION_KEY: string;
    readonly PROVIDER_GRANT_SIGNING_KEY: string;
  };
  run(args: readonly string[], options?: CliOptions): Promise<CliRun>;
  /** A provider that points at the service; without the command, which would take a second. */
  configured(workspaceId: string, name: string, apiKey: string): Promise<void>;
}

export const newRootKey = () => `test:${randomBytes(32).toString('base64')}`;

export function operator(): Operator {
  const ENCRYPTION_KEY = newRootKey();
  let database: TestDatabase;
  let service: ModelsService;
  let client: ProviderClient;
  let grantKeys: TestGrantKeys;

  beforeAll(async () => {
    [database, service, grantKeys] = await Promise.all([
      createStageDatabase(),
      startModelsService(CANARY, NEXT_CANARY),
      newGrantKeys(),
    ]);
    client = ProviderClient.open(readManagerConfig({ env: { ...LOOPBACK_ENV, ...op.env } }));
  });

  afterAll(async () => {
    await Promise.all([client?.close(), service?.stop()]);
    await database?.drop();
  });

  const op: Operator = {
    get env() {
      return { DATABASE_URL: database.managerUrl, ENCRYPTION_KEY, ...grantKeys.starterEnv, ...database.settings };
    },
    get database() {
      return database;
    },
    get grantKeys() {
      return grantKeys;
    },
    get service() {
      return service;
    },
    async run(args, options = {}) {
      const env = { ...op.env, ...options.env };
      const ran = await runCli(args, { ...options, env });
      const said = `${ran.stdout}${ran.stderr}`;
      const passwords = [database.managerUrl, env.DATABASE_URL]
        .filter((url) => URL.canParse(url))
        .map((url) => new URL(url).password);
      const secrets = [
        CANARY,
        NEXT_CANARY,
        NEW_CANARY,
        ENCRYPTION_KEY,
        grantKeys.signingSecret,
        env.ENCRYPTION_KEY.slice('test:'.length),
        ...passwords,
      ];
      for (const secret of secrets.filter(Boolean)) expect(said).not.toContain(secret);
      expect(said, 'colors are for terminals').not.toContain('\u001b');
      return ran;
    },
    async configured(workspaceId, name, apiKey) {
      const config = { baseURL: service.baseURL };
      const provider = { workspaceId, type: 'llm', name, config, secret: { apiKey } };
      await client.configureProvider(provider, { fence: false });
    },
  };
  return op;
}

/** The one document on stdout. */
export const documentOf = ({ stdout }: CliRun) => JSON.parse(stdout);
