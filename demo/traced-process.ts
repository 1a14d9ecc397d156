/** Registers an SDK of OpenTelemetry in a worker of `--telemetry`, by `NODE_OPTIONS`: the worker's code knows nothing of it. */
import { isMainThread } from 'node:worker_threads';
import { registerSpanFile } from './span-sdk.js';

const { DEMO_SPAN_FILE, PROVIDER_WORKER_IDENTITY = '' } = process.env;

// Node loads this file in the threads of workflows too.
if (isMainThread && DEMO_SPAN_FILE !== undefined) registerSpanFile(DEMO_SPAN_FILE, PROVIDER_WORKER_IDENTITY);
