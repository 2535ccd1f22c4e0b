import type { ChannelInfo } from '@esdb-gater/types';
import type { JSX } from 'preact';
import { channelRates, channels } from '../data/monitor.ts';
import { href } from '../router.ts';
import { count, rate } from '../ui/format.ts';
import { Badge, Loading, PageHead, type Tone } from '../ui/parts.tsx';
import { Sparkline } from '../ui/sparkline.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { useTitle } from '../ui/use-title.ts';

export const PRIORITY_TONES: Readonly<Record<string, Tone>> = {
  critical: 'bad',
  high: 'warn',
  normal: 'info',
  low: 'plain',
};

const COLUMNS: readonly Column<ChannelInfo>[] = [
  {
    label: 'Channel',
    cell: ({ name, enabled, requireSignature }) => (
      <>
        <a class="strong" href={href(['channels', name])}>
          {name}
        </a>{' '}
        {!enabled && <Badge>off</Badge>} {requireSignature && <Badge tone="info">signed</Badge>}
      </>
    ),
  },
  {
    label: 'Priority',
    cell: ({ priority }) => <Badge tone={PRIORITY_TONES[priority] ?? 'plain'}>{priority}</Badge>,
  },
  { label: 'Published/s', class: 'number', cell: ({ publishedPerSecond }) => rate(publishedPerSecond) },
  { label: 'Delivered/s', class: 'number', cell: ({ deliveredPerSecond }) => rate(deliveredPerSecond) },
  {
    label: 'Last minutes',
    cell: ({ name }) => <Sparkline values={channelRates.value.get(name)?.series[0] ?? []} />,
    cellClass: () => 'optional',
  },
  { label: 'Subscribers', class: 'number', cell: ({ subscribers }) => count(subscribers) },
  {
    label: 'Dropped',
    class: 'number',
    cell: ({ dropped }) => count(dropped),
    cellClass: ({ dropped }) => (dropped > 0 ? 'attention' : undefined),
  },
  {
    label: 'Limit/s',
    class: 'number',
    cell: ({ maxRate }) => (maxRate === undefined ? <span class="muted">none</span> : count(maxRate)),
    cellClass: () => 'optional',
  },
];

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
          <Table columns={COLUMNS} rows={list} rowKey={({ name }) => name} />
        )}
      </section>
    </>
  );
}
