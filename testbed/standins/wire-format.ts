/** What a language model service's HTTP API looks like, as its documentation says and its official SDKs expect. */
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { StandInProvider } from './calls.js';
import type { Reply } from './stand-in.js';

export type LlmProvider = Exclude<StandInProvider, 'anthropic-admin' | 'openai-admin' | 'tenderly' | 'rpc'>;

export interface WireFormat {
  readonly provider: LlmProvider;
  readonly prefix: string;
  /** Beyond the key's; in lower case. */
  readonly requiredHeaders: readonly string[];
  keyOf(headers: IncomingHttpHeaders): string | undefined;
  refusal(key: string | undefined): Reply;
  error(status: number, message?: string): Reply;
  /** The models list, where `path` is its path. */
  models(path: string): Reply | undefined;
  /**
   * The request for an answer, where `path` is a path for one.
   *
   * @throws z.ZodError where the body does not fit
   */
  read(path: string, body: unknown): ModelRequest | undefined;
}

export interface ModelRequest {
  readonly model: string;
  /** All that the model is given to read. */
  readonly prompt: string;
  readonly wantsJson: boolean;
  readonly schema?: JsonSchema;
  reply(answer: string, usage: Usage): object;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

/** In tokens, counted by `countTokens`. */
export interface Usage {
  readonly input: number;
  readonly output: number;
}

export const jsonSchema = z.record(z.string(), z.unknown());

/** Answers come whole: a client that asks for a stream is refused, not misled. */
export const noStream = z.literal(false).optional();

/** Four characters a token, rounded up: the rule of thumb that the services give for English. */
export function countTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

export function bearerToken({ authorization }: IncomingHttpHeaders): string | undefined {
  return authorization?.match(/^Bearer (.+)$/i)?.[1];
}

/** Of a header that Node may have seen twice, the first. */
export function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** All text of messages, in whatever turns, blocks and parts it is nested. */
export function textOf(message: unknown): string {
  if (typeof message === 'string') return message;
  if (Array.isArray(message)) return message.map(textOf).filter(Boolean).join('\n');
  if (typeof message !== 'object' || message === null) return '';
  const { text, content, parts } = message as Record<string, unknown>;
  return textOf([text, content, parts]);
}
