import type { JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { go, href, route } from '../router.ts';
import { epoch, gater } from '../session/session.ts';
import { plural } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { Empty, Loading, PageHead, Problem } from '../ui/parts.tsx';
import { StorePicker } from '../ui/store-picker.tsx';
import { useTitle } from '../ui/use-title.ts';
import { VirtualList } from '../ui/virtual-list.tsx';

const PAGE = 1_000;
const ROW_HEIGHT = 44;
const TYPING_MS = 200;

interface Listed {
  readonly streams: readonly string[];
  readonly next?: string;
  readonly error?: unknown;
  readonly loading: boolean;
}

/** The streams of a store, found by the beginning of their names. */
export function StreamsView({ storeId }: { readonly storeId: string }): JSX.Element {
  useTitle(`Streams of ${storeId}`);
  const prefix = route.value.query.get('prefix') ?? '';
  const [typed, setTyped] = useState(prefix);
  const { list, loadMore, reload } = useStreams(storeId, prefix);

  useEffect(() => {
    if (typed === prefix) return;
    const timer = setTimeout(
      () => go(href(['streams', storeId], { prefix: typed }), { replace: true }),
      TYPING_MS,
    );
    return () => clearTimeout(timer);
  }, [typed, prefix, storeId]);

  const { streams, next, error, loading } = list;
  return (
    <>
      <PageHead
        title="Streams"
        about={
          <>
            of store <strong>{storeId}</strong>
          </>
        }
      >
        <StorePicker section="streams" storeId={storeId} />
        <button type="button" class="button" onClick={reload}>
          <Icon name="refresh" /> Refresh
        </button>
        <a class="button primary" href={href(['append', storeId])}>
          <Icon name="plus" /> Append
        </a>
      </PageHead>
      <section class="card flush grow" aria-label="Streams">
        <div class="card-head">
          <label class="search">
            <span class="visually-hidden">Find streams whose name begins with</span>
            <Icon name="search" />
            <input
              type="search"
              placeholder="Name begins with…"
              value={typed}
              autocomplete="off"
              spellcheck={false}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
          </label>
          <span class="muted" role="status">
            {loading && streams.length === 0
              ? 'Loading…'
              : `${plural(streams.length, 'stream')}${next === undefined ? '' : ', more below'}`}
          </span>
        </div>
        {error !== undefined && <Problem error={error} onRetry={reload} />}
        {streams.length > 0 ? (
          <VirtualList
            items={streams}
            rowHeight={ROW_HEIGHT}
            label={`Streams of ${storeId}`}
            keyOf={(stream) => stream}
            onNearEnd={loadMore}
            render={(stream) => (
              <a class="stream-row" href={href(['events', storeId], { stream })}>
                <Icon name="streams" size={16} />
                <span class="clip">{stream}</span>
                <Icon name="chevron" size={16} />
              </a>
            )}
          />
        ) : loading ? (
          <Loading rows={6} />
        ) : error === undefined ? (
          <Empty title={prefix === '' ? 'This store has no streams yet' : 'No stream begins like this'}>
            {prefix === '' ? (
              <a href={href(['append', storeId])}>Append the first event</a>
            ) : (
              'Names are compared letter by letter, capitals included.'
            )}
          </Empty>
        ) : null}
      </section>
    </>
  );
}

/** Loads the names page by page. */
function useStreams(
  storeId: string,
  prefix: string,
): { readonly list: Listed; readonly loadMore: () => void; readonly reload: () => void } {
  const [list, setList] = useState<Listed>({ streams: [], loading: true });
  const [turn, setTurn] = useState(0);
  const client = gater.value;
  const connection = epoch.value;
  const more = useRef<(() => void) | undefined>(undefined);

  // A new connection and a reload load again.
  useEffect(() => {
    if (client === undefined) return;
    const ended = new AbortController();
    let busy = false;
    const load = async (after: string | undefined, before: readonly string[]): Promise<void> => {
      if (busy) return;
      busy = true;
      setList((one) => ({ ...one, loading: true }));
      try {
        const page = await client.getStreams(
          {
            storeId,
            limit: PAGE,
            ...(prefix === '' ? {} : { prefix }),
            ...(after === undefined ? {} : { after }),
          },
          { signal: ended.signal },
        );
        const streams = [...before, ...page.streams];
        const { next } = page;
        more.current = next === undefined ? undefined : () => void load(next, streams);
        setList({ streams, loading: false, ...(next === undefined ? {} : { next }) });
      } catch (error) {
        if (!ended.signal.aborted) setList({ streams: before, loading: false, error });
      }
      busy = false;
    };
    more.current = undefined;
    void load(undefined, []);
    return () => ended.abort();
  }, [client, connection, storeId, prefix, turn]);

  return {
    list,
    loadMore: useCallback(() => more.current?.(), []),
    reload: useCallback(() => setTurn((n) => n + 1), []),
  };
}
