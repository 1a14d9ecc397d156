/** What the activities of rotations, of schedules and of a worker's own queue accept. */
import { z } from 'zod';
import type { DrainInput, EndRotationInput, RollBackRotationInput, RotationStageInput } from '../protocol/rotation.js';
import type { ListedProvider, PageInput } from '../protocol/schedules.js';
import { oneOf } from '../providers/fields.js';
import { identity, version, whole } from './parse-input.js';

/** A rotation asks again after 30 seconds. */
const MAX_DRAIN_MS = 60 * 60 * 1000;

const ROTATION_RULE = 'must be the id of a rotation: 1 to 64 characters from A-Z a-z 0-9 _ -';
const rotationId = z.string({ error: ROTATION_RULE }).regex(/^[A-Za-z0-9_-]{1,64}$/, { error: ROTATION_RULE });
const REASON_RULE = 'must be a text of at most 10000 characters';
const reason = z.string({ error: REASON_RULE }).max(10_000, { error: REASON_RULE });

export const rotationIdInput = z.strictObject({ rotationId });

export const rotationStageInput: z.ZodType<RotationStageInput> = z.strictObject({
  rotationId,
  state: oneOf(['checked', 'fenced', 'drained']),
});

export const rollBackInput: z.ZodType<RollBackRotationInput> = z.strictObject({ rotationId, reason });

export const endRotationInput: z.ZodType<EndRotationInput> = z.strictObject({
  rotationId,
  state: oneOf(['revoked', 'rolled-back', 'failed']).optional(),
  reason: reason.optional(),
});

const listed: z.ZodType<ListedProvider> = z.strictObject({ provider: identity, turn: whole(1) });

export const pageInput: z.ZodType<PageInput> = z.strictObject({ after: listed.optional(), limit: whole(1, 10_000) });

export const providerInput = z.strictObject({ provider: identity });

export const dueRotation = z.strictObject({ provider: identity, version });

export const drainInput: z.ZodType<DrainInput> = z.strictObject({
  provider: identity,
  version,
  epoch: whole(0),
  limitMs: whole(0, MAX_DRAIN_MS),
});
