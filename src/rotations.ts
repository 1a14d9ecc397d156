/** `workspace-providers/rotations`: starts rotations and schedules on Temporal; beside `workspace-providers/client`. */
export { type RotateInput, RotationClient, type RotationHandle } from './client/rotation-client.js';
export {
  ScheduleClient,
  type ScheduleName,
  type ScheduleRun,
  type ScheduleSummary,
  type ScheduleTimes,
} from './client/schedule-client.js';
export type { HeldVersion } from './protocol/own-queue.js';
export type {
  CheckReport,
  DrainReport,
  FencedWorker,
  FenceReport,
  Holder,
  RevocationReport,
  RotateProviderInput,
  RotationState,
  RotationStatus,
} from './protocol/rotation.js';
