import { type CommonOptions, gatewayUrlOf, outputOf, type Terminal } from '../context.ts';
import {
  contextName,
  contextNamed,
  readContexts,
  type SavedContext,
  savedPath,
  writeContexts,
} from '../contexts.ts';
import { UsageError } from '../exit.ts';
import { writeList } from '../table.ts';

/** `context list`: prints the contexts. */
export async function contextList(options: CommonOptions, terminal: Terminal): Promise<void> {
  const { current, contexts } = readContexts(terminal);
  const list = Object.entries(contexts).map(([name, context]) => ({
    name,
    current: name === current,
    ...context,
  }));
  await writeList(outputOf(options, terminal), list, {
    head: ['', 'NAME', 'URL', 'STORE', 'TOKEN FILE'],
    row: (one) => [one.current ? '*' : '', one.name, one.url, one.store ?? 'default', one.tokenFile ?? '-'],
    none: 'there are no contexts; add one with: esdb-gater context add NAME --url URL',
  });
}

export interface ContextAddOptions extends CommonOptions {
  readonly use?: boolean;
}

/** `context add NAME`: keeps a gateway, with the files that its user needs for it. The first one becomes the current one. */
export async function contextAdd(
  name: string,
  options: ContextAddOptions,
  terminal: Terminal,
): Promise<void> {
  if (options.url === undefined) throw new UsageError('context add needs --url');
  const saved = readContexts(terminal);
  const files = {
    tokenFile: savedPath(options.tokenFile),
    identityFile: savedPath(options.identityFile),
    caFile: savedPath(options.caFile),
  };
  const context: SavedContext = {
    url: gatewayUrlOf(options, terminal),
    ...(options.store !== 'default' && { store: options.store }),
    ...Object.fromEntries(Object.entries(files).filter(([, file]) => file !== undefined)),
  };
  const current = options.use === true ? name : (saved.current ?? name);
  await writeContexts({ current, contexts: { ...saved.contexts, [contextName(name)]: context } }, terminal);
  await outputOf(options, terminal).result({ name, current: current === name, ...context }, `added ${name}`);
}

/** `context use NAME`: makes a context the current one. */
export async function contextUse(name: string, options: CommonOptions, terminal: Terminal): Promise<void> {
  const saved = readContexts(terminal);
  const context = contextNamed(name, saved);
  await writeContexts({ ...saved, current: name }, terminal);
  await outputOf(options, terminal).result(
    { name, current: true, ...context },
    `using ${name}: ${context.url}`,
  );
}

/** `context remove NAME`: forgets a context. The files that it names stay. */
export async function contextRemove(name: string, options: CommonOptions, terminal: Terminal): Promise<void> {
  const saved = readContexts(terminal);
  contextNamed(name, saved);
  const contexts = Object.fromEntries(Object.entries(saved.contexts).filter(([other]) => other !== name));
  const current = saved.current === name ? undefined : saved.current;
  await writeContexts({ ...(current !== undefined && { current }), contexts }, terminal);
  await outputOf(options, terminal).result({ name, removed: true }, `removed ${name}`);
}
