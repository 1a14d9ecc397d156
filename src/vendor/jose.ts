/**
 * The functions of `jose` that this package uses. The build writes `jose` into this file's output, because `jose` has
 * only ES modules, which Jest cannot `require`: see `docs/adr/0001-module-format.md`.
 */
export {
  CompactEncrypt,
  calculateJwkThumbprint,
  compactDecrypt,
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  exportJWK,
  generateKeyPair,
  importJWK,
  jwtVerify,
  SignJWT,
} from 'jose';
