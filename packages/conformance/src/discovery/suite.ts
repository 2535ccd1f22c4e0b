import { randomUUID } from 'node:crypto';
import { isSupported, type SuiteCase, type SuiteReport } from '../suite-case.ts';
import { CASES } from './cases.ts';
import type { CaseSpec, DiscoverySuiteOptions } from './harness.ts';

/** Lists everything that any discovery promises. Each case opens a cluster of its own and closes it. */
export function discoveryReport(options: DiscoverySuiteOptions): SuiteReport {
  const { announcing = true } = options.supports ?? {};
  const cases = CASES.map((spec) => ({
    title: `${options.name}: ${spec.title}`,
    needs: spec.needs ?? [],
    run: () => runCase(spec, options),
  }));
  return { supports: { announcing }, cases };
}

/**
 * Returns the promises of a discovery as cases for any test runner, without those that need what it does not support.
 *
 * ```ts
 * for (const { title, run } of discoverySuite({ name: 'mine', open })) test(title, run);
 * ```
 */
export function discoverySuite(options: DiscoverySuiteOptions): SuiteCase[] {
  const report = discoveryReport(options);
  return report.cases.filter((one) => isSupported(one, report));
}

async function runCase(spec: CaseSpec, { open, patienceMs = 15_000 }: DiscoverySuiteOptions): Promise<void> {
  const node = (name: string) => {
    const nodeId = `${name}-${randomUUID()}`;
    return { nodeId, url: `ws://${nodeId}.example:4590/v1/ws` };
  };
  const nodes = [node('a'), node('b'), node('c')] as const;
  const cluster = await open(nodes);
  try {
    await spec.body({ nodes, join: cluster.join, patienceMs });
  } finally {
    await cluster.close();
  }
}
