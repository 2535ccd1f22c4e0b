import type { JsonValue } from '@esdb-gater/types';

/**
 * `T` when JSON can hold it. What JSON would change or lose (`Date`, `Map`, functions, bigints, `undefined` in an
 * array) becomes `never`, so that it does not compile.
 */
export type Jsonable<T> = JsonValue extends T
  ? T
  : T extends null | boolean | number | string
    ? T
    : T extends bigint | symbol | undefined | ((...args: never[]) => unknown)
      ? never
      : T extends readonly unknown[]
        ? { readonly [Index in keyof T]: Jsonable<T[Index]> }
        : { readonly [Key in keyof T]: JsonableMember<T[Key]> };

/** An undefined member of an object is left out of its JSON. */
type JsonableMember<T> = undefined extends T ? Jsonable<Exclude<T, undefined>> | undefined : Jsonable<T>;
