/** Receives what happens in the demo, while it happens. */
import type { StepRecord } from './history.js';

export interface Audience {
  line(text: string): void;
  step(workflowId: string, step: StepRecord): void;
}
