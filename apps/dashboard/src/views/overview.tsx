import type { HealthResult } from '@esdb-gater/protocol';
import type { JSX } from 'preact';
import { channels, health, monitorError, rates } from '../data/monitor.ts';
import { href } from '../router.ts';
import { gater, sessionState } from '../session/session.ts';
import { Chart } from '../ui/chart.tsx';
import { count, plural, rate, shorten } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { Badge, Card, CopyButton, Empty, Loading, PageHead, Problem, Stat, Status } from '../ui/parts.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { useTitle } from '../ui/use-title.ts';
import { LatestEvents } from './latest-events.tsx';

const CHARTS = [
  { title: 'Appends', unit: 'events/s', colour: 'series-1' },
  { title: 'Publishes', unit: 'messages/s', colour: 'series-2' },
  { title: 'Deliveries', unit: 'messages/s', colour: 'series-3' },
] as const;

/** The gateway at a glance: health, rates, stores and their workers, nodes, channels. */
export function Overview(): JSX.Element {
  useTitle('Overview');
  const now = health.value;
  const samples = rates.value;
  const stores = Object.keys(now?.stores ?? {});
  return (
    <>
      <PageHead title="Overview" about="What this gateway does, and how it is." />
      {monitorError.value !== undefined && sessionState.value.kind === 'connected' && (
        <Problem error={monitorError.value} />
      )}
      {now === undefined ? <Loading /> : <HealthCard />}
      <div class="charts">
        {CHARTS.map(({ title, unit, colour }, index) => (
          <div class="card" key={title}>
            <Chart
              title={title}
              unit={unit}
              series={[{ label: title, colour }]}
              samples={{ times: samples.times, series: [samples.series[index] ?? []] }}
            />
          </div>
        ))}
      </div>
      <div class="columns">
        <StoresCard />
        <NodesCard />
      </div>
      <BusyChannels />
      {stores[0] !== undefined && <LatestEvents storeId={stores[0]} />}
      <FirstSteps />
    </>
  );
}

function HealthCard(): JSX.Element | null {
  const now = health.value;
  if (now === undefined) return null;
  const list = channels.value ?? [];
  const stores = Object.values(now.stores);
  const sum = (of: (one: (typeof list)[number]) => number): number =>
    list.reduce((all, one) => all + of(one), 0);
  return (
    <section class={`card health ${now.status}`} aria-labelledby="health">
      <div class="health-state">
        <h2 id="health">Health</h2>
        <p class="health-word">
          <Status status={now.status} capital />
        </p>
      </div>
      <dl class="stats">
        <Stat label="Nodes" value={count(now.nodes.length)} />
        <Stat
          label="Stores"
          value={count(stores.length)}
          hint={plural(
            stores.reduce((all, one) => all + one.workers.length, 0),
            'worker',
          )}
        />
        <Stat label="Subscribers" value={count(sum((one) => one.subscribers))} hint="of channels" />
        <Stat label="Dropped" value={count(sum((one) => one.dropped))} hint="low priority only" />
      </dl>
      {now.reasons.length > 0 && (
        <ul class="reasons">
          {now.reasons.map(({ component, code, message }) => (
            <li key={`${component} ${code} ${message}`}>
              <Icon name="warning" />
              <span>
                <strong>{component}</strong> {message}
              </span>
              <code>{code}</code>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const STORE_COLUMNS: readonly Column<[storeId: string, store: HealthResult['stores'][string]]>[] = [
  { label: 'Store', cell: ([storeId]) => <a href={href(['streams', storeId])}>{storeId}</a> },
  { label: 'Status', cell: ([, { status }]) => <Status status={status} /> },
  { label: 'Workers', cell: ([, { workers }]) => <Workers workers={workers} /> },
];

function StoresCard(): JSX.Element {
  const stores = Object.entries(health.value?.stores ?? {});
  return (
    <Card title="Stores and workers" flush>
      {stores.length === 0 ? (
        <Empty title="No store yet" />
      ) : (
        <Table columns={STORE_COLUMNS} rows={stores} rowKey={([storeId]) => storeId} />
      )}
    </Card>
  );
}

function Workers({ workers }: Pick<HealthResult['stores'][string], 'workers'>): JSX.Element {
  if (workers.length === 0) return <span class="muted">none</span>;
  return (
    <ul class="plain">
      {workers.map(({ workerId, nodeId }) => (
        <li key={workerId} class="clip" title={`${workerId} on node ${nodeId}`}>
          <code>{workerId}</code>
        </li>
      ))}
    </ul>
  );
}

const NODE_COLUMNS: readonly Column<HealthResult['nodes'][number]>[] = [
  {
    label: 'Node',
    cell: ({ nodeId }) => <code>{shorten(nodeId, 20)}</code>,
    cellClass: () => 'clip',
    hint: ({ nodeId }) => nodeId,
  },
  { label: 'Status', cell: ({ status }) => <Status status={status} /> },
  {
    label: 'Address',
    cell: ({ url }) => <code>{url}</code>,
    cellClass: () => 'clip',
    hint: ({ url }) => url,
  },
];

function NodesCard(): JSX.Element {
  return (
    <Card title="Nodes" flush>
      <Table columns={NODE_COLUMNS} rows={health.value?.nodes ?? []} rowKey={({ nodeId }) => nodeId} />
    </Card>
  );
}

function BusyChannels(): JSX.Element {
  return (
    <Card title="Channels" flush aside={<a href={href(['channels'])}>All details</a>}>
      <ul class="channel-tiles">
        {(channels.value ?? []).map((one) => (
          <li key={one.name}>
            <a href={href(['channels', one.name])}>
              <span class="tile-name">{one.name}</span>
              {one.enabled ? (
                <span class="tile-rate">
                  <strong>{rate(one.publishedPerSecond)}</strong>
                  <span class="muted">/s</span>
                </span>
              ) : (
                <Badge>off</Badge>
              )}
            </a>
          </li>
        ))}
      </ul>
    </Card>
  );
}

const FIRST_EVENT = `npm exec -- esdb-gater append hello-1 --type greeted --data '{"text":"Hello"}'`;

/** Shown until something happens. */
function FirstSteps(): JSX.Element | null {
  const seen = rates.value.series.some((list) => list.some((value) => (value ?? 0) > 0));
  const url = gater.value === undefined ? undefined : location.host;
  if (seen || url === undefined) return null;
  return (
    <Card title="First steps">
      <p>
        <a href={href(['append', Object.keys(health.value?.stores ?? {})[0] ?? 'default'])}>
          Append an event
        </a>
        , or do it from a terminal in the repository, and watch it arrive on the channel{' '}
        <a href={href(['channels', 'events'])}>events</a>:
      </p>
      <div class="command">
        <pre>
          <code>{FIRST_EVENT}</code>
        </pre>
        <CopyButton text={FIRST_EVENT} what="the command" />
      </div>
    </Card>
  );
}
