import type { MembershipProblem } from '@esdb-gater/types';
import { MAX_MEMBERS, type Member, type MemberTable } from './member-table.ts';
import { MAX_WORKERS, MAX_WORKERS_BYTES } from './messages.ts';
import type { WorkerLists } from './worker-lists.ts';

export interface ProblemSources {
  readonly table: MemberTable;
  readonly lists: WorkerLists;
  readonly maxClockOffsetMs: number;
  /** The other live URLs of node ids, by node id. */
  readonly conflicts: ReadonlyMap<string, string>;
  readonly tooManyMembers: boolean;
}

/** Returns everything that an operator has to mend. */
export function problemsOf(sources: ProblemSources): readonly MembershipProblem[] {
  const { table, lists, conflicts, tooManyMembers } = sources;
  const self = table.self.nodeId;
  const problems = [...clockProblems(sources)];
  for (const [nodeId, url] of conflicts) {
    const message = `node id ${nodeId} is also used by ${url}; give each node a nodeId or data folder of its own`;
    problems.push({ code: 'node_id_conflict', nodeId, message });
  }
  if (tooManyMembers) {
    const message = `ignored nodes beyond ${MAX_MEMBERS}`;
    problems.push({ code: 'too_many_members', nodeId: self, message });
  }
  if (lists.leftOut > 0) {
    const bounds = `${MAX_WORKERS} workers and ${MAX_WORKERS_BYTES} bytes`;
    const message = `${lists.leftOut} workers of this node are not announced; a node may announce ${bounds}`;
    problems.push({ code: 'too_many_workers', nodeId: self, message });
  }
  if (lists.full) {
    const message = 'ignored workers of other nodes, as there are too many in all';
    problems.push({ code: 'too_many_workers', nodeId: self, message });
  }
  return problems;
}

/** When the clocks of most observed nodes differ from this one, it is this one that is wrong. */
function clockProblems({ table, maxClockOffsetMs }: ProblemSources): readonly MembershipProblem[] {
  const measured = [...table.all()].filter(({ offset }) => offset.ms !== undefined);
  const wrong = measured.filter(({ offset }) => offset.isWrong(maxClockOffsetMs));
  const { nodeId } = table.self;
  if (wrong.length > 1 && wrong.length * 2 > measured.length) {
    const message = `the clock of this node differs from those of ${wrong.map(nameOf).join(', ')}`;
    return [{ code: 'clock_wrong', nodeId, message }];
  }
  return wrong.map((member) => {
    const offsetMs = Math.round(member.offset.ms ?? 0);
    const where = offsetMs > 0 ? 'ahead of' : 'behind';
    const message = `the clock of node ${nameOf(member)} is ${Math.abs(offsetMs)} ms ${where} that of ${nodeId}`;
    return { code: 'clock_wrong' as const, nodeId: nameOf(member), message };
  });
}

function nameOf({ record }: Member): string {
  return record.nodeId;
}
