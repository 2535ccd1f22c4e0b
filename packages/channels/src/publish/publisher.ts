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
import { validateTopic } from '../topics/validate-topic.ts';
import { inspectMessage } from './inspect-message.ts';
import type { PublishMemory, RememberedPublish } from './publish-memory.ts';
import type { RateLimiter, RatePlace } from './rate-limiter.ts';
import { carriesSignature, type SignatureGate, type SignaturePass } from './signature-gate.ts';
import { uuidV7 } from './uuid-v7.ts';

export interface PublisherComponents {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly signatures: SignatureGate;
  readonly memory: PublishMemory;
}

export interface PublisherOptions {
  readonly realm: string;
  readonly messageBytes: number;
}

/** A channel, as far as publishing on it goes. */
export interface PublishTarget {
  readonly channel: Channel;
  readonly limiter: RateLimiter;
}

/** The way of a message into the broker. */
export interface Publisher {
  /** Validates, limits, checks the signature, appends. */
  publish(target: PublishTarget, params: PublishParams, context: PublishContext): Promise<PublishResult>;
}

export function createPublisher(components: PublisherComponents, options: PublisherOptions): Publisher {
  return new PipelinePublisher(components, options);
}

/** Whose rate it counts to when nobody is named: this process. */
const THIS_PROCESS = 'process';

const UNSIGNED: SignaturePass = Object.freeze({ release() {} });

/** What a publish has taken, to be given back when a later step refuses. */
interface Taken {
  readonly place: RatePlace;
  readonly pass: SignaturePass;
}

class PipelinePublisher implements Publisher {
  readonly #components: PublisherComponents;
  readonly #options: PublisherOptions;
  /** The text of a millisecond is made once. */
  #timeMs = Number.NaN;
  #time = '';

  constructor(components: PublisherComponents, options: PublisherOptions) {
    this.#components = components;
    this.#options = options;
  }

  async publish(
    target: PublishTarget,
    params: PublishParams,
    context: PublishContext,
  ): Promise<PublishResult> {
    const topic = validateTopic(params.topic);
    const { hash } = inspectMessage(params.message, this.#options.messageBytes);
    if (params.id === undefined) {
      const taken = this.#take(target, params, context);
      return this.#append(target, params, context, uuidV7(this.#components.clock.now()), taken);
    }
    const id = validateId(params.id);
    const key = [target.channel.name, topic, hash, id, context.publisher ?? THIS_PROCESS].join('\n');
    return this.#publishOnce(target, params, context, id, key);
  }

  async #publishOnce(
    target: PublishTarget,
    params: PublishParams,
    context: PublishContext,
    id: string,
    key: string,
  ): Promise<PublishResult> {
    const { memory } = this.#components;
    let known = memory.find(key);
    while (known?.waiting !== undefined) {
      // The first one's end is the answer to all, unless it leaves doubt: then this one is sent.
      const answer = await known.waiting.catch((error: unknown) => error);
      if (!isDoubt(answer)) {
        if (answer instanceof Error) throw answer;
        return answer as PublishResult;
      }
      if (context.signal?.aborted === true) throw answer;
      known = memory.find(key);
    }
    if (known?.result !== undefined) return known.result;
    // In doubt: the place and the nonce are still taken from the first time.
    const taken = known === undefined ? this.#take(target, params, context) : undefined;
    const entry = known ?? memory.remember(key);
    return this.#rememberWhile(entry, key, this.#append(target, params, context, id, taken));
  }

  async #rememberWhile(
    entry: RememberedPublish,
    key: string,
    publishing: Promise<PublishResult>,
  ): Promise<PublishResult> {
    entry.waiting = publishing;
    try {
      entry.result = await publishing;
      return entry.result;
    } catch (error) {
      if (!isDoubt(error)) this.#components.memory.forget(key);
      throw error;
    } finally {
      entry.waiting = undefined;
    }
  }

  #take({ channel, limiter }: PublishTarget, params: PublishParams, context: PublishContext): Taken {
    const place = limiter.take(context.publisher ?? THIS_PROCESS);
    if (!channel.settings.requireSignature && !carriesSignature(params.message))
      return { place, pass: UNSIGNED };
    try {
      return { place, pass: this.#components.signatures.verify(channel.name, params.topic, params.message) };
    } catch (error) {
      place.release();
      throw error;
    }
  }

  async #append(
    { channel }: PublishTarget,
    params: PublishParams,
    context: PublishContext,
    id: string,
    taken: Taken | undefined,
  ): Promise<PublishResult> {
    if (!channel.settings.enabled) return { id, delivered: false };
    const { signal } = context;
    try {
      const options = signal === undefined ? {} : { signal };
      const record = this.#recordOf(params, context, id);
      const { position } = await this.#components.broker.append(channel.name, record, options);
      return position === undefined ? { id, delivered: true } : { id, position, delivered: true };
    } catch (cause) {
      const error = signal?.aborted === true ? timedOut(cause) : GaterError.from(cause);
      // After a time-out the message may have been accepted: what it took stays taken.
      if (!isDoubt(error)) {
        taken?.place.release();
        taken?.pass.release();
      }
      throw error;
    }
  }

  #recordOf({ channel, topic, message }: PublishParams, context: PublishContext, id: string): OutgoingRecord {
    const { traceparent, tracestate } = context;
    return {
      id,
      topic,
      message,
      time: this.#now(),
      type: 'esdb_gater.message',
      source: `esdb://${this.#options.realm}/channel/${channel}`,
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
    'the id of the message is no text of 1 to 255 UTF-16 units without control characters and lone surrogates',
  );
}

function isDoubt(error: unknown): boolean {
  return GaterError.is(error) && error.code === 'timeout';
}

function timedOut(cause: unknown): GaterError {
  return new GaterError('timeout', 'the broker had not accepted the message when the call was ended', {
    cause,
  });
}
