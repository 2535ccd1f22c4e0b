// The health check of the image: exits with 0 when the gateway answers `/livez`, else with 1. It asks the second listener when
// there is one, as that is plain HTTP; the certificate of the main port is not checked, since it is not for 127.0.0.1.
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

const TIMEOUT_MS = 3_000;
const { ESDB_GATER_PORT = '4590', ESDB_GATER_METRICS_PORT = '', ESDB_GATER_TLS_CERT_FILE = '' } = process.env;

const hasMetricsPort = /^\d+$/.test(ESDB_GATER_METRICS_PORT);
const port = hasMetricsPort ? ESDB_GATER_METRICS_PORT : ESDB_GATER_PORT;
const send = !hasMetricsPort && ESDB_GATER_TLS_CERT_FILE !== '' ? httpsRequest : httpRequest;

const end = (problem) => {
  if (problem !== undefined) process.stderr.write(`${problem}\n`);
  process.exit(problem === undefined ? 0 : 1);
};

send(
  { host: '127.0.0.1', port, path: '/livez', rejectUnauthorized: false, timeout: TIMEOUT_MS },
  ({ statusCode }) => end(statusCode === 200 ? undefined : `/livez answered with ${statusCode}`),
)
  .on('timeout', () => end(`no answer within ${TIMEOUT_MS} ms`))
  .on('error', ({ message }) => end(message))
  .end();
