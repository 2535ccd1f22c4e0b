import type { Subscription } from '@esdb-gater/types';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { KEEP_SECONDS } from '../data/monitor.ts';
import { addSample, noSamples, type Samples } from '../data/samples.ts';
import { useLoad } from '../data/use-load.ts';
import { href } from '../router.ts';
import { Chart } from '../ui/chart.tsx';
import { count } from '../ui/format.ts';
import { JsonTree } from '../ui/json-tree.tsx';
import { Card, Empty, Loading, PageHead, Problem, Stat, Time } from '../ui/parts.tsx';
import { useTitle } from '../ui/use-title.ts';
import { ManageSubscription } from './manage-subscription.tsx';
import { ParkedEvents } from './parked-events.tsx';
import { SubscriptionState } from './subscriptions.tsx';

const EVERY_MS = 2_000;
const SERIES = [{ label: 'lag', colour: 'series-4' }] as const;

/** One persistent subscription: how far it is, what is parked, and what can be done about it. */
export function SubscriptionView({
  storeId,
  name,
}: {
  readonly storeId: string;
  readonly name: string;
}): JSX.Element {
  useTitle(`Subscription ${name}`);
  const { data, error, reload } = useLoad(
    `${storeId} ${name}`,
    async (client, signal) => {
      const { subscriptions } = await client.getSubscriptions({ storeId }, { signal });
      return { found: subscriptions.find((one) => one.name === name) };
    },
    { everyMs: EVERY_MS },
  );
  const lag = useLag(data?.found);
  if (data === undefined)
    return error === undefined ? <Loading /> : <Problem error={error} onRetry={reload} />;
  const { found } = data;
  if (found === undefined) {
    return (
      <>
        <PageHead title={name} />
        <Empty title="This subscription does not exist" icon="subscriptions">
          <a href={href(['subscriptions', storeId])}>All subscriptions of {storeId}</a>
        </Empty>
      </>
    );
  }
  return (
    <>
      <PageHead
        title={name}
        about={
          <>
            subscription of store <a href={href(['subscriptions', storeId])}>{storeId}</a>{' '}
            <SubscriptionState {...found} />
          </>
        }
      />
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      <div class="channel-head">
        <div class="card">
          <Chart
            title="Lag"
            unit="positions behind"
            series={SERIES}
            samples={lag}
            format={(value) => (value === undefined ? '–' : count(value))}
          />
        </div>
        <div class="card">
          <dl class="stats two">
            <Stat label="Lag" value={count(found.lag)} hint="positions" />
            <Stat label="Parked" value={count(found.parked)} hint="events" />
            <Stat label="Consumers" value={count(found.subscribers)} />
            <Stat label="Checkpoint" value={count(found.checkpoint)} />
            <Stat
              label="Began"
              value={found.startFrom === 'latest' ? 'latest' : count(found.startFrom)}
              hint="position"
            />
            <Stat label="Made" value={<Time at={found.createdAt} />} />
          </dl>
        </div>
      </div>
      <Card title="Selects">
        <p class="muted">
          {found.type === 'stream' ? 'The events of this stream; $all is every stream.' : `By ${found.type}:`}
        </p>
        <JsonTree value={found.selector} label="Selector" />
      </Card>
      <ParkedEvents subscription={found} onChange={reload} />
      <ManageSubscription subscription={found} onChange={reload} />
    </>
  );
}

/** Collects the lag while the view is open. */
function useLag(found: Subscription | undefined): Samples {
  const [samples, setSamples] = useState<Samples>(noSamples(1));
  useEffect(() => {
    if (found !== undefined)
      setSamples((before) => addSample(before, Date.now() / 1_000, [found.lag], KEEP_SECONDS));
  }, [found]);
  return samples;
}
