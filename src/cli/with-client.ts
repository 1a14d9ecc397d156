/** A client of the environment's database for the length of one command. */
import { ProviderClient } from '../client/provider-client.js';

export async function withClient<Result>(use: (client: ProviderClient) => Promise<Result>): Promise<Result> {
  const client = ProviderClient.fromEnv();
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
