import { describe, expect, test } from 'vitest';
import { decodeDatagram, encodeDatagram } from './datagram.ts';

const NODE = { nodeId: 'node-a', url: 'ws://a.example:4590/v1/ws', leaves: false };
const NOW = 1_800_000_000;

describe('a datagram', () => {
  test('is read with any secret of the list', () => {
    const bytes = encodeDatagram(NODE, 'new', NOW);
    expect(decodeDatagram(bytes, ['old', 'new'], NOW)).toEqual(NODE);
    expect(decodeDatagram(bytes, ['old'], NOW)).toBeUndefined();
  });

  test.each([
    [-31, false],
    [-30, true],
    [30, true],
    [31, false],
  ])('that is %d s away from the own time is read: %s', (skew, isRead) => {
    const bytes = encodeDatagram(NODE, 's', NOW + skew);
    expect(decodeDatagram(bytes, ['s'], NOW) !== undefined).toBe(isRead);
  });

  test('with any changed byte is not read [T21]', () => {
    const bytes = encodeDatagram(NODE, 's', NOW);
    for (let at = 0; at < bytes.length; at++) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const read = decodeDatagram(changed, ['s'], NOW);
      // A flipped bit in the unused end of base64url leaves the same signature.
      expect(read === undefined || JSON.stringify(read) === JSON.stringify(NODE), `byte ${at}`).toBe(true);
    }
  });

  test('whose parts were moved across their borders is not read [T21]', () => {
    const { mac } = JSON.parse(encodeDatagram(NODE, 's', NOW).toString()) as { readonly mac: string };
    const moved = { nodeId: `node-a\n${NODE.url}`, url: 'ws://b', leaves: false, time: NOW, mac };
    expect(decodeDatagram(Buffer.from(JSON.stringify(moved)), ['s'], NOW)).toBeUndefined();
  });

  test.each([
    '',
    'null',
    '[]',
    '{}',
    '{"nodeId":1}',
    '{"nodeId":"a","url":"http://a","leaves":false,"time":1,"mac":""}',
  ])('%j is not read', (text) => expect(decodeDatagram(Buffer.from(text), ['s'], NOW)).toBeUndefined());

  test('that is too long is not read', () => {
    const bytes = encodeDatagram(
      { ...NODE, nodeId: 'ä'.repeat(255), url: `ws://${'ö'.repeat(500)}` },
      's',
      NOW,
    );
    expect(bytes.length).toBeGreaterThan(1_400);
    expect(decodeDatagram(bytes, ['s'], NOW)).toBeUndefined();
  });
});
