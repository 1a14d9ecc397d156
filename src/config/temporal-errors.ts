/**
 * Why Temporal cannot be used. The SDK's clients hide the reason of a connection that fails, or describe it in words
 * that change with its versions. So the address is tried once more here, with TLS as the settings have it.
 */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ProviderError } from '../protocol/errors.js';
import type { TemporalConfig } from './temporal-config.js';

type ConnectionOptions = TemporalConfig['connection'];

/** gRPC status codes. */
const DEADLINE = 4;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

const PROBE_TIMEOUT_MS = 2_000;
const DEFAULT_PORT = 7233;

const UNREACHABLE = 'its address cannot be reached from here; check firewalls';
const UNKNOWN_AUTHORITY = [
  'has a certificate that is signed by an authority that this machine does not trust',
  "TEMPORAL_TLS_SERVER_CA_CERT_PATH (the file of that authority's certificate)",
] as const;

/** By the code of the error of a TCP connection. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'its host name does not resolve',
  EAI_AGAIN: 'the name server does not resolve its host name',
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ETIMEDOUT: UNREACHABLE,
};

/** By the code of the error of a TLS handshake: what is wrong, and the setting. */
const TLS_REASONS: Readonly<Record<string, readonly [what: string, setting: string]>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'has a certificate for another host name',
    'the host in TEMPORAL_ADDRESS, or TEMPORAL_TLS_SERVER_NAME (the name in the certificate)',
  ],
  CERT_HAS_EXPIRED: ['has a certificate that has expired', 'the certificate of the server, and the clock'],
  CERT_NOT_YET_VALID: ['has a certificate that is not valid yet', 'the clock of this machine'],
  ERR_SSL_WRONG_VERSION_NUMBER: ['does not use TLS', 'TEMPORAL_TLS (false for a server without TLS)'],
};

/** The error of a call to Temporal. `undefined`: the deployment is not its cause. */
export async function temporalError(error: unknown, options: ConnectionOptions): Promise<ProviderError | undefined> {
  const code = grpcCodeOf(error);
  if (code === DEADLINE || code === UNAVAILABLE) return probe(options);
  if (isNamespaceNotFound(error, code)) {
    return misfit(options, 'does not have the configured namespace', 'TEMPORAL_NAMESPACE');
  }
  return isRefusal(error, code) ? misfit(options, 'rejects the credential', credentialSettings(options)) : undefined;
}

/** The error of a connection that could not be opened. */
export async function connectionError(error: unknown, options: ConnectionOptions): Promise<ProviderError> {
  if (error instanceof TypeError) return misfit(options, 'has no valid address', 'TEMPORAL_ADDRESS (host:port)');
  return (await temporalError(error, options)) ?? probe(options);
}

/** Whether the server knows the caller, who may not do this. A worker need not be allowed to describe its namespace. */
export function isPermissionDenied(error: unknown): boolean {
  return grpcCodeOf(error) === PERMISSION_DENIED;
}

/** A workflow that is not found has the same code. */
function isNamespaceNotFound(error: unknown, code: number | undefined): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'NamespaceNotFoundError') return true;
  const details = 'details' in error ? String(error.details) : '';
  return code === NOT_FOUND && /\bnamespace\b.*\bnot found\b/i.test(`${details} ${error.message}`);
}

/** The native client reports a refusal of its first call only as text. */
function isRefusal(error: unknown, code: number | undefined): boolean {
  if (code !== undefined) return code === PERMISSION_DENIED || code === UNAUTHENTICATED;
  return error instanceof Error && /unauthenticated|permission.?denied|authentication credentials/i.test(error.message);
}

function credentialSettings({ apiKey }: ConnectionOptions): string {
  return `${apiKey === undefined ? 'TEMPORAL_TLS_CLIENT_CERT_PATH or TEMPORAL_API_KEY' : 'TEMPORAL_API_KEY'}, and TEMPORAL_NAMESPACE`;
}

async function probe(options: ConnectionOptions): Promise<ProviderError> {
  const { host, port } = split(options.address);
  const reached = await codeOf(connect(port, host), 'connect');
  if (reached !== undefined) return away(options, REASONS[reached] ?? 'it does not answer in time');
  const tls = tlsOf(options);
  const name = tls?.serverNameOverride ?? host;
  const ca = tls?.serverRootCACertificate;
  const handshake = connectTls({
    ...{ host, port, ALPNProtocols: ['h2'], rejectUnauthorized: tls !== undefined },
    ...(!isIP(name) && { servername: name }),
    ...(ca && { ca: [Buffer.from(ca)] }),
  });
  const failed = await codeOf(handshake, 'secureConnect');
  if (tls && failed) {
    const [what, setting] = TLS_REASONS[failed] ?? ['fails the TLS handshake', 'the TEMPORAL_TLS_… settings'];
    return misfit(options, what, setting);
  }
  if (!tls && !failed) return misfit(options, 'requires TLS', 'TEMPORAL_TLS (true)');
  return away(options, 'something listens there, but it does not answer as a Temporal server; check the port');
}

/** Resolves with the code of what went wrong; `undefined` if the event came. */
function codeOf(socket: Socket, event: 'connect' | 'secureConnect'): Promise<string | undefined> {
  return new Promise<string | undefined>((resolve) => {
    socket.once(event, () => resolve(undefined));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    socket.once('close', () => resolve('closed'));
    socket.setTimeout(PROBE_TIMEOUT_MS, () => resolve('timeout'));
  }).finally(() => socket.destroy());
}

/** As the SDK decides it: an API key switches TLS on. */
function tlsOf({ tls, apiKey }: ConnectionOptions) {
  if (tls === null || tls === false || (tls === undefined && apiKey === undefined)) return undefined;
  return typeof tls === 'object' ? tls : {};
}

function split(address: string): { readonly host: string; readonly port: number } {
  const [, host = '', port] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(address) ?? [];
  return { host, port: port === undefined ? DEFAULT_PORT : Number(port) };
}

/** Temporal's client wraps gRPC's errors in its own. */
function grpcCodeOf(error: unknown): number | undefined {
  for (let link = error; link instanceof Error; link = link.cause) {
    if ('code' in link && typeof link.code === 'number') return link.code;
  }
  return undefined;
}

function away({ address }: ConnectionOptions, why: string): ProviderError {
  return new ProviderError(
    'TemporalUnavailable',
    `Temporal does not answer at ${address}: ${why}; check TEMPORAL_ADDRESS`,
  );
}

function misfit({ address }: ConnectionOptions, what: string, setting: string): ProviderError {
  const fields = setting.match(/TEMPORAL_[A-Z_]+[A-Z]/g) ?? ['TEMPORAL_ADDRESS'];
  return new ProviderError('SetupInvalid', `Temporal at ${address} ${what}: check ${setting}`, { fields });
}
