/**
 * Etherscan as a provider of the type `http`: no code about keys, only its configuration. `answers.json` says what its
 * errors mean, because it sends them with the status 200.
 *
 *     workspace-providers configure ws_acme http etherscan \
 *       --set baseURL=https://api.etherscan.io --set auth=query:apikey --set paths=/v2/api \
 *       --set 'probe=/v2/api?chainid=1&module=getapilimit&action=getapilimit' \
 *       --set answers="$(cat answers.json)" < key
 */
import { withProvider } from 'workspace-providers';

interface Balance {
  readonly result: string;
}

/** The balance of an address, in wei. `fetch` puts the key of the workspace into the query. */
export async function balanceOf(address: string): Promise<string> {
  return withProvider({ type: 'http', name: 'etherscan' }, async ({ fetch }) => {
    const query = new URLSearchParams({ chainid: '1', module: 'account', action: 'balance', address, tag: 'latest' });
    const response = await fetch(`/v2/api?${query}`);
    const { result } = (await response.json()) as Balance;
    return result;
  });
}
