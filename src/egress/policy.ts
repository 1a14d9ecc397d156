/**
 * The egress policy: where calls to services may go. By default they may go to public addresses, over https, on the
 * usual ports. It checks addresses, and URLs by their text. The connector ensures that a connection goes to a checked
 * address.
 */
import { lookup } from 'node:dns/promises';
import { ProviderError } from '../protocol/errors.js';
import {
  type Address,
  embeddedIPv4,
  isLoopback,
  isPublic,
  isWithin,
  type Network,
  parseAddress,
  parseNetwork,
} from './address.js';
import type { EgressRefusalCode } from './refusal.js';

/** Returns every address of a name. */
export type LookUp = (hostname: string) => Promise<readonly string[]>;

/** Where calls to services may go, in addition to public addresses on the usual ports. */
export interface EgressOptions {
  /** Networks in CIDR notation. `loopback` allows this machine, over plain http too and on any port. Default: none. */
  readonly networks?: readonly string[];
  /** The allowed ports. Default: 443 and 8443. */
  readonly ports?: readonly number[] | 'any';
  /**
   * Networks in CIDR notation, addresses, and host names with all names below them, that calls may not go to, even if
   * they are public or in `networks`. Default: none.
   */
  readonly refused?: readonly string[];
}

export interface EgressPolicyOptions extends EgressOptions {
  /** Looks up names; for tests. Default: the system's resolver. */
  readonly lookUp?: LookUp;
}

const DEFAULT_PORTS: readonly number[] = [443, 8443];
const LOOPBACK = 'loopback';
const LOOPBACK_NETWORKS = ['127.0.0.0/8', '::1/128'];
const PORTS_RULE = 'must be `any` or a comma-separated list of ports from 1 to 65535';

const REFUSED_RULE =
  'must be a comma-separated list of networks such as 203.0.113.0/24, addresses, and host names with a dot';
const HOST_NAME = /^[^\s/:?#@\\[\]*]+\.[^\s/:?#@\\[\]*.]+$/;

/** Names that no public resolver knows, and for which a private one may return any address. */
const LOCAL_NAME = /^[^.]+$|\.(localhost|local|localdomain|internal|home\.arpa)$/;

export class EgressPolicy {
  readonly #networks: readonly Network[];
  readonly #named: readonly string[];
  readonly #ports: readonly number[] | 'any';
  readonly #allowsLoopback: boolean;
  readonly #refused: RefusedDestinations;
  readonly #lookUp: LookUp;

  /** @throws ProviderError `SetupInvalid` if a network, a port or a refused destination is not valid */
  constructor({ networks = [], ports = DEFAULT_PORTS, refused = [], lookUp = askSystem }: EgressPolicyOptions = {}) {
    this.#refused = refusedDestinations(refused);
    this.#named = networks;
    this.#allowsLoopback = networks.includes(LOOPBACK);
    this.#networks = networks.flatMap((name) => (name === LOOPBACK ? LOOPBACK_NETWORKS : [name])).map(parseNetwork);
    if (ports !== 'any' && !ports.every(isPort)) throw new ProviderError('SetupInvalid', PORTS_RULE);
    this.#ports = ports;
    this.#lookUp = lookUp;
  }

  /** Returns why a URL may not be called, or `undefined` if its text breaks no rule. */
  refusalOf({ protocol, username, password, hostname, port }: URL): EgressRefusalCode | undefined {
    const isHere = isLoopback(hostname);
    const isSecure = protocol === 'https:' || protocol === 'wss:';
    if (!isSecure && !(isHere && (protocol === 'http:' || protocol === 'ws:'))) return 'REFUSED_INSECURE_URL';
    if (username || password) return 'REFUSED_USERINFO';
    if (this.#refusesHost(hostname)) return 'REFUSED_ADDRESS';
    if (isHere && this.#allowsLoopback) return undefined;
    if (!isSecure || !this.#allowsHost(hostname)) return 'REFUSED_ADDRESS';
    return this.#allowsPort(Number(port || 443)) ? undefined : 'REFUSED_PORT';
  }

  /** Whether a connection may go to this address. */
  allows(address: string): boolean {
    const parsed = parseAddress(address);
    if (parsed === undefined || this.#refusesAddress(parsed)) return false;
    return isPublic(parsed) || this.#networks.some((network) => isWithin(parsed, network));
  }

  /**
   * Looks up the addresses of a name, to which a connection may go.
   *
   * @returns `undefined` if one of them is not allowed: a name with both internal and public addresses may be an attack
   * @throws the resolver's error
   */
  async addressesOf(hostname: string): Promise<readonly string[] | undefined> {
    const addresses = await this.#lookUp(hostname);
    return addresses.length > 0 && addresses.every((address) => this.allows(address)) ? addresses : undefined;
  }

  /** The policy, as it is shown to people. */
  describe(): { readonly networks: readonly string[]; readonly ports: string; readonly refused: readonly string[] } {
    const ports = this.#ports === 'any' ? 'any' : this.#ports.join(', ');
    return { networks: this.#named, ports, refused: this.#refused.named };
  }

  #refusesHost(hostname: string): boolean {
    const address = parseAddress(hostname.replace(/^\[(.*)\]$/, '$1'));
    if (address) return this.#refusesAddress(address);
    const host = hostname.replace(/\.$/, '');
    return this.#refused.hosts.some((name) => host === name || host.endsWith(`.${name}`));
  }

  /** An IPv4 address may also be written within IPv6. */
  #refusesAddress(address: Address): boolean {
    const forms = [address, embeddedIPv4(address)].filter((form) => form !== undefined);
    return this.#refused.networks.some((network) => forms.some((form) => isWithin(form, network)));
  }

  #allowsHost(hostname: string): boolean {
    const address = hostname.replace(/^\[(.*)\]$/, '$1');
    if (parseAddress(address)) return this.allows(address);
    return !hostname.endsWith('.') && (this.#networks.length > 0 || !LOCAL_NAME.test(hostname));
  }

  #allowsPort(port: number): boolean {
    return this.#ports === 'any' || this.#ports.includes(port);
  }
}

/** Allows only public addresses. */
export const PUBLIC_EGRESS = new EgressPolicy();

/** Parses networks as the setting has them: `loopback, 10.1.0.0/16`. */
export function parseNetworks(text: string): readonly string[] {
  const networks = listed(text);
  for (const network of networks) if (network !== LOOPBACK) parseNetwork(network);
  return networks;
}

interface RefusedDestinations {
  readonly named: readonly string[];
  readonly networks: readonly Network[];
  readonly hosts: readonly string[];
}

/** @throws ProviderError `SetupInvalid` if one is neither a network, nor an address, nor a host name */
function refusedDestinations(named: readonly string[]): RefusedDestinations {
  const networks: Network[] = [];
  const hosts: string[] = [];
  for (const each of named) {
    const address = parseAddress(each);
    if (address) networks.push([address, address.kind() === 'ipv4' ? 32 : 128]);
    else if (each.includes('/')) networks.push(parseNetwork(each));
    else hosts.push(parseHost(each));
  }
  return { named, networks, hosts };
}

function parseHost(text: string): string {
  // As `new URL` normalises the hosts that it is compared with.
  const hostname = HOST_NAME.test(text) && URL.canParse(`https://${text}`) ? new URL(`https://${text}`).hostname : '';
  if (hostname !== '' && !parseAddress(hostname)) return hostname;
  throw new ProviderError('SetupInvalid', REFUSED_RULE);
}

/** Parses what is refused, as the setting has it: `10.0.0.0/8, 203.0.113.7, internal.example`. */
export function parseRefused(text: string): readonly string[] {
  const named = listed(text);
  refusedDestinations(named);
  return named;
}

/** Parses ports as the setting has them: `any`, or `443, 11434`. If the text is empty, the default. */
export function parsePorts(text: string): readonly number[] | 'any' {
  if (text === 'any') return text;
  const ports = listed(text).map((port) => (/^\d{1,5}$/.test(port) ? Number(port) : Number.NaN));
  if (!ports.every(isPort)) throw new ProviderError('SetupInvalid', PORTS_RULE);
  return ports.length > 0 ? ports : DEFAULT_PORTS;
}

function listed(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}

async function askSystem(hostname: string): Promise<string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}
