import { createFakeClock } from '@esdb-gater/primitives/testing';
import { createLabelValues } from '@esdb-gater/telemetry';
import type { Logger } from '@esdb-gater/types';
import { silentLogger } from '@esdb-gater/types';
import { afterEach, describe, expect, test, vi } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { createOpenTelemetry, type OpenTelemetrySdk } from './open-telemetry.ts';

const NODE = { nodeId: 'n1', version: '1.2.3' };
const ASKED = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

function sdk(shutdown: () => Promise<void> = () => Promise.resolve()) {
  return { startNodeSdk: vi.fn<OpenTelemetrySdk['startNodeSdk']>(() => ({ shutdown })) };
}

function loggerWith(warn: Logger['warn']): Logger {
  return { ...silentLogger, warn };
}

const started: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop();
});

function open(env: Readonly<Record<string, string>>, load: () => Promise<OpenTelemetrySdk>) {
  const clock = createFakeClock();
  const openTelemetry = createOpenTelemetry({ env, clock, labels: createLabelValues(), load });
  started.push(openTelemetry);
  return { openTelemetry, clock };
}

describe('the export of traces and metrics', () => {
  test.each([
    [{}],
    [{ OTEL_SERVICE_NAME: 'x', OTEL_RESOURCE_ATTRIBUTES: 'a=b' }],
    [{ ...ASKED, OTEL_SDK_DISABLED: 'TRUE' }],
    [{ ...ASKED, OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' }],
    [{ OTEL_TRACES_EXPORTER: 'none' }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }],
  ])('is off and not loaded with %o', async (env) => {
    const load = vi.fn(async () => sdk());
    const { openTelemetry } = open(env, load);
    await openTelemetry.start(NODE, silentLogger);
    expect(load).not.toHaveBeenCalled();
    expect(openTelemetry.logFields).toBeUndefined();
  });

  test.each([
    [ASKED],
    [{ OTEL_TRACES_EXPORTER: 'console' }],
    [{ OTEL_METRICS_EXPORTER: 'otlp', OTEL_TRACES_EXPORTER: 'none' }],
    [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://x', OTEL_SDK_DISABLED: 'false' }],
    [{ OTEL_CONFIG_FILE: 'otel.yaml' }],
  ])('is on with %o', async (env) => {
    const fake = sdk();
    await open(env, async () => fake).openTelemetry.start(NODE, silentLogger);
    expect(fake.startNodeSdk).toHaveBeenCalledOnce();
  });

  test('sets the name of the node, unless the environment does, and omits the arguments', async () => {
    const fake = sdk();
    const env = {
      ...ASKED,
      OTEL_SERVICE_NAME: 'mine',
      OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=i,service.name=x',
    };
    await open(env, async () => fake).openTelemetry.start(NODE, silentLogger);
    const [options] = fake.startNodeSdk.mock.calls[0] ?? [];
    expect(options?.resourceAttributes).toMatchObject({ 'service.name': 'mine', 'service.version': '1.2.3' });
    expect(Object.keys(options?.resourceAttributes ?? {})).not.toContain('service.instance.id');
    expect(options?.resourceDetectors).toEqual([]);
  });

  test('that cannot be loaded or started is logged, and the gateway continues', async () => {
    for (const load of [
      () => Promise.reject(new Error('no such module')),
      async () => ({
        startNodeSdk: () => {
          throw new TypeError('bad value');
        },
      }),
    ]) {
      const warn = vi.fn();
      await open(ASKED, load).openTelemetry.start(NODE, loggerWith(warn));
      expect(warn).toHaveBeenCalledWith(
        { err: expect.any(Error) },
        expect.stringContaining('continues without it'),
      );
    }
  });

  test('without the SDK names the package to install, in the range of the manifest', async () => {
    const missing = Object.assign(new Error("Cannot find package '@opentelemetry/sdk-node'"), {
      code: 'ERR_MODULE_NOT_FOUND',
    });
    const warn = vi.fn();
    await open(ASKED, () => Promise.reject(missing)).openTelemetry.start(NODE, loggerWith(warn));
    const { peerDependencies, dependencies } = manifest;
    const range = peerDependencies['@opentelemetry/sdk-node'];
    expect(warn).toHaveBeenCalledWith(
      {
        err: expect.objectContaining({
          code: 'not_supported',
          message: expect.stringContaining(`npm install "@opentelemetry/sdk-node@${range}"`),
        }),
      },
      expect.stringContaining('continues without it'),
    );
    expect(Object.keys(dependencies).filter((name) => /opentelemetry\/(?!api$)/.test(name))).toEqual([]);
  });

  test('does not hold up a stop for more than 3 s, nor fail it', async () => {
    const warn = vi.fn();
    const { openTelemetry, clock } = open(ASKED, async () => sdk(() => new Promise(() => {})));
    await openTelemetry.start(NODE, loggerWith(warn));
    let over = false;
    const stopping = openTelemetry.stop().then(() => {
      over = true;
    });
    clock.advance(2_999);
    await Promise.resolve();
    expect(over).toBe(false);
    clock.advance(1);
    await stopping;
    expect(warn).toHaveBeenCalledWith({}, expect.stringContaining('in time'));

    const failing = open(ASKED, async () => sdk(() => Promise.reject(new Error('refused')))).openTelemetry;
    await failing.start(NODE, loggerWith(warn));
    await expect(failing.stop()).resolves.toBeUndefined();
  });
});
