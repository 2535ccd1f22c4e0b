import type {
  NotOpened,
  ProjectionCheckpoint,
  ProjectionGeneration,
  ProjectionStore,
  ProjectionTransaction,
} from './projection-store.ts';

/** A table of a read model in memory. Rows are replaced, never changed in place, so that a failed transaction can be undone. */
export interface MemoryTable<Row> extends Iterable<readonly [key: string, row: Row]> {
  get(key: string): Row | undefined;
  set(key: string, row: Row): void;
  delete(key: string): void;
  readonly size: number;
}

/** What `handle` writes to. */
export interface MemoryModel<Tables extends object> {
  readonly generation: number;
  table<Name extends keyof Tables & string>(name: Name): MemoryTable<Tables[Name]>;
}

/** Read models in memory, for tests and for programs that build them at each start. */
export interface MemoryProjections<Tables extends object> extends ProjectionStore<MemoryModel<Tables>> {
  /** Returns a table of the live generation, empty before its first row. */
  table<Name extends keyof Tables & string>(name: Name): ReadonlyMap<string, Tables[Name]>;
}

/** Creates read models in memory. They are lost with the process, together with their checkpoints. */
export function memoryProjections<Tables extends object>(): MemoryProjections<Tables> {
  return new ProjectionsInMemory<Tables>();
}

interface Kept {
  row: ProjectionGeneration;
  readonly tables: Map<string, Map<string, unknown>>;
  /** Settles when the last transaction has ended. */
  turn: Promise<void>;
}

class ProjectionsInMemory<Tables extends object> implements MemoryProjections<Tables> {
  readonly #projections = new Map<string, Map<number, Kept>>();

  table<Name extends keyof Tables & string>(name: Name): ReadonlyMap<string, Tables[Name]> {
    for (const generations of this.#projections.values()) {
      for (const { row, tables } of generations.values()) {
        const table = row.isLive ? tables.get(name) : undefined;
        if (table !== undefined) return table as Map<string, Tables[Name]>;
      }
    }
    return new Map();
  }

  async generations(name: string): Promise<readonly ProjectionGeneration[]> {
    return [...this.#of(name).values()].map(({ row }) => row);
  }

  async create(name: string, version: number): Promise<ProjectionGeneration> {
    const generations = this.#of(name);
    const rows = [...generations.values()].map(({ row }) => row);
    const building = rows.find((row) => row.version === version && !row.isLive);
    if (building !== undefined) return building;
    const generation = Math.max(0, ...rows.map((row) => row.generation)) + 1;
    const row = { generation, version, isLive: rows.length === 0, position: 0 };
    generations.set(generation, { row, tables: new Map(), turn: Promise.resolve() });
    return row;
  }

  async begin(
    name: string,
    generation: number,
    position: number,
  ): Promise<ProjectionTransaction<MemoryModel<Tables>> | NotOpened> {
    const kept = this.#of(name).get(generation);
    if (kept === undefined) return 'replaced';
    const before = kept.turn;
    const ended = Promise.withResolvers<void>();
    kept.turn = ended.promise;
    await before;
    const refusal = this.#refusal(name, generation, position);
    if (refusal !== undefined) {
      ended.resolve();
      return refusal;
    }
    const undo: (() => void)[] = [];
    return {
      model: {
        generation,
        table: (table) => openTable(tableOf(kept.tables, table), undo) as MemoryTable<Tables[typeof table]>,
      },
      async commit(checkpoint: ProjectionCheckpoint) {
        kept.row = { ...kept.row, ...checkpoint };
        ended.resolve();
      },
      async rollback() {
        for (const step of undo.reverse()) step();
        ended.resolve();
      },
    };
  }

  async switchTo(name: string, generation: number): Promise<boolean> {
    const generations = this.#of(name);
    const kept = generations.get(generation);
    if (kept === undefined) return false;
    kept.row = { ...kept.row, isLive: true };
    for (const other of [...generations.keys()]) if (other !== generation) generations.delete(other);
    return true;
  }

  #refusal(name: string, generation: number, position: number): NotOpened | undefined {
    const kept = this.#of(name).get(generation);
    if (kept === undefined) return 'replaced';
    return kept.row.position === position ? undefined : 'moved';
  }

  #of(name: string): Map<number, Kept> {
    const known = this.#projections.get(name) ?? new Map<number, Kept>();
    this.#projections.set(name, known);
    return known;
  }
}

function tableOf(tables: Map<string, Map<string, unknown>>, name: string): Map<string, unknown> {
  const table = tables.get(name) ?? new Map<string, unknown>();
  tables.set(name, table);
  return table;
}

/** Opens a table for one transaction, which notes how to undo each change. */
function openTable(rows: Map<string, unknown>, undo: (() => void)[]): MemoryTable<unknown> {
  const note = (key: string): void => {
    const [had, old] = [rows.has(key), rows.get(key)];
    undo.push(() => void (had ? rows.set(key, old) : rows.delete(key)));
  };
  return {
    get: (key) => rows.get(key),
    set(key, row) {
      note(key);
      rows.set(key, row);
    },
    delete(key) {
      note(key);
      rows.delete(key);
    },
    get size() {
      return rows.size;
    },
    [Symbol.iterator]: () => rows.entries(),
  };
}
