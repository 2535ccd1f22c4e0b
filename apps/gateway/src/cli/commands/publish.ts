import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Gater } from '@esdb-gater/client';
import { sign } from '@esdb-gater/security';
import type { ChannelName, JsonValue, PublishResult } from '@esdb-gater/types';
import { GaterError, LIMITS } from '@esdb-gater/types';
import { type CommonOptions, connectGateway, jsonArgument, outputOf, type Terminal } from '../context.ts';
import { errorLine } from '../error-line.ts';
import { EXIT, UsageError } from '../exit.ts';
import { LineError, linesOf, parseLine } from '../lines.ts';

export interface PublishOptions extends CommonOptions {
  readonly sign?: boolean;
  readonly dataDir?: string;
  readonly id?: string;
  readonly wait?: boolean;
}

/** Answers that are awaited at once when messages come from standard input. */
const IN_FLIGHT = 100;

/** `publish CHANNEL TOPIC JSON`, or `publish CHANNEL` with NDJSON of `{ topic, message }` on standard input. */
export async function publish(
  channel: string,
  topic: string | undefined,
  json: string | undefined,
  options: PublishOptions,
  terminal: Terminal,
): Promise<number> {
  const name = channel as ChannelName;
  const finish =
    options.sign === true ? signer(channel, options, terminal) : (_: string, message: JsonValue) => message;
  if (topic !== undefined) {
    if (json === undefined) throw new UsageError('give the message as JSON after the TOPIC');
    const message = finish(topic, jsonArgument('the message', json) as JsonValue);
    await using client = await connectGateway(options, terminal);
    const result = await send(client, { channel: name, topic, message }, options, terminal);
    await outputOf(options, terminal).result(result, describe(result));
    return EXIT.ok;
  }
  if (terminal.stdin.isTTY === true) throw new UsageError('give TOPIC and JSON, or NDJSON on standard input');
  if (options.id !== undefined) throw new UsageError('--id is for a single message');
  await using client = await connectGateway(options, terminal);
  // Awaited here: the client is closed when this function returns.
  return await publishLines(client, name, finish, options, terminal);
}

async function publishLines(
  client: Gater,
  channel: ChannelName,
  finish: (topic: string, message: JsonValue) => JsonValue,
  options: PublishOptions,
  terminal: Terminal,
): Promise<number> {
  const output = outputOf(options, terminal);
  let exit: number = EXIT.ok;
  const waiting: { readonly number: number; readonly answer: Promise<PublishResult | GaterError> }[] = [];
  const settle = async (): Promise<void> => {
    const first = waiting.shift();
    if (first === undefined) return;
    const answer = await first.answer;
    if (!GaterError.is(answer)) return output.result(answer, describe(answer));
    exit = EXIT.failed;
    terminal.stderr.write(`line ${first.number}: ${errorLine(answer, options.json === true)}\n`);
  };
  for await (const line of linesOf(terminal.stdin)) {
    const { topic, message } = messageOf(parseLine(line), line.number);
    const answer = send(client, { channel, topic, message: finish(topic, message) }, options, terminal).catch(
      (error: unknown) => GaterError.from(error),
    );
    waiting.push({ number: line.number, answer });
    if (waiting.length >= IN_FLIGHT) await settle();
  }
  while (waiting.length > 0) await settle();
  return exit;
}

function messageOf(value: unknown, number: number): { topic: string; message: JsonValue } {
  const { topic, message } = (value ?? {}) as { topic?: unknown; message?: JsonValue };
  if (typeof topic !== 'string' || message === undefined) {
    throw new LineError(number, 'is no { topic, message }');
  }
  return { topic, message };
}

function send(
  client: Gater,
  params: { channel: ChannelName; topic: string; message: JsonValue },
  options: PublishOptions,
  terminal: Terminal,
): Promise<PublishResult> {
  return client.publish(
    { ...params, ...(options.id === undefined ? {} : { id: options.id }) },
    { signal: terminal.interrupted, ...(options.wait === true ? { retryRateLimited: true } : {}) },
  );
}

function describe(result: PublishResult): string {
  return result.delivered ? `published ${result.id}` : `not delivered, the channel is off: ${result.id}`;
}

/** Signs with the configured secret, or with the one that a gateway on this machine keeps in its data folder. */
function signer(channel: string, options: PublishOptions, terminal: Terminal) {
  const configured = terminal.env['ESDB_GATER_SECURITY_HMAC_SECRET'];
  const { keyId, secret } =
    configured === undefined
      ? { keyId: undefined, secret: readSecret(options, terminal) }
      : firstSecret(configured);
  return (topic: string, message: JsonValue): JsonValue => {
    if (typeof message !== 'object' || message === null || Array.isArray(message)) {
      throw new UsageError('--sign: only a JSON object can be signed');
    }
    return sign(message as { [name: string]: JsonValue }, {
      secret,
      channel,
      topic,
      ...(keyId === undefined ? {} : { keyId }),
    }) as JsonValue;
  };
}

function firstSecret(configured: string): { keyId?: string | undefined; secret: string } {
  if (!configured.trimStart().startsWith('[')) return { secret: configured };
  const list = jsonArgument('ESDB_GATER_SECURITY_HMAC_SECRET', configured) as {
    keyId: string;
    secret: string;
  }[];
  const first = list[0];
  if (first === undefined) throw new UsageError('ESDB_GATER_SECURITY_HMAC_SECRET is an empty list');
  return first;
}

function readSecret(options: PublishOptions, terminal: Terminal): string {
  const folder = options.dataDir ?? terminal.env['ESDB_GATER_DATA_DIR'] ?? './data';
  const file = join(folder, 'hmac-secret');
  try {
    const secret = readFileSync(file, 'utf8').trim();
    if (secret.length > 0 && secret.length <= LIMITS.messageBytes) return secret;
    throw new Error('it is empty');
  } catch (error) {
    throw new UsageError(
      `--sign: no secret: cannot read ${file} (${(error as Error).message}); give --data-dir of the gateway, or ESDB_GATER_SECURITY_HMAC_SECRET`,
    );
  }
}
