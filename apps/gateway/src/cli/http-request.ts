import { GaterError, isErrorCode, type JsonObject } from '@esdb-gater/types';
import { connectProblem } from './connect-problem.ts';
import { type CommonOptions, gatewayUrlOf, type Terminal, tokenOption, trustAuthority } from './context.ts';

/**
 * Sends JSON by PUT to a path of the gateway that the options or the environment name, and returns what it answers.
 *
 * @throws the error of the gateway; `unavailable`
 */
export async function putJson(
  path: string,
  body: object,
  options: CommonOptions,
  terminal: Terminal,
): Promise<unknown> {
  const url = new URL(path, gatewayUrlOf(options, terminal).replace(/^ws/, 'http'));
  const token = tokenOption(options, terminal);
  const signal = terminal.interrupted;
  trustAuthority(options);
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'PUT',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw connectProblem(url.href, error);
  }
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return answer;
  throw problemError((answer ?? {}) as JsonObject, response.status);
}

/** The members of a problem that are not details of the error. */
const PROBLEM_MEMBERS: ReadonlySet<string> = new Set([
  'type',
  'title',
  'status',
  'detail',
  'code',
  'retriable',
]);

/** Makes the error of a problem (RFC 9457), whose other members are its details. */
function problemError(problem: JsonObject, status: number): GaterError {
  const { code, detail } = problem;
  if (!isErrorCode(code)) {
    return new GaterError('unavailable', `the gateway answered with status ${status}`);
  }
  const details = Object.entries(problem).filter(([name]) => !PROBLEM_MEMBERS.has(name));
  return new GaterError(code, String(detail ?? code), { details: Object.fromEntries(details) });
}
