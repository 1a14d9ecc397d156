/** Each file gets modules of its own, of the source only: packages are loaded once per process. */
import { vi } from 'vitest';

vi.resetModules();
