import { appending } from './appending.ts';
import { concurrency } from './concurrency.ts';
import { deleting } from './deleting.ts';
import { durability } from './durability.ts';
import { expectedVersions } from './expected-versions.ts';
import type { CaseSpec, StoreCase, StoreSuiteOptions, StoreTrial } from './harness.ts';
import { idempotence } from './idempotence.ts';
import { listingStreams } from './listing-streams.ts';
import { readingAll } from './reading-all.ts';
import { readingStreams } from './reading-streams.ts';
import { snapshots } from './snapshots.ts';
import { surroundings } from './surroundings.ts';
import { values } from './values.ts';

const SPECS: readonly CaseSpec[] = [
  ...appending,
  ...expectedVersions,
  ...idempotence,
  ...concurrency,
  ...readingStreams,
  ...readingAll,
  ...listingStreams,
  ...deleting,
  ...snapshots,
  ...values,
  ...surroundings,
  ...durability,
];

/**
 * Everything that any event store promises, as cases for any test runner. Each case opens a store of its own and
 * closes it.
 *
 * ```ts
 * for (const { title, run } of storeSuite({ name: 'mine', open })) test(title, run);
 * ```
 */
export function storeSuite(options: StoreSuiteOptions): StoreCase[] {
  return SPECS.filter((spec) => spec.durable !== true || options.reopen !== undefined).map((spec) => ({
    title: `${options.name}: ${spec.title}`,
    run: () => runCase(spec, options),
  }));
}

async function runCase(spec: CaseSpec, { open, reopen }: StoreSuiteOptions): Promise<void> {
  const trial: StoreTrial = {
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
