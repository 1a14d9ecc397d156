/**
 * A platform's own worker as a separate process: its workflows and activities together with those of the plugin, logs
 * through `redactingLogger`, traces through Temporal's interceptors, and metrics for Prometheus. Its environment names
 * files with the settings. Secrets of controls come as messages.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { connect } from 'node:net';
import {
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryActivityOutboundInterceptor,
} from '@temporalio/interceptors-opentelemetry';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { request } from 'undici';
import { redact, redactingLogger, serveMetrics, WorkspaceProviders } from '../../src/index.js';
import { redactSpansOfClients } from './recorded-spans.js';
import * as activities from './user-activities.js';

export interface UserWorkerSettings {
  readonly taskQueue: string;
  readonly temporalAddress: string;
  readonly workflowBundle: string;
  /** Where Temporal's core serves its metrics. */
  readonly metricsPort: number;
  /** Where the package serves its own. */
  readonly pagePort: number;
}

/** An order to leak on purpose. */
export interface LeakOrder {
  readonly print: string;
  readonly metric: string;
  readonly report: string;
  readonly reportFile: string;
  /** The path of a socket that nobody listens on. */
  readonly socketPath: string;
  readonly undiciUrls: readonly string[];
  readonly httpUrls: readonly string[];
}

const end = () => process.kill(process.pid, 'SIGKILL');
process.on('disconnect', end);
if (!process.connected) end();

const { taskQueue, temporalAddress, workflowBundle, metricsPort, pagePort } = JSON.parse(
  process.env.LEAKS_WORKER ?? '',
) as UserWorkerSettings;

// What SDKs say of an answer has what the service says: docs/telemetry.md.
redactSpansOfClients(redact);
for (const level of ['debug', 'info'] as const) {
  const print = console[level];
  console[level] = (title, ...details) => {
    if (/^\[\w+\] sending request/.test(title)) print(title, ...details);
  };
}

Runtime.install({
  logger: redactingLogger(new DefaultLogger('DEBUG')),
  telemetryOptions: {
    logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'INFO', other: 'WARN' }) },
    metrics: { prometheus: { bindAddress: `127.0.0.1:${metricsPort}` } },
  },
  shutdownSignals: [],
});
const providers = await WorkspaceProviders.connect();
await serveMetrics(providers, { address: String(pagePort) });
const connection = await NativeConnection.connect({ address: temporalAddress });
const worker = await Worker.create({
  ...{ connection, taskQueue, workflowBundle: { codePath: workflowBundle }, activities },
  interceptors: {
    activity: [
      (context) => ({
        inbound: new OpenTelemetryActivityInboundInterceptor(context),
        outbound: new OpenTelemetryActivityOutboundInterceptor(context),
      }),
    ],
  },
  plugins: [providers.plugin()],
});

async function leak(order: LeakOrder): Promise<void> {
  const { print, metric, report, reportFile, socketPath, undiciUrls, httpUrls } = order;
  console.log(print);
  for (const url of undiciUrls) await (await request(url)).body.dump();
  for (const url of httpUrls)
    await once(http.get(url), 'response').then(([response]) => once(response.resume(), 'end'));
  await once(connect(socketPath), 'error').catch(() => {});
  Runtime.instance().metricMeter.createCounter('leak_control').add(1, { leak: metric });
  writeFileSync(reportFile, JSON.stringify(process.report?.getReport(new Error(report))));
  process.send?.('leaked');
}

process.on('message', (order: LeakOrder) => void leak(order));
process.send?.('ready');
await worker.run();
