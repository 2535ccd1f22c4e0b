// A module of its own, so that bundlers put the JavaScript implementation of Ed25519 into a file that is loaded on demand.
export { Identity } from '@esdb-gater/security';
