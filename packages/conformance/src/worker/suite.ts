import type { StoreSupports } from '../store/harness.ts';
import { storeReport } from '../store/suite.ts';
import { isSupported, type SuiteCase, type SuiteReport } from '../suite-case.ts';
import { openRemoteStore } from './remote-store.ts';

/** A worker under test, registered with a gateway. */
export interface StartedWorker {
  /** The `ws://` or `wss://` URL of the gateway. */
  readonly url: string;
  /** The store that the worker serves. */
  readonly storeId: string;
  /** A capability token for the calls of the suite. */
  readonly token?: string;
  /** Stops the worker. */
  readonly stop: () => Promise<void>;
}

/** How the suite gets the workers that it tests. */
export interface WorkerSuiteOptions {
  /** The prefix of the cases' titles. */
  readonly name: string;
  /** Starts a worker of a store without events, and resolves once a gateway has registered it. */
  readonly start: () => Promise<StartedWorker>;
  /** What the worker serves besides what it must. */
  readonly supports?: Omit<
    StoreSupports,
    'feed' | 'subscriptions' | 'inProcess' | 'durability' | 'tamperEvidence'
  >;
}

/** Lists everything that any worker promises: what a store does, seen through a gateway. Each case starts a worker of its own. */
export function workerReport({ name, start, supports }: WorkerSuiteOptions): SuiteReport {
  return storeReport({
    name,
    open: async () => openRemoteStore(await start()),
    // The gateway makes the feed and persistent subscriptions of a worker's store.
    supports: {
      ...supports,
      feed: false,
      subscriptions: false,
      inProcess: false,
      durability: false,
      tamperEvidence: false,
    },
  });
}

/** Returns the promises of a store worker as cases for any test runner, without those that need what it does not serve. */
export function workerSuite(options: WorkerSuiteOptions): SuiteCase[] {
  const report = workerReport(options);
  return report.cases.filter((one) => isSupported(one, report));
}
