import type { JSX } from 'preact';
import { useLoad } from '../data/use-load.ts';
import { href } from '../router.ts';
import { count } from '../ui/format.ts';
import { Badge, Empty, Loading, PageHead, Problem } from '../ui/parts.tsx';
import { StorePicker } from '../ui/store-picker.tsx';
import { useTitle } from '../ui/use-title.ts';

const EVERY_MS = 2_000;

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
          <div class="table-box">
            <table class="stacking">
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">Selects</th>
                  <th scope="col">State</th>
                  <th scope="col" class="number">
                    Lag
                  </th>
                  <th scope="col" class="number">
                    Consumers
                  </th>
                  <th scope="col" class="number">
                    Parked
                  </th>
                  <th scope="col" class="number">
                    Checkpoint
                  </th>
                </tr>
              </thead>
              <tbody>
                {list.map((one) => (
                  <tr key={one.name}>
                    <td data-label="Name">
                      <a class="strong break" href={href(['subscriptions', storeId, one.name])}>
                        {one.name}
                      </a>
                    </td>
                    <td data-label="Selects">
                      <span class="muted">{one.type}</span>{' '}
                      <code class="clip inline-clip" title={selectorText(one.selector)}>
                        {selectorText(one.selector)}
                      </code>
                    </td>
                    <td data-label="State">
                      <SubscriptionState {...one} />
                    </td>
                    <td data-label="Lag" class={one.lag > 0 ? 'number attention' : 'number'}>
                      {count(one.lag)}
                    </td>
                    <td data-label="Consumers" class="number">
                      {count(one.subscribers)}
                    </td>
                    <td data-label="Parked" class={one.parked > 0 ? 'number attention' : 'number'}>
                      {count(one.parked)}
                    </td>
                    <td data-label="Checkpoint" class="number">
                      {count(one.checkpoint)}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
    </>
  );
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
