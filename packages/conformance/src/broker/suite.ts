import { invalidArgument } from '@esdb-gater/types';
import { isSupported, type SuiteCase, type SuiteReport } from '../suite-case.ts';
import { appending } from './appending.ts';
import type { BrokerFeature, BrokerSuiteOptions, BrokerTrial, CaseSpec, OpenedBroker } from './harness.ts';
import { outliving } from './outliving.ts';
import { replaying } from './replaying.ts';
import { values } from './values.ts';

const SPECS: readonly CaseSpec[] = [...appending, ...values, ...replaying, ...outliving];

/** Lists everything that any broker promises. Each case opens a broker of its own and closes it. */
export function brokerReport(options: BrokerSuiteOptions): SuiteReport {
  const { reopen, alertsHistory, supports = {} } = options;
  const { reopening = reopen !== undefined, durability = false } = supports;
  if ((reopening || durability) && reopen === undefined) {
    throw invalidArgument(
      'supports',
      '`supports.reopening` and `supports.durability` need the function `reopen`',
    );
  }
  const features: Record<BrokerFeature, boolean> = {
    reopening,
    durability,
    boundedHistory: alertsHistory !== undefined,
    epochs: reopening && !durability,
  };
  const cases = SPECS.map((spec) => ({
    title: `${options.name}: ${spec.title}`,
    needs: spec.needs ?? [],
    run: () => runCase(spec, options),
  }));
  return { supports: features, cases };
}

/**
 * Returns the promises of a broker as cases for any test runner, without those that need what it does not support.
 *
 * ```ts
 * for (const { title, run } of brokerSuite({ name: 'mine', open })) test(title, run);
 * ```
 *
 * @throws `invalid_argument` (reason `supports`) when something is claimed that needs `reopen`, without it
 */
export function brokerSuite(options: BrokerSuiteOptions): SuiteCase[] {
  const report = brokerReport(options);
  return report.cases.filter((one) => isSupported(one, report));
}

async function runCase(
  spec: CaseSpec,
  { open, reopen, patienceMs = 15_000, alertsHistory }: BrokerSuiteOptions,
): Promise<void> {
  let opened: OpenedBroker = await open();
  const trial: BrokerTrial = {
    broker: opened.broker,
    patienceMs,
    alertsHistory,
    reopen: async () => {
      if (reopen === undefined) throw new TypeError('this suite was given no `reopen`');
      opened = await reopen(opened);
      return opened.broker;
    },
  };
  try {
    await spec.body(trial);
  } finally {
    await opened.close();
  }
}
