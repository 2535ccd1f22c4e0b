import type { ReceivedMessage } from '@esdb-gater/client';
import type { ChannelName } from '@esdb-gater/types';
import { useEffect, useRef, useState } from 'preact/hooks';
import { gater } from '../session/session.ts';
import { createFrameBatch } from './frame-batch.ts';

/** The page keeps this many of the newest messages. */
export const TAIL_KEEP = 1_000;

/** A message with a number of this page, since a replayed one may come twice. */
export interface TailedMessage {
  readonly number: number;
  readonly received: ReceivedMessage;
}

interface TailState {
  /** The newest first. */
  readonly messages: readonly TailedMessage[];
  readonly seen: number;
  /** Dropped by the gateway, or no longer in its history. */
  readonly missed: number;
  /** Received while paused. */
  readonly waiting: number;
  readonly error?: unknown;
}

export interface Tail extends TailState {
  readonly paused: boolean;
  togglePause(): void;
  clear(): void;
  restart(): void;
}

const NOTHING: TailState = { messages: [], seen: 0, missed: 0, waiting: 0 };

/**
 * Subscribes to a topic or pattern while the view is there. Messages are shown once per frame of the screen; while paused they
 * are only kept. The client resumes by itself after a lost connection.
 */
export function useTail(channel: ChannelName, topic: string, from: 'latest' | 'earliest'): Tail {
  const [state, setState] = useState<TailState>(NOTHING);
  const [paused, setPaused] = useState(false);
  const [turn, setTurn] = useState(0);
  const isPaused = useRef(false);
  const held = useRef<readonly TailedMessage[]>([]);
  const client = gater.value;

  // A restart subscribes again.
  useEffect(() => {
    if (client === undefined) return;
    const ended = new AbortController();
    let number = 0;
    held.current = [];
    setState(NOTHING);
    const batch = createFrameBatch<TailedMessage>(TAIL_KEEP, (newer, skipped) => {
      held.current = [...newer.toReversed(), ...held.current].slice(0, TAIL_KEEP);
      const arrived = newer.length + skipped;
      setState((before) => ({
        ...before,
        seen: before.seen + arrived,
        ...(isPaused.current ? { waiting: before.waiting + arrived } : { messages: held.current }),
      }));
    });
    const run = async (): Promise<void> => {
      try {
        const messages = await client.subscribe(
          { channel, topic, from },
          {
            signal: ended.signal,
            onLost: ({ count = 0 }) => setState((before) => ({ ...before, missed: before.missed + count })),
          },
        );
        for await (const received of messages) batch.push({ number: number++, received });
      } catch (error) {
        if (!ended.signal.aborted) setState((before) => ({ ...before, error }));
      }
    };
    void run();
    return () => {
      ended.abort();
      batch.stop();
    };
  }, [client, channel, topic, from, turn]);

  return {
    ...state,
    paused,
    togglePause() {
      isPaused.current = !paused;
      setPaused(!paused);
      setState((before) => ({ ...before, waiting: 0, messages: held.current }));
    },
    clear() {
      held.current = [];
      setState((before) => ({ ...before, messages: [], waiting: 0 }));
    },
    restart: () => setTurn((n) => n + 1),
  };
}
