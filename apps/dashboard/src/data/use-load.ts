import type { RemoteGater } from '@esdb-gater/client';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { epoch, gater } from '../session/session.ts';

/** What a load has given so far. Earlier data stays while a newer load runs or fails. */
export interface Loaded<Data> {
  readonly data: Data | undefined;
  readonly error: unknown;
  readonly loading: boolean;
  readonly reload: () => void;
}

interface Kept<Data> {
  readonly key: string;
  readonly data?: Data;
  readonly error?: unknown;
  readonly loading: boolean;
}

/**
 * Loads data whenever `key` changes and after each new connection, and with `everyMs` again and again while the page is
 * visible. A load that is overtaken is aborted.
 */
export function useLoad<Data>(
  key: string,
  load: (gater: RemoteGater, signal: AbortSignal) => Promise<Data>,
  { everyMs }: { readonly everyMs?: number } = {},
): Loaded<Data> {
  const [kept, setKept] = useState<Kept<Data>>({ key, loading: true });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const client = gater.value;
  const connection = epoch.value;
  // A new connection and a reload load again.
  useEffect(() => {
    if (client === undefined) return;
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async (): Promise<void> => {
      if (document.hidden && everyMs !== undefined) return again();
      try {
        const data = await latest.current(client, ended.signal);
        if (!ended.signal.aborted) setKept({ key, data, loading: false });
      } catch (error) {
        if (ended.signal.aborted) return;
        setKept((before) => ({ ...(before.key === key ? before : {}), key, error, loading: false }));
      }
      again();
    };
    const again = (): void => {
      if (everyMs !== undefined && !ended.signal.aborted) timer = setTimeout(run, everyMs);
    };
    setKept((before) => (before.key === key ? { ...before, loading: true } : { key, loading: true }));
    void run();
    return () => {
      ended.abort();
      clearTimeout(timer);
    };
  }, [client, connection, key, turn, everyMs]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  const isCurrent = kept.key === key;
  return {
    data: isCurrent ? kept.data : undefined,
    error: isCurrent ? kept.error : undefined,
    loading: !isCurrent || kept.loading,
    reload,
  };
}
