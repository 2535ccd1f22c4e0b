import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { INSTRUMENTS } from '@esdb-gater/telemetry';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { prometheusLabel, prometheusName } from '../../src/telemetry/prometheus-names.ts';
import { temporaryFolder } from '../support/gateway-process.ts';
import { startTestGateway } from '../support/in-process.ts';
import { because, complaintsOf, opsText, opsYaml, programUnavailable, ROOT } from '../support/ops-files.ts';

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly annotations?: { readonly runbook: string };
}

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
}

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly expr: string }[];
  }[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: string | { readonly query: string } }[];
  };
}

const rulesOf = (file: string): readonly Rule[] =>
  opsYaml<RuleFile>('prometheus', file).groups.flatMap(({ rules }) => rules);
const recordings = rulesOf('recording-rules.yml');
const alerts = rulesOf('alert-rules.yml');
const dashboard = JSON.parse(opsText('grafana', 'esdb-gater.json')) as Dashboard;
const queries = [
  ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...dashboard.annotations.list.map(({ expr }) => expr),
];
const variables = dashboard.templating.list.map(({ query }) =>
  typeof query === 'string' ? query : query.query,
);

/** Names of PromQL itself, and of what Prometheus adds to every target. */
const FUNCTIONS = new Set([
  ...['sum', 'max', 'min', 'count', 'by', 'and', 'or', 'rate', 'increase', 'changes', 'delta', 'vector'],
  ...['histogram_quantile', 'label_values'],
]);
const OF_PROMETHEUS = new Set(['up', 'job', 'instance', 'le']);

/** Returns the identifiers of an expression, without the texts in it, durations and Grafana's variables. */
function identifiersOf(expression: string): string[] {
  const bare = expression
    .replace(/"[^"]*"/g, '""')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\$\w+/g, '');
  return [...bare.matchAll(/(?<![\w.])[a-zA-Z_][\w:]*/g)].map(([name]) => name);
}

const LABELS = new Set(
  Object.values(INSTRUMENTS).flatMap(({ labels }) => labels.map((label) => prometheusLabel(label))),
);

/** Returns the families of a running gateway; a histogram has three series. */
async function exportedNames(): Promise<ReadonlySet<string>> {
  await using gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
  const text = await (await fetch(`${gateway.http}/metrics`)).text();
  return new Set(
    [...text.matchAll(/^# TYPE (\S+) (\w+)$/gm)].flatMap(([, name = '', type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
}

test('the rules and the dashboard name only metrics and labels that a running gateway has', async () => {
  const exported = await exportedNames();
  const recorded = new Set(recordings.map(({ record = '' }) => record));
  let metrics = 0;
  for (const expression of [...recordings, ...alerts].map(({ expr }) => expr).concat(queries, variables)) {
    for (const name of identifiersOf(expression)) {
      if (FUNCTIONS.has(name) || OF_PROMETHEUS.has(name) || LABELS.has(name) || name === 'prometheus')
        continue;
      expect(exported.has(name) || recorded.has(name), `${name} in ${expression}`).toBe(true);
      metrics += 1;
    }
  }
  expect(metrics).toBeGreaterThan(70);
});

test('every metric of the gateway is in the dashboard or in a rule', () => {
  const used = new Set(
    [...recordings, ...alerts]
      .map(({ expr }) => expr)
      .concat(queries)
      .flatMap(identifiersOf),
  );
  // The time to pick a worker is microseconds, and is for those who work on the gateway.
  const left = new Set(['esdb_gater_worker_lookup_duration_seconds', 'esdb_gater_broadcasts_total']);
  left.add('esdb_gater_refused_notifications_total').add('esdb_gater_channel_delivered_per_second');
  left.add('esdb_gater_broker_duplicates_total');
  for (const instrument of Object.values(INSTRUMENTS)) {
    const name = prometheusName(instrument);
    const isUsed = used.has(name) || used.has(`${name}_bucket`);
    expect(isUsed || left.has(name), name).toBe(true);
    expect(isUsed && left.has(name), name).toBe(false);
  }
});

test('label values in the rules and the dashboard are values that the gateway gives', async () => {
  const { text } = await (async () => {
    await using gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
    return { text: await (await fetch(`${gateway.http}/metrics`)).text() };
  })();
  const matchers = [...recordings, ...alerts]
    .map(({ expr }) => expr)
    .concat(queries)
    .flatMap((expr) => [...expr.matchAll(/(?:state|statistic|code)=~?"([^"$]+)"/g)])
    .flatMap(([, values = '']) => values.split('|'));
  expect(matchers.length).toBeGreaterThan(8);
  for (const value of new Set(matchers)) expect(text, value).toContain(`="${value}"`);
});

test('each alert is tested and explained', () => {
  const operations = readFileSync(join(ROOT, 'OPERATIONS.md'), 'utf8');
  const tests = opsText('prometheus', 'alert-rules.test.yml');
  const headings = [...operations.matchAll(/^#+ (EsdbGater\w+)$/gm)].map(([, name]) => name);
  expect(headings).toEqual(alerts.map(({ alert }) => alert));
  for (const { alert = '', annotations } of alerts) {
    expect(annotations?.runbook).toBe(`OPERATIONS.md#${alert.toLowerCase()}`);
    const times = tests.match(new RegExp(`alertname: ${alert}\\b`, 'g')) ?? [];
    expect(times.length, alert).toBeGreaterThan(0);
    // At least one of them says that it fires.
    expect(tests, alert).toMatch(
      new RegExp(`- alertname: ${alert}\\n\\s+eval_time: .*\\n\\s+exp_alerts:\\n`),
    );
  }
});

test('the panels of the dashboard do not overlap, and have ids of their own', () => {
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  const cells = new Set<string>();
  for (const { title, gridPos } of dashboard.panels) {
    expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        expect(cells.has(`${x} ${y}`), title).toBe(false);
        cells.add(`${x} ${y}`);
      }
    }
  }
});

const noPromtool = programUnavailable('promtool');

test.skipIf(noPromtool !== undefined)(
  `promtool parses every query of the dashboard${because(noPromtool)}`,
  () => {
    const check = (expressions: readonly string[]): string => {
      const folder = temporaryFolder();
      try {
        const file = join(folder.path, 'queries.yml');
        const rules = expressions.map((expr, index) => ({
          record: `query_${index}`,
          expr: expr.replaceAll('$__rate_interval', '5m'),
        }));
        writeFileSync(file, stringify({ groups: [{ name: 'queries', rules }] }));
        return complaintsOf('promtool', ['check', 'rules', file]);
      } finally {
        folder.remove();
      }
    };
    expect(queries.length).toBeGreaterThan(35);
    expect(check(queries)).toBe('');
    expect(check([`${queries[0]})`])).not.toBe('');
  },
);
