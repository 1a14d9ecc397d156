/** Whether workers accept what the given signing key signs: by signing a grant, and verifying it. */
import type { GrantSigner } from '../grants/grant-signer.js';
import type { GrantVerifier } from '../grants/grant-verifier.js';
import { NO_GRANTS } from '../grants/policy.js';
import { isProviderError } from '../protocol/errors.js';
import type { GrantKind } from '../protocol/grants.js';
import type { RegisteredWorker } from '../store/ports.js';
import { fail, ok, type Result, skipped, warn } from './finding.js';
import type { Setup } from './setup.js';

const KINDS: readonly GrantKind[] = ['workspace', 'operator'];
/** Nobody starts a workflow of this id. */
const WORKFLOW_ID = 'workspace-providers-doctor';

/** @param workers - those that hold a lease; empty if they are not known */
export async function checkGrants(
  { grants, signer, urls, env }: Setup,
  workers: readonly RegisteredWorker[],
): Promise<Result | readonly Result[]> {
  if (!env.PROVIDER_GRANT_KEYS?.trim() && !urls.worker && env.PROVIDER_GRANTS === undefined) {
    return skipped('PROVIDER_GRANT_KEYS is not set: add the settings of a worker (--env-file)');
  }
  if ('problem' in grants) return fail(grants.problem);
  if (grants.value === NO_GRANTS) {
    return warn('PROVIDER_GRANTS switches grants off: any workflow can use the credentials of any workspace');
  }
  const verifier = grants.value;
  await verifier.preflight();
  return [await checkSigner(verifier, signer), ...checkFresh(verifier, workers)];
}

async function checkSigner(verifier: GrantVerifier, signer: Setup['signer']): Promise<Result> {
  if (!signer) {
    const add = 'add the settings of a service that starts workflows, or of a manager (--env-file)';
    return skipped(`the key set is readable; PROVIDER_GRANT_SIGNING_KEY is not set: ${add}`);
  }
  if ('problem' in signer) return fail(signer.problem);
  const { value } = signer;
  const accepted = await Promise.all(KINDS.map(async (kind) => ((await accepts(verifier, value, kind)) ? [kind] : [])));
  const kinds = accepted.flat();
  if (kinds.length > 0) return ok(`workers accept what the signing key signs: grants of ${kinds.join(' and ')}s`);
  return fail(
    'workers refuse what PROVIDER_GRANT_SIGNING_KEY signs: the key set in PROVIDER_GRANT_KEYS does not have its public ' +
      'key; add that key, or make a pair with `workspace-providers grants create-key`',
  );
}

async function accepts(verifier: GrantVerifier, signer: GrantSigner, kind: GrantKind): Promise<boolean> {
  const use = { namespace: 'default', workflowId: WORKFLOW_ID };
  const { namespace, workflowId } = use;
  const token = await signer.sign(kind, { subject: 'doctor', namespace, workflowIds: [workflowId] });
  return verifier.verify(kind, token, use).then(
    () => true,
    (error: unknown) => {
      if (isProviderError(error, 'GrantInvalid')) return false;
      throw error;
    },
  );
}

function checkFresh(verifier: GrantVerifier, workers: readonly RegisteredWorker[]): readonly Result[] {
  const others = workers.filter(({ grantKeys }) => grantKeys !== '' && grantKeys !== verifier.revision);
  if (others.length === 0) return [];
  const names = others.map(({ identity }) => identity).join(', ');
  return [
    warn(
      `these workers use another key set than PROVIDER_GRANT_KEYS leads to here: ${names}; ten seconds after a change, ` +
        'check what theirs leads to',
    ),
  ];
}
