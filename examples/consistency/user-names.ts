// Unique user names: two users never have the same name at once, and a name that was given up can be taken again.
import type { Gater } from '@esdb-gater/client';
import { decide } from './decide.ts';

/** Returns the tag of a name, the same for all spellings that are the same name. */
function tagOf(name: string): string {
  return `username:${name.normalize('NFKC').toLowerCase()}`;
}

/** Takes a name for a user. Returns false when somebody has it. */
export function takeName(gater: Gater, storeId: string, userId: string, name: string): Promise<boolean> {
  const tags = [tagOf(name)];
  return decide({ gater, storeId, query: { items: [{ tags }] } }, (events) => {
    // The name is free when it was never taken, or given up last.
    if (events.at(-1)?.type === 'name_taken') return { answer: false };
    const event = { type: 'name_taken', data: { userId, name }, tags };
    return { answer: true, append: { streamId: `user-${userId}`, events: [event] } };
  });
}

/** Gives up the name of a user. Returns false when the user does not have it. */
export function giveUpName(gater: Gater, storeId: string, userId: string, name: string): Promise<boolean> {
  const tags = [tagOf(name)];
  return decide({ gater, storeId, query: { items: [{ tags }] } }, (events) => {
    const last = events.at(-1);
    const holder =
      last?.type === 'name_taken' ? (last.data as { readonly userId: string }).userId : undefined;
    if (holder !== userId) return { answer: false };
    const event = { type: 'name_given_up', data: { userId, name }, tags };
    return { answer: true, append: { streamId: `user-${userId}`, events: [event] } };
  });
}
