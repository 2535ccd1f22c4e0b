import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type EventFilter, positionAt, readNewest } from '../data/find-events.ts';
import { useLoad } from '../data/use-load.ts';
import { href, route } from '../router.ts';
import { Icon } from '../ui/icon.tsx';
import { Empty, Loading, PageHead, Problem } from '../ui/parts.tsx';
import { StorePicker } from '../ui/store-picker.tsx';
import { useTitle } from '../ui/use-title.ts';
import { EventFilterForm, listOf, questionOf } from './event-filter.tsx';
import { EventList } from './event-list.tsx';
import { FollowedEvents } from './followed-events.tsx';
import { RelatedEvents } from './related-events.tsx';

/** Reads the events of a store: of a stream, by types and tags, up to a time, or those that belong together. */
export function EventsView({ storeId }: { readonly storeId: string }): JSX.Element {
  const question = questionOf(route.value.query);
  const key = JSON.stringify([storeId, question]);
  const { stream, related } = question;
  const title = stream === '' ? 'Events' : stream;
  useTitle(stream === '' ? `Events of ${storeId}` : `${stream} in ${storeId}`);
  const [follows, setFollows] = useState(false);
  // Another question is not followed at once.
  useEffect(() => setFollows(false), [key]);
  const filter: EventFilter = {
    storeId,
    ...(stream === '' ? {} : { streamId: stream }),
    types: listOf(question.type),
    tags: listOf(question.tag),
  };
  return (
    <>
      <PageHead
        title={title}
        about={
          <>
            {stream === '' ? 'of store ' : 'stream of store '}
            <a href={href(['streams', storeId])}>{storeId}</a>, newest first
          </>
        }
      >
        <StorePicker section="events" storeId={storeId} />
        {related === '' && (
          <button type="button" class="button" aria-pressed={follows} onClick={() => setFollows(!follows)}>
            <Icon name={follows ? 'pause' : 'play'} /> {follows ? 'Stop following' : 'Follow live'}
          </button>
        )}
        <a class="button primary" href={href(['append', storeId], { stream })}>
          <Icon name="plus" /> Append
        </a>
      </PageHead>
      <EventFilterForm key={key} storeId={storeId} question={question} />
      {related === '' ? (
        follows ? (
          <FollowedEvents key={key} filter={filter} />
        ) : (
          <EventPages key={key} filter={filter} at={question.at} />
        )
      ) : (
        <RelatedEvents key={key} storeId={storeId} id={related} />
      )}
    </>
  );
}

function EventPages({ filter, at }: { readonly filter: EventFilter; readonly at: string }): JSX.Element {
  const { storeId, streamId } = filter;
  // Where each page that was seen begins; the first one is found by the time.
  const [starts, setStarts] = useState<readonly (number | undefined)[]>([undefined]);
  const start = starts.at(-1);
  const { data, error, loading, reload } = useLoad(
    `${JSON.stringify([filter, at])} ${start}`,
    async (client, signal) => {
      if (start !== undefined || at === '') return readNewest(client, filter, start, signal);
      const from =
        streamId === undefined
          ? await positionAt(client, storeId, Date.parse(at), signal)
          : (await client.versionAt({ storeId, streamId, time: at }, { signal })).version;
      return from < (streamId === undefined ? 1 : 0)
        ? { events: [] }
        : readNewest(client, filter, from, signal);
    },
  );
  const older = data?.older;
  return (
    <section class="card flush" aria-label="Events" aria-busy={loading}>
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {data === undefined ? (
        error === undefined && <Loading rows={8} />
      ) : data.events.length === 0 ? (
        <Empty title="No events here" icon="search">
          {at === '' ? 'Nothing matches what you look for.' : 'Nothing that old matches what you look for.'}
        </Empty>
      ) : (
        <EventList events={data.events} oneStream={streamId !== undefined} />
      )}
      <div class="pager">
        <button
          type="button"
          class="button"
          disabled={starts.length === 1}
          onClick={() => setStarts(starts.slice(0, -1))}
        >
          Newer
        </button>
        <span class="muted">page {starts.length}</span>
        <button
          type="button"
          class="button"
          disabled={older === undefined}
          onClick={() => older !== undefined && setStarts([...starts, older])}
        >
          Older
        </button>
        <span class="spacer" />
        <button type="button" class="button ghost" onClick={reload}>
          <Icon name="refresh" /> Refresh
        </button>
      </div>
    </section>
  );
}
