/**
 * Errors of a connection to Postgres that the server did not send: of the network, of TLS, and of pg itself. Errors of
 * Node have a code; pg's own have only a text.
 */
import { type ConnectedRole, urlSource } from './roles.js';

/** What is wrong with a connection or a statement. */
export interface StoreProblem {
  readonly message: string;
  /** Whether a setting must be corrected, so that trying again without a change would not help. */
  readonly isSetup: boolean;
}

/** The end of a message: `in` a URL, what to correct. */
type Wording = (url: string) => string;

const UNKNOWN_AUTHORITY: Wording = (url) =>
  'the certificate of Postgres is signed by an authority that this machine does not trust, as a managed Postgres often ' +
  `has: add sslrootcert=<file of the authority's certificate> in ${url}`;
const NO_TLS: Wording = (url) =>
  `Postgres does not use TLS at this address, and sslmode asks for it: switch TLS on at the server, or change sslmode in ${url}`;
const UNREACHABLE: Wording = (url) =>
  `Postgres does not answer: its address cannot be reached from here; check firewalls, and host and port in ${url}`;

const SETUP_BY_CODE: Readonly<Record<string, Wording>> = {
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  CERT_UNTRUSTED: UNKNOWN_AUTHORITY,
  ERR_TLS_CERT_ALTNAME_INVALID: (url) =>
    `the certificate of Postgres is for another host name: use the name that is in the certificate as the host in ${url}`,
  CERT_HAS_EXPIRED: (url) =>
    `the certificate of Postgres has expired: renew it, or check the clock of this machine and the host in ${url}`,
  CERT_NOT_YET_VALID: (url) =>
    `the certificate of Postgres is not valid yet: check the clock of this machine, and the host in ${url}`,
};

const AWAY_BY_CODE: Readonly<Record<string, Wording>> = {
  ECONNREFUSED: (url) =>
    `Postgres does not answer: nothing listens at its address; check that it runs, and host and port in ${url}`,
  ENOTFOUND: (url) => `Postgres does not answer: its host name does not resolve; check the host in ${url}`,
  EAI_AGAIN: (url) =>
    `Postgres does not answer: the name server does not resolve its host name; check the network, and the host in ${url}`,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  EADDRNOTAVAIL: UNREACHABLE,
  ETIMEDOUT: UNREACHABLE,
};

/** By the text of pg's own errors. */
const SETUP_BY_TEXT: readonly (readonly [RegExp, Wording])[] = [
  [/^The server does not support SSL connections$/, NO_TLS],
  [/client password must be a/, (url) => `Postgres asks for a password, and there is none in ${url}`],
  [
    /^SASL|^Unknown auth|authentication/i,
    (url) =>
      `Postgres asks for a kind of authentication that this program does not have: use a login with a password in ${url}`,
  ],
];

const AWAY_BY_TEXT: readonly (readonly [RegExp, Wording])[] = [
  [
    /^timeout exceeded when trying to connect$/,
    () =>
      'all database connections of this process are busy: statements wait for Postgres, or ' +
      'PROVIDER_DATABASE_CONNECTIONS is too small',
  ],
  [
    /connection timeout|^timeout expired$/,
    (url) => `Postgres does not answer in time: check firewalls, and host and port in ${url}`,
  ],
  [
    /^Connection terminated/,
    (url) => `Postgres does not answer: it ended the connection; check that ${url} is the address of a Postgres`,
  ],
  [/^Query read timeout$/, () => 'Postgres does not answer: it did not finish the statement in time'],
];

export function connectionProblem(error: unknown, role: ConnectedRole): StoreProblem {
  const url = urlSource(role);
  for (const link of chainOf(error)) {
    const { code = '', syscall = '' } = link as NodeJS.ErrnoException;
    if (syscall === 'open' || syscall === 'read') {
      return setup(`a file that is named in ${url} cannot be read: check the paths of sslrootcert, sslcert and sslkey`);
    }
    const isSocket = code === 'ENOENT' || code === 'EACCES';
    if (isSocket) return away(`Postgres does not answer: its socket cannot be opened; check the host in ${url}`);
    if (SETUP_BY_CODE[code]) return setup(SETUP_BY_CODE[code](url));
    if (AWAY_BY_CODE[code]) return away(AWAY_BY_CODE[code](url));
    if (/^(EPROTO|ERR_SSL_|ERR_OSSL_|ERR_TLS_)/.test(code)) {
      return setup(
        `the TLS handshake with Postgres failed (${code}): check sslmode and the other TLS settings in ${url}`,
      );
    }
    const [, wrong] = SETUP_BY_TEXT.find(([text]) => text.test(link.message)) ?? [];
    if (wrong) return setup(wrong(url));
    const [, absent] = AWAY_BY_TEXT.find(([text]) => text.test(link.message)) ?? [];
    if (absent) return away(absent(url));
  }
  return away(`Postgres does not answer: check that it runs, and host and port in ${url}`);
}

function* chainOf(error: unknown): Generator<Error> {
  for (let link = error; link instanceof Error; link = link.cause) yield link;
}

function setup(message: string): StoreProblem {
  return { message, isSetup: true };
}

function away(message: string): StoreProblem {
  return { message, isSetup: false };
}
