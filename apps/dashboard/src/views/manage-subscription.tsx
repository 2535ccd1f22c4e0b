import type { RemoteGater } from '@esdb-gater/client';
import type { Subscription } from '@esdb-gater/types';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { announce } from '../announce.ts';
import { go, href } from '../router.ts';
import { gater } from '../session/session.ts';
import { Icon } from '../ui/icon.tsx';
import { Card, Field, Problem } from '../ui/parts.tsx';
import { TextInput } from '../ui/text-input.tsx';

/** Starts a subscription anew from a position, or removes it. Both ask once more before they do it. */
export function ManageSubscription({
  subscription: { storeId, name },
  onChange,
}: {
  readonly subscription: Subscription;
  readonly onChange: () => void;
}): JSX.Element {
  const [position, setPosition] = useState('0');
  const [asking, setAsking] = useState<'reset' | 'remove' | undefined>();
  const [failure, setFailure] = useState<unknown>();
  const isLatest = position.trim() === 'latest';
  const isValid = isLatest || /^\d{1,15}$/.test(position.trim());

  const act = async (work: (client: RemoteGater) => Promise<void>): Promise<void> => {
    const client = gater.value;
    if (client === undefined) return;
    setFailure(undefined);
    setAsking(undefined);
    try {
      await work(client);
    } catch (error) {
      setFailure(error);
    }
    onChange();
  };
  const reset = (): Promise<void> =>
    act(async (client) => {
      const startFrom = isLatest ? 'latest' : Number(position);
      await client.resetSubscription({ storeId, name, startFrom });
      announce('The subscription starts anew.');
    });
  const remove = (): Promise<void> =>
    act(async (client) => {
      await client.removeSubscription({ storeId, name });
      announce('The subscription was removed.');
      go(href(['subscriptions', storeId]));
    });

  return (
    <Card title="Manage">
      {failure !== undefined && <Problem error={failure} />}
      <form
        class="filter bare"
        onSubmit={(event) => {
          event.preventDefault();
          setAsking('reset');
        }}
      >
        <Field label="Start anew after position" hint="0 is the beginning; or latest">
          <TextInput value={position} aria-invalid={!isValid} onText={setPosition} />
        </Field>
        <button type="submit" class="button" disabled={!isValid}>
          <Icon name="refresh" /> Start anew…
        </button>
        <span class="spacer" />
        <button type="button" class="button danger" onClick={() => setAsking('remove')}>
          <Icon name="trash" /> Remove…
        </button>
      </form>
      {asking !== undefined && (
        <div class="problem warn" role="alert">
          <Icon name="warning" />
          <p>
            {asking === 'reset'
              ? 'Its consumers get everything after that position again. Events that are in flight are forgotten.'
              : 'Its checkpoint and its parked events are lost, and its consumers get nothing more.'}
          </p>
          <button type="button" class="button danger small" onClick={asking === 'reset' ? reset : remove}>
            {asking === 'reset' ? 'Start anew' : 'Remove'}
          </button>
          <button type="button" class="button small" onClick={() => setAsking(undefined)}>
            Cancel
          </button>
        </div>
      )}
    </Card>
  );
}
