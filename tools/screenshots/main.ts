// `npm run screenshots [FOLDER [SECONDS]]`: takes the pictures of the dashboard, with Chromium, from a gateway with sample data.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@esdb-gater/client';
import type { Browser, Page } from 'playwright-core';
import { startChromium } from '../../apps/gateway/tests/browser/chromium.ts';
import { startTestGateway } from '../../apps/gateway/tests/support/in-process.ts';
import { keepBusy, writeSampleData } from './sample-data.ts';

const folder = process.argv[2] ?? join(import.meta.dirname, '..', '..', 'docs', 'dashboard');
/** The charts need some time to have something to show. */
const WATCHED_MS = Number(process.argv[3] ?? 100) * 1_000;

interface Shot {
  readonly name: string;
  readonly hash: string;
  readonly prepare?: (page: Page) => Promise<void>;
}

const OVERVIEW: Shot = { name: 'overview', hash: '#/' };
const EVENTS: Shot = {
  name: 'events',
  hash: '#/events/default?stream=order-240',
  prepare: async (page) => page.locator('.event-row').first().click(),
};
const CHANNEL: Shot = { name: 'channel', hash: '#/channels/metrics?topic=node.%3E' };
const CHANNELS: Shot = { name: 'channels', hash: '#/channels' };
const STREAMS: Shot = { name: 'streams', hash: '#/streams/default' };
const SUBSCRIPTIONS: Shot = { name: 'subscriptions', hash: '#/subscriptions/default' };
const SUBSCRIPTION: Shot = { name: 'subscription', hash: '#/subscriptions/default/billing' };

const DESKTOP = { width: 1280, height: 840 };
const PHONE = { width: 360, height: 740 };

const SERIES = [
  {
    suffix: 'light',
    scheme: 'light',
    size: DESKTOP,
    shots: [OVERVIEW, EVENTS, CHANNELS, STREAMS, SUBSCRIPTIONS],
  },
  { suffix: 'dark', scheme: 'dark', size: DESKTOP, shots: [OVERVIEW, CHANNEL, SUBSCRIPTION, EVENTS] },
  { suffix: 'phone', scheme: 'light', size: PHONE, shots: [OVERVIEW, CHANNELS, EVENTS, SUBSCRIPTION] },
] as const;

async function take(browser: Browser, http: string): Promise<void> {
  const pages: { readonly page: Page; readonly series: (typeof SERIES)[number] }[] = [];
  for (const series of SERIES) {
    const page = await browser.newPage({ viewport: series.size, colorScheme: series.scheme });
    await page.goto(http);
    pages.push({ page, series });
  }
  await sleep(WATCHED_MS);
  for (const { page, series } of pages) {
    for (const { name, hash, prepare } of series.shots) {
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
      await page.waitForTimeout(2_500);
      await prepare?.(page);
      await page.waitForTimeout(300);
      await page.screenshot({ path: join(folder, `${name}-${series.suffix}.png`) });
    }
  }
}

mkdirSync(folder, { recursive: true });
const gateway = await startTestGateway({ stores: '{"default":{"engine":"memory"}}' });
const browser = await startChromium();
const ended = new AbortController();
try {
  const client = await connect(gateway.url);
  await writeSampleData(client);
  const busy = keepBusy(client, ended.signal);
  await take(browser, gateway.http);
  ended.abort();
  await busy;
  await client.close();
} finally {
  ended.abort();
  await browser.close();
  await gateway.close();
}
