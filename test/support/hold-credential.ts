/** A step that holds a credential: it was revealed to it. */
import type { ProviderReference } from '../../src/protocol/references.js';
import type { ProviderResolver } from '../../src/resolver/provider-resolver.js';

/** Holds the version that is served now. @returns what ends the step */
export function holdCredential(
  resolver: ProviderResolver,
  reference: ProviderReference<'llm'>,
): Promise<() => Promise<void>> {
  return new Promise((begun, failed) => {
    const step = resolver.withProvider(reference, async ({ reveal }) => {
      await reveal();
      await new Promise<void>((end) =>
        begun(async () => {
          end();
          await step;
        }),
      );
    });
    step.catch(failed);
  });
}
