/**
 * A platform's own worker as a separate process: its workflows and activities together with those of the plugin, logs
 * through `redactingLogger`, and metrics for Prometheus. Its environment names files with the settings. Secrets of
 * controls come as messages.
 */
import { writeFileSync } from 'node:fs';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { redactingLogger, WorkspaceProviders } from '../../src/index.js';
import * as activities from './user-activities.js';

export interface UserWorkerSettings {
  readonly taskQueue: string;
  readonly temporalAddress: string;
  readonly workflowBundle: string;
  readonly metricsPort: number;
}

/** An order to leak on purpose. */
export interface LeakOrder {
  readonly print: string;
  readonly metric: string;
  readonly report: string;
  readonly reportFile: string;
}

const end = () => process.kill(process.pid, 'SIGKILL');
process.on('disconnect', end);
if (!process.connected) end();

const { taskQueue, temporalAddress, workflowBundle, metricsPort } = JSON.parse(
  process.env.LEAKS_WORKER ?? '',
) as UserWorkerSettings;

Runtime.install({
  logger: redactingLogger(new DefaultLogger('DEBUG')),
  telemetryOptions: {
    logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'INFO', other: 'WARN' }) },
    metrics: { prometheus: { bindAddress: `127.0.0.1:${metricsPort}` } },
  },
  shutdownSignals: [],
});
const providers = await WorkspaceProviders.connect();
const connection = await NativeConnection.connect({ address: temporalAddress });
const worker = await Worker.create({
  ...{ connection, taskQueue, workflowBundle: { codePath: workflowBundle }, activities },
  plugins: [providers.plugin()],
});

process.on('message', ({ print, metric, report, reportFile }: LeakOrder) => {
  console.log(print);
  Runtime.instance().metricMeter.createCounter('leak_control').add(1, { leak: metric });
  writeFileSync(reportFile, JSON.stringify(process.report?.getReport(new Error(report))));
  process.send?.('leaked');
});
process.send?.('ready');
await worker.run();
