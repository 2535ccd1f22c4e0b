import { GaterError, invalidArgument } from '@esdb-gater/types';
import { requireNative, typescriptEngine, wantedEngine } from '#platform';
import type { Engine } from './engine.ts';
import { checkNativeEngine, createNativeEngine } from './native.ts';
import { asNativeModule } from './native-module.ts';

/** The engine in use, and why it is the slower one, if it is. */
export interface EngineDetails {
  readonly name: 'native' | 'typescript';
  /** Version of the addon. */
  readonly version?: string;
  /** Why the addon is not used: not installed, refused, or switched off. */
  readonly reason?: string;
}

interface Selected {
  readonly engine: Engine;
  readonly reason?: string;
}

let selected: Selected | undefined;

function select(): Selected {
  const wanted = wantedEngine();
  if (wanted !== undefined && wanted !== '' && wanted !== 'native' && wanted !== 'typescript') {
    throw invalidArgument('engine', `ESDB_GATER_ENGINE must be "native" or "typescript", got "${wanted}"`);
  }
  if (wanted === 'typescript')
    return { engine: typescriptEngine, reason: 'ESDB_GATER_ENGINE is "typescript"' };
  try {
    const engine = createNativeEngine(asNativeModule(requireNative()), typescriptEngine);
    checkNativeEngine(engine, typescriptEngine);
    return { engine };
  } catch (cause) {
    const reason = `@esdb-gater/native cannot be used: ${cause instanceof Error ? cause.message.split('\n')[0] : cause}`;
    if (wanted === 'native') throw new GaterError('not_supported', reason, { cause });
    return { engine: typescriptEngine, reason };
  }
}

/** Returns the engine of this process, chosen at the first use. */
export function currentEngine(): Engine {
  selected ??= select();
  return selected.engine;
}

/** Replaces the engine, for tests. Existing keys keep the engine that created them. */
export function replaceEngine(engine: Engine | undefined): void {
  selected = engine === undefined ? undefined : { engine };
}

/**
 * Returns `"native"` when `@esdb-gater/native` is installed and works, else `"typescript"`. The environment variable
 * `ESDB_GATER_ENGINE` forces either.
 *
 * @throws `not_supported` when `native` is forced and cannot be loaded, `invalid_argument` for another value
 */
export function engine(): 'native' | 'typescript' {
  return currentEngine().name;
}

/** Returns the engine with the addon's version, or why it is not used: for a line in the log at the start. */
export function engineDetails(): EngineDetails {
  const { name, version } = currentEngine();
  const reason = selected?.reason;
  return {
    name,
    ...(version === undefined ? {} : { version }),
    ...(reason === undefined ? {} : { reason }),
  };
}
