/** An error that a service sent within a stream, as `toProviderError` understands it. */
export function streamError(error: unknown): Error {
  if (error instanceof Error) return error;
  const body = typeof error === 'object' && error !== null ? error : { message: String(error) };
  return Object.assign(new Error('the service sent an error within its stream'), { type: 'error', error: body });
}
