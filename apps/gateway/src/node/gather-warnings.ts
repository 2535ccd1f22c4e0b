import type { Clock, Logger, Timer } from '@esdb-gater/types';

/** Repeated warnings of one kind are written once in this time. */
const EVERY_MS = 60_000;

/** Maximum number of distinct messages; the code has far fewer. */
const MAX_KINDS = 1_000;

interface Kind {
  readonly message: string;
  readonly timer: Timer;
  /** Warnings since the last line. */
  count: number;
  /** The members of the last one. */
  fields: object;
}

/** A logger that gathers repeated warnings. */
export interface GatheredWarnings {
  readonly logger: Logger;
  /** Writes the counted warnings now. */
  flush(): void;
}

/**
 * Writes the first warning with a message at once and counts the following ones: one line per minute, with the members
 * of the last one and `count`. A kind is a message with its `reason` and the code of its error.
 */
export function gatherWarnings(logger: Logger, clock: Pick<Clock, 'setTimer'>): GatheredWarnings {
  const kinds = new Map<string, Kind>();

  function write(kind: Kind): void {
    if (kind.count > 0) logger.warn({ ...kind.fields, count: kind.count }, kind.message);
    kind.count = 0;
  }

  function begin(name: string, message: string): void {
    const timer = clock.setTimer(
      () => {
        const kind = kinds.get(name);
        kinds.delete(name);
        if (kind === undefined || kind.count === 0) return;
        write(kind);
        // The interval continues, so the next warnings are counted too.
        begin(name, message);
      },
      EVERY_MS,
      { unref: true },
    );
    kinds.set(name, { message, timer, count: 0, fields: {} });
  }

  return {
    logger: {
      debug: (fields, message) => logger.debug(fields, message),
      info: (fields, message) => logger.info(fields, message),
      error: (fields, message) => logger.error(fields, message),
      warn(fields, message) {
        const name = `${message}\n${kindOf(fields)}`;
        const kind = kinds.get(name);
        if (kind !== undefined) {
          kind.count++;
          kind.fields = fields;
          return;
        }
        logger.warn(fields, message);
        if (kinds.size < MAX_KINDS) begin(name, message);
      },
    },
    flush() {
      for (const kind of kinds.values()) {
        kind.timer.cancel();
        write(kind);
      }
      kinds.clear();
    },
  };
}

function kindOf(fields: object): string {
  const { reason, code, err } = fields as {
    readonly reason?: unknown;
    readonly code?: unknown;
    readonly err?: unknown;
  };
  const errorCode = typeof err === 'object' && err !== null && 'code' in err ? err.code : undefined;
  return [reason, code, errorCode].map(String).join('\n');
}
