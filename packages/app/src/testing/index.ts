// For tests of programs
export type { FakeClock } from '@esdb-gater/primitives/testing';
export {
  type Given,
  type NewOf,
  type Rules,
  type Specification,
  specification,
  type When,
} from './specification.ts';
export { createTestGater, type TestGater, type TestGaterOptions } from './test-gater.ts';
