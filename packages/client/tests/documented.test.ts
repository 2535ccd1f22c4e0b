import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { METHOD_NAMES } from '@esdb-gater/protocol';
import { expect, test } from 'vitest';

/** Returns the members of an interface, and whether a doc comment ends in the line above each. */
function membersOf(file: string, name: string): ReadonlyMap<string, boolean> {
  const lines = readFileSync(join(import.meta.dirname, '..', '..', file), 'utf8').split('\n');
  const start = lines.findIndex((line) => line.startsWith(`export interface ${name}`));
  const members = new Map<string, boolean>();
  for (let at = start + 1; lines[at] !== '}'; at++) {
    const [, member] = /^ {2}(?:readonly )?(\w+)[<(:?]/.exec(lines[at] ?? '') ?? [];
    if (member !== undefined) members.set(member, lines[at - 1]?.trimEnd().endsWith('*/') === true);
  }
  return members;
}

test('every method of a Gater, and every option of a call, has its documentation on hover [R33]', () => {
  const methods = new Map([
    ...membersOf('gater/src/gater.ts', 'Gater'),
    ...membersOf('gater/src/plain-methods.ts', 'PlainMethods'),
  ]);
  expect(METHOD_NAMES.filter((method) => !methods.has(method))).toEqual([]);
  const options = [
    ...membersOf('gater/src/gater.ts', 'SubscribeOptions'),
    ...membersOf('client/src/connection/options.ts', 'ConnectOptions'),
  ];
  expect(options.length).toBeGreaterThan(5);
  expect([...methods, ...options].filter(([, documented]) => !documented)).toEqual([]);
});
