/**
 * An activity interceptor that continues the trace of the workflow's caller if no other interceptor does. So the activities
 * of this package's own workers, and what they call, are in the trace without one of Temporal's packages.
 */
import { context, defaultTextMapGetter, propagation, trace } from '@opentelemetry/api';
import { defaultPayloadConverter, type Headers } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { TRACE_HEADER } from '../protocol/trace-header.js';

export const traceContext: ActivityInterceptorsFactory = () => ({
  inbound: {
    execute(input, next) {
      if (trace.getActiveSpan() !== undefined || !(TRACE_HEADER in input.headers)) return next(input);
      return context.with(contextIn(input.headers), () => next(input));
    },
  },
});

/** A header that is not one of a trace starts another trace. */
function contextIn({ [TRACE_HEADER]: payload }: Headers) {
  try {
    const carrier: unknown = payload && defaultPayloadConverter.fromPayload(payload);
    return propagation.extract(context.active(), carrier ?? {}, defaultTextMapGetter);
  } catch {
    return context.active();
  }
}
