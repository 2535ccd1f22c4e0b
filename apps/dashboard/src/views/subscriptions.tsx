import type { Subscription } from '@esdb-gater/types';
import type { JSX } from 'preact';
import { useLoad } from '../data/use-load.ts';
import { href } from '../router.ts';
import { count } from '../ui/format.ts';
import { Badge, Empty, Loading, PageHead, Problem } from '../ui/parts.tsx';
import { StorePicker } from '../ui/store-picker.tsx';
import { type Column, Table } from '../ui/table.tsx';
import { useTitle } from '../ui/use-title.ts';

const EVERY_MS = 2_000;

const COLUMNS: readonly Column<Subscription>[] = [
  {
    label: 'Name',
    cell: ({ storeId, name }) => (
      <a class="strong break" href={href(['subscriptions', storeId, name])}>
        {name}
      </a>
    ),
  },
  {
    label: 'Selects',
    cell: ({ type, selector }) => (
      <>
        <span class="muted">{type}</span>{' '}
        <code class="clip inline-clip" title={selectorText(selector)}>
          {selectorText(selector)}
        </code>
      </>
    ),
  },
  { label: 'State', cell: (one) => <SubscriptionState {...one} /> },
  { label: 'Lag', class: 'number', cell: ({ lag }) => count(lag), cellClass: ({ lag }) => attention(lag) },
  { label: 'Consumers', class: 'number', cell: ({ subscribers }) => count(subscribers) },
  {
    label: 'Parked',
    class: 'number',
    cell: ({ parked }) => count(parked),
    cellClass: ({ parked }) => attention(parked),
  },
  { label: 'Checkpoint', class: 'number', cell: ({ checkpoint }) => count(checkpoint) },
];

/** The persistent subscriptions of a store. */
export function SubscriptionsView({ storeId }: { readonly storeId: string }): JSX.Element {
  useTitle(`Subscriptions of ${storeId}`);
  const { data, error, reload } = useLoad(
    storeId,
    (client, signal) => client.getSubscriptions({ storeId }, { signal }),
    { everyMs: EVERY_MS },
  );
  const list = data?.subscriptions;
  return (
    <>
      <PageHead
        title="Subscriptions"
        about={
          <>
            persistent ones of store <strong>{storeId}</strong>
          </>
        }
      >
        <StorePicker section="subscriptions" storeId={storeId} />
      </PageHead>
      <section class="card flush" aria-label="Subscriptions">
        {error !== undefined && <Problem error={error} onRetry={reload} />}
        {list === undefined ? (
          error === undefined && <Loading rows={4} />
        ) : list.length === 0 ? (
          <Empty title="No subscription yet" icon="subscriptions">
            A program makes one with <code>saveSubscription</code>, or you do at a terminal:{' '}
            <code>npm exec -- esdb-gater subscription create --help</code>
          </Empty>
        ) : (
          <Table columns={COLUMNS} rows={list} rowKey={({ name }) => name} />
        )}
      </section>
    </>
  );
}

function attention(number: number): string | undefined {
  return number > 0 ? 'attention' : undefined;
}

export function selectorText(selector: unknown): string {
  return typeof selector === 'string' ? selector : (JSON.stringify(selector) ?? '');
}

/** Says in a word how a subscription stands. */
export function SubscriptionState({
  lag,
  parked,
  subscribers,
}: {
  readonly lag: number;
  readonly parked: number;
  readonly subscribers: number;
}): JSX.Element {
  if (parked > 0) return <Badge tone="warn">has parked events</Badge>;
  if (subscribers === 0) return <Badge tone={lag > 0 ? 'warn' : 'plain'}>no consumer</Badge>;
  return lag > 0 ? <Badge tone="info">catching up</Badge> : <Badge tone="good">up to date</Badge>;
}
