import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrokerSuiteOptions } from '../broker/harness.ts';
import { brokerReport } from '../broker/suite.ts';
import type { DiscoverySuiteOptions } from '../discovery/harness.ts';
import { discoveryReport } from '../discovery/suite.ts';
import type { StoreSuiteOptions } from '../store/harness.ts';
import { storeReport } from '../store/suite.ts';
import type { SuiteReport } from '../suite-case.ts';
import { type WorkerSuiteOptions, workerReport } from '../worker/suite.ts';

export type SuiteKind = 'store' | 'broker' | 'discovery' | 'worker';

/** A wrong use of the command, told in one line. */
export class UsageError extends Error {}

/**
 * Imports the module that opens an adapter and binds the suite to it. The module exports `open`, and may export `reopen`, `openTamperEvident`,
 * `supports`, `name`, for a broker `alertsHistory`, and for a broker or a discovery `patienceMs`.
 *
 * @throws UsageError when the file cannot be imported or has no function `open`
 */
export async function loadAdapter(kind: SuiteKind, file: string): Promise<SuiteReport> {
  const path = resolve(file);
  let module: Readonly<Record<string, unknown>>;
  try {
    module = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new UsageError(`cannot import ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (kind === 'worker') {
    const { start, supports, name = kind } = module;
    if (typeof start !== 'function') {
      throw new UsageError(`${path} must export a function \`start\` that starts a worker of an empty store`);
    }
    return workerReport({ name, start, supports } as unknown as WorkerSuiteOptions);
  }
  if (typeof module['open'] !== 'function') {
    throw new UsageError(
      `${path} must export a function \`open\` that opens an empty ${kind === 'discovery' ? 'cluster' : kind}`,
    );
  }
  const { open, reopen, openTamperEvident, supports, name = kind, alertsHistory, patienceMs } = module;
  const given = Object.fromEntries(
    Object.entries({ name, open, reopen, openTamperEvident, supports, alertsHistory, patienceMs }).filter(
      ([, value]) => value !== undefined,
    ),
  );
  if (kind === 'store') return storeReport(given as unknown as StoreSuiteOptions);
  if (kind === 'broker') return brokerReport(given as unknown as BrokerSuiteOptions);
  return discoveryReport(given as unknown as DiscoverySuiteOptions);
}
