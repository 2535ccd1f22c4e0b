// The interface that all of this works over
export type { Gater } from '@esdb-gater/gater';
// Commands
export {
  type CommandHandler,
  type CommandHandlerParams,
  type CommandOptions,
  type CommandResult,
  commandHandler,
  type SnapshotRule,
} from './commands/command-handler.ts';
export type { CommandIdRule } from './commands/command-id.ts';
export type { Decider, HandleOptions, QueryDecider } from './commands/decider.ts';
export {
  type DecisionHandler,
  type DecisionHandlerParams,
  type DecisionResult,
  decisionHandler,
} from './commands/decision-handler.ts';
export type { ConflictRetryOptions } from './commands/retry-conflicts.ts';
export { derivedId } from './derived-id.ts';
export type { EffectAppend, Effects, HandleCommand } from './effects/effect-context.ts';
// Reactors and timers
export type { Scheduler, TimerRequest } from './effects/scheduler.ts';
export type { EventOf, EventSelection, RecordedOfType } from './events.ts';
// Projections
export {
  type MemoryModel,
  type MemoryProjections,
  type MemoryTable,
  memoryProjections,
} from './projections/memory-projections.ts';
export {
  type Projection,
  type ProjectionParams,
  projection,
  type WaitOptions,
} from './projections/projection.ts';
export type {
  GenerationHealth,
  ProjectionHealth,
  ProjectionLag,
  ProjectionProblem,
  ProjectionProgress,
  ProjectionStatus,
} from './projections/projection-health.ts';
export type {
  NotOpened,
  ProjectionCheckpoint,
  ProjectionGeneration,
  ProjectionStore,
  ProjectionTransaction,
} from './projections/projection-store.ts';
export {
  type Reactor,
  type ReactorHealth,
  type ReactorParams,
  type ReactorStatus,
  reactor,
} from './reactors/reactor.ts';
export {
  type DueTimer,
  type Timers,
  type TimersHealth,
  type TimersParams,
  timers,
} from './timers/timers.ts';
