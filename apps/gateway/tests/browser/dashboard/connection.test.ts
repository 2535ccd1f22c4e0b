import { connect } from '@esdb-gater/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GatewayProcess, startGatewayProcess, temporaryFolder } from '../../support/gateway-process.ts';
import { describeInChromium, startChromium } from '../chromium.ts';
import { connected, expectAccessible, openDashboard } from './open-dashboard.ts';

describeInChromium('the dashboard of a gateway that goes away', () => {
  const folder = temporaryFolder();
  let browser: Browser;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    gateway = await startGatewayProcess(folder.path);
    browser = await startChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.stop();
    folder.remove();
  });

  test('says that the connection is lost, and goes on by itself once it is found again', async () => {
    const { page, go } = await openDashboard(browser, gateway.http);
    await connected(page);
    await go('#/channels/events');
    const tail = page.getByRole('region', { name: 'Live tail' });
    await tail.getByText('live', { exact: true }).waitFor();
    const append = async (type: string): Promise<void> => {
      await using client = await connect(gateway.url);
      await client.appendEvents({ storeId: 'default', streamId: 's', events: [{ type, data: 1 }] });
    };
    await expect
      .poll(async () => {
        await using client = await connect(gateway.url);
        return (await client.channelInfo({})).channels.find(({ name }) => name === 'events')?.subscribers;
      })
      .toBe(1);
    await append('before');
    await tail.getByText('default.s.before').waitFor();

    const { port } = new URL(gateway.http);
    await gateway.kill9();
    await page.getByText('The connection to the gateway is lost.', { exact: true }).waitFor();
    await page.locator('[data-connection="lost"]').waitFor();
    expect(await page.getByRole('status').filter({ hasText: 'is lost' }).count()).toBe(1);
    // What was there stays there.
    expect(await tail.getByText('default.s.before').count()).toBe(1);
    await expectAccessible(page, 'a lost connection');

    gateway = await startGatewayProcess(folder.path, ['--port', port]);
    await connected(page);
    expect(await page.locator('.banner').count()).toBe(0);
    await page.getByRole('status').filter({ hasText: 'Connected again.' }).waitFor();
    await append('after');
    await tail.getByText('default.s.after').waitFor();
    await go('#/streams/default');
    await page.getByRole('link', { name: 's', exact: true }).waitFor();
    await page.context().close();
  });
});
