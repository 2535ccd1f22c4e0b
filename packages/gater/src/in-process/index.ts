// The `Gater` of one process. It is an entry of its own, since it brings the registry and the schemas, which pages do not load.
// Users
export { createGater, type GaterComponents, type GaterOptions, type LocalGater } from './create-gater.ts';
