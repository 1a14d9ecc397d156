/**
 * Closes what a program left open when the program has nothing left to do. Nothing that this package opens keeps a
 * process alive, so without this a program that forgets to close would end without giving its lease back.
 */
const open = new Set<() => Promise<void>>();

/** @returns a function that withdraws the request */
export function closeAtExit(close: () => Promise<void>): () => void {
  if (open.size === 0) process.on('beforeExit', closeOpen);
  open.add(close);
  return () => {
    open.delete(close);
    if (open.size === 0) process.off('beforeExit', closeOpen);
  };
}

function closeOpen(): void {
  // The process ends anyway: a lease that cannot be given back runs out.
  for (const close of open) close().catch(() => {});
}
