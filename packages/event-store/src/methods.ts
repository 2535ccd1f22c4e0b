/** A method that the stores of this project serve; the names are those of `EventStore` and of the wire. */
export type StoreMethod =
  | 'appendEvents'
  | 'getEvents'
  | 'getVersion'
  | 'streamExists'
  | 'getStreams'
  | 'deleteStream'
  | 'readAll'
  | 'recordSnapshot'
  | 'readSnapshot'
  | 'listSnapshots'
  | 'deleteSnapshot'
  | 'quickHealthCheck';

export const STORE_METHODS: readonly StoreMethod[] = Object.freeze([
  'appendEvents',
  'getEvents',
  'getVersion',
  'streamExists',
  'getStreams',
  'deleteStream',
  'readAll',
  'recordSnapshot',
  'readSnapshot',
  'listSnapshots',
  'deleteSnapshot',
  'quickHealthCheck',
]);
