import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { findRelated, type RelatedSearch } from '../data/find-events.ts';
import { gater } from '../session/session.ts';
import { count } from '../ui/format.ts';
import { Empty, Loading, Problem } from '../ui/parts.tsx';
import { EventList } from './event-list.tsx';

/** The events that belong to a correlation or an event, newest first. */
export function RelatedEvents({
  storeId,
  id,
}: {
  readonly storeId: string;
  readonly id: string;
}): JSX.Element {
  const [found, setFound] = useState<RelatedSearch>({ events: [], scanned: 0 });
  const [from, setFrom] = useState<RelatedSearch | undefined>();
  const [running, setRunning] = useState(true);
  const [error, setError] = useState<unknown>();
  const client = gater.value;

  useEffect(() => {
    if (client === undefined) return;
    const ended = new AbortController();
    const add = (search: RelatedSearch): void => {
      if (ended.signal.aborted) return;
      setFound({
        events: [...(from?.events ?? []), ...search.events],
        scanned: (from?.scanned ?? 0) + search.scanned,
        ...(search.before === undefined ? {} : { before: search.before }),
      });
    };
    setRunning(true);
    setError(undefined);
    findRelated(client, storeId, id, from?.before, ended.signal, add).then(
      (search) => {
        add(search);
        setRunning(false);
      },
      (problem: unknown) => {
        if (ended.signal.aborted) return;
        setError(problem);
        setRunning(false);
      },
    );
    return () => ended.abort();
  }, [client, storeId, id, from]);

  const { events, scanned, before } = found;
  return (
    <section class="card flush" aria-label="Related events" aria-busy={running}>
      <div class="card-head">
        <span class="muted" role="status">
          {running ? 'Searching… ' : ''}
          {count(events.length)} found among the newest {count(scanned)} events
        </span>
      </div>
      {error !== undefined && <Problem error={error} />}
      {events.length > 0 ? (
        <EventList events={events} />
      ) : running ? (
        <Loading rows={4} />
      ) : (
        <Empty title="Nothing belongs to this id" icon="search">
          Events are found by their id, their <code>correlationId</code> and their <code>causationId</code>.
        </Empty>
      )}
      {before !== undefined && !running && (
        <div class="pager">
          <button type="button" class="button" onClick={() => setFrom(found)}>
            Search older events
          </button>
        </div>
      )}
    </section>
  );
}
