/** What the demo prints on a terminal. */
import { styleText } from 'node:util';
import type { Audience } from './audience.js';
import type { StepRecord } from './history.js';
import type { RotationFacts } from './rotation.js';
import type { DemoResult } from './run.js';
import type { Stage } from './stage.js';
import type { TelemetryFacts } from './telemetry.js';

type Write = (text: string) => void;

/** Prints a line for each step as it completes: which worker resolved what, and how. */
export function narrator(write: Write): Audience {
  return {
    line: (text) => write(text),
    step: (workflowId, step) => write(stepLine(workflowId, step)),
  };
}

export function summary(result: DemoResult, { services, secrets }: Stage): string {
  const { workflows, workerKilled, wrongKeyCalls, secretsInHistory, rotation, telemetry, seconds } = result;
  const completed = workflows.filter(({ status }) => status === 'COMPLETED').length;
  const lines = [
    '',
    ...workflows.map(({ workflowId, answer, status }) => `${workflowId}\n    ${answer ?? status}`),
    '',
    check(completed === workflows.length, `${completed} of ${workflows.length} agents completed`),
    check(secretsInHistory === 0, `${secretsInHistory} of ${secrets.length} secrets are in their histories`),
  ];
  if (telemetry) {
    const found = `${telemetry.secrets} of ${secrets.length} secrets are in its telemetry`;
    lines.push(check(telemetry.secrets === 0, found));
  }
  if (services.record) {
    const calls = services.record.calls().filter(({ expectedOwner }) => expectedOwner !== undefined).length;
    lines.push(check(wrongKeyCalls === 0, `${wrongKeyCalls} of ${calls} calls came with another workspace's key`));
    lines.push(check(workerKilled, 'one worker was killed in the middle of a step; the other one finished it'));
  }
  if (rotation) lines.push(...rotationLines(rotation));
  return [...lines, `${seconds} s in all`].join('\n');
}

function rotationLines({ fencedMs, drained, revoked, staleReads, waitedOut, servedBy }: RotationFacts): string[] {
  const waited = `the fence took ${fencedMs} ms: it waited for the lease of ${waitedOut.join(' and ') || 'nobody'}`;
  return [
    check(waitedOut.length === 1, `${waited}; the next key served on ${servedBy.join(' and ')}`),
    check(staleReads === 0, `${staleReads} questions came with the older key after the fence`),
    check(drained && revoked, 'the older key was revoked when no step held it any more, and its service refuses it'),
  ];
}

/** What `--telemetry` has written. */
export function whatWasWritten({ folder, files, spans }: TelemetryFacts): string {
  return `${spans} spans and the metrics of ${files.length - 1} workers are in ${folder}: ${files.join(', ')}`;
}

/** Where to look, with `--keep` and without it. */
export function whereToLook(stage: Stage, kept: boolean): string {
  if (!kept) return 'Run it with -- --keep to look at the agents in the Temporal UI.';
  const ui = stage.temporalUiUrl ?? 'your Temporal UI';
  return `Look at ${ui}/namespaces/default/workflows : open an agent, and its timeline has a line about each step.\nCtrl-C ends everything.`;
}

function stepLine(workflowId: string, { step, provider, version, source, cache, worker }: StepRecord): string {
  const which = source === 'platform' ? "the platform's key" : `version ${version}`;
  return `  ${worker.padEnd(9)} ${workflowId.padEnd(32)} ${step.padEnd(22)} ${provider} · ${which} · ${cache}`;
}

function check(holds: boolean, text: string): string {
  return holds ? `${styleText('green', '✔')} ${text}` : `${styleText('red', '✖')} ${text}`;
}
