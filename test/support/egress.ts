/** Stand-ins listen on loopback: what a process that calls them needs, as policy and as environment. */
import { EgressPolicy } from '../../src/egress/policy.js';

export const LOOPBACK = new EgressPolicy({ networks: ['loopback'] });

export const LOOPBACK_ENV = { PROVIDER_EGRESS_NETWORKS: 'loopback' };
