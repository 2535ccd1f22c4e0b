import type { RecordedEvent } from '@esdb-gater/client';
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type EventFilter, queryOf } from '../data/find-events.ts';
import { createFrameBatch } from '../data/frame-batch.ts';
import { newestPosition } from '../data/newest-position.ts';
import { gater } from '../session/session.ts';
import { count } from '../ui/format.ts';
import { Badge, Empty, Problem } from '../ui/parts.tsx';
import { EventList } from './event-list.tsx';

/** The page keeps this many of the newest events. */
const KEEP = 200;

interface Followed {
  readonly events: readonly RecordedEvent[];
  readonly seen: number;
}

/** Follows what a filter finds, from now on. The client goes on by itself after a lost connection. */
export function FollowedEvents({ filter }: { readonly filter: EventFilter }): JSX.Element {
  const [{ events, seen }, setFollowed] = useState<Followed>({ events: [], seen: 0 });
  const [error, setError] = useState<unknown>();
  const [live, setLive] = useState(false);
  const client = gater.value;
  const key = JSON.stringify(filter);

  // The key stands for the filter.
  useEffect(() => {
    if (client === undefined) return;
    const ended = new AbortController();
    const batch = createFrameBatch<RecordedEvent>(KEEP, (newer, skipped) =>
      setFollowed((before) => ({
        events: [...newer.toReversed(), ...before.events].slice(0, KEEP),
        seen: before.seen + newer.length + skipped,
      })),
    );
    const run = async (): Promise<void> => {
      try {
        const after = await startOf(client, filter, ended.signal);
        const { storeId, streamId } = filter;
        const query = queryOf(filter);
        const params = {
          storeId,
          after,
          ...(streamId === undefined ? {} : { streamId }),
          ...(query === undefined ? {} : { query }),
        };
        const options = { signal: ended.signal, onCaughtUp: () => setLive(true) };
        for await (const event of client.follow(params, options)) batch.push(event);
      } catch (problem) {
        if (!ended.signal.aborted) setError(problem);
      }
    };
    void run();
    return () => {
      ended.abort();
      batch.stop();
    };
  }, [client, key]);

  return (
    <section class="card flush" aria-label="Live events">
      <div class="card-head">
        <Badge tone={live ? 'good' : 'info'}>{live ? 'live' : 'starting'}</Badge>
        <span class="muted">
          {count(seen)} since you began{seen > KEEP ? `, the newest ${KEEP} are shown` : ''}
        </span>
      </div>
      {error !== undefined && <Problem error={error} />}
      {events.length === 0 ? (
        <Empty title="Waiting for the next event" icon="play">
          It appears here as soon as it is committed.
        </Empty>
      ) : (
        <EventList events={events} oneStream={filter.streamId !== undefined} />
      )}
    </section>
  );
}

/** Returns the position to follow after: that of the newest event that is there. */
async function startOf(
  client: NonNullable<typeof gater.value>,
  { storeId, streamId }: EventFilter,
  signal: AbortSignal,
): Promise<number> {
  if (streamId === undefined) return newestPosition(client, storeId, signal);
  if (!(await client.streamExists({ storeId, streamId }, { signal })).exists) return 0;
  const { events } = await client.streamBackward({ storeId, streamId, count: 1 }, { signal });
  return events[0]?.position ?? 0;
}
