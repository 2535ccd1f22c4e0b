export { type Arbitrary, fc } from './fc.ts';
export { countReach, type Reach } from './reach.ts';
