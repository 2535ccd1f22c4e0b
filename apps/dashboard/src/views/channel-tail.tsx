import type { ReceivedMessage } from '@esdb-gater/client';
import type { ChannelName } from '@esdb-gater/types';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { TAIL_KEEP, useTail } from '../data/use-tail.ts';
import { go, href, route } from '../router.ts';
import { count } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { JsonTree } from '../ui/json-tree.tsx';
import { Badge, Card, CopyButton, Empty, Field, Problem, Time } from '../ui/parts.tsx';
import { TextInput } from '../ui/text-input.tsx';
import { VirtualList } from '../ui/virtual-list.tsx';

const ROW_HEIGHT = 36;
const PREVIEW_UNITS = 200;

/** The messages of a channel as they come, of one topic or pattern. */
export function ChannelTail({ channel }: { readonly channel: ChannelName }): JSX.Element {
  const { query } = route.value;
  const topic = query.get('topic') ?? '>';
  const from = query.get('from') === 'earliest' ? 'earliest' : 'latest';
  const [typed, setTyped] = useState(topic);
  const [typedFrom, setTypedFrom] = useState<string>(from);
  const [selected, setSelected] = useState<ReceivedMessage | undefined>();
  const tail = useTail(channel, topic, from);
  const { messages, seen, missed, paused, waiting, error } = tail;
  return (
    <Card
      title="Live tail"
      flush
      aside={
        <span class="card-tools">
          <Badge tone={error !== undefined ? 'bad' : paused ? 'warn' : 'good'}>
            {error !== undefined ? 'ended' : paused ? 'paused' : 'live'}
          </Badge>
          <span class="muted">
            {count(seen)} received{paused && waiting > 0 ? `, ${count(waiting)} since the pause` : ''}
          </span>
          <button type="button" class="button small" aria-pressed={paused} onClick={tail.togglePause}>
            <Icon name={paused ? 'play' : 'pause'} size={16} /> {paused ? 'Go on' : 'Pause'}
          </button>
          <button type="button" class="button small" onClick={tail.clear}>
            Clear
          </button>
        </span>
      }
    >
      <form
        class="filter in-card"
        aria-label="Messages"
        onSubmit={(event) => {
          event.preventDefault();
          go(
            href(['channels', channel], {
              topic: typed.trim() === '>' ? '' : typed.trim(),
              from: typedFrom === 'earliest' ? 'earliest' : '',
            }),
          );
        }}
      >
        <Field label="Topic" hint="* is one segment, > at the end is the rest">
          <TextInput class="mono" value={typed} onText={setTyped} />
        </Field>
        <Field label="From">
          <select value={typedFrom} onChange={(event) => setTypedFrom(event.currentTarget.value)}>
            <option value="latest">now on</option>
            <option value="earliest">the oldest that is kept</option>
          </select>
        </Field>
        <button type="submit" class="button">
          Listen
        </button>
      </form>
      {missed > 0 && (
        <p class="note">{count(missed)} messages were left out: they were dropped, or no longer kept.</p>
      )}
      {error !== undefined && <Problem error={error} onRetry={tail.restart} />}
      {messages.length === 0 ? (
        error === undefined && (
          <Empty title="No message yet" icon="channels">
            Messages on <code>{topic}</code> appear here, the newest first.
          </Empty>
        )
      ) : (
        <div class={selected === undefined ? 'tail' : 'tail split'}>
          <VirtualList
            items={messages}
            rowHeight={ROW_HEIGHT}
            label={`Messages of ${channel}, the newest ${TAIL_KEEP}`}
            keyOf={({ number }) => number}
            render={({ received }) => (
              <button
                type="button"
                class="message-row"
                aria-pressed={selected === received}
                onClick={() => setSelected(selected === received ? undefined : received)}
              >
                <span class="message-time">
                  <Time at={received.time} />
                </span>
                <span class="message-topic clip">{received.topic}</span>
                <span class="message-text clip">{preview(received.message)}</span>
              </button>
            )}
          />
          {selected !== undefined && (
            <div class="message-details">
              <div class="event-json-head">
                <h3 class="break">{selected.topic}</h3>
                <CopyButton text={JSON.stringify(selected.message, null, 2)} what="the message" />
                <button type="button" class="button ghost small" onClick={() => setSelected(undefined)}>
                  Close
                </button>
              </div>
              <p class="muted break">
                <Time at={selected.time} /> · <code>{selected.id}</code>
              </p>
              <JsonTree value={selected.message} label="Message" />
            </div>
          )}
        </div>
      )}
    </Card>
  );
}

function preview(message: unknown): string {
  return JSON.stringify(message)?.slice(0, PREVIEW_UNITS) ?? '';
}
