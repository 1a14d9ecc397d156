/** Verifies the grant that came with an activity before the activity runs. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Context } from '@temporalio/activity';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';
import { runActivity } from '../activities/run-activity.js';
import type { GrantVerifier } from '../grants/grant-verifier.js';
import { type GrantPolicy, NO_GRANTS } from '../grants/policy.js';
import { ProviderError } from '../protocol/errors.js';
import { GRANT_HEADERS, type Grant, type GrantKind } from '../protocol/grants.js';
import type { WorkspaceScope } from '../resolver/provider-resolver.js';

const shown = new AsyncLocalStorage<() => Promise<Grant>>();

/**
 * For workers of steps: their own activities (`guarded`) do not begin without a grant; an activity of somebody else's
 * is asked for its grant once it opens a provider.
 */
export function workspaceGuard(policy: GrantPolicy, guarded: object): ActivityInterceptorsFactory {
  return (context) => ({ inbound: policy === NO_GRANTS ? {} : guard(policy, context, guarded) });
}

function guard(verifier: GrantVerifier, context: Context, guarded: object): ActivityInboundCallsInterceptor {
  return {
    async execute(input, next) {
      // Anew each time: a grant may be revoked while a long activity runs. What was verified is remembered.
      const verified = () => verify(verifier, 'workspace', input.headers, context);
      if (Object.hasOwn(guarded, context.info.activityType)) await runActivity(verified);
      return shown.run(verified, () => next(input));
    },
  };
}

/** For workers whose activities change providers, or ask a worker about itself. */
export function operatorGuard(policy: GrantPolicy): ActivityInterceptorsFactory {
  return (context) => ({
    inbound: {
      async execute(input, next) {
        if (policy !== NO_GRANTS) await runActivity(() => verify(policy, 'operator', input.headers, context));
        return next(input);
      },
    },
  });
}

/** For whom the running activity works, and nobody else: one refusal for a workspace that exists and one that does not. */
export function workspaceScope(policy: GrantPolicy): WorkspaceScope {
  if (policy === NO_GRANTS) return namedWorkspace;
  return async (named) => {
    const grant = await shown.getStore()?.();
    if (!grant) throw new Error('a workspace is asked for inside an activity of a worker that has the plugin');
    if (named === undefined || named === grant.subject) return grant.subject;
    throw new ProviderError(
      'GrantInvalid',
      'the grant of this workflow is for another workspace than the one it names',
    );
  };
}

async function namedWorkspace(named?: string): Promise<string> {
  if (named !== undefined) return named;
  const message = 'workspaceId is missing: this worker runs without workspace grants';
  throw new ProviderError('ProviderConfigInvalid', message, { fields: ['workspaceId'] });
}

async function verify(verifier: GrantVerifier, kind: GrantKind, headers: Headers, { info }: Context): Promise<Grant> {
  // An activity that was started by itself has no workflow to be granted to.
  const use = { namespace: info.namespace, workflowId: info.workflowExecution?.workflowId ?? '' };
  return verifier.verify(kind, tokenIn(headers, kind), use);
}

function tokenIn(headers: Headers, kind: GrantKind): string | undefined {
  const payload = headers[GRANT_HEADERS[kind]];
  if (!payload) return undefined;
  try {
    return String(defaultPayloadConverter.fromPayload(payload));
  } catch {
    // What is no text is a grant that no key of ours signed.
    return '';
  }
}
