import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGater, type Gater } from '@esdb-gater/client';
import { createStoreWorker } from '@esdb-gater/event-store';
import { createRegistry } from '@esdb-gater/registry';
import { openSqliteStore } from '@esdb-gater/store-sqlite';
import type { EventStore } from '@esdb-gater/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { enrol, leave, offerCourse } from './course-enrolment.ts';
import { issueInvoice } from './invoice-numbers.ts';
import { giveUpName, takeName } from './user-names.ts';

const STORE = 'main';

let folder = '';
let store: EventStore;
let gater: Gater;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'consistency-'));
  store = await openSqliteStore({ storeId: STORE, file: join(folder, 'main.db') });
  const registry = createRegistry();
  registry.register(createStoreWorker(store, { nodeId: 'node' }));
  gater = createGater({ registry });
});

afterAll(async () => {
  await gater.close();
  await store.close();
  await rm(folder, { recursive: true });
});

/** How often each answer was given. */
function tally(answers: readonly unknown[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const answer of answers) counts[String(answer)] = (counts[String(answer)] ?? 0) + 1;
  return counts;
}

describe('user names', () => {
  test('of many users who want a name at once one gets it', async () => {
    const users = Array.from({ length: 30 }, (_, index) => `u${index}`);
    const answers = await Promise.all(users.map((user) => takeName(gater, STORE, user, 'Ada')));
    expect(tally(answers)).toEqual({ true: 1, false: 29 });
  });

  test('spellings of a name are one name, and a name that was given up is free again', async () => {
    expect(await takeName(gater, STORE, 'grace', 'Grace')).toBe(true);
    expect(await takeName(gater, STORE, 'other', 'gRACE')).toBe(false);
    expect(await giveUpName(gater, STORE, 'other', 'grace')).toBe(false);
    expect(await giveUpName(gater, STORE, 'grace', 'grace')).toBe(true);
    expect(await takeName(gater, STORE, 'other', 'GRACE')).toBe(true);
  });
});

describe('course enrolment', () => {
  test('neither limit is exceeded, however many enrol at once', async () => {
    const courses = ['maths', 'logic', 'art', 'music', 'law'];
    await Promise.all(courses.map((course) => offerCourse(gater, STORE, course, 4)));
    const students = ['a', 'b', 'c', 'd', 'e', 'f'];
    const wishes = students.flatMap((student) => courses.map((course) => ({ student, course })));
    const answers = await Promise.all(
      wishes.map(({ student, course }) => enrol(gater, STORE, course, student)),
    );
    const enrolled = wishes.filter((_, index) => answers[index] === 'enrolled');
    for (const count of Object.values(tally(enrolled.map(({ course }) => course)))) {
      expect(count).toBeLessThanOrEqual(4);
    }
    for (const count of Object.values(tally(enrolled.map(({ student }) => student)))) {
      expect(count).toBeLessThanOrEqual(3);
    }
    // Both limits leave room for 18 enrolments, and nobody is refused for a seat or a course that is free.
    for (const [index, { student, course }] of wishes.entries()) {
      const seats = enrolled.filter((one) => one.course === course).length;
      const taken = enrolled.filter((one) => one.student === student).length;
      if (answers[index] === 'course full') expect(seats).toBe(4);
      if (answers[index] === 'too many courses') expect(taken).toBe(3);
    }
  });

  test('who leaves frees the seat, and nobody is enrolled twice', async () => {
    await offerCourse(gater, STORE, 'chess', 1);
    expect(await enrol(gater, STORE, 'chess', 'x')).toBe('enrolled');
    expect(await enrol(gater, STORE, 'chess', 'x')).toBe('already enrolled');
    expect(await enrol(gater, STORE, 'chess', 'y')).toBe('course full');
    expect(await leave(gater, STORE, 'chess', 'y')).toBe(false);
    expect(await leave(gater, STORE, 'chess', 'x')).toBe(true);
    expect(await enrol(gater, STORE, 'chess', 'y')).toBe('enrolled');
    expect(await enrol(gater, STORE, 'nowhere', 'y')).toBe('no such course');
  });
});

describe('invoice numbers', () => {
  test('invoices that are issued at once get the numbers from 1 on, without a gap', async () => {
    const issue = (invoiceId: string) => issueInvoice(gater, STORE, { year: 2026, invoiceId, total: 5 });
    const numbers = await Promise.all(Array.from({ length: 25 }, (_, index) => issue(`i${index}`)));
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
    // An invoice that exists already uses no number.
    await expect(issue('i3')).rejects.toMatchObject({ code: 'wrong_expected_version' });
    expect(await issue('next')).toBe(26);
    const used = await gater.getEvents({ storeId: STORE, streamId: 'invoice-numbers-2026' });
    expect(used.events.map(({ data }) => (data as { number: number }).number)).toEqual(
      Array.from({ length: 26 }, (_, index) => index + 1),
    );
  });
});
