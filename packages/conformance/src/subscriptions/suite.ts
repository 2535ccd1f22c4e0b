import type { SuiteCase } from '../suite-case.ts';
import { acknowledging } from './acknowledging.ts';
import { delivering } from './delivering.ts';
import type { SubscriptionCase, SubscriptionSuiteOptions, SubscriptionTrial } from './harness.ts';
import { lasting } from './lasting.ts';
import { sharing } from './sharing.ts';

const CASES: readonly SubscriptionCase[] = [...delivering, ...acknowledging, ...sharing, ...lasting];

/**
 * Returns the promises of persistent subscriptions over a store as cases for any test runner. Each case opens a store of
 * its own and closes it. Cases about what outlives a process are left out without `reopen`.
 */
export function subscriptionSuite(options: SubscriptionSuiteOptions): SuiteCase[] {
  return CASES.filter(({ needs = [] }) => needs.length === 0 || options.reopen !== undefined).map(
    ({ title, needs = [], body }) => ({
      title: `${options.name}: ${title}`,
      needs,
      run: () => runCase(body, options),
    }),
  );
}

async function runCase(
  body: SubscriptionCase['body'],
  { open, reopen }: SubscriptionSuiteOptions,
): Promise<void> {
  const trial: SubscriptionTrial = {
    opened: await open(),
    reopen:
      reopen &&
      (async () => {
        await trial.opened.subscriptions.close();
        await trial.opened.store.close();
        trial.opened = await reopen(trial.opened);
        return trial.opened;
      }),
  };
  try {
    await body(trial);
  } finally {
    await trial.opened.subscriptions.close();
    await trial.opened.store.close();
  }
}
