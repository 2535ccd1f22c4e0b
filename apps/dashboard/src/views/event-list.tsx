import type { RecordedEvent } from '@esdb-gater/client';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { href } from '../router.ts';
import { Icon } from '../ui/icon.tsx';
import { JsonTree } from '../ui/json-tree.tsx';
import { CopyButton, Time } from '../ui/parts.tsx';

export interface EventListProps {
  readonly events: readonly RecordedEvent[];
  /** Leaves out the stream, when all events are of one. */
  readonly oneStream?: boolean;
}

/** Events as rows that open. */
export function EventList({ events, oneStream = false }: EventListProps): JSX.Element {
  return (
    <ol class="events">
      {events.map((event) => (
        <EventRow key={`${event.position} ${event.id}`} event={event} oneStream={oneStream} />
      ))}
    </ol>
  );
}

function EventRow({
  event,
  oneStream,
}: {
  readonly event: RecordedEvent;
  readonly oneStream: boolean;
}): JSX.Element {
  const [open, setOpen] = useState(false);
  const details = `event-${event.position}`;
  return (
    <li class={open ? 'event open' : 'event'}>
      <button
        type="button"
        class="event-row"
        aria-expanded={open}
        aria-controls={details}
        onClick={() => setOpen(!open)}
      >
        <Icon name="chevron" size={16} />
        <span class="event-number" title={oneStream ? 'version in the stream' : 'position in the store'}>
          {oneStream ? event.version : event.position}
        </span>
        <span class="event-type">{event.type}</span>
        {!oneStream && <span class="event-stream">{event.streamId}</span>}
        <span class="event-tags">
          {event.tags.slice(0, 3).map((tag) => (
            <span key={tag} class="tag">
              {tag}
            </span>
          ))}
          {event.tags.length > 3 && <span class="muted">+{event.tags.length - 3}</span>}
        </span>
        <span class="event-time">
          <Time at={event.timestamp} />
        </span>
      </button>
      <div id={details} hidden={!open}>
        {open && <EventDetails event={event} />}
      </div>
    </li>
  );
}

/** Everything that an event has. Its correlation and its cause are links that look for what belongs together. */
export function EventDetails({ event }: { readonly event: RecordedEvent }): JSX.Element {
  const { storeId, streamId, type, id, version, position, metadata, tags, dataBase64, contentType } = event;
  const related = (value: string): string => href(['events', storeId], { related: value });
  const causes = ['correlationId', 'causationId'].flatMap((name) => {
    const value = metadata[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return (
    <div class="event-details">
      <dl class="facts">
        <div>
          <dt>Stream</dt>
          <dd>
            <a href={href(['events', storeId], { stream: streamId })}>{streamId}</a>
          </dd>
        </div>
        <div>
          <dt>Type</dt>
          <dd>
            <a href={href(['events', storeId], { type })}>{type}</a>
          </dd>
        </div>
        {tags.length > 0 && (
          <div>
            <dt>Tags</dt>
            <dd class="wrap">
              {tags.map((tag) => (
                <a key={tag} class="tag" href={href(['events', storeId], { tag })}>
                  {tag}
                </a>
              ))}
            </dd>
          </div>
        )}
        <div>
          <dt>Id</dt>
          <dd>
            <a class="mono break" href={related(id)} title="Look for what this event caused">
              {id}
            </a>
          </dd>
        </div>
        {causes.map(([name, value]) => (
          <div key={name}>
            <dt>{name === 'correlationId' ? 'Correlation' : 'Caused by'}</dt>
            <dd>
              <a class="mono break" href={related(value)}>
                {value}
              </a>
            </dd>
          </div>
        ))}
        <div>
          <dt>Place</dt>
          <dd>
            version {version}, position {position}
          </dd>
        </div>
        <div>
          <dt>Time</dt>
          <dd>
            <Time at={event.timestamp} />
          </dd>
        </div>
      </dl>
      <div class="event-json">
        <div class="event-json-head">
          <p class="label">
            {dataBase64 === undefined ? 'Data' : `Bytes, ${contentType ?? 'of unknown type'}`}
          </p>
          <CopyButton text={JSON.stringify(event, null, 2)} what="the event as JSON" />
        </div>
        <JsonTree value={dataBase64 ?? event.data} label={`Data of event ${position}`} />
        {Object.keys(metadata).length > 0 && (
          <>
            <p class="label">Metadata</p>
            <JsonTree value={metadata} label={`Metadata of event ${position}`} />
          </>
        )}
      </div>
    </div>
  );
}
