/** The background tasks of a process: they drop old cache entries and clear the rows of workers that are gone. */
import type { Janitor } from '../fence/janitor.js';

/** @returns a function that ends them */
export function startBackgroundTasks(leaseMs: number, sweep: () => void, janitor: Pick<Janitor, 'look'>): () => void {
  const sweeping = setInterval(sweep, leaseMs).unref();
  let looking: NodeJS.Timeout;
  let ended = false;
  const lookLater = (rows: number) => {
    // All workers together look about twice per lease, however many there are.
    if (!ended) looking = setTimeout(look, leaseMs * (1 + Math.random() * rows)).unref();
  };
  // A failed look is repeated.
  const look = () => void janitor.look().then(lookLater, () => lookLater(1));
  look();
  return () => {
    ended = true;
    clearInterval(sweeping);
    clearTimeout(looking);
  };
}
