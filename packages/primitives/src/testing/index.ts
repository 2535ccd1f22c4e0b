export { countCalls } from './count-calls.ts';
export { CountingController } from './counting-controller.ts';
export { createFakeClock, type FakeClock } from './fake-clock.ts';
