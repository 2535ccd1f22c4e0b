/** Something that has work left for the end of this turn of the event loop. */
export interface TurnEnd {
  endTurn(): void;
}

/** Runs every participant once at the end of the turn in which it joined. */
export interface TurnQueue {
  /** Asks for one `endTurn`. Joining twice in a turn is the caller's to avoid. */
  join(participant: TurnEnd): void;
}

/**
 * One `setImmediate` for all connections: it comes right after the sockets of this turn were read, so that answers to
 * everything that arrived together leave together.
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
