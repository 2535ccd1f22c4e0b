import { PATTERN, TOPICS, topicOf } from './messages.ts';

/** The protocol between a subscriber of the bench and a server. */
export interface Dialect {
  readonly subprotocol?: string;
  /** Sent at once, one frame each. */
  readonly greeting: readonly string[];
  /** Of a frame without any message. */
  read(text: string): { readonly outcome?: 'subscribed' | 'refused'; readonly reply?: string };
}

/** The gateway: one pattern for all topics. */
export const gater: Dialect = {
  subprotocol: 'esdb-gater.v1',
  greeting: [rpc('subscribe', { channel: 'system', topic: PATTERN })],
  read(text) {
    const { id, error } = JSON.parse(text) as { readonly id?: number; readonly error?: object };
    if (id !== 1) return {};
    return { outcome: error === undefined ? 'subscribed' : 'refused' };
  },
};

/** Centrifugo's JSON protocol: a subscription for each topic, as it knows no wildcards. */
export const centrifugo: Dialect = {
  greeting: [
    '{"id":1,"connect":{}}',
    ...Array.from({ length: TOPICS }, (_, topic) =>
      JSON.stringify({ id: 2 + topic, subscribe: { channel: topicOf(topic) } }),
    ),
  ],
  read(text) {
    const replies = text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { readonly id?: number; readonly error?: object });
    if (replies.some(({ error }) => error !== undefined)) return { outcome: 'refused' };
    if (replies.some(({ id }) => id === 1 + TOPICS)) return { outcome: 'subscribed' };
    // An empty object is a ping, and its answer.
    return replies.some((reply) => Object.keys(reply).length === 0) ? { reply: '{}' } : {};
  },
};

function rpc(method: string, params: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
}
