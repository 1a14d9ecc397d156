/**
 * What this package uses of Temporal's SDK that is not part of its public API. It is in one file, and each use that a
 * secret depends on is checked at the start: an SDK that changed it is refused then, instead of letting a secret
 * through later.
 */
import type { Context } from '@temporalio/activity';
import {
  type Client,
  type CompiledScheduleUpdateOptions,
  type ConnectionLike,
  type Headers,
  ScheduleClient,
} from '@temporalio/client';
import type { TemporalFailure } from '@temporalio/common';
import type { Logger, Worker } from '@temporalio/worker';
import { ProviderError } from '../protocol/errors.js';

type Heartbeat = (details?: unknown) => void;

/** Replaces the heartbeat function of a context before the activity receives it: heartbeats have no interceptor. */
export function interceptHeartbeat(context: Context, intercept: (send: Heartbeat) => Heartbeat): void {
  const { heartbeatFn } = context as unknown as { readonly heartbeatFn: Heartbeat };
  Object.defineProperty(context, 'heartbeatFn', { value: intercept(heartbeatFn), configurable: true });
}

/**
 * Forgets the received form of a failure that came from Temporal. Otherwise the SDK sends that form again, unchanged.
 */
export function forgetReceivedForm(failure: TemporalFailure): void {
  Object.defineProperty(failure, 'failure', { value: undefined });
}

/** Returns the client with other subclients. A new `Client` would apply the connection's plugins a second time. */
export function withSubclients(client: Client, subclients: object): Client {
  return Object.create(client, Object.getOwnPropertyDescriptors(subclients)) as Client;
}

/** Returns the subclients of a client, and the client's own raw access, on another connection. */
export function onConnection(client: Client, connection: ConnectionLike): object {
  const moved = Object.entries(client).flatMap(([name, part]: [string, unknown]) =>
    typeof part === 'object' && part !== null && 'connection' in part
      ? [[name, Object.create(part, { connection: { value: connection } }) as object] as const]
      : [],
  );
  return { ...Object.fromEntries(moved), connection };
}

/** Interceptors see a schedule when it is created, but not when it is updated. */
export abstract class InterceptedScheduleClient extends ScheduleClient {
  protected abstract headersOfUpdate(
    headers: Headers,
    action: CompiledScheduleUpdateOptions['action'],
  ): Promise<Headers>;

  protected override async _updateSchedule(
    scheduleId: string,
    options: CompiledScheduleUpdateOptions,
    headers: Headers,
  ): ReturnType<ScheduleClient['_updateSchedule']> {
    return super._updateSchedule(scheduleId, options, await this.headersOfUpdate(headers, options.action));
  }
}

/**
 * Drops the SDK's warning that a worker has no workflows, for a worker that is meant to have none. Passes every other
 * message on. If the SDK changes, the warning is back.
 */
export function expectNoWorkflows(worker: Worker): void {
  const { logger } = worker as unknown as { readonly logger?: Logger };
  if (!logger) return;
  const warn: Logger['warn'] = (message, meta) => {
    if (!message.startsWith('No workflows registered')) logger.warn(message, meta);
  };
  Object.defineProperty(worker, 'logger', { value: Object.create(logger, { warn: { value: warn } }) });
}

/** @throws ProviderError `SetupInvalid` if the installed SDK lets heartbeats pass unseen */
export function checkActivityInternals(context: new (...parts: never[]) => Context): void {
  let intercepted = false;
  try {
    const probe = Reflect.construct(context, [undefined, undefined, undefined, () => {}]) as Context;
    interceptHeartbeat(probe, () => () => {
      intercepted = true;
    });
    probe.heartbeat();
  } catch {
    // Refused below.
  }
  if (!intercepted) throw unknownSdk('activity');
}

/** @throws ProviderError `SetupInvalid` if the installed SDK updates schedules in another way */
export function checkClientInternals(): void {
  if (!('_updateSchedule' in ScheduleClient.prototype)) throw unknownSdk('client');
}

function unknownSdk(part: string): ProviderError {
  const name = `@temporalio/${part}`;
  const message = `the installed version of ${name} is not supported: see the peer dependencies of workspace-providers`;
  return new ProviderError('SetupInvalid', message, { fields: [name] });
}
