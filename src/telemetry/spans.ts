/**
 * Spans of resolutions, callbacks, requests, calls to models, stages of rotations, and statements. Their parent is the
 * active context: that of whichever interceptor the user's worker has, so no package of Temporal is needed here.
 */
import { type Attributes, context, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { BegunWork, EndedWork, WorkName } from '../observer/observed.js';
import type { Listener, WatchedWork } from '../observer/observer.js';
import { CHAT, modelAttributes } from './gen-ai.js';

/** Every span: its name and its attributes, for docs/telemetry.md. */
export const SPANS: Readonly<Record<WorkName, { readonly name: string; readonly attributes: readonly string[] }>> = {
  resolve: {
    name: 'workspace_providers.resolve',
    attributes: [
      ...['workspace_providers.type', 'workspace_providers.name', 'workspace_providers.version'],
      ...['workspace_providers.source', 'workspace_providers.cache', 'workspace_providers.workspace', 'error.type'],
    ],
  },
  open: {
    name: 'workspace_providers.open',
    attributes: [
      ...['workspace_providers.type', 'workspace_providers.name', 'workspace_providers.version'],
      ...['workspace_providers.healed', 'workspace_providers.workspace', 'error.type'],
    ],
  },
  request: {
    name: '<method>',
    attributes: ['http.request.method', 'http.response.status_code', 'error.type'],
  },
  model: {
    name: 'chat <model>',
    attributes: [
      ...['gen_ai.operation.name', 'gen_ai.provider.name', 'gen_ai.request.model', 'gen_ai.response.model'],
      ...['gen_ai.response.finish_reasons', 'gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens'],
      ...['workspace_providers.workspace', 'error.type'],
    ],
  },
  stage: {
    name: 'workspace_providers.rotation <stage>',
    attributes: ['workspace_providers.rotation.stage', 'workspace_providers.rotation.id', 'error.type'],
  },
  statement: {
    name: '<statement>',
    attributes: ['db.system.name', 'db.operation.name', 'error.type'],
  },
};

/** @param workspaces - the workspaces whose id becomes an attribute; the operator has named them */
export function spanListener(tracer: Tracer, workspaces: ReadonlySet<string>): Listener {
  const workspaceOf = (of: object): Attributes =>
    'workspaceId' in of && typeof of.workspaceId === 'string' && workspaces.has(of.workspaceId)
      ? { 'workspace_providers.workspace': of.workspaceId }
      : {};
  return {
    begins(work) {
      // The renewals of the lease would be traces of their own, three per lease.
      if (work.work === 'statement' && trace.getActiveSpan() === undefined) return undefined;
      const { name, kind, attributes } = begunSpan(work);
      const span = tracer.startSpan(name, { kind, attributes: { ...attributes, ...workspaceOf(work.begun) } });
      return new WatchedSpan(span);
    },
    ends(work, watched) {
      if (!(watched instanceof WatchedSpan)) return;
      const { span } = watched;
      span.setAttributes(endedAttributes(work));
      if (work.work === 'resolve' && work.ended) span.setAttributes(workspaceOf(work.ended));
      // Without a message: that of an error is not known to be free of secrets.
      if (work.failure) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', work.failure);
      span.end();
    },
  };
}

class WatchedSpan implements WatchedWork {
  constructor(readonly span: Span) {}

  within<Result>(run: () => Result): Result {
    return context.with(trace.setSpan(context.active(), this.span), run);
  }
}

function begunSpan(work: BegunWork): {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
} {
  const { INTERNAL, CLIENT } = SpanKind;
  switch (work.work) {
    case 'resolve': {
      const { type, name } = work.begun;
      const attributes = { 'workspace_providers.type': type, 'workspace_providers.name': name };
      return { name: SPANS.resolve.name, kind: INTERNAL, attributes };
    }
    case 'open': {
      const { type, name, version } = work.begun;
      const attributes = {
        ...{ 'workspace_providers.type': type, 'workspace_providers.name': name },
        'workspace_providers.version': version,
      };
      return { name: SPANS.open.name, kind: INTERNAL, attributes };
    }
    case 'request': {
      const { method } = work.begun;
      return { name: method, kind: CLIENT, attributes: { 'http.request.method': method } };
    }
    case 'model':
      return { name: `${CHAT} ${work.begun.model}`, kind: CLIENT, attributes: modelAttributes(work.begun) };
    case 'stage': {
      const { stage, rotationId } = work.begun;
      const attributes = {
        'workspace_providers.rotation.stage': stage,
        ...(rotationId !== undefined && { 'workspace_providers.rotation.id': rotationId }),
      };
      return { name: `workspace_providers.rotation ${stage}`, kind: INTERNAL, attributes };
    }
    case 'statement': {
      const { statement } = work.begun;
      const attributes = { 'db.system.name': 'postgresql', 'db.operation.name': statement };
      return { name: statement, kind: CLIENT, attributes };
    }
  }
}

function endedAttributes(work: EndedWork): Attributes {
  switch (work.work) {
    case 'resolve':
      if (!work.ended) return {};
      return {
        'workspace_providers.name': work.ended.name,
        'workspace_providers.version': work.ended.version,
        'workspace_providers.source': work.ended.source,
        'workspace_providers.cache': work.ended.cache,
      };
    case 'open':
      return work.ended?.isHealed ? { 'workspace_providers.healed': true } : {};
    case 'request':
      return work.ended ? { 'http.response.status_code': work.ended.status } : {};
    case 'model': {
      if (!work.ended) return {};
      const { answeringModel, finishReason, inputTokens, outputTokens } = work.ended;
      return {
        'gen_ai.response.finish_reasons': [finishReason],
        ...(answeringModel !== undefined && { 'gen_ai.response.model': answeringModel }),
        ...(inputTokens !== undefined && { 'gen_ai.usage.input_tokens': inputTokens }),
        ...(outputTokens !== undefined && { 'gen_ai.usage.output_tokens': outputTokens }),
      };
    }
    case 'stage':
    case 'statement':
      return {};
  }
}
