import { compareProcesses, isGone, type NodeRecord } from './node-record.ts';

/**
 * What to do about a claim.
 *
 * - `add`: the node is a new member, or is back
 * - `replace`: the node has started again; its earlier process is no longer a member
 * - `refresh`: the node has proved that it is alive
 * - `suspect`: others take the node for dead; it is removed unless it refutes that
 * - `remove`: the node has left, or its later process has come and gone
 * - `bury`: the node is not a member, and an older claim that it is alive must not make it one
 * - `correct`: the claim is older than what is known, which its sender should be told
 */
export type Verdict = 'add' | 'replace' | 'refresh' | 'suspect' | 'remove' | 'bury' | 'correct' | 'ignore';

/**
 * Compares a claim about another node with what is known of it. The later process wins, then the higher version. A claim
 * that a live member is dead only makes it suspected, as the two sides of a partition say so of each other when it
 * heals. Every node removes a suspect by its own timer.
 */
export function judgeClaim(known: NodeRecord | undefined, claim: NodeRecord): Verdict {
  // Nobody begins with a node that others take for dead: when it refutes that, it is news again.
  if (known === undefined) return isGone(claim) ? 'bury' : claim.status === 'alive' ? 'add' : 'ignore';
  const later = compareProcesses(claim, known);
  if (later < 0) return 'correct';
  if (later > 0) return judgeLaterProcess(known, claim);
  return isGone(known) ? judgeReturn(known, claim) : judgeMember(known, claim);
}

function judgeLaterProcess(known: NodeRecord, claim: NodeRecord): Verdict {
  if (isGone(known)) return isGone(claim) ? 'bury' : 'add';
  return isGone(claim) ? 'remove' : 'replace';
}

/** The process is known as gone. */
function judgeReturn(known: NodeRecord, claim: NodeRecord): Verdict {
  if (claim.version > known.version) return isGone(claim) ? 'bury' : 'add';
  return isGone(claim) ? 'ignore' : 'correct';
}

/** The process is a member. */
function judgeMember(known: NodeRecord, claim: NodeRecord): Verdict {
  if (claim.version < known.version) return 'correct';
  if (claim.status === 'left') return 'remove';
  if (claim.version > known.version) return claim.status === 'alive' ? 'refresh' : 'suspect';
  return claim.status !== 'alive' && known.status === 'alive' ? 'suspect' : 'ignore';
}
