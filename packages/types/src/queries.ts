/** Items are OR-ed; within one, `types` are OR-ed and `tags` AND-ed. */
export interface EventQuery {
  readonly items: readonly EventQueryItem[];
}

export interface EventQueryItem {
  readonly types?: readonly string[];
  readonly tags?: readonly string[];
}

/** A Dynamic Consistency Boundary condition (the specification at dcb.events). */
export interface AppendCondition {
  readonly failIfEventsMatch: EventQuery;
  /** An exclusive position; without it any match fails the append. */
  readonly after?: number;
}
