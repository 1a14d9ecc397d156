/** A service of language models, in one of the wire formats. There is no model: `answer` returns what the model answers. */
import { z } from 'zod';
import { parseJson } from '../../redaction/parse-json.js';
import { sampleOf } from './sample.js';
import type { Reply, Service, ServiceRequest } from './stand-in.js';
import { countTokens, type LlmProvider, type ModelRequest, type WireFormat } from './wire-format.js';

/** A question to the model. */
export interface Question extends Omit<ModelRequest, 'reply'> {
  readonly provider: LlmProvider;
  /** The owner of the key that the question came with. */
  readonly owner: string;
}

export interface ModelServiceOptions {
  /**
   * Returns the model's answer, as JSON text if `wantsJson`. Default: a sentence that names the model and the owner, or
   * the plainest object that fits the schema.
   */
  readonly answer?: (question: Question) => string | Promise<string>;
  /** Derives the workspace that a prompt is for from a mark in it. Default: the workspace is unknown. */
  readonly ownerOfPrompt?: (prompt: string) => string | undefined;
}

export function modelService(
  format: WireFormat,
  { answer = plainAnswer, ownerOfPrompt }: ModelServiceOptions,
): Service {
  return {
    ...format,
    expectedOwner({ path, body }) {
      const request = read(format, path, body);
      return request && 'prompt' in request ? ownerOfPrompt?.(request.prompt) : undefined;
    },
    answer: (request, owner) => reply(format, request, owner, answer),
  };
}

async function reply(
  format: WireFormat,
  { method, path, headers, body }: ServiceRequest,
  owner: string,
  answer: NonNullable<ModelServiceOptions['answer']>,
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
