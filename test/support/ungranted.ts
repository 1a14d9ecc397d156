/** A resolver as activities have it, for any workspace that they name. */
import { GrantedResolver } from '../../src/resolver/granted-resolver.js';
import type { ProviderResolver } from '../../src/resolver/provider-resolver.js';

export function ungranted(resolver: ProviderResolver): GrantedResolver {
  return new GrantedResolver(resolver, async (named = '') => named);
}
