export interface Room {
  readonly room: string;
  readonly has: string;
  readonly imports: readonly string[];
  readonly temporal?: boolean;
}

export const ROOMS: readonly Room[];
export const ENTRIES: readonly string[];
