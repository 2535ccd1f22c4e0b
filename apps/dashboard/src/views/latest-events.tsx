import type { JSX } from 'preact';
import { readNewest } from '../data/find-events.ts';
import { useLoad } from '../data/use-load.ts';
import { href } from '../router.ts';
import { isUnauthorized } from '../session/error-text.ts';
import { Card, Empty, Loading, Problem } from '../ui/parts.tsx';
import { EventList } from './event-list.tsx';

const EVERY_MS = 2_000;
const EVENTS = 6;

/** The newest events of a store, kept up to date. A token that does not allow to read the whole store hides it. */
export function LatestEvents({ storeId }: { readonly storeId: string }): JSX.Element | null {
  const { data, error } = useLoad(
    storeId,
    (client, signal) => readNewest(client, { storeId }, undefined, signal, EVENTS),
    { everyMs: EVERY_MS },
  );
  if (error !== undefined && isUnauthorized(error)) return null;
  return (
    <Card
      title={`Newest events of ${storeId}`}
      flush
      aside={<a href={href(['events', storeId])}>All events</a>}
    >
      {error !== undefined && <Problem error={error} />}
      {data === undefined ? (
        error === undefined && <Loading />
      ) : data.events.length === 0 ? (
        <Empty title="No event yet">
          <a href={href(['append', storeId])}>Append the first one</a>
        </Empty>
      ) : (
        <EventList events={data.events} />
      )}
    </Card>
  );
}
