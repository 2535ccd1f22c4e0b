import type { RemoteGater } from '@esdb-gater/client';
import type { ParkedEvent, Subscription } from '@esdb-gater/types';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { announce } from '../announce.ts';
import { skipParked } from '../data/skip-parked.ts';
import { useLoad } from '../data/use-load.ts';
import { gater } from '../session/session.ts';
import { plural } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { Card, Empty, Loading, Problem, Time } from '../ui/parts.tsx';
import { EventDetails } from './event-list.tsx';

const PAGE = 100;

/** The parked events of a subscription, which can be retried and skipped. */
export function ParkedEvents({
  subscription,
  onChange,
}: {
  readonly subscription: Subscription;
  readonly onChange: () => void;
}): JSX.Element {
  const { storeId, name, parked, subscribers } = subscription;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const [note, setNote] = useState<string | undefined>();
  // The list is read again when the number of parked events changes.
  const { data, error, reload } = useLoad(`${storeId} ${name} ${parked}`, (client, signal) =>
    client.listParked({ storeId, name, limit: PAGE }, { signal }),
  );
  const events = data?.events ?? [];
  const ids = events.map(({ event }) => event.id).filter((id) => chosen.has(id));

  const act = async (work: (client: RemoteGater) => Promise<string>): Promise<void> => {
    const client = gater.value;
    if (client === undefined) return;
    setBusy(true);
    setFailure(undefined);
    setNote(undefined);
    try {
      const done = await work(client);
      setNote(done);
      announce(done);
      setChosen(new Set());
    } catch (problem) {
      setFailure(problem);
    }
    setBusy(false);
    reload();
    onChange();
  };
  const retry = (list: readonly string[] | undefined) => () =>
    act(async (client) => {
      const { count } = await client.replayParked({
        storeId,
        name,
        ...(list === undefined ? {} : { ids: list }),
      });
      return `${plural(count, 'event')} will be delivered again${subscribers === 0 ? ' once a consumer is there' : ''}.`;
    });
  const skip = (): Promise<void> =>
    act(async (client) => `Skipped ${plural(await skipParked(client, subscription, ids), 'event')}.`);

  return (
    <Card
      title="Parked events"
      flush
      aside={
        events.length > 0 && (
          <span class="card-tools">
            <button
              type="button"
              class="button small"
              disabled={busy || ids.length === 0}
              onClick={retry(ids)}
            >
              <Icon name="refresh" size={16} /> Retry chosen
            </button>
            <button
              type="button"
              class="button small"
              disabled={busy || ids.length === 0 || subscribers > 0}
              onClick={skip}
            >
              Skip chosen
            </button>
            <button type="button" class="button small" disabled={busy} onClick={retry(undefined)}>
              Retry all
            </button>
          </span>
        )
      }
    >
      {failure !== undefined && <Problem error={failure} />}
      {note !== undefined && (
        <p class="success" role="status">
          <Icon name="check" /> <span>{note}</span>
        </p>
      )}
      {error !== undefined && <Problem error={error} onRetry={reload} />}
      {data === undefined ? (
        error === undefined && <Loading rows={2} />
      ) : events.length === 0 ? (
        <Empty title="Nothing is parked" icon="check">
          An event that its consumers refuse too often waits here.
        </Empty>
      ) : (
        <>
          <p class="note">
            {subscribers > 0
              ? 'To skip events, stop the consumers first: a skip joins the subscription for a moment, in their place.'
              : 'A skip joins the subscription for a moment as its only consumer.'}
          </p>
          <ul class="parked">
            {events.map((one) => (
              <ParkedRow
                key={one.event.id}
                parked={one}
                chosen={chosen.has(one.event.id)}
                onChoose={(isChosen) => {
                  const next = new Set(chosen);
                  if (isChosen) next.add(one.event.id);
                  else next.delete(one.event.id);
                  setChosen(next);
                }}
              />
            ))}
          </ul>
        </>
      )}
      {data?.next !== undefined && <p class="note">The first {PAGE} are shown.</p>}
    </Card>
  );
}

function ParkedRow({
  parked: { event, reason, attempts, parkedAt },
  chosen,
  onChoose,
}: {
  readonly parked: ParkedEvent;
  readonly chosen: boolean;
  readonly onChoose: (chosen: boolean) => void;
}): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <li class="parked-row">
      <label class="parked-choice">
        <input
          type="checkbox"
          checked={chosen}
          onChange={(change) => onChoose(change.currentTarget.checked)}
        />
        <span class="visually-hidden">Choose event {event.position}</span>
      </label>
      <div class="parked-what">
        <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>
          <strong>{event.type}</strong> of {event.streamId}, version {event.version}
        </button>
        <p>
          {reason === '' ? <span class="muted">no reason given</span> : reason}{' '}
          <span class="muted">
            · {plural(attempts, 'attempt')}, <Time at={parkedAt} />
          </span>
        </p>
        {open && <EventDetails event={event} />}
      </div>
    </li>
  );
}
