/** The egress settings for calls to stand-ins on loopback: as options, as a policy and as environment variables. */
import { EgressPolicy } from '../src/egress/policy.js';

export const LOOPBACK = { networks: ['loopback'] } as const;

export const LOOPBACK_POLICY = new EgressPolicy(LOOPBACK);

export const LOOPBACK_ENV = { PROVIDER_EGRESS_NETWORKS: 'loopback' };
