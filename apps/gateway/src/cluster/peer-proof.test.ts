import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createPeerProofs } from './peer-proof.ts';

const SELF = { nodeId: 'a', incarnation: 7, url: 'ws://127.0.0.1:1/v1/ws' };

describe('the proof of a node', () => {
  const proofs = createPeerProofs('secret');
  const proof = proofs.prove(SELF, 'nonce');

  test('is the HMAC of the nonce, the id and the incarnation', () => {
    const mac = createHmac('sha256', 'secret').update('esdb-gater-peer/1\nnonce\na\n7').digest('base64url');
    expect(proof).toEqual({ ...SELF, proof: mac });
    expect(proofs.verify(proof, 'nonce')).toBe(true);
  });

  test.each([
    ['another nonce', proof, 'other'],
    ['another node', { ...proof, nodeId: 'b' }, 'nonce'],
    ['another incarnation', { ...proof, incarnation: 8 }, 'nonce'],
    [
      'a changed character',
      { ...proof, proof: `${proof.proof[0] === 'A' ? 'B' : 'A'}${proof.proof.slice(1)}` },
      'nonce',
    ],
    ['padding', { ...proof, proof: `${proof.proof}=` }, 'nonce'],
    ['no text', { ...proof, proof: '' }, 'nonce'],
  ])('is refused with %s [T21]', (_, changed, nonce) => {
    expect(proofs.verify(changed, nonce)).toBe(false);
  });

  test('of another secret is refused [T21]', () => {
    expect(proofs.verify(createPeerProofs('guess').prove(SELF, 'nonce'), 'nonce')).toBe(false);
  });
});

test('while secrets rotate the first signs and all verify', () => {
  const [old, next] = [
    { keyId: 'old', secret: 'old secret' },
    { keyId: 'new', secret: 'new secret' },
  ];
  const [behind, ahead] = [createPeerProofs([old, next]), createPeerProofs([next, old])];
  expect(ahead.verify(behind.prove(SELF, 'n'), 'n')).toBe(true);
  expect(behind.verify(ahead.prove(SELF, 'n'), 'n')).toBe(true);
  expect(createPeerProofs([next]).verify(behind.prove(SELF, 'n'), 'n')).toBe(false);
});
