/** A client of the environment's database for the length of one command. */
import { ProviderClient } from '../client/provider-client.js';
import { takeEnvironment } from './process-hardening.js';
import { requestedBy } from './requested-by.js';

export async function withClient<Result>(use: (client: ProviderClient) => Promise<Result>): Promise<Result> {
  const client = ProviderClient.fromEnv(takeEnvironment()).actingAs(requestedBy());
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
