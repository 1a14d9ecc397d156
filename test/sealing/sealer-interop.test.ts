/** Other services of the platform read rows that were sealed here, and write rows that are opened here. */
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { parseLocalKeyring } from '../../src/sealing/local-keyring.js';
import { MAX_PLAINTEXT_BYTES, Sealer } from '../../src/sealing/sealer.js';
import { ACME, PLAINTEXT, ROOT_2025, ROOT_2026 } from './fixtures.js';
import { type PythonService, type SealedRow, startPythonService } from './python-service.js';
import { kept } from './vectors.js';

const SETUP_TIMEOUT_MS = 180_000;
const ENCRYPTION_KEY = `${ROOT_2025},${ROOT_2026}`;
const SECRETS = [PLAINTEXT, '', '\uFEFF', '{"url":"https://канал.invalid/ключ?q=€"}', 'x'.repeat(MAX_PLAINTEXT_BYTES)];
const LONGEST = {
  ...{ workspaceId: 'W'.repeat(128), type: 't'.repeat(32), name: 'n'.repeat(64) },
  destination: `https://${'d'.repeat(4088)}`,
};

let service: PythonService;
let missing: string | undefined;

beforeAll(async () => {
  const started = await startPythonService();
  if (typeof started === 'string') missing = started;
  else service = started;
}, SETUP_TIMEOUT_MS);

beforeEach(({ skip }) => skip(missing !== undefined, missing));

test('a row sealed here opens in Python, which unwraps its data key', async () => {
  const sealer = new Sealer(parseLocalKeyring(ENCRYPTION_KEY));
  const rows: SealedRow[] = [];
  for (const identity of [ACME, LONGEST]) {
    const dataKeys = [
      await sealer.createDataKey(identity.workspaceId),
      await sealer.createDataKey(identity.workspaceId),
    ];
    for (const plaintext of SECRETS)
      rows.push({
        identity,
        dataKeys,
        sealed: await sealer.seal(identity, plaintext, dataKeys[1] as (typeof dataKeys)[0]),
      });
  }
  const { opened } = await service.exchange({ encryptionKey: ENCRYPTION_KEY, rows });
  expect(opened).toEqual([...SECRETS, ...SECRETS]);
});

test('a row sealed in Python, under a data key created in Python, opens here', async () => {
  const secrets = [ACME, LONGEST].flatMap((identity) => SECRETS.map((plaintext) => ({ identity, plaintext })));
  const { sealed } = await service.exchange({ encryptionKey: ENCRYPTION_KEY, secrets });
  const sealer = new Sealer(parseLocalKeyring(ENCRYPTION_KEY));
  const opened = await Promise.all(sealed.map((row) => sealer.open(row.identity, row.sealed, row.dataKeys)));
  expect(opened).toEqual(secrets.map(({ plaintext }) => plaintext));
});

test('the documented Python opens the test vectors that must open, and refuses those that must not [G1]', async () => {
  const { encryptionKey, opens, refused } = await kept();
  const { opened } = await service.exchange({ encryptionKey, rows: [...opens, ...refused] });
  expect(opened).toEqual([...opens.map(({ plaintext }) => plaintext), ...refused.map(() => null)]);
});

test('the documented Python derives the destinations of the test vectors, and refuses a URL that has none', async () => {
  const { encryptionKey, destinations } = await kept();
  const derived = await service.exchange({ encryptionKey, configs: destinations });
  expect(derived.destinations).toEqual(destinations.map(({ destination }) => destination));
});
