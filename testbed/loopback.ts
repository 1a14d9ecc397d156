/** Stand-ins listen on loopback: what a process that calls them needs, as options, as policy and as environment. */
import { EgressPolicy } from '../src/egress/policy.js';

export const LOOPBACK = { networks: ['loopback'] } as const;

export const LOOPBACK_POLICY = new EgressPolicy(LOOPBACK);

export const LOOPBACK_ENV = { PROVIDER_EGRESS_NETWORKS: 'loopback' };
