/** The check at start of the parts of Temporal's SDK that this package uses and that are not its public API. */
import { Context } from '@temporalio/activity';
import { Client, type Connection, ScheduleClient } from '@temporalio/client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GrantSigner, WorkspaceGrants } from '../../src/client.js';
import { checkActivityInternals, checkClientInternals } from '../../src/sdk/internals.js';
import { newGrantKeys } from '../../testbed/grant-keys.js';
import { TEST_ENCRYPTION_KEY } from '../support/fake-store.js';

const unsupported = (part: string) => ({
  type: 'SetupInvalid',
  message: `the installed version of @temporalio/${part} is not supported: see the peer dependencies of workspace-providers`,
  facts: { fields: [`@temporalio/${part}`] },
});

afterEach(() => {
  vi.doUnmock('@temporalio/activity');
  vi.resetModules();
});

describe('an SDK for activities', () => {
  it('is supported in the installed version', () => {
    expect(() => checkActivityInternals(Context)).not.toThrow();
  });

  it.each<[string, new (...parts: never[]) => unknown]>([
    [
      'that sends heartbeats in another way',
      class {
        heartbeat() {}
      },
    ],
    [
      'that cannot be inspected',
      class {
        constructor() {
          throw new Error('a context of another kind');
        }
      },
    ],
    ['without heartbeats', class {}],
  ])('%s is refused', (_, context) => {
    expect(() => checkActivityInternals(context as typeof Context)).toThrow(
      expect.objectContaining(unsupported('activity')),
    );
  });

  it('is checked before a worker connects to anything', async () => {
    vi.doMock('@temporalio/activity', async (original) => ({ ...(await original<object>()), Context: class {} }));
    vi.resetModules();
    const { WorkspaceProviders } = await import('../../src/index.js');
    const connecting = WorkspaceProviders.connect({
      databaseUrl: 'postgres://worker:canary-password@127.0.0.1:1/agents',
      rootKeys: TEST_ENCRYPTION_KEY,
      grantKeys: (await newGrantKeys()).keySet,
      env: {},
    });
    await expect(connecting).rejects.toMatchObject(unsupported('activity'));
  });
});

describe('an SDK for clients', () => {
  const withoutUpdates = () => {
    const { _updateSchedule } = ScheduleClient.prototype as unknown as { _updateSchedule: unknown };
    Reflect.deleteProperty(ScheduleClient.prototype, '_updateSchedule');
    return () => Object.defineProperty(ScheduleClient.prototype, '_updateSchedule', { value: _updateSchedule });
  };

  it('is supported in the installed version', () => {
    expect(() => checkClientInternals()).not.toThrow();
  });

  it('that updates schedules in another way is refused before a client is created', async () => {
    const { signingKey } = await newGrantKeys();
    const restore = withoutUpdates();
    try {
      expect(() => checkClientInternals()).toThrow(expect.objectContaining(unsupported('client')));
      const client = new Client({ connection: {} as Connection });
      expect(() => new WorkspaceGrants(client, new GrantSigner(signingKey))).toThrow(
        expect.objectContaining(unsupported('client')),
      );
    } finally {
      restore();
    }
  });
});
