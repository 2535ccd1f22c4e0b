/** The exit codes of the process. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** Wrong usage of the command line: one line on standard error, exit code 2. */
export class UsageError extends Error {}
