/**
 * A service that is not in TypeScript signs grants from docs/grants.md alone: its workflows are served by a worker on a
 * real Temporal, to which the header goes as the page describes it, without Temporal's converter.
 */
import { randomUUID } from 'node:crypto';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { GrantVerifier } from '../../src/grants/grant-verifier.js';
import { acme, NAMESPACE, useTwoWorkspaces } from '../client/two-workspaces.js';
import { uniqueName } from '../support/parts.js';
import { documentedVector, type JsonPayload, type PythonSigners, pythonSigners } from './python-signer.js';

const SETUP_TIMEOUT_MS = 180_000;
const two = useTwoWorkspaces();
let signers: PythonSigners;
let missing: string | undefined;

beforeAll(async () => {
  const made = await pythonSigners();
  if (typeof made === 'string') missing = made;
  else signers = made;
}, SETUP_TIMEOUT_MS);

beforeEach(({ skip }) => skip(missing !== undefined, missing));

const bytes = ({ metadata, data }: JsonPayload) => ({
  metadata: { encoding: Buffer.from(metadata.encoding, 'base64') },
  data: Buffer.from(data, 'base64'),
});

const asked = (workflowId: string) => {
  return { key: JSON.parse(two.stage.grantKeys.signingKey), workspaceId: acme, namespace: NAMESPACE, workflowId };
};

async function start(workflowId: string, payload: JsonPayload) {
  await two.bare.workflowService.startWorkflowExecution({
    ...{ namespace: NAMESPACE, workflowId, workflowType: { name: 'whose' }, requestId: randomUUID() },
    taskQueue: { name: two.newOptions().taskQueue },
    header: { fields: { 'workspace-grant': bytes(payload) } },
  });
  return two.bare.workflow.getHandle(workflowId).result();
}

describe.each(['code', 'tables'] as const)("a grant from the signer of the page's %s", (of) => {
  test('serves the workflow for which it was signed, and no other [G3]', async () => {
    const workflowId = uniqueName('python');
    const { token, payload } = await signers[of](asked(workflowId));
    expect(await start(workflowId, payload)).toBe(acme);
    // The client of the workspace takes it for its own.
    expect(await two.ours.workflow.getHandle(workflowId).result()).toBe(acme);
    await expect(two.theirs.workflow.getHandle(workflowId).result()).rejects.toMatchObject({ type: 'GrantInvalid' });
    await expect(start(uniqueName('python'), payload)).rejects.toThrow('Workflow execution failed');
    expect(defaultPayloadConverter.fromPayload(bytes(payload) as Payload)).toBe(token);
  });
});

test.each<[string, object]>([
  ['a list of namespaces', { aud: [NAMESPACE] }],
  ['a time in milliseconds', { iat: Date.now() }],
  ['an expiry', { exp: 9_999_999_999 }],
  ['no list of workflow ids', { workflow_ids: 'answer-1' }],
])('a signer that does not do what the page says is refused: %s [G3]', async (_, claims) => {
  const workflowId = uniqueName('python');
  const { token } = await signers.tables({ ...asked(workflowId), claims });
  const verifier = new GrantVerifier(two.stage.grantKeys.keySet);
  const verifying = verifier.verify('workspace', token, { namespace: NAMESPACE, workflowId });
  await expect(verifying).rejects.toMatchObject({ type: 'GrantInvalid' });
});

test("the page's example is what its own code signs, and what a worker accepts", async () => {
  const vector = await documentedVector();
  const { example } = await signers.code(asked('answer-1'));
  expect(example).toEqual({ token: vector.token, payload: vector.payload });
  const { d, ...publicKey } = vector.key;
  const verifier = new GrantVerifier(JSON.stringify({ keys: [publicKey] }));
  const use = { namespace: 'default', workflowId: 'answer-1' };
  expect(await verifier.verify('workspace', vector.token, use)).toMatchObject({
    ...{ grantId: vector.claims.jti, subject: 'ws_acme', issuedAt: vector.claims.iat },
  });
});
