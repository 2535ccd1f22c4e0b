import { appending } from './appending.ts';
import type {
  BrokerCapabilities,
  BrokerCase,
  BrokerSuiteOptions,
  BrokerTrial,
  CaseSpec,
  OpenedBroker,
} from './harness.ts';
import { outliving } from './outliving.ts';
import { replaying } from './replaying.ts';
import { values } from './values.ts';

const SPECS: readonly CaseSpec[] = [...appending, ...values, ...replaying, ...outliving];

/**
 * Everything that any broker promises, as cases for any test runner. Each case opens a broker of its own and
 * closes it.
 *
 * ```ts
 * for (const { title, run } of brokerSuite({ name: 'mine', open })) test(title, run);
 * ```
 */
export function brokerSuite(options: BrokerSuiteOptions): BrokerCase[] {
  const capabilities = options.capabilities ?? {};
  return SPECS.filter((spec) => canRun(spec, options, capabilities)).map((spec) => ({
    title: `${options.name}: ${spec.title}`,
    run: () => runCase(spec, options, capabilities),
  }));
}

function canRun(
  { needs }: CaseSpec,
  { reopen }: BrokerSuiteOptions,
  { durable, alertsHistory }: BrokerCapabilities,
): boolean {
  if (needs === 'reopen') return reopen !== undefined;
  if (needs === 'durable') return reopen !== undefined && durable === true;
  return needs === undefined || alertsHistory !== undefined;
}

async function runCase(
  spec: CaseSpec,
  { open, reopen, patienceMs = 15_000 }: BrokerSuiteOptions,
  capabilities: BrokerCapabilities,
): Promise<void> {
  let opened: OpenedBroker = await open();
  const trial: BrokerTrial = {
    broker: opened.broker,
    patienceMs,
    capabilities,
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
