/** Finds the list in the body of a successful answer: services put it into different envelopes. */
import { fieldsOf } from './error-body.js';

const ENVELOPES = ['data', 'models', 'projects', 'items', 'results', 'result', 'list'];

/**
 * The list: the body itself, or what is in an envelope, or in an envelope within one. `undefined` if there is none.
 * Ollama answers `{ object: 'list', data: null }` if it has no model.
 */
export function listIn(body: unknown): readonly unknown[] | undefined {
  if (Array.isArray(body)) return body as unknown[];
  if (fieldsOf(body).object === 'list' && fieldsOf(body).data === null) return [];
  const inner = envelopesOf(body);
  return [...inner, ...inner.flatMap(envelopesOf)].find((each): each is unknown[] => Array.isArray(each));
}

function envelopesOf(value: unknown): unknown[] {
  const fields = Array.isArray(value) ? {} : fieldsOf(value);
  return ENVELOPES.map((name) => fields[name]).filter((each) => each !== undefined);
}
