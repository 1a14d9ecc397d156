/**
 * Stand-ins of the language model services: Anthropic, OpenAI, Gemini and an OpenAI-compatible one on one server, each
 * under its own prefix, because they share paths. There is no model: `answer` returns what the model answers.
 */
import { z } from 'zod';
import { parseJson } from '../../src/redaction/parse-json.js';
import { anthropic } from './anthropic.js';
import { anthropicAdmin } from './anthropic-admin.js';
import { KeyRing } from './calls.js';
import { gemini } from './gemini.js';
import { openai, openaiCompatible } from './openai.js';
import { type OpenaiAdminKey, OpenaiOrganization, type ServiceAccount } from './openai-organization.js';
import { sampleOf } from './sample.js';
import { type Reply, type Service, type ServiceRequest, type StandIn, startStandIn } from './stand-in.js';
import { countTokens, type LlmProvider, type ModelRequest, type WireFormat } from './wire-format.js';

const FORMATS: readonly WireFormat[] = [anthropic, openai, gemini, openaiCompatible];

export interface LlmKey {
  readonly provider: LlmProvider;
  readonly key: string;
  /** The workspace whose key it is. */
  readonly owner: string;
}

/** A question to the model. */
export interface Question extends Omit<ModelRequest, 'reply'> {
  readonly provider: LlmProvider;
  /** The owner of the key that the question came with. */
  readonly owner: string;
}

export interface LlmStandInOptions {
  readonly keys: readonly LlmKey[];
  /**
   * Returns the model's answer, as JSON text if `wantsJson`. Default: a sentence that names the model and the owner, or
   * the plainest object that fits the schema.
   */
  readonly answer?: (question: Question) => string | Promise<string>;
  /** Derives the workspace that a prompt is for from a mark in it. Default: the workspace is unknown. */
  readonly ownerOfPrompt?: (prompt: string) => string | undefined;
  /** Default: 0, which is a free port. */
  readonly port?: number;
}

export interface LlmStandIn extends StandIn {
  /** The base URLs by client library: the vendor's own SDK, and the AI SDK's provider. */
  readonly baseUrls: Readonly<Record<LlmProvider, { readonly sdk: string; readonly aiSdk: string }>>;
  admit(key: LlmKey): void;
  /** Admits a key of Anthropic's admin API. It lists and deactivates the Anthropic keys of its owner. */
  admitAdmin(key: Pick<LlmKey, 'key' | 'owner'>): void;
  /** Admits a key of OpenAI's admin API. It creates and deletes service accounts in its project. */
  admitProjectAdmin(key: OpenaiAdminKey): void;
  /** OpenAI's service accounts with their keys: all that were ever created, in order. */
  serviceAccounts(): readonly ServiceAccount[];
}

export async function startLlmStandIn({
  keys,
  answer = plainAnswer,
  ownerOfPrompt,
  port,
}: LlmStandInOptions): Promise<LlmStandIn> {
  const ring = new KeyRing();
  const admit = ({ provider, key, owner }: LlmKey): void => ring.admit(provider, key, owner);
  keys.forEach(admit);

  const services = FORMATS.map(
    (format): Service => ({
      ...format,
      expectedOwner({ path, body }) {
        const request = read(format, path, body);
        return request && 'prompt' in request ? ownerOfPrompt?.(request.prompt) : undefined;
      },
      answer: (request, owner) => reply(format, request, owner, answer),
    }),
  );
  const organization = new OpenaiOrganization(ring);
  // The admin APIs come first, because the other APIs are mounted at prefixes of theirs.
  const mounted = [anthropicAdmin(ring), organization.service(), ...services];
  const standIn = await startStandIn(mounted, ring, port);
  const { url } = standIn;
  return {
    ...standIn,
    admit,
    admitAdmin: ({ key, owner }) => ring.admit('anthropic-admin', key, owner),
    admitProjectAdmin: (key) => organization.admit(key),
    serviceAccounts: () => organization.serviceAccounts(),
    baseUrls: {
      anthropic: { sdk: `${url}/anthropic`, aiSdk: `${url}/anthropic/v1` },
      openai: { sdk: `${url}/openai/v1`, aiSdk: `${url}/openai/v1` },
      gemini: { sdk: `${url}/gemini`, aiSdk: `${url}/gemini/v1beta` },
      'openai-compatible': { sdk: `${url}/compatible/v1`, aiSdk: `${url}/compatible/v1` },
    },
  };
}

async function reply(
  format: WireFormat,
  { method, path, headers, body }: ServiceRequest,
  owner: string,
  answer: NonNullable<LlmStandInOptions['answer']>,
): Promise<Reply> {
  const missing = format.requiredHeaders.find((name) => headers[name] === undefined);
  if (missing) return format.error(400, `${missing}: header is required`);
  if (method === 'GET') return format.models(path) ?? format.error(404);
  const request = method === 'POST' ? read(format, path, body) : undefined;
  if (!request) return format.error(404);
  if (request instanceof z.ZodError) return format.error(400, z.prettifyError(request));
  const { reply: toBody, ...question } = request;
  const text = await answer({ ...question, provider: format.provider, owner });
  const usage = { input: countTokens(question.prompt), output: countTokens(text) };
  return { status: 200, body: toBody({ text, calls: toolCalls(question) }, usage) };
}

/** Calls every tool once, with the plainest arguments, and then answers. */
function toolCalls({ tools = [], hasToolResult }: Pick<ModelRequest, 'tools' | 'hasToolResult'>) {
  return hasToolResult ? [] : tools.map(({ name, schema }) => ({ name, args: sampleOf(schema) }));
}

function read(format: WireFormat, path: string, body: string): ModelRequest | z.ZodError | undefined {
  try {
    return format.read(path, parseJson(body));
  } catch (error) {
    if (error instanceof z.ZodError) return error;
    throw error;
  }
}

function plainAnswer({ model, owner, wantsJson, schema }: Question): string {
  return wantsJson ? JSON.stringify(sampleOf(schema)) : `${model} answers with the key of ${owner}`;
}
