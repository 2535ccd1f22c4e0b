import { uuidV7, validateTopic } from '@esdb-gater/primitives';
import {
  type Broker,
  type Clock,
  GaterError,
  invalidArgument,
  isName,
  type OutgoingRecord,
  type PublishContext,
  type PublishParams,
  type PublishResult,
} from '@esdb-gater/types';
import type { Channel } from '../channel.ts';
import { appendTraced, type MessagingSystem } from '../tracing.ts';
import { checkMessage, inspectMessage } from './inspect-message.ts';
import type { Publication, PublishMemory, RememberedPublish } from './publish-memory.ts';
import type { RateLimiter, RatePlace } from './rate-limiter.ts';
import { carriesSignature, type SignatureGate, type SignaturePass } from './signature-gate.ts';

export interface PublisherComponents {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly signatures: SignatureGate;
  readonly memory: PublishMemory;
}

export interface PublisherOptions {
  readonly messagingSystem: MessagingSystem;
  readonly messageBytes: number;
}

/** The part of a channel that publishing uses. */
export interface PublishTarget {
  readonly channel: Channel;
  /** The rate limiter; undefined on a channel without a limit. */
  readonly limiter: RateLimiter | undefined;
  /** The `source` of its records. */
  readonly source: string;
}

/** Checks messages and sends them to the broker. */
export interface Publisher {
  /** Validates, limits, checks the signature, appends. */
  publish(target: PublishTarget, params: PublishParams, context: PublishContext): Promise<PublishResult>;
}

export function createPublisher(components: PublisherComponents, options: PublisherOptions): Publisher {
  return new PipelinePublisher(components, options);
}

/** The publisher when none is named: this process. */
const THIS_PROCESS = 'process';

const NO_OPTIONS = Object.freeze({});

/** The resources of a publish, which are released when a later step refuses it. */
interface Taken {
  readonly place: RatePlace | undefined;
  readonly pass: SignaturePass | undefined;
}

/** A publish in flight. */
interface Sending {
  readonly target: PublishTarget;
  readonly params: PublishParams;
  readonly context: PublishContext;
  readonly id: string;
}

const NOTHING: Taken = Object.freeze({ place: undefined, pass: undefined });

class PipelinePublisher implements Publisher {
  readonly #components: PublisherComponents;
  readonly #options: PublisherOptions;
  /** The text of the current millisecond, cached. */
  #timeMs = Number.NaN;
  #time = '';

  constructor(components: PublisherComponents, options: PublisherOptions) {
    this.#components = components;
    this.#options = options;
  }

  publish(target: PublishTarget, params: PublishParams, context: PublishContext): Promise<PublishResult> {
    // One promise per publish: everything before the broker is synchronous.
    try {
      return this.#publish(target, params, context);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #publish(target: PublishTarget, params: PublishParams, context: PublishContext): Promise<PublishResult> {
    const { memory, clock } = this.#components;
    const topic = validateTopic(params.topic);
    const { messageBytes } = this.#options;
    if (params.id === undefined) {
      checkMessage(params.message, messageBytes);
      const taken = this.#take(target, params, context);
      return this.#send({ target, params, context, id: uuidV7(clock.now()) }, taken, undefined);
    }
    const { hash } = inspectMessage(params.message, messageBytes);
    const id = validateId(params.id);
    const publisher = context.publisher ?? THIS_PROCESS;
    const publication = { channel: target.channel.name, topic, publisher, id, hash };
    const sending = { target, params, context, id };
    const known = memory.find(publication);
    if (known !== undefined) return this.#repeat(sending, publication, known);
    const taken = this.#take(target, params, context);
    return this.#send(sending, taken, memory.remember(publication));
  }

  /** Answers a repeated publish as the first one, unless the outcome of that is unknown. */
  async #repeat(
    sending: Sending,
    publication: Publication,
    first: RememberedPublish,
  ): Promise<PublishResult> {
    const { memory } = this.#components;
    let known: RememberedPublish | undefined = first;
    while (known?.waiting !== undefined) {
      const answer = await known.waiting.catch((error: unknown) => GaterError.from(error));
      if (!GaterError.is(answer)) return answer;
      if (!isOutcomeUnknown(answer) || sending.context.signal?.aborted === true) throw answer;
      known = memory.find(publication);
    }
    if (known?.result !== undefined) return known.result;
    // The outcome is unknown: the place and the nonce of the first attempt are still taken.
    return this.#send(sending, NOTHING, known ?? memory.remember(publication));
  }

  #take({ channel, limiter }: PublishTarget, params: PublishParams, context: PublishContext): Taken {
    const place = limiter?.take(context.publisher ?? THIS_PROCESS);
    if (!channel.settings.requireSignature && !carriesSignature(params.message)) {
      return place === undefined ? NOTHING : { place, pass: undefined };
    }
    try {
      const pass = this.#components.signatures.verify(channel.name, params.topic, params.message);
      return { place, pass };
    } catch (error) {
      place?.release();
      throw error;
    }
  }

  #send(sending: Sending, taken: Taken, remembered: RememberedPublish | undefined): Promise<PublishResult> {
    const { target, context, id } = sending;
    if (!target.channel.settings.enabled) return Promise.resolve({ id, delivered: false });
    const { signal } = context;
    for (const pending of target.channel.pending) pending.published(id);
    const carrier = { broker: this.#components.broker, system: this.#options.messagingSystem };
    const options = signal === undefined ? NO_OPTIONS : { signal };
    const answer = appendTraced(carrier, target.channel.name, this.#recordOf(sending), options).then(
      ({ position }) => {
        const result = position === undefined ? { id, delivered: true } : { id, position, delivered: true };
        if (remembered !== undefined) this.#components.memory.answer(remembered, result);
        return result;
      },
      (cause: unknown) => {
        const error = signal?.aborted === true ? timedOut(cause) : GaterError.from(cause);
        if (remembered !== undefined) remembered.waiting = undefined;
        // After a timeout the broker may have accepted the message, so its resources are not released.
        if (!isOutcomeUnknown(error)) {
          taken.place?.release();
          taken.pass?.release();
          if (remembered !== undefined) this.#components.memory.forget(remembered);
        }
        throw error;
      },
    );
    if (remembered !== undefined) remembered.waiting = answer;
    return answer;
  }

  #recordOf({ target, params, context, id }: Sending): OutgoingRecord {
    const { traceparent, tracestate } = context;
    const { topic, message } = params;
    const { source } = target;
    const record = { id, topic, message, time: this.#now(), type: 'esdb_gater.message', source };
    if (traceparent === undefined && tracestate === undefined) return record;
    return {
      ...record,
      ...(traceparent === undefined ? {} : { traceparent }),
      ...(tracestate === undefined ? {} : { tracestate }),
    };
  }

  #now(): string {
    const now = Math.floor(this.#components.clock.now());
    if (now !== this.#timeMs) {
      this.#timeMs = now;
      this.#time = new Date(now).toISOString();
    }
    return this.#time;
  }
}

function validateId(id: unknown): string {
  if (isName(id)) return id;
  throw invalidArgument(
    'id',
    '`id` must be a string of 1 to 255 UTF-16 units without control characters and lone surrogates',
  );
}

function isOutcomeUnknown(error: unknown): boolean {
  return GaterError.is(error) && error.code === 'timeout';
}

function timedOut(cause: unknown): GaterError {
  return new GaterError('timeout', 'the call ended before the broker accepted the message', {
    cause,
  });
}
