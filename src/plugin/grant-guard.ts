/** Verifies the grant that came with an activity before the activity runs. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from '@temporalio/activity';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';
import { runActivity } from '../activities/run-activity.js';
import type { GrantVerifier } from '../grants/grant-verifier.js';
import { type GrantPolicy, NO_GRANTS } from '../grants/policy.js';
import type { Reporter } from '../observer/observer.js';
import { ProviderError } from '../protocol/errors.js';
import { GRANT_HEADERS, type Grant, type GrantKind } from '../protocol/grants.js';
import type { WorkspaceScope } from '../resolver/provider-resolver.js';
import { noteEveryWorkspace, noteWorkspace } from './activity-workspaces.js';
import { RefusalLog } from './refusal-log.js';

/** An activity that opens nothing is not refused, so there is nothing to report. */
const QUIET: Pick<RefusalLog, 'warn'> = { warn: () => {} };

const shown = new AsyncLocalStorage<() => Promise<Grant>>();

/**
 * The guard of workers of steps. This package's activities (`guarded`) do not start without a valid grant. For any
 * other activity, the grant is verified when the activity opens a provider.
 */
export function workspaceGuard(
  policy: GrantPolicy,
  guarded: object,
  observer: Pick<Reporter, 'report'>,
): ActivityInterceptorsFactory {
  const refusals = new RefusalLog(observer);
  return (context) => ({ inbound: policy === NO_GRANTS ? {} : guard(policy, context, guarded, refusals) });
}

function guard(
  verifier: GrantVerifier,
  context: Context,
  guarded: object,
  refusals: RefusalLog,
): ActivityInboundCallsInterceptor {
  return {
    async execute(input, next) {
      // Verified at each use: a grant may be revoked while a long activity runs. The verifier caches its results.
      const verified = async (log: Pick<RefusalLog, 'warn'> = refusals) => {
        const grant = await verify(verifier, 'workspace', input.headers, context, log);
        noteWorkspace(grant.subject);
        return grant;
      };
      if (Object.hasOwn(guarded, context.info.activityType)) await runActivity(() => verified());
      // Without a grant it may run as long as it opens nothing. With one, its texts are searched for that workspace's
      // secrets, also if it opens nothing.
      else if (tokenIn(input.headers, 'workspace') !== undefined) await verified(QUIET).catch(() => {});
      return shown.run(
        () => verified(),
        () => next(input),
      );
    },
  };
}

/**
 * The guard of workers whose activities change providers or ask a worker about itself: it needs an operator's grant.
 */
export function operatorGuard(policy: GrantPolicy, observer: Pick<Reporter, 'report'>): ActivityInterceptorsFactory {
  const refusals = new RefusalLog(observer);
  return (context) => ({
    inbound: {
      async execute(input, next) {
        if (policy !== NO_GRANTS) await runActivity(() => verify(policy, 'operator', input.headers, context, refusals));
        noteEveryWorkspace(context);
        return next(input);
      },
    },
  });
}

/** Limits an activity to the workspace of its grant. The error does not reveal whether another workspace exists. */
export function workspaceScope(policy: GrantPolicy): WorkspaceScope {
  if (policy === NO_GRANTS) return namedWorkspace;
  return async (named) => {
    const grant = await shown.getStore()?.();
    if (!grant)
      throw new Error(
        'providers can be opened only inside an activity of a worker that has the WorkspaceProviders plugin',
      );
    if (named === undefined || named === grant.subject) return grant.subject;
    throw new ProviderError(
      'GrantInvalid',
      'the workflow names a workspace that its grant is not for: start it with a client of that workspace',
    );
  };
}

async function namedWorkspace(named?: string): Promise<string> {
  if (named !== undefined) {
    noteWorkspace(named);
    return named;
  }
  const message = 'workspaceId is required, because this worker runs without workspace grants';
  throw new ProviderError('ProviderConfigInvalid', message, { fields: ['workspaceId'] });
}

async function verify(
  verifier: GrantVerifier,
  kind: GrantKind,
  headers: Headers,
  { info, log }: Context,
  refusals: Pick<RefusalLog, 'warn'>,
): Promise<Grant> {
  // A standalone activity has no workflow that a grant could be bound to.
  const use = { namespace: info.namespace, workflowId: info.workflowExecution?.workflowId ?? '' };
  return verifier.verify(kind, tokenIn(headers, kind), use, (refusal) => refusals.warn(log, kind, refusal));
}

function tokenIn(headers: Headers, kind: GrantKind): string | undefined {
  const payload = headers[GRANT_HEADERS[kind]];
  if (!payload) return undefined;
  try {
    return String(defaultPayloadConverter.fromPayload(payload));
  } catch {
    // A payload that is not text counts as a grant that no known key has signed.
    return '';
  }
}
