/**
 * Recognizes that a service refuses the way in which a call asks for JSON. A wrong guess costs one more refused call, and
 * refused calls are free.
 */
import { fieldsOf, replyIn } from '../answers/error-body.js';
import { answerOf } from '../answers/service-answer.js';

const STATUSES: ReadonlySet<number> = new Set([400, 404, 415, 422, 501]);

/** The fields of requests that ask for JSON, in every API, and what services call them in their messages. */
const FORMAT =
  /response[ _]?format|json[ _]?(schema|object|mode)|structured[ _-]?outputs?|output[ _]?(config|format)|response[ _]?(json)?[ _]?schema|response[ _]?mime|text\.format|tool[ _]?choice|guided[ _]|grammar|invalid schema|generation_?config/i;

export function isFormatRefused(error: unknown): boolean {
  const answer = answerOf(error);
  if (answer?.status === undefined || !STATUSES.has(answer.status)) return false;
  const { error: inner, param } = fieldsOf(answer.body);
  const { message, codes } = replyIn(answer);
  return [message, param, fieldsOf(inner).param, ...codes].some(
    (text) => typeof text === 'string' && FORMAT.test(text),
  );
}
