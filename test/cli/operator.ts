/** An operator with their own database. Every command is checked: its output may not contain a secret. */
import { expect } from 'vitest';
import type { WorkspaceGrants } from '../../src/client.js';
import type { TestGrantKeys } from '../../testbed/grant-keys.js';
import { openStage } from '../../testbed/stage.js';
import { newRootKey } from '../management/management.js';
import { type ModelsService, startModelsService } from '../management/models-service.js';
import { createStageDatabase, type TestDatabase } from '../support/database.js';
import { temporalAddress } from '../support/parts.js';
import { useStage } from '../support/use-stage.js';
import { type CliOptions, type CliRun, runCli } from './run-cli.js';

export { newRootKey };

/** The keys that the service accepts: the current one and the next one. */
export const CANARY = 'canary-key-1234567890-a1b2';
export const NEXT_CANARY = 'canary-key-5647382910-e5f6';
/** A key that the service does not accept. */
export const NEW_CANARY = 'canary-key-0987654321-c3d4';

export interface Operator {
  readonly database: TestDatabase;
  readonly service: ModelsService;
  readonly grantKeys: TestGrantKeys;
  readonly grants: WorkspaceGrants;
  /** The settings of the commands. */
  readonly env: {
    readonly DATABASE_URL: string;
    readonly ENCRYPTION_KEY: string;
    readonly PROVIDER_GRANT_SIGNING_KEY: string;
  };
  run(args: readonly string[], options?: CliOptions): Promise<CliRun>;
  /** Configures a provider that points to the service, without the command, which would take a second. */
  configured(workspaceId: string, name: string, apiKey: string): Promise<void>;
}

export const operator = (): Operator =>
  useStage(async (teardown) => {
    const database = await createStageDatabase(teardown);
    const service = await teardown.use(startModelsService(CANARY, NEXT_CANARY));
    const shared = { database, temporalAddress: temporalAddress(), operator: 'a test', teardown };
    const { manager, grantKeys, grants, encryptionKey } = await openStage(shared);
    const settings = { DATABASE_URL: database.managerUrl, ENCRYPTION_KEY: encryptionKey };
    const op: Operator = {
      ...{ database, service, grantKeys, grants },
      env: { ...settings, ...grantKeys.starterEnv, ...database.settings },
      async run(args, options = {}) {
        const env = { ...op.env, ...options.env };
        const ran = await runCli(args, { ...options, env });
        const said = `${ran.stdout}${ran.stderr}`;
        const passwords = [database.managerUrl, env.DATABASE_URL]
          .filter((url) => URL.canParse(url))
          .map((url) => new URL(url).password);
        const rootKeys = [encryptionKey, env.ENCRYPTION_KEY].flatMap((keys) => [keys, keys.replace(/^\w+:/, '')]);
        const secrets = [CANARY, NEXT_CANARY, NEW_CANARY, ...rootKeys, grantKeys.signingSecret, ...passwords];
        for (const secret of secrets.filter(Boolean)) expect(said).not.toContain(secret);
        expect(said, 'colors are for terminals').not.toContain('\u001b');
        return ran;
      },
      async configured(workspaceId, name, apiKey) {
        const config = { baseURL: service.baseURL };
        const provider = { workspaceId, type: 'llm', name, config, secret: { apiKey } };
        await manager.configureProvider(provider, { fence: false });
      },
    };
    return op;
  });

/** The JSON document on stdout. */
export const documentOf = ({ stdout }: CliRun) => JSON.parse(stdout);
