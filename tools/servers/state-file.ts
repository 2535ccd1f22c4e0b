import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The file that the command `start` leaves in a folder for the later ones. */
export interface StateFile<State> {
  read(dir: string): State | undefined;
  write(dir: string, state: State): void;
  remove(dir: string): void;
}

export function stateFile<State>(): StateFile<State> {
  const fileIn = (dir: string): string => join(dir, 'state.json');
  return {
    read: (dir) =>
      existsSync(fileIn(dir)) ? (JSON.parse(readFileSync(fileIn(dir), 'utf8')) as State) : undefined,
    write(dir, state) {
      mkdirSync(dir, { recursive: true });
      writeFileSync(fileIn(dir), `${JSON.stringify(state, undefined, 2)}\n`);
    },
    remove: (dir) => rmSync(fileIn(dir), { force: true }),
  };
}
