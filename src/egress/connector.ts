/**
 * Opens the sockets to services, and enforces the egress policy on them. It looks up a name once, checks the addresses,
 * and connects to exactly these addresses, so a name whose addresses change between two look-ups gains nothing. It
 * checks an address in the URL itself separately, because Node does not look up addresses. When a socket is connected,
 * it checks the socket's remote address. What is written to the socket gets its secrets here.
 */
import { isIPv6, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import type { EgressPolicy } from './policy.js';
import { egressRefusal } from './refusal.js';
import { completingHeads } from './sealed-head.js';

/** As in undici. */
const DEFAULT_CONNECT_MS = 10_000;

/**
 * Returns a connector for undici's `Agent`. Its errors have a `code`: an `EgressRefusalCode`, or a system error's.
 *
 * @param options - other options of a connection, such as `timeout` (in milliseconds) and TLS
 */
export function guardedConnector(policy: EgressPolicy, options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = patientConnector({ ...options, lookup: lookUpWithin(policy) });
  return (target, callback) => {
    const { protocol, hostname, port } = target;
    const url = new URL(`${protocol}//${isIPv6(hostname) ? `[${hostname}]` : hostname}${port ? `:${port}` : ''}`);
    const refused = policy.refusalOf(url);
    if (refused) {
      callback(egressRefusal(refused), null);
      return;
    }
    connect(target, (...[error, socket]: buildConnector.CallbackArgs) => {
      if (error) {
        callback(error, null);
      } else if (policy.allows(socket.remoteAddress ?? '')) {
        callback(null, completingHeads(socket, url.origin));
      } else {
        socket.destroy();
        callback(egressRefusal('REFUSED_ADDRESS'), null);
      }
    });
  };
}

/** The part of the time to connect that one address has, in the second round. Two addresses have most of it. */
const PATIENT_SHARE = 0.4;

/**
 * Node gives each address of a name 250 ms, one after the other, and then fails. That finds the family that works within
 * a moment if the other leads nowhere, but gives up a route whose handshake is slow, or was lost once: so then all
 * addresses are tried again with more time.
 */
function patientConnector(options: buildConnector.BuildOptions): buildConnector.connector {
  const quick = buildConnector(options);
  const attemptMs = Math.ceil((options.timeout ?? DEFAULT_CONNECT_MS) * PATIENT_SHARE);
  const patient = buildConnector({ ...options, autoSelectFamilyAttemptTimeout: attemptMs });
  return (target, callback) => {
    quick(target, (...[error, socket]: buildConnector.CallbackArgs) => {
      if (error && wasGivenUp(error)) patient(target, callback);
      else if (error) callback(error, null);
      else callback(null, socket);
    });
  };
}

function wasGivenUp(error: Error): boolean {
  const { errors } = error as Partial<AggregateError>;
  return errors?.some((each: NodeJS.ErrnoException) => each.code === 'ETIMEDOUT') ?? false;
}

/** Node connects to the addresses that this returns, and does not look them up again. */
function lookUpWithin(policy: EgressPolicy): LookupFunction {
  return (hostname, { all }, callback) => {
    const answered = (addresses: readonly string[] | undefined) => {
      if (!addresses) return callback(egressRefusal('REFUSED_ADDRESS'), '');
      const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
      const [first] = found;
      if (all) callback(null, found);
      else callback(null, first?.address ?? '', first?.family);
    };
    policy.addressesOf(hostname).then(answered, (error: NodeJS.ErrnoException) => callback(error, ''));
  };
}
