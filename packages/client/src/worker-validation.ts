// A module of its own, so that bundlers put the schemas into a file that is loaded on demand.
export { validateParams } from '@esdb-gater/protocol';
