import { invalidArgument } from '@esdb-gater/types';
import { isSupported, type SuiteCase, type SuiteReport } from '../suite-case.ts';
import { appending } from './appending.ts';
import { bytes } from './bytes.ts';
import { concurrency } from './concurrency.ts';
import { conditions } from './conditions.ts';
import { deleting } from './deleting.ts';
import { durability } from './durability.ts';
import { expectedVersions } from './expected-versions.ts';
import type { CaseSpec, StoreSuiteOptions, StoreSupports, StoreTrial } from './harness.ts';
import { idempotence } from './idempotence.ts';
import { linearizability } from './linearizability.ts';
import { listingStreams } from './listing-streams.ts';
import { pastTimes } from './past-times.ts';
import { querying } from './querying.ts';
import { readingAll } from './reading-all.ts';
import { readingStreams } from './reading-streams.ts';
import { severalStreams } from './several-streams.ts';
import { snapshots } from './snapshots.ts';
import { subscriptionState } from './subscription-state.ts';
import { surroundings } from './surroundings.ts';
import { tamperEvidence } from './tamper-evidence.ts';
import { values } from './values.ts';

const SPECS: readonly CaseSpec[] = [
  ...appending,
  ...expectedVersions,
  ...idempotence,
  ...concurrency,
  ...readingStreams,
  ...readingAll,
  ...querying,
  ...conditions,
  ...severalStreams,
  ...bytes,
  ...tamperEvidence,
  ...pastTimes,
  ...linearizability,
  ...listingStreams,
  ...deleting,
  ...snapshots,
  ...values,
  ...surroundings,
  ...subscriptionState,
  ...durability,
];

/** Lists everything that any event store promises. Each case opens a store of its own and closes it. */
export function storeReport(options: StoreSuiteOptions): SuiteReport {
  const supports: Required<StoreSupports> = {
    deletion: true,
    snapshots: true,
    queries: true,
    severalStreams: true,
    versionAt: true,
    bytes: true,
    feed: true,
    subscriptions: true,
    inProcess: true,
    durability: options.reopen !== undefined,
    tamperEvidence: options.openTamperEvident !== undefined,
    ...options.supports,
  };
  if (supports.durability && options.reopen === undefined) {
    throw invalidArgument('supports', '`supports.durability` needs the function `reopen`');
  }
  if (supports.tamperEvidence && options.openTamperEvident === undefined) {
    throw invalidArgument('supports', '`supports.tamperEvidence` needs the function `openTamperEvident`');
  }
  const cases = SPECS.map(({ title, needs = [], ...spec }) => ({
    title: `${options.name}: ${title}`,
    needs,
    run: () => runCase({ title, needs, ...spec }, options),
  }));
  return { supports, cases };
}

/**
 * Returns the promises of an event store as cases for any test runner, without those that need what it does not support.
 *
 * ```ts
 * for (const { title, run } of storeSuite({ name: 'mine', open })) test(title, run);
 * ```
 *
 * @throws `invalid_argument` (reason `supports`) when durability is claimed without `reopen`
 */
export function storeSuite(options: StoreSuiteOptions): SuiteCase[] {
  const report = storeReport(options);
  return report.cases.filter((one) => isSupported(one, report));
}

async function runCase(
  spec: CaseSpec,
  { open, reopen, openTamperEvident }: StoreSuiteOptions,
): Promise<void> {
  const trial: StoreTrial = {
    openTamperEvident,
    store: await open(),
    reopen:
      reopen &&
      (async () => {
        trial.store = await reopen(trial.store);
        return trial.store;
      }),
  };
  try {
    await spec.body(trial);
  } finally {
    await trial.store.close();
  }
}
