/**
 * The Gemini API's generateContent, streamGenerateContent and models list. A key that is not valid gets a 400, which differs from other bad
 * requests by `details[].reason`. Keys are taken only from the header, not from the query, where they would be logged.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Reply } from './stand-in.js';
import {
  eventOf,
  jsonSchema,
  type ModelAnswer,
  piecesOf,
  single,
  textOf,
  type Usage,
  type WireFormat,
} from './wire-format.js';

const MODELS = ['gemini-2.5-flash', 'gemini-2.5-pro'];

const GENERATE = /^\/v1beta\/models\/([^/:]+):(g|streamG)enerateContent$/;

const ERRORS: Readonly<Record<number, readonly [status: string, message: string]>> = {
  400: ['INVALID_ARGUMENT', 'The request does not fit.'],
  401: ['UNAUTHENTICATED', 'Request had invalid authentication credentials.'],
  403: ['PERMISSION_DENIED', 'The caller does not have permission'],
  404: ['NOT_FOUND', 'Requested entity was not found.'],
  429: ['RESOURCE_EXHAUSTED', 'Resource has been exhausted (e.g. check quota).'],
  500: ['INTERNAL', 'An internal error has occurred.'],
  503: ['UNAVAILABLE', 'The model is overloaded. Please try again later.'],
  504: ['DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.'],
};

const tool = z.looseObject({
  name: z.string(),
  parameters: jsonSchema.optional(),
  parametersJsonSchema: jsonSchema.optional(),
});

const generateRequest = z.looseObject({
  contents: z.array(z.unknown()).min(1),
  systemInstruction: z.unknown().optional(),
  tools: z.array(z.looseObject({ functionDeclarations: z.array(tool).optional() })).optional(),
  generationConfig: z
    .looseObject({
      responseMimeType: z.string().optional(),
      responseSchema: jsonSchema.optional(),
      responseJsonSchema: jsonSchema.optional(),
    })
    .optional(),
});

export const gemini: WireFormat = {
  provider: 'gemini',
  prefix: '/gemini',
  requiredHeaders: [],
  keyOf: (headers) => single(headers['x-goog-api-key']),
  refusal: (key) =>
    key === undefined
      ? error(403, "Method doesn't allow unregistered callers. Please use API Key to call this API.")
      : error(400, 'API key not valid. Please pass a valid API key.', [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: 'API_KEY_INVALID',
            domain: 'googleapis.com',
            metadata: { service: 'generativelanguage.googleapis.com' },
          },
        ]),
  error,

  models(path) {
    if (path !== '/v1beta/models') return undefined;
    const models = MODELS.map((id) => ({ name: `models/${id}`, supportedGenerationMethods: ['generateContent'] }));
    return { status: 200, body: { models } };
  },

  read(path, body) {
    const [, model, how] = GENERATE.exec(path) ?? [];
    if (model === undefined) return undefined;
    const { contents, systemInstruction, generationConfig, tools = [] } = generateRequest.parse(body);
    const functions = tools.flatMap(({ functionDeclarations = [] }) => functionDeclarations);
    return {
      model,
      prompt: textOf([systemInstruction, contents]),
      wantsJson: generationConfig?.responseMimeType === 'application/json',
      schema: generationConfig?.responseJsonSchema ?? generationConfig?.responseSchema,
      tools: functions.map(({ name, parameters, parametersJsonSchema }) => ({
        ...{ name, schema: parametersJsonSchema ?? parameters },
      })),
      hasToolResult: JSON.stringify(contents).includes('"functionResponse"'),
      reply: (answer, usage) =>
        how === 'streamG' ? { events: eventsOf(model, answer, usage) } : responseOf(model, partsOf(answer), usage),
    };
  },
};

function partsOf({ text, calls }: ModelAnswer): object[] {
  return calls.length > 0 ? calls.map(({ name, args }) => ({ functionCall: { name, args } })) : [{ text }];
}

/** @param usage - absent for each part of a stream but its last */
function responseOf(model: string, parts: readonly object[], usage?: Usage) {
  return {
    candidates: [{ content: { role: 'model', parts }, index: 0, ...(usage && { finishReason: 'STOP' }) }],
    ...(usage && {
      usageMetadata: {
        promptTokenCount: usage.input,
        candidatesTokenCount: usage.output,
        totalTokenCount: usage.input + usage.output,
      },
    }),
    modelVersion: model,
    responseId: randomUUID(),
  };
}

/** https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent, with `alt=sse` */
function eventsOf(model: string, answer: ModelAnswer, usage: Usage): string[] {
  const pieces = answer.calls.length > 0 ? partsOf(answer) : piecesOf(answer.text).map((text) => ({ text }));
  const responses = [...pieces.map((part) => responseOf(model, [part])), responseOf(model, [{ text: '' }], usage)];
  return responses.map((response) => eventOf(response));
}

function error(code: number, message?: string, details?: readonly object[]): Reply {
  const [status, text] = ERRORS[code] ?? ['INTERNAL', 'An internal error has occurred.'];
  return { status: code, body: { error: { code, message: message ?? text, status, details } } };
}
