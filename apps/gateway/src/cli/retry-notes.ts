import { GaterError, type Logger, silentLogger } from '@esdb-gater/types';
import type { Terminal } from './context.ts';
import { plain } from './output.ts';

/**
 * Creates the logger that tells a person at a terminal why a call takes long, one line for each reason. Elsewhere it
 * writes nothing: a program expects one line, the error.
 */
export function retryNotes({ stderr }: Pick<Terminal, 'stderr'>): Logger {
  if (stderr.isTTY !== true) return silentLogger;
  let last = '';
  return {
    ...silentLogger,
    info(fields) {
      const { err } = fields as { readonly err?: unknown };
      if (!GaterError.is(err)) return;
      const line = plain(`${err.code}: ${err.message}; trying again`);
      if (line !== last) stderr.write(`${line}\n`);
      last = line;
    },
  };
}
