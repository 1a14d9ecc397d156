/**
 * The wall: how sockets to services are opened. A name is looked up once, its answers are judged, and the socket goes to
 * those very answers; so a name whose answer changes between two look-ups gains nothing. An address in the URL itself is
 * judged apart, since Node looks no address up. In the end the socket is asked where it went.
 */
import { isIPv6, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import type { EgressPolicy } from './policy.js';
import { egressRefusal } from './refusal.js';

/** For undici's `Agent`. `options`: what else a connection is made with, such as `timeout` (milliseconds) and TLS. Its errors have a `code`: one of this folder's, or the system's own. */
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

/** Node connects to what this answers and looks nothing up again. */
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
