/** What the process ends with. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** Wrong words on the command line: one line on standard error, exit 2. */
export class UsageError extends Error {}
