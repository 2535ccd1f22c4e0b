/** A participant with work left for the end of this turn of the event loop. */
export interface TurnEnd {
  endTurn(): void;
}

/** Runs every participant once at the end of the turn in which it joined. */
export interface TurnQueue {
  /** Requests one call of `endTurn`. A participant must not join twice in one turn. */
  join(participant: TurnEnd): void;
}

/**
 * Creates one `setImmediate` for all connections. It runs right after the sockets of this turn were read, so that the
 * answers to calls that arrived together are sent together.
 */
export function createTurnQueue(schedule: (run: () => void) => void = setImmediate): TurnQueue {
  let waiting: TurnEnd[] = [];
  const run = (): void => {
    const now = waiting;
    waiting = [];
    for (const participant of now) participant.endTurn();
  };
  return {
    join(participant) {
      if (waiting.push(participant) === 1) schedule(run);
    },
  };
}
