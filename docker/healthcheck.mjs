/**
 * The image's health check: the process says that it is ready. It holds a lease of the cache, Temporal has seen it poll
 * its own task queue in the last minutes, and it can verify grants. Not the queue of the steps: a worker whose step slots
 * are all busy does not poll that one. If the worker of the steps ends, the process ends.
 */
import { localURL, parseMetricsAddress } from '../dist/config/metrics-address.js';

const ANSWER_TIMEOUT_MS = 8_000;

const url = `${localURL(parseMetricsAddress(process.env.PROVIDER_METRICS_ADDRESS ?? ''))}/readyz`;
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
  console.log(`${response.ok ? 'healthy' : 'unhealthy'}: ${(await response.text()).trim()}`);
  process.exitCode = response.ok ? 0 : 1;
} catch {
  console.log(`unhealthy: ${url} does not answer`);
  process.exitCode = 1;
}
