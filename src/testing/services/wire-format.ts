/** The HTTP API of a language model service, as its documentation describes it and its official SDKs expect it. */
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { StandInProvider } from './calls.js';
import type { Reply } from './stand-in.js';

export type LlmProvider = Exclude<
  StandInProvider,
  'anthropic-admin' | 'openai-admin' | 'tenderly' | 'rpc' | 'etherscan' | 'pinecone'
>;

export interface WireFormat {
  readonly provider: LlmProvider;
  readonly prefix: string;
  /** Required headers beside the key's, in lower case. */
  readonly requiredHeaders: readonly string[];
  keyOf(headers: IncomingHttpHeaders): string | undefined;
  refusal(key: string | undefined): Reply;
  error(status: number, message?: string): Reply;
  /** The models list, if `path` is its path. */
  models(path: string): Reply | undefined;
  /**
   * Parses a request to a model, if `path` is the path of one.
   *
   * @throws z.ZodError if the body does not fit
   */
  read(path: string, body: unknown): ModelRequest | undefined;
}

export interface ModelRequest {
  readonly model: string;
  /** All text that the model gets. */
  readonly prompt: string;
  readonly wantsJson: boolean;
  readonly schema?: JsonSchema;
  /** The functions that the model may call. Absent: none, or the stand-in does not read them. */
  readonly tools?: readonly ModelTool[];
  /** Whether a tool's result is among the messages. */
  readonly hasToolResult?: boolean;
  /** The body, or the events of a stream if the request asked for one. */
  reply(answer: ModelAnswer, usage: Usage): object | { readonly events: readonly string[] };
}

export interface ModelTool {
  readonly name: string;
  readonly schema?: JsonSchema;
}

/** A text, or calls of tools. */
export interface ModelAnswer {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly args: unknown }[];
}

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The usage in tokens, as `countTokens` counts them. */
export interface Usage {
  readonly input: number;
  readonly output: number;
}

export const jsonSchema = z.record(z.string(), z.unknown());

/** An event of a stream, as it is sent. @param name - default: it has none */
export function eventOf(data: object, name?: string): string {
  return `${name ? `event: ${name}\n` : ''}data: ${JSON.stringify(data)}\n\n`;
}

/** The pieces in which a stream brings a text. */
export function piecesOf(text: string): readonly string[] {
  return text.match(/.{1,12}/gs) ?? [];
}

/** Four characters per token, rounded up: the rule of thumb that the services give for English. */
export function countTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

export function bearerToken({ authorization }: IncomingHttpHeaders): string | undefined {
  return authorization?.match(/^Bearer (.+)$/i)?.[1];
}

/** The first value of a header that may have arrived twice. */
export function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** All text of messages, however it is nested in turns, blocks and parts. */
export function textOf(message: unknown): string {
  if (typeof message === 'string') return message;
  if (Array.isArray(message)) return message.map(textOf).filter(Boolean).join('\n');
  if (typeof message !== 'object' || message === null) return '';
  const { text, content, parts } = message as Record<string, unknown>;
  return textOf([text, content, parts]);
}

/** Of OpenAI's APIs. */
export function isJsonFormat(type: string | undefined): boolean {
  return type === 'json_schema' || type === 'json_object';
}

export function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
