// The entry for programs that only call, such as a page: peers and the table of methods. The schemas are not reachable from
// here, so that no bundler puts them into what a page loads at once.
export {
  factsOf,
  isIdempotent,
  isWorkerMethod,
  METHOD_NAMES,
} from './methods/method-table.ts';
export { prepareParams } from './methods/prepare.ts';
export { createPeer } from './rpc/peer.ts';
export { wasUnanswered } from './rpc/pending-calls.ts';
export { SUBPROTOCOL } from './rpc/subprotocol.ts';
