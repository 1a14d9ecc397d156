/** Two pairs of grant keys, and the grants that a signer makes with them, or would not make. */
import { importJWK, type JWTPayload, SignJWT } from 'jose';
import { beforeAll } from 'vitest';
import { generateGrantKey } from '../../src/grants/grant-keys.js';
import { GrantSigner } from '../../src/grants/grant-signer.js';

export const GRANT = { subject: 'ws_acme', namespace: 'agents', workflowIds: ['answer-1'] };
export const USE = { namespace: 'agents', workflowId: 'answer-1' };

export type Pair = Awaited<ReturnType<typeof generateGrantKey>>;

/** The first pair may sign grants of both kinds. */
export function useGrantKeys(): { readonly pair: Pair; readonly another: Pair } {
  const keys = {} as { pair: Pair; another: Pair };
  beforeAll(async () => {
    [keys.pair, keys.another] = await Promise.all([generateGrantKey(['workspace', 'operator']), generateGrantKey()]);
  });
  return keys;
}

export const signerOf = ({ signingKey }: Pair) => new GrantSigner(JSON.stringify(signingKey));

/** A token that the signer would not make. */
export async function forge(
  by: Pair,
  claims: JWTPayload,
  header: { alg?: string; typ?: string; kid?: string } = {},
): Promise<string> {
  const { kty, crv, x, d, kid } = by.signingKey;
  return new SignJWT({ sub: 'ws_acme', aud: 'agents', jti: 'a', iat: 1, nbf: 1, workflow_ids: ['answer-1'], ...claims })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'workspace-grant+jwt', kid, ...header })
    .sign(await importJWK({ kty, crv, x, d, alg: 'EdDSA' }));
}
