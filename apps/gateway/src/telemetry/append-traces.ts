import { GenerationMap, parseTraceparent, type TraceContext } from '@esdb-gater/primitives';
import type { CallContext, Clock, RecordedEvent, StoreWorker } from '@esdb-gater/types';

/** How many appended events wait for their feed at most. Beyond that the older ones are published without a trace. */
const MAX_EVENTS = 8_192;

/** A feed that is further behind has more to do than to be traced. */
const MAX_AGE_MS = 60_000;

const SAMPLED = 1;

type EventName = Pick<RecordedEvent, 'storeId' | 'streamId' | 'id'>;

/**
 * Remembers which trace appended an event until the feed publishes it, so that the publish and its delivery belong to the
 * trace of the append. Only sampled traces are remembered, for at most a minute: what is forgotten, or was appended by
 * another node, is published without a trace.
 */
export interface AppendTraces {
  /** Remembers the trace of a call of a store, if the call appends events and is traced. */
  remember(method: string, params: object, context: CallContext | undefined): void;
  /** Returns the trace that appended an event. */
  traceOf(event: EventName): TraceContext | undefined;
  /** Returns the same worker, whose calls are remembered. */
  watch(worker: StoreWorker): StoreWorker;
}

/** Parameters of the two methods that append. */
interface AppendParams extends StreamAppend {
  readonly storeId?: string;
  readonly appends?: readonly StreamAppend[];
}

interface StreamAppend {
  readonly streamId?: string;
  readonly events?: readonly { readonly id?: string }[];
}

interface RememberedTrace {
  readonly trace: TraceContext;
  /** Monotonic milliseconds. */
  readonly untilMs: number;
}

export function createAppendTraces(clock: Clock): AppendTraces {
  return new BoundedAppendTraces(clock);
}

class BoundedAppendTraces implements AppendTraces {
  readonly #clock: Clock;
  readonly #traces = new GenerationMap<string, RememberedTrace>(MAX_EVENTS / 2);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  remember(method: string, params: object, context: CallContext | undefined): void {
    if (context?.traceparent === undefined) return;
    if (method !== 'appendEvents' && method !== 'appendToStreams') return;
    const { traceparent, tracestate } = context;
    if (((parseTraceparent(traceparent)?.flags ?? 0) & SAMPLED) === 0) return;
    const trace = tracestate === undefined ? { traceparent } : { traceparent, tracestate };
    const remembered = { trace, untilMs: this.#clock.monotonic() + MAX_AGE_MS };
    const { storeId = '', appends, ...append }: AppendParams = params;
    for (const { streamId = '', events = [] } of appends ?? [append]) {
      for (const { id } of events) {
        if (id !== undefined) this.#traces.set(keyOf({ storeId, streamId, id }), remembered);
      }
    }
  }

  traceOf(event: EventName): TraceContext | undefined {
    const key = keyOf(event);
    const remembered = this.#traces.peekYoung(key) ?? this.#traces.peekOld(key);
    if (remembered === undefined || remembered.untilMs < this.#clock.monotonic()) return undefined;
    return remembered.trace;
  }

  watch(worker: StoreWorker): StoreWorker {
    return {
      ...worker,
      call: (method, params, context) => {
        this.remember(method, params, context);
        return worker.call(method, params, context);
      },
    };
  }
}

/** Event ids are looked at per stream: the same id may stand in two of them. */
function keyOf({ storeId, streamId, id }: EventName): string {
  return `${storeId} ${id} ${streamId}`;
}
