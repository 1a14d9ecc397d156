/**
 * An example: your own activities that call a service with its vendor's official SDK, as the workspace. The SDK gets a
 * placeholder for the key, and the `fetch` and `signal` of `withProvider`, and its own retries are
 * off, because Temporal retries and shows it. (In your code, import from `workspace-providers`.)
 */
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { createPublicClient } from 'viem';
import { type ProviderReference, viemTransport, withProvider } from '../../src/index.js';

export interface OwnPrompt {
  readonly ref: ProviderReference<'llm'>;
  readonly prompt: string;
}

export function askClaude({ ref, prompt }: OwnPrompt): Promise<string> {
  return withProvider(ref, async ({ credential, fetch, signal }) => {
    const { apiKey, baseURL } = credential;
    const anthropic = new Anthropic({ apiKey, baseURL, fetch, maxRetries: 0 });
    const message = await anthropic.messages.create(
      { model: 'claude-sonnet-5-5', max_tokens: 1_000, messages: [{ role: 'user', content: prompt }] },
      { signal },
    );
    return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  });
}

export function askGpt({ ref, prompt }: OwnPrompt): Promise<string> {
  return withProvider(ref, async ({ credential, fetch, signal }) => {
    const { apiKey, baseURL } = credential;
    const openai = new OpenAI({ apiKey, baseURL, fetch, maxRetries: 0 });
    const response = await openai.responses.create({ model: 'gpt-5-mini', input: prompt }, { signal });
    return response.output_text;
  });
}

export function askGemini({ ref, prompt }: OwnPrompt): Promise<string> {
  return withProvider(ref, async ({ credential, fetch, signal }) => {
    const google = new GoogleGenAI({
      apiKey: credential.apiKey,
      vertexai: false,
      httpOptions: { baseUrl: credential.baseURL, fetch },
    });
    const answer = await google.models.generateContent({
      model: 'gemini-2.5-flash',
      contents: prompt,
      config: { abortSignal: signal },
    });
    return answer.text ?? '';
  });
}

export function readBalance({
  ref,
  address,
}: {
  ref: ProviderReference<'rpc'>;
  address: `0x${string}`;
}): Promise<string> {
  return withProvider(ref, async ({ credential, fetch, signal }) => {
    const client = createPublicClient({ transport: viemTransport(credential, fetch, signal) });
    // A history contains JSON, which has no bigint.
    return String(await client.getBalance({ address }));
  });
}
