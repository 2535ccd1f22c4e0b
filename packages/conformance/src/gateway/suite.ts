import type { SuiteCase, SuiteReport } from '../suite-case.ts';
import { channels } from './channels.ts';
import type { GatewayCase, GatewaySuiteOptions, GatewayTrial } from './harness.ts';
import { http } from './http.ts';
import { messages } from './messages.ts';
import { openConnection, type RawConnection } from './raw-connection.ts';
import { streams } from './streams.ts';

const CASES: readonly GatewayCase[] = [...messages, ...streams, ...channels, ...http];

/**
 * Returns the promises of PROTOCOL.md that can be seen from outside as cases for any test runner. They run against the gateway at
 * `url`, a `ws://` or `wss://` URL, write to a store of it, and leave what they have written.
 */
export function gatewaySuite(url: string, options: GatewaySuiteOptions = {}): SuiteCase[] {
  const { name = 'gateway' } = options;
  return CASES.map(({ title, body }) => ({
    title: `${name}: ${title}`,
    needs: [],
    run: () => runCase(body, url, options),
  }));
}

/** The same for the command. */
export function gatewayReport(url: string, options: GatewaySuiteOptions): SuiteReport {
  return { supports: {}, cases: gatewaySuite(url, options) };
}

async function runCase(
  body: GatewayCase['body'],
  url: string,
  { token, storeId = 'default', patienceMs = 10_000 }: GatewaySuiteOptions,
): Promise<void> {
  const open: RawConnection[] = [];
  const trial: GatewayTrial = {
    url,
    http: url.replace(/^ws/, 'http').replace(/\/v1\/ws$/, ''),
    storeId,
    token,
    patienceMs,
    async connect({ protocols } = {}) {
      const connection = await openConnection(url, {
        token,
        patienceMs,
        ...(protocols === undefined ? {} : { protocols }),
      });
      open.push(connection);
      return connection;
    },
  };
  try {
    await body(trial);
  } finally {
    for (const { socket } of open) socket.close();
  }
}
