/** What `projection-child.ts` does: its argument, as JSON. */
export interface ProjectionTask {
  readonly engine: 'sqlite' | 'postgres';
  /** Names the projection and the schemas in PostgreSQL: `events_<name>`, `model_<name>`. */
  readonly name: string;
  /** Where the events are: a file, or a URL. */
  readonly events: string;
  /** Where the read model is: a file, or a URL. */
  readonly model: string;
  /** Events of a transaction. */
  readonly batchEvents: number;
  /** The generation that readers see in the end: a higher one than the live one is built next to it. */
  readonly generation: number;
  /** How many events were there before. */
  readonly appended: number;
  /** Further events are appended while it projects, until there are so many. */
  readonly appendTo: number;
}
