import type { ChannelInfo } from '@esdb-gater/types';
import type { JSX } from 'preact';
import { channelRates, channels } from '../data/monitor.ts';
import { href } from '../router.ts';
import { count, rate } from '../ui/format.ts';
import { Badge, Loading, PageHead, type Tone } from '../ui/parts.tsx';
import { Sparkline } from '../ui/sparkline.tsx';
import { useTitle } from '../ui/use-title.ts';

export const PRIORITY_TONES: Readonly<Record<string, Tone>> = {
  critical: 'bad',
  high: 'warn',
  normal: 'info',
  low: 'plain',
};

/** The channels with their rules and what they carry at the moment. */
export function ChannelsView(): JSX.Element {
  useTitle('Channels');
  const list = channels.value;
  return (
    <>
      <PageHead
        title="Channels"
        about="What is published and delivered at the moment. Open one to listen and to publish."
      />
      <section class="card flush" aria-label="Channels">
        {list === undefined ? (
          <Loading rows={10} />
        ) : (
          <div class="table-box">
            <table class="stacking">
              <thead>
                <tr>
                  <th scope="col">Channel</th>
                  <th scope="col">Priority</th>
                  <th scope="col" class="number">
                    Published/s
                  </th>
                  <th scope="col" class="number">
                    Delivered/s
                  </th>
                  <th scope="col">Last minutes</th>
                  <th scope="col" class="number">
                    Subscribers
                  </th>
                  <th scope="col" class="number">
                    Dropped
                  </th>
                  <th scope="col" class="number">
                    Limit/s
                  </th>
                </tr>
              </thead>
              <tbody>
                {list.map((one) => (
                  <ChannelRow key={one.name} info={one} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
    </>
  );
}

function ChannelRow({ info }: { readonly info: ChannelInfo }): JSX.Element {
  const { name, priority, enabled, requireSignature } = info;
  return (
    <tr>
      <td data-label="Channel">
        <a class="strong" href={href(['channels', name])}>
          {name}
        </a>{' '}
        {!enabled && <Badge>off</Badge>} {requireSignature && <Badge tone="info">signed</Badge>}
      </td>
      <td data-label="Priority">
        <Badge tone={PRIORITY_TONES[priority] ?? 'plain'}>{priority}</Badge>
      </td>
      <td data-label="Published/s" class="number">
        {rate(info.publishedPerSecond)}
      </td>
      <td data-label="Delivered/s" class="number">
        {rate(info.deliveredPerSecond)}
      </td>
      <td data-label="Last minutes" class="optional">
        <Sparkline values={channelRates.value.get(name)?.series[0] ?? []} />
      </td>
      <td data-label="Subscribers" class="number">
        {count(info.subscribers)}
      </td>
      <td data-label="Dropped" class={info.dropped > 0 ? 'number attention' : 'number'}>
        {count(info.dropped)}
      </td>
      <td data-label="Limit/s" class="number optional">
        {info.maxRate === undefined ? <span class="muted">none</span> : count(info.maxRate)}
      </td>
    </tr>
  );
}
