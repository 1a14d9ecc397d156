/** A store in memory for unit tests, with real sealing. Tests can hold, fail and count its loads. */
import { createHash } from 'node:crypto';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import { Sealer } from '../../src/sealing/sealer.js';
import type { WorkspaceSnapshot, WrappedDataKey } from '../../src/store/ports.js';
import { destinationOf } from './built-in-types.js';

/** A fixed root key for tests. */
export const TEST_ENCRYPTION_KEY = `test:${createHash('sha256').update('a test key').digest('base64')}`;

interface Row {
  config: object;
  encryptedConfig: string;
  status: 'active' | 'disabled';
  version: number;
}

export class FakeStore {
  readonly sealer = new Sealer(parseLocalKeyring(TEST_ENCRYPTION_KEY));
  /** The number of loads that were sent. */
  loads = 0;
  /** Each load awaits it after it took its snapshot. */
  beforeAnswer: () => Promise<void> = async () => {};
  readonly #rows = new Map<string, Row>();
  readonly #dataKeys = new Map<string, WrappedDataKey>();

  async put(workspaceId: string, type: string, name: string, config: object, secret: object): Promise<void> {
    const dataKey = await this.#dataKey(workspaceId);
    const place = { workspaceId, type, name, destination: destinationOf(type, name, config) };
    const encryptedConfig = await this.sealer.seal(place, JSON.stringify(secret), dataKey);
    this.write(workspaceId, type, name, { config, encryptedConfig, status: 'active' });
  }

  write(workspaceId: string, type: string, name: string, change: Partial<Row>): void {
    const key = `${workspaceId} ${type} ${name}`;
    const row = this.#rows.get(key) ?? { config: {}, encryptedConfig: '', status: 'active', version: 0 };
    this.#rows.set(key, { ...row, ...change, version: change.version ?? row.version + 1 });
  }

  remove(workspaceId: string, type: string, name: string): void {
    this.#rows.delete(`${workspaceId} ${type} ${name}`);
  }

  async readWorkspace(workspaceId: string): Promise<WorkspaceSnapshot> {
    this.loads += 1;
    const providers = [...this.#rows].flatMap(([key, row]) => {
      const [workspace, type = '', name = ''] = key.split(' ');
      return workspace === workspaceId ? [{ type, name, ...row }] : [];
    });
    const dataKey = this.#dataKeys.get(workspaceId);
    const snapshot = { epoch: 0, dataKeys: dataKey ? [dataKey] : [], providers };
    await this.beforeAnswer();
    return snapshot;
  }

  async #dataKey(workspaceId: string): Promise<WrappedDataKey> {
    const dataKey = this.#dataKeys.get(workspaceId) ?? (await this.sealer.createDataKey(workspaceId));
    this.#dataKeys.set(workspaceId, dataKey);
    return dataKey;
  }
}
