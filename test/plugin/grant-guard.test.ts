/** Whose secrets are looked for in what a user's own activity says, although it opens no provider. */
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { GrantVerifier } from '../../src/grants/grant-verifier.js';
import { Observer } from '../../src/observer/observer.js';
import { workspaceGuard } from '../../src/plugin/grant-guard.js';
import { redactingActivity } from '../../src/plugin/redacting-activity.js';
import { GRANT_HEADERS } from '../../src/protocol/grants.js';
import { ownedBy, rememberSecret } from '../../src/redaction/opened-secrets.js';
import { inActivity } from '../activities/in-activity.js';
import { GRANT, signerOf, USE, useGrantKeys } from '../grants/signed-grants.js';

/** So weak that it is looked for only in the texts of its own workspace. */
const WORD = '0x00000000000000000000000000000000000000000000021e19e0c9bab2400000';
ownedBy(GRANT.subject, () => rememberSecret(WORD));

const keys = useGrantKeys();

/** What an activity returns that was started with this token in its header. */
async function said(token: string | undefined, workflowId = USE.workflowId): Promise<unknown> {
  const verifier = new GrantVerifier(JSON.stringify({ keys: [keys.pair.publicKey] }));
  const headers: Record<string, Payload> =
    token === undefined ? {} : { [GRANT_HEADERS.workspace]: defaultPayloadConverter.toPayload(token) as Payload };
  const withHeader: ActivityInterceptorsFactory = () => ({
    inbound: { execute: (input, next) => next({ ...input, headers }) },
  });
  const info = {
    namespace: USE.namespace,
    activityNamespace: USE.namespace,
    workflowExecution: { workflowId, runId: 'run' },
  };
  const environment = inActivity(info as never, [
    withHeader,
    workspaceGuard(verifier, {}, Observer.none),
    redactingActivity,
  ]);
  return environment.run(async () => `balance: ${WORD}`);
}

test('those of the workspace of its grant, and nobody else’s [G7]', async () => {
  const grant = await signerOf(keys.pair).sign('workspace', GRANT);
  const other = await signerOf(keys.pair).sign('workspace', { ...GRANT, subject: 'ws_globex' });
  expect(await said(grant)).toBe('balance: [redacted]');
  expect(await said(other)).toBe(`balance: ${WORD}`);
});

test('an activity with a grant that is not valid, or with none, runs, and learns of no secret [G3]', async () => {
  const grant = await signerOf(keys.pair).sign('workspace', GRANT);
  const forged = await signerOf(keys.another).sign('workspace', GRANT);
  for (const outcome of [said(undefined), said(forged), said('no token'), said(grant, 'another-workflow')])
    expect(await outcome).toBe(`balance: ${WORD}`);
});
