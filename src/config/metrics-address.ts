/** Where a worker process serves its metrics and its health: `9464`, `0.0.0.0:9464`, `[::]:9464`. */
import { parseAddress } from '../egress/address.js';
import { ProviderError } from '../protocol/errors.js';

export interface MetricsAddress {
  readonly host: string;
  readonly port: number;
}

const RULE =
  'must be a port (then only this machine can connect), or an IP address and a port: 9464, 0.0.0.0:9464, [::]:9464';

/** @throws ProviderError `SetupInvalid` naming `label` if the text is not an address */
export function parseMetricsAddress(text: string, label = 'PROVIDER_METRICS_ADDRESS'): MetricsAddress {
  const [, bracketed, plain, digits = ''] = /^(?:\[([^\]]+)\]:|([^:]+):)?(\d{1,5})$/.exec(text.trim()) ?? [];
  const host = bracketed ?? plain ?? '127.0.0.1';
  const port = Number(digits);
  const isHost = parseAddress(host)?.kind() === (bracketed === undefined ? 'ipv4' : 'ipv6');
  if (digits !== '' && port <= 65_535 && isHost) return { host, port };
  throw ProviderError.setupInvalid(label, RULE);
}

/** The address at which this machine itself reaches the server. */
export function localURL({ host, port }: MetricsAddress): string {
  const local = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${local.includes(':') ? `[${local}]` : local}:${port}`;
}
