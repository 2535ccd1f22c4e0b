import { join } from 'node:path';
import type { Gater } from '@esdb-gater/client';
import { sign } from '@esdb-gater/security';
import type { ChannelName, JsonValue, PublishResult } from '@esdb-gater/types';
import { GaterError } from '@esdb-gater/types';
import { loadConfig } from '../../config/load-config.ts';
import type { GatewayConfig } from '../../config/types.ts';
import {
  type CommonOptions,
  connectGateway,
  jsonArgument,
  outputOf,
  type Terminal,
  variable,
} from '../context.ts';
import { errorLine } from '../error-line.ts';
import { EXIT, UsageError } from '../exit.ts';
import { readTextFile } from '../files.ts';
import { type InputLine, LineError, linesOf, parseLine } from '../lines.ts';

export interface PublishOptions extends CommonOptions {
  readonly sign?: boolean;
  readonly dataDir?: string;
  readonly id?: string;
  readonly wait?: boolean;
}

/** Messages of standard input that wait for their answers, and what their lines may weigh together. */
const IN_FLIGHT = 100;
const IN_FLIGHT_UNITS = 4_194_304;

/** `publish CHANNEL TOPIC JSON`: publishes a message; without TOPIC the NDJSON `{ topic, message }` of standard input. */
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
    if (json === undefined) throw new UsageError('give the message as JSON after TOPIC');
    const message = finish(topic, jsonArgument('the message', json, 'message') as JsonValue);
    await using client = await connectGateway(options, terminal);
    const result = await send(client, { channel: name, topic, message }, options, terminal);
    await outputOf(options, terminal).result(result, describe(result));
    return EXIT.ok;
  }
  if (terminal.stdin.isTTY === true) throw new UsageError('give TOPIC and JSON, or NDJSON on standard input');
  if (options.id !== undefined) throw new UsageError('--id must be given with a single message');
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
  const waiting: {
    readonly number: number;
    readonly units: number;
    readonly answer: Promise<PublishResult | GaterError>;
  }[] = [];
  let units = 0;
  const settle = async (): Promise<void> => {
    const first = waiting.shift();
    if (first === undefined) return;
    units -= first.units;
    const answer = await first.answer;
    if (!GaterError.is(answer)) return output.result(answer, describe(answer));
    exit = EXIT.failed;
    terminal.stderr.write(`line ${first.number}: ${errorLine(answer, options.json === true)}\n`);
  };
  for await (const line of linesOf(terminal.stdin)) {
    const { topic, message } = messageOf(line);
    const answer = send(client, { channel, topic, message: finish(topic, message) }, options, terminal).catch(
      (error: unknown) => GaterError.from(error),
    );
    waiting.push({ number: line.number, units: line.text.length, answer });
    units += line.text.length;
    while (waiting.length >= IN_FLIGHT || units > IN_FLIGHT_UNITS) await settle();
  }
  while (waiting.length > 0) await settle();
  return exit;
}

/** Reads `{ topic, message }` of a line. @throws LineError */
function messageOf(line: InputLine): { topic: string; message: JsonValue } {
  const { topic, message } = (parseLine(line) ?? {}) as { topic?: unknown; message?: JsonValue };
  if (typeof topic !== 'string' || message === undefined) {
    throw new LineError(line, 'must be a JSON object { topic, message }');
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
  return result.delivered
    ? `published ${result.id}`
    : `not delivered, since the channel is disabled: ${result.id}`;
}

/**
 * Creates the signer of messages. The secret is the configured one, or the one that a gateway on this machine keeps in
 * its data folder.
 *
 * @throws UsageError
 */
function signer(channel: string, options: PublishOptions, terminal: Terminal) {
  const configured = configuredSecret(terminal);
  const first = typeof configured === 'object' ? configured?.[0] : undefined;
  const secret =
    typeof configured === 'string' ? configured : (first?.secret ?? storedSecret(options, terminal));
  return (topic: string, message: JsonValue): JsonValue => {
    if (typeof message !== 'object' || message === null || Array.isArray(message)) {
      throw new UsageError('--sign: a signed message must be a JSON object');
    }
    return sign(message as { [name: string]: JsonValue }, {
      secret,
      channel,
      topic,
      ...(first === undefined ? {} : { keyId: first.keyId }),
    }) as JsonValue;
  };
}

/** Reads the variables of the secret as the gateway does: a secret, a list of keys as JSON, or a file with either. */
function configuredSecret({ env }: Terminal): GatewayConfig['security']['hmacSecret'] {
  const names = ['ESDB_GATER_SECURITY_HMAC_SECRET', 'ESDB_GATER_SECURITY_HMAC_SECRET_FILE'];
  try {
    return loadConfig({ env: Object.fromEntries(names.map((name) => [name, env[name]])) }).security
      .hmacSecret;
  } catch (error) {
    throw new UsageError(`--sign: ${(error as Error).message}`);
  }
}

/** Reads the secret that a gateway has made. @throws UsageError */
function storedSecret(options: PublishOptions, terminal: Terminal): string {
  const folder = options.dataDir ?? variable(terminal, 'ESDB_GATER_DATA_DIR') ?? './data';
  const file = join(folder, 'hmac-secret');
  const help = 'give --data-dir of the gateway, or ESDB_GATER_SECURITY_HMAC_SECRET';
  let secret: string;
  try {
    secret = readTextFile('--sign', file);
  } catch (error) {
    throw new UsageError(`${(error as Error).message}; ${help}`);
  }
  if (secret === '') throw new UsageError(`--sign: the secret in ${file} must not be empty; ${help}`);
  return secret;
}
