import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { announcement } from './announce.ts';
import { health } from './data/monitor.ts';
import { route } from './router.ts';
import { sessionState } from './session/session.ts';
import { Header } from './ui/header.tsx';
import { Navigation } from './ui/navigation.tsx';
import { Empty, Loading, PageHead } from './ui/parts.tsx';
import { useTitle } from './ui/use-title.ts';
import { Access } from './views/access.tsx';
import { AppendView } from './views/append.tsx';
import { ChannelView } from './views/channel.tsx';
import { ChannelsView } from './views/channels.tsx';
import { EventsView } from './views/events.tsx';
import { Overview } from './views/overview.tsx';
import { StreamsView } from './views/streams.tsx';
import { SubscriptionView } from './views/subscription.tsx';
import { SubscriptionsView } from './views/subscriptions.tsx';

/** The whole page: header, navigation, the view of the route. */
export function App(): JSX.Element {
  const main = useRef<HTMLElement>(null);
  const [section = 'overview', first = '', second = ''] = route.value.parts;
  // Another view, not another filter of the same view.
  const view =
    section === 'events' || section === 'append' ? `${section}/${first}` : `${section}/${first}/${second}`;
  const seen = useRef(view);
  useEffect(() => {
    if (seen.current === view) return;
    seen.current = view;
    scrollTo(0, 0);
    main.current?.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
  }, [view]);

  return (
    <div class="shell">
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <Header />
      <Navigation section={section} />
      <main id="main" ref={main} tabIndex={-1}>
        <LostBanner />
        {sessionState.value.kind === 'token' && section !== 'access' ? (
          <Access />
        ) : (
          <View key={view} section={section} first={first} second={second} />
        )}
      </main>
      <div class="visually-hidden" role="status" aria-live="polite">
        {announcement.value}
      </div>
    </div>
  );
}

function View({
  section,
  first,
  second,
}: {
  readonly section: string;
  readonly first: string;
  readonly second: string;
}): JSX.Element {
  const stores = Object.keys(health.value?.stores ?? {});
  const storeId = first === '' ? stores[0] : first;
  if (section === 'overview') return <Overview />;
  if (section === 'access') return <Access />;
  if (section === 'channels') return first === '' ? <ChannelsView /> : <ChannelView name={first} />;
  if (['streams', 'events', 'append', 'subscriptions'].includes(section)) {
    if (storeId === undefined) return health.value === undefined ? <Loading /> : <NoStore />;
    if (section === 'streams') return <StreamsView storeId={storeId} />;
    if (section === 'events') return <EventsView storeId={storeId} />;
    if (section === 'append') return <AppendView storeId={storeId} />;
    return second === '' ? (
      <SubscriptionsView storeId={storeId} />
    ) : (
      <SubscriptionView storeId={storeId} name={second} />
    );
  }
  return <NotFound />;
}

function NotFound(): JSX.Element {
  useTitle('Not found');
  return (
    <>
      <PageHead title="Not found" />
      <Empty title="There is no such page" icon="search">
        <a href="#/">Go to the overview</a>
      </Empty>
    </>
  );
}

function NoStore(): JSX.Element {
  useTitle('No store');
  return (
    <>
      <PageHead title="No store" />
      <Empty title="This gateway has no store that you may see">
        Configure one under <code>stores</code>, or let a worker register one.
      </Empty>
    </>
  );
}

function LostBanner(): JSX.Element | null {
  const state = sessionState.value;
  if (state.kind !== 'lost') return null;
  return (
    <div class="banner">
      <span class="spinner" aria-hidden="true" />
      <p>
        <strong>The connection to the gateway is lost.</strong> What you see may be out of date. Trying again…
      </p>
    </div>
  );
}
