/**
 * Opens the sockets to services, and enforces the egress policy on them. It looks up a name once, checks the addresses,
 * and connects to exactly these addresses, so a name whose addresses change between two look-ups gains nothing. It
 * checks an address in the URL itself separately, because Node does not look up addresses. When a socket is connected,
 * it checks the socket's remote address.
 */
import { isIPv6, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import type { EgressPolicy } from './policy.js';
import { egressRefusal } from './refusal.js';

/**
 * Returns a connector for undici's `Agent`. Its errors have a `code`: an `EgressRefusalCode`, or a system error's.
 *
 * @param options - other options of a connection, such as `timeout` (in milliseconds) and TLS
 */
export function guardedConnector(policy: EgressPolicy, options: buildConnector.BuildOptions): buildConnector.connector {
  const connect = buildConnector({ ...options, lookup: lookUpWithin(policy) });
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
        callback(null, socket);
      } else {
        socket.destroy();
        callback(egressRefusal('REFUSED_ADDRESS'), null);
      }
    });
  };
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
