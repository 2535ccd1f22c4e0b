/**
 * The settings of the functions of a store. Each function sees only its own schema, and looks rows up by the indexes whatever the
 * statistics say: they are out of date in a store that has just begun.
 */
export const SETTINGS: string = `SET search_path FROM CURRENT SET enable_seqscan = off SET enable_bitmapscan = off
  SET plan_cache_mode = force_generic_plan SET jit = off`;
