/** A tool of the agent. It could call any service: the agent's own provider is opened by its model. */
export async function weatherIn(city: string): Promise<string> {
  return `It is sunny in ${city}.`;
}
