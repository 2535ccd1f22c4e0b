import type { JSX } from 'preact';
import { channelRates, channels } from '../data/monitor.ts';
import { noSamples } from '../data/samples.ts';
import { href } from '../router.ts';
import { Chart } from '../ui/chart.tsx';
import { count } from '../ui/format.ts';
import { Badge, Empty, Loading, PageHead, Stat } from '../ui/parts.tsx';
import { useTitle } from '../ui/use-title.ts';
import { ChannelTail } from './channel-tail.tsx';
import { PRIORITY_TONES } from './channels.tsx';
import { PublishForm } from './publish-form.tsx';

const SERIES = [
  { label: 'published', colour: 'series-2' },
  { label: 'delivered', colour: 'series-3' },
] as const;

/** One channel: its rules and rates, its messages as they come, and a form to publish. */
export function ChannelView({ name }: { readonly name: string }): JSX.Element {
  useTitle(`Channel ${name}`);
  const list = channels.value;
  const info = list?.find((one) => one.name === name);
  if (info === undefined) {
    return list === undefined ? (
      <Loading />
    ) : (
      <>
        <PageHead title={name} />
        <Empty title="There is no such channel that you may see" icon="search">
          <a href={href(['channels'])}>All channels</a>
        </Empty>
      </>
    );
  }
  return (
    <>
      <PageHead
        title={info.name}
        about={
          <>
            <a href={href(['channels'])}>channel</a> of priority{' '}
            <Badge tone={PRIORITY_TONES[info.priority] ?? 'plain'}>{info.priority}</Badge>
          </>
        }
      />
      <div class="channel-head">
        <div class="card">
          <Chart
            title="Messages"
            unit="per second"
            series={SERIES}
            samples={channelRates.value.get(name) ?? noSamples(2)}
          />
        </div>
        <div class="card">
          <dl class="stats two">
            <Stat label="Subscribers" value={count(info.subscribers)} />
            <Stat label="Dropped" value={count(info.dropped)} />
            <Stat
              label="Limit"
              value={info.maxRate === undefined ? 'none' : count(info.maxRate)}
              hint="messages/s and publisher"
            />
            <Stat label="History" value={count(info.history)} hint="messages" />
            <Stat label="Signatures" value={info.requireSignature ? 'required' : 'optional'} />
            <Stat label="State" value={info.enabled ? 'on' : 'off'} />
          </dl>
        </div>
      </div>
      <ChannelTail key={name} channel={info.name} />
      <PublishForm key={`publish ${name}`} info={info} />
    </>
  );
}
