/**
 * Decides which addresses are public. A text that cannot be parsed as one plain address is not an address. This relies
 * on ipaddr.js for the registries of special ranges, and adds what they do not list: an address that a cloud uses for
 * its own services, and the fact that only 2000::/3 of IPv6 has been allocated.
 */
import ipaddr, { type IPv4, type IPv6 } from 'ipaddr.js';
import { ProviderError } from '../protocol/errors.js';

export type Address = IPv4 | IPv6;

/** An address range: its first address, and the length of its prefix. */
export type Network = readonly [Address, number];

/** Azure's wire server (metadata, DNS). Its range is public in every registry. */
const CLOUD_SERVICES: ReadonlySet<string> = new Set(['168.63.129.16']);

const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** Parses four decimal numbers with dots, or IPv6 without a zone. Returns `undefined` for any other spelling. */
export function parseAddress(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  return text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text) : undefined;
}

/** IPv4 within IPv6 (mapped, NAT64, 6to4, Teredo) is not public: a gateway that unwraps it would bypass this check. */
export function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  return isIPv4(address) ? !CLOUD_SERVICES.has(address.toString()) : address.match(GLOBAL_UNICAST);
}

/** The IPv4 address within an IPv6 address: mapped, or behind the well-known prefix of NAT64. */
export function embeddedIPv4(address: Address): IPv4 | undefined {
  if (isIPv4(address)) return undefined;
  if (!address.isIPv4MappedAddress() && !address.match(NAT64)) return undefined;
  return new ipaddr.IPv4(address.toByteArray().slice(-4));
}

/** Whether a URL's host is this machine. `hostname` is as `new URL` normalises it. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

export function isWithin(address: Address, [first, bits]: Network): boolean {
  return address.kind() === first.kind() && address.match(first, bits);
}

/** @throws ProviderError `SetupInvalid` if the text is not a network in CIDR notation */
export function parseNetwork(text: string): Network {
  const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const first = parseAddress(address);
  if (first && Number(bits) <= (isIPv4(first) ? 32 : 128)) return [first, Number(bits)];
  throw new ProviderError(
    'SetupInvalid',
    'must be a comma-separated list of networks such as 10.1.0.0/16 or fd12::/32, or the word `loopback`',
  );
}

function isIPv4(address: Address): address is IPv4 {
  return address.kind() === 'ipv4';
}
