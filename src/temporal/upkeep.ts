/** What a process does now and then, whoever asks: lets go of old entries, and looks after rows of workers that are gone. */
import type { Janitor } from '../fence/janitor.js';

/** @returns what ends it */
export function startUpkeep(leaseMs: number, sweep: () => void, janitor: Pick<Janitor, 'look'>): () => void {
  const sweeping = setInterval(sweep, leaseMs).unref();
  let looking: NodeJS.Timeout;
  let ended = false;
  const lookLater = (rows: number) => {
    // All workers together look about twice a lease, however many there are.
    if (!ended) looking = setTimeout(look, leaseMs * (1 + Math.random() * rows)).unref();
  };
  // What failed is tried again.
  const look = () => void janitor.look().then(lookLater, () => lookLater(1));
  look();
  return () => {
    ended = true;
    clearInterval(sweeping);
    clearTimeout(looking);
  };
}
