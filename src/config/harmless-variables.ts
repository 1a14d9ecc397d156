/**
 * Variables of the environment that hold no secret, and that Node, the libraries of this package or a terminal read
 * after the start. The list names what stays, because nobody can list what a platform gives its processes: tokens of
 * clouds, headers of SDKs, keys in certificates, passwords of proxies.
 */
import { isPlainSetting } from './settings.js';

const HARMLESS: ReadonlySet<string> = new Set([
  // Systems and shells
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'USERNAME', 'SHELL', 'SHLVL', 'PWD', 'OLDPWD', 'HOSTNAME', 'TMPDIR', 'TMP'],
  ...['TEMP', 'TZ', 'LANG', 'LANGUAGE', 'TERM', 'TERM_PROGRAM', 'COLORTERM', 'COLUMNS', 'LINES', 'NO_COLOR', 'CI'],
  ...['FORCE_COLOR', 'XDG_CACHE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_RUNTIME_DIR', 'LD_LIBRARY_PATH'],
  ...['LD_PRELOAD', 'MALLOC_ARENA_MAX', 'APPDATA', 'LOCALAPPDATA', 'USERPROFILE', 'HOMEDRIVE', 'HOMEPATH', 'PATHEXT'],
  ...['SystemRoot', 'SYSTEMROOT', 'windir', 'ComSpec', 'COMSPEC'],
  // Node and TLS
  ...['NODE_ENV', 'NODE_OPTIONS', 'NODE_PATH', 'NODE_EXTRA_CA_CERTS', 'NODE_TLS_REJECT_UNAUTHORIZED', 'NODE_DEBUG'],
  ...['NODE_NO_WARNINGS', 'NODE_PENDING_DEPRECATION', 'NODE_DISABLE_COLORS', 'NODE_V8_COVERAGE', 'NODE_USE_SYSTEM_CA'],
  ...['NODE_COMPILE_CACHE', 'NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', 'NODE_UNIQUE_ID', 'OPENSSL_CONF'],
  ...['UV_THREADPOOL_SIZE', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  // Temporal and its gRPC
  ...['TEMPORAL_DEBUG', 'RUST_LOG', 'RUST_BACKTRACE', 'GRPC_VERBOSITY', 'GRPC_TRACE', 'GRPC_NODE_VERBOSITY'],
  ...['GRPC_NODE_TRACE', 'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH', 'GRPC_SSL_CIPHER_SUITES', 'GRPC_DNS_RESOLVER'],
  // Postgres, whose password is read with the settings
  ...['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER', 'PGPASSFILE', 'PGSSLMODE', 'PGSSLROOTCERT', 'PGSSLCERT', 'PGSSLKEY'],
  ...['PGAPPNAME', 'PGOPTIONS', 'PGCONNECT_TIMEOUT', 'PGTZ', 'PGCLIENTENCODING'],
]);

const LOCALE = /^LC_[A-Z]+$/;
/** How a client of Temporal reaches its server. */
const PROXY = /^(grpc|no_grpc)_proxy$/i;

/** @param value - an address of a proxy is harmless if it has no login */
export function isHarmless(name: string, value: string): boolean {
  if (PROXY.test(name)) return !value.includes('@');
  return HARMLESS.has(name) || LOCALE.test(name) || isPlainSetting(name);
}
