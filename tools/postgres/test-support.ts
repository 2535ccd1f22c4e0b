import { installedBinaries } from './binaries.ts';

/**
 * Why tests with a real PostgreSQL cannot run here, or undefined when they can. With `CI=true` they always run, so that a
 * machine without PostgreSQL fails instead of passing without tests.
 */
export function postgresUnavailable(needs: { readonly nodes?: 3 } = {}): string | undefined {
  if (process.env['CI'] === 'true') return undefined;
  const installed = installedBinaries();
  if (installed === undefined)
    return 'PostgreSQL is not installed here; `npm run postgres -- start` gets it once';
  if (needs.nodes === 3 && !installed.canReplicate) return `${installed.bin} has no pg_basebackup`;
  return undefined;
}
