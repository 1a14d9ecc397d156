/**
 * Steps that run for longer than any fence takes and make a request every fraction of a second, by the `fetch` of
 * `withProvider`. Each request is a read of its own, from before it is made until the service has answered. Which key it
 * came with is what the service says.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { activityInfo, Context } from '@temporalio/activity';
import { isProviderError, type LlmCredential, type ProviderReference, withProvider } from '../../src/index.js';
import type { ProviderCall } from '../../src/resolver/provider-call.js';
import { tellParent } from './child.js';
import { keyOf, type SeenCredential, serialOf } from './messages.js';
import { type ReaderReport, ReadRecorder } from './parts/observations.js';

export interface LongStepInput {
  readonly ref: ProviderReference<'llm'>;
  readonly stepMs: number;
}

const PAUSE_MS = 100;
const clock = () => process.hrtime.bigint();

export class LongSteps {
  readonly #recorder: ReadRecorder;
  #credentials: SeenCredential[] = [];

  /** @param reader - the name under which the requests are reported */
  constructor(reader: string) {
    this.#recorder = new ReadRecorder(reader);
  }

  /** What happened since the last call. */
  news(): { readonly report: ReaderReport; readonly credentials: readonly SeenCredential[] } {
    const credentials = this.#credentials;
    this.#credentials = [];
    return { report: this.#recorder.news(), credentials };
  }

  /** An activity. @returns the versions of its first and its last request */
  readonly longStep = async ({ ref, stepMs }: LongStepInput): Promise<number[]> => {
    tellParent({ is: 'long-step', what: 'begun' });
    const versions: number[] = [];
    await withProvider(ref, async (call) => {
      const endMs = performance.now() + stepMs;
      while (performance.now() < endMs) {
        Context.current().heartbeat();
        call.signal.throwIfAborted();
        const version = await this.#request(ref, call);
        if (version !== undefined && version !== versions.at(-1)) {
          if (versions.length > 0) tellParent({ is: 'long-step', what: 'newer-version' });
          versions.push(version);
        }
        await delay(PAUSE_MS);
      }
    });
    return [...versions.slice(0, 1), ...versions.slice(-1)];
  };

  /** @returns the version that it came with; `undefined` if it failed, which the step survives */
  async #request(ref: ProviderReference<'llm'>, { credential, fetch, use }: ProviderCall<LlmCredential>) {
    const { baseURL, apiKey } = credential;
    const { workflowExecution } = activityInfo();
    const body = JSON.stringify({
      ...{ model: 'claude-sonnet-5-5', max_tokens: 10 },
      messages: [{ role: 'user', content: `For ${workflowExecution?.workflowId}.` }],
    });
    const headers = { 'content-type': 'application/json', 'x-api-key': apiKey, 'anthropic-version': '2023-06-01' };
    const invokedAt = clock();
    try {
      const response = await fetch(`${baseURL}/v1/messages`, { method: 'POST', headers, body });
      const { content } = (await response.json()) as { readonly content?: readonly { readonly text: string }[] };
      if (!content?.[0]) throw new Error(`the service answered ${response.status}`);
      const { version } = use;
      const key = keyOf(ref.workspaceId);
      this.#recorder.returned(key, version, invokedAt, clock());
      this.#credentials.push({ key, version, serial: serialOf(content[0].text) });
      return version;
    } catch (error) {
      this.#recorder.failed(isProviderError(error) ? error.type : 'unknown');
      return undefined;
    }
  }
}
