/**
 * `--telemetry`: the spans and the metrics of a run, in files. One trace holds the whole run, over all its processes; each
 * worker's page for Prometheus is read every second, so that of a killed worker the last one is left.
 */
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { trace } from '@opentelemetry/api';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import { freePort } from '../src/plugin/metrics-server.js';
import { leaksIn } from '../testbed/secret-search.js';

const SCRAPE_MS = 1_000;
const TRACED_PROCESS = new URL('traced-process.js', import.meta.url).href;

/** What `--json` prints about the files. */
export interface TelemetryFacts {
  readonly folder: string;
  readonly files: readonly string[];
  readonly spans: number;
  /** The number of secrets in the files, in any of the usual encodings. */
  readonly secrets: number;
}

export class DemoTelemetry {
  readonly #pages = new Map<string, string>();
  readonly #end = new AbortController();
  readonly #spanFile: string;
  #scraping: Promise<void> | undefined;

  private constructor(
    readonly folder: string,
    /** What passes the trace on to workflows. */
    readonly interceptors: readonly WorkflowClientInterceptor[],
  ) {
    this.#spanFile = join(folder, 'spans.jsonl');
  }

  static async start(): Promise<DemoTelemetry> {
    const { OpenTelemetryWorkflowClientInterceptor } = await import('@temporalio/interceptors-opentelemetry');
    const { registerSpanFile } = await import('./span-sdk.js');
    const folder = await mkdtemp(join(tmpdir(), 'workspace-providers-telemetry-'));
    const traced = new OpenTelemetryWorkflowClientInterceptor();
    // Only starts: the demo asks for the state of workflows many times per second.
    const starts: WorkflowClientInterceptor = {
      start: (input, next) => traced.start(input, next),
      startWithDetails: (input, next) => traced.startWithDetails(input, next),
    };
    const telemetry = new DemoTelemetry(folder, [starts]);
    await writeFile(telemetry.#spanFile, '');
    registerSpanFile(telemetry.#spanFile, 'demo');
    telemetry.#scraping = telemetry.#scrapeUntilEnd();
    return telemetry;
  }

  /** @returns the settings with which a worker is traced, and serves its metrics */
  async envOf(identity: string): Promise<Record<string, string>> {
    const port = await freePort();
    this.#pages.set(identity, `http://127.0.0.1:${port}/metrics`);
    return {
      NODE_OPTIONS: `--import=${TRACED_PROCESS}`,
      DEMO_SPAN_FILE: this.#spanFile,
      PROVIDER_METRICS_ADDRESS: String(port),
    };
  }

  /** Runs it within the root of the trace. */
  trace<Result>(run: () => Promise<Result>): Promise<Result> {
    return trace.getTracer('demo').startActiveSpan('the demo', (root) => run().finally(() => root.end()));
  }

  /** Reads the metrics for the last time, and searches the files. @throws Error if the search itself does not work */
  async finish(secrets: readonly string[]): Promise<TelemetryFacts> {
    this.#end.abort();
    // Otherwise a file could be read while it is written.
    await this.#scraping;
    await this.#scrape();
    const files = (await readdir(this.folder)).sort();
    const texts = await Promise.all(files.map((file) => readFile(join(this.folder, file), 'utf8')));
    const found = new Set(texts.flatMap((text) => leaksIn(text, secrets)));
    // A positive control: each file names what it is about, so a search that does not find that does not work.
    if (texts.some((text) => leaksIn(text, ['workspace_providers']).length === 0)) {
      throw new Error(`a file in ${this.folder} has nothing of this package: expected its spans and metrics`);
    }
    const spans = (texts[files.indexOf('spans.jsonl')] ?? '').split('\n').length - 1;
    return { folder: this.folder, files, spans, secrets: found.size };
  }

  async #scrapeUntilEnd(): Promise<void> {
    while (!this.#end.signal.aborted) {
      await this.#scrape();
      await delay(SCRAPE_MS, undefined, { signal: this.#end.signal, ref: false }).catch(() => {});
    }
  }

  /** A worker that is not ready, stopped or killed keeps its last page. */
  async #scrape(): Promise<void> {
    await Promise.all(
      [...this.#pages].map(async ([identity, url]) => {
        const answer = await fetch(url, { signal: AbortSignal.timeout(SCRAPE_MS) }).catch(() => undefined);
        const page = answer?.ok ? await answer.text().catch(() => undefined) : undefined;
        if (page !== undefined) await writeFile(join(this.folder, `metrics-${identity}.prom`), page);
      }),
    );
  }
}
