import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { GaterError } from '@esdb-gater/types';
import { systemProblem } from '../config/read-text-file.ts';
import { PRIVATE_FOLDER_MODE, writeFileAtomic } from '../node/atomic-file.ts';
import { type CommonOptions, type Terminal, variable } from './context.ts';
import { UsageError } from './exit.ts';

/** A gateway with what its user needs for it. Secrets stay in files of their own, which it names. */
export interface SavedContext {
  readonly url: string;
  readonly store?: string;
  readonly tokenFile?: string;
  readonly identityFile?: string;
  readonly caFile?: string;
}

/** The content of the file of contexts. */
export interface SavedContexts {
  /** The name of the one that counts when none is asked for. */
  readonly current?: string;
  readonly contexts: Readonly<Record<string, SavedContext>>;
}

const MEMBERS = ['url', 'store', 'tokenFile', 'identityFile', 'caFile'] as const;
const NAME = /^[A-Za-z0-9_.-]{1,64}$/;

/** Returns the file of contexts, in `XDG_CONFIG_HOME` or `~/.config`; undefined without either. */
export function contextsFile(terminal: Terminal): string | undefined {
  const home = variable(terminal, 'HOME');
  const folder =
    variable(terminal, 'XDG_CONFIG_HOME') ?? (home === undefined ? undefined : join(home, '.config'));
  return folder === undefined ? undefined : join(folder, 'esdb-gater', 'contexts.json');
}

/** Reads the contexts; none when there is no file. @throws UsageError that names the file */
export function readContexts(terminal: Terminal): SavedContexts {
  const file = contextsFile(terminal);
  const empty: SavedContexts = { contexts: Object.create(null) as Record<string, SavedContext> };
  if (file === undefined) return empty;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return empty;
    throw new UsageError(`cannot read ${file}: ${systemProblem(error)}`);
  }
  try {
    return parse(JSON.parse(text));
  } catch {
    throw new UsageError(`${file} must be a file that "context add" wrote; remove it to begin anew`);
  }
}

function parse(value: unknown): SavedContexts {
  const { current, contexts } = value as { readonly current?: unknown; readonly contexts: object };
  const valid = Object.entries(contexts).map(([name, context]) => {
    const members = MEMBERS.flatMap((member) => {
      const text: unknown = (context as Record<string, unknown>)[member];
      if (text === undefined && member !== 'url') return [];
      if (typeof text !== 'string') throw new TypeError(member);
      return [[member, text] as const];
    });
    return [name, Object.fromEntries(members) as unknown as SavedContext] as const;
  });
  const known = Object.assign(Object.create(null), Object.fromEntries(valid)) as Record<string, SavedContext>;
  return { ...(typeof current === 'string' && { current }), contexts: known };
}

/** Writes the contexts, readable by their owner only. @throws UsageError; `unavailable` */
export async function writeContexts(contexts: SavedContexts, terminal: Terminal): Promise<void> {
  const file = contextsFile(terminal);
  if (file === undefined) throw new UsageError('HOME or XDG_CONFIG_HOME must be set to keep contexts');
  try {
    mkdirSync(dirname(file), { recursive: true, mode: PRIVATE_FOLDER_MODE });
    await writeFileAtomic(file, `${JSON.stringify(contexts, null, 2)}\n`);
  } catch (error) {
    throw new GaterError('unavailable', `cannot write ${file}: ${systemProblem(error)}`, { cause: error });
  }
}

/** Checks the name of a context. @throws UsageError */
export function contextName(name: string): string {
  if (NAME.test(name)) return name;
  throw new UsageError('the name of a context must be 1 to 64 of A-Z a-z 0-9 _ . -');
}

/** Returns a context of that name. @throws UsageError */
export function contextNamed(name: string, { contexts }: SavedContexts): SavedContext {
  const found = contexts[name];
  if (found !== undefined) return found;
  const names = Object.keys(contexts).join(', ') || 'none';
  throw new UsageError(`there is no context ${JSON.stringify(name)}; there are: ${names}`);
}

/** Returns a path as it stays valid in every folder. */
export function savedPath(file: string | undefined): string | undefined {
  return file === undefined ? undefined : resolve(file);
}

/**
 * Adds to the options of a command what the context says, the one of `--context` or the current one. What is given on the
 * command line wins. The current one does not count beside a URL of the command line or of the environment, so that its
 * token goes to no other gateway.
 *
 * @param isGiven whether an option stands on the command line
 * @throws UsageError
 */
export function withContext<Options extends CommonOptions & { readonly context?: string }>(
  options: Options,
  terminal: Terminal,
  isGiven: (name: string) => boolean,
): Options {
  const { context: name } = options;
  if (name !== undefined && options.url !== undefined) {
    throw new UsageError('--context and --url must not be given together');
  }
  if (name === undefined && (options.url ?? variable(terminal, 'ESDB_GATER_URL')) !== undefined)
    return options;
  const saved = readContexts(terminal);
  const chosen = name ?? saved.current;
  if (chosen === undefined) return options;
  const members = Object.entries(contextNamed(chosen, saved)).filter(([member]) => !isGiven(member));
  return { ...options, ...Object.fromEntries(members) };
}
