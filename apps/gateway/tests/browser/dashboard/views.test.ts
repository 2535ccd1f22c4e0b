import { connect, type RemoteGater } from '@esdb-gater/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../../support/in-process.ts';
import { describeInChromium, startChromium } from '../chromium.ts';
import { connected, type Dashboard, openDashboard } from './open-dashboard.ts';

const storeId = 'default';

describeInChromium('the dashboard in Chromium', () => {
  let browser: Browser;
  let gateway: TestGateway;
  let client: RemoteGater;
  let dashboard: Dashboard;

  beforeAll(async () => {
    gateway = await startTestGateway({
      stores: '{"default":{"engine":"memory"},"archive":{"engine":"memory"}}',
    });
    client = await connect(gateway.url);
    browser = await startChromium();
    dashboard = await openDashboard(browser, gateway.http);
    await connected(dashboard.page);
  });
  afterAll(async () => {
    await client?.close();
    await browser?.close();
    await gateway?.close();
  });

  test('is static files of the gateway under a strict policy, and asks no other host', async () => {
    const page = await fetch(gateway.http);
    const text = await page.text();
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("trusted-types 'none'");
    expect(policy).not.toMatch(/unsafe|data:|blob:|https?:|\*/);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(text).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
    const [script = ''] = /assets\/[^"]+\.js/.exec(text) ?? [];
    expect(script).toMatch(/-[\w-]{8}\.js$/);
    const file = await fetch(`${gateway.http}/${script}`);
    expect(file.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(file.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const etag = page.headers.get('etag') ?? '';
    const again = await fetch(gateway.http, { headers: { 'if-none-match': etag } });
    expect(again.status).toBe(304);
    expect((await fetch(`${gateway.http}/assets/nothing.js`)).status).toBe(404);
    expect((await fetch(`${gateway.http}/assets/..%2f..%2fpackage.json`)).status).toBe(404);
    expect(dashboard.requested.map((url) => new URL(url).origin)).toEqual(
      dashboard.requested.map(() => gateway.http),
    );
  });

  test('cannot be framed, and its policy blocks injected markup and scripts [T22]', async () => {
    const { page } = await openDashboard(browser, gateway.http);
    const refused = await page.evaluate(
      `(() => { try { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="window.ran = true">'); return 'inserted'; } catch (error) { return error.name; } })()`,
    );
    expect(refused).toBe('TypeError');
    const ran = await page.evaluate(
      `(() => { const script = document.createElement('script'); try { script.textContent = 'window.ran = true'; } catch {} document.head.append(script); return window.ran; })()`,
    );
    expect(ran).toBeUndefined();
    await page.setContent(`<iframe src="${gateway.http}"></iframe>`).catch(() => undefined);
    const frames = await browser.newPage();
    await frames.setContent(`<iframe src="${gateway.http}"></iframe>`);
    await frames.waitForLoadState('load');
    expect(frames.frames()[1]?.url()).toMatch(/^chrome-error:/);
    await frames.close();
    await page.context().close();
  });

  test('the overview has the health with its reasons, the nodes, the stores with their workers, and rates', async () => {
    const { page, go } = dashboard;
    await go('#/');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(await page.title()).toBe('Overview – esdb-gater');
    await page.locator('.health').getByText('Healthy').waitFor();
    const stores = page.getByRole('region', { name: 'Stores and workers' });
    expect(await stores.getByRole('row').count()).toBe(3);
    expect(await stores.getByRole('link', { name: 'archive' }).count()).toBe(1);
    expect(await page.getByRole('region', { name: 'Nodes' }).innerText()).toContain(gateway.url);
    expect(await page.getByRole('img', { name: /^Appends, the last 5 minutes/ }).count()).toBe(1);
    expect(await page.locator('.plot canvas').count()).toBe(3);
    expect(await page.locator('.channel-tiles li').count()).toBe(10);
  });

  test('an appended event appears on the overview by itself', async () => {
    const { page, go } = dashboard;
    await go('#/');
    await client.appendEvents({
      storeId,
      streamId: 'first-1',
      events: [{ type: 'it_begins', data: { hello: 'world' } }],
    });
    await page.getByRole('region', { name: 'Newest events of default' }).getByText('it_begins').waitFor();
  });

  test('streams are found by the beginning of their names, and the address keeps it', async () => {
    const { page, go } = dashboard;
    for (const streamId of ['user-1', 'user-2', 'order-1']) {
      await client.appendEvents({ storeId, streamId, events: [{ type: 't', data: null }] });
    }
    await go('#/streams/default');
    await page.getByRole('link', { name: 'order-1' }).waitFor();
    await page.getByPlaceholder('Name begins with…').fill('user-');
    await page.getByText('2 streams', { exact: true }).waitFor();
    expect(new URL(page.url()).hash).toBe('#/streams/default?prefix=user-');
    await page.getByRole('link', { name: 'user-2' }).click();
    await page.getByRole('heading', { name: 'user-2' }).waitFor();
    expect(new URL(page.url()).hash).toBe('#/events/default?stream=user-2');
  });

  test('an event is appended by the form, and a wrong version is explained in words', async () => {
    const { page, go } = dashboard;
    await go('#/append/default?stream=form-1');
    const form = page.getByRole('region', { name: 'Event' });
    await form.getByLabel('Type').fill('filled_in');
    await form.getByLabel('Data (JSON)').fill('{ "a": [1, ');
    await form.getByText(/^Not valid JSON/).waitFor();
    expect(await form.getByRole('button', { name: 'Append' }).isDisabled()).toBe(true);
    await form.getByLabel('Data (JSON)').fill('{ "a": [1, { "b": "c" }] }');
    await form.getByLabel('Expect').selectOption('none');
    await form.getByLabel('Tags').fill('one, two');
    await form.getByRole('button', { name: 'Append' }).click();
    await form.getByText('Appended: version 0').waitFor();
    await form.getByRole('button', { name: 'Append' }).click();
    await form
      .getByText(
        'The stream is at version 0, but the append expected that the stream does not exist yet. Nothing was written.',
      )
      .waitFor();
    expect(await form.getByText('wrong_expected_version').count()).toBe(1);
    const { events } = await client.getEvents({ storeId, streamId: 'form-1' });
    expect(events).toMatchObject([{ type: 'filled_in', data: { a: [1, { b: 'c' }] }, tags: ['one', 'two'] }]);
  });

  test('the reader shows an event with its JSON as a tree, and its correlation leads to all that belongs to it', async () => {
    const { page, go } = dashboard;
    const correlationId = crypto.randomUUID();
    const id = crypto.randomUUID();
    await client.appendEvents({
      storeId,
      streamId: 'saga-1',
      events: [
        { id, type: 'began', data: { deep: { deeper: { deepest: 42 } } }, metadata: { correlationId } },
      ],
    });
    await client.appendEvents({
      storeId,
      streamId: 'saga-2',
      events: [{ type: 'went_on', data: 1, metadata: { correlationId, causationId: id } }],
    });
    await go('#/events/default?stream=saga-1');
    await page.getByRole('button', { name: 'began' }).click();
    const tree = page.getByRole('group', { name: /^Data of event/ });
    expect(await tree.innerText()).not.toContain('deepest');
    await tree.locator('summary', { hasText: 'deeper' }).click();
    await tree.getByText('42').waitFor();
    await page.getByRole('link', { name: correlationId }).click();
    await page.getByText(/^2 found among the newest/).waitFor();
    const list = page.getByRole('region', { name: 'Related events' });
    expect(await list.locator('.event-type').allTextContents()).toEqual(['went_on', 'began']);
    await page.getByRole('button', { name: 'went_on' }).click();
    await page.getByRole('link', { name: id }).click();
    await page.waitForURL((url) => url.hash.includes(id));
    await page.getByText(/^2 found among the newest/).waitFor();
  });

  test('the reader finds events by type, by tag and up to a time', async () => {
    const { page, go } = dashboard;
    const append = (streamId: string, type: string, tags: readonly string[]) =>
      client.appendEvents({ storeId: 'archive', streamId, events: [{ type, data: 1, tags }] });
    await append('a', 'red', ['x']);
    await append('b', 'green', ['x', 'y']);
    await append('c', 'blue', ['y']);
    const types = (): Promise<string[]> => page.locator('.event-type').allTextContents();
    await go('#/events/archive');
    await page.getByText('blue').waitFor();
    expect(await types()).toEqual(['blue', 'green', 'red']);
    const form = page.getByRole('form', { name: 'Events' });
    await form.getByLabel('Look for').selectOption('query');
    await form.getByLabel('Types', { exact: true }).fill('red, blue');
    await form.getByRole('button', { name: 'Read' }).click();
    await expect.poll(types).toEqual(['blue', 'red']);
    await go('#/events/archive?tag=x,y');
    await expect.poll(types).toEqual(['green']);
    const { events } = await client.readAll({ storeId: 'archive' });
    const [, second, third] = events;
    await go(`#/events/archive?at=${second?.timestamp}`);
    const expected = third?.timestamp === second?.timestamp ? ['blue', 'green', 'red'] : ['green', 'red'];
    await expect.poll(async () => (await types()).slice(-2)).toEqual(expected.slice(-2));
    await go('#/events/archive?at=2001-01-01T00:00:00.000Z');
    await page.getByText('No events here').waitFor();
  });

  test('pages of a store lead back to its first event and forth again', async () => {
    const { page, go } = dashboard;
    const events = Array.from({ length: 120 }, (_, data) => ({ type: 'counted', data }));
    await client.appendEvents({ storeId, streamId: 'long-1', events });
    await go('#/events/default?stream=long-1');
    const versions = (): Promise<string[]> => page.locator('.event-number').allTextContents();
    await expect.poll(async () => (await versions()).at(0)).toBe('119');
    await page.getByRole('button', { name: 'Older' }).click();
    await expect.poll(async () => (await versions()).at(0)).toBe('69');
    await page.getByRole('button', { name: 'Older' }).click();
    await expect.poll(async () => (await versions()).at(-1)).toBe('0');
    expect(await page.getByRole('button', { name: 'Older' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Newer' }).click();
    await expect.poll(async () => (await versions()).at(0)).toBe('69');
  });

  test('a followed stream shows each new event as it is committed', async () => {
    const { page, go } = dashboard;
    await go('#/events/default?stream=followed-1');
    await page.getByText('This stream does not exist.').waitFor();
    await page.getByRole('button', { name: 'Follow live' }).click();
    await page.getByText('live', { exact: true }).waitFor();
    for (const type of ['one', 'two']) {
      await client.appendEvents({ storeId, streamId: 'followed-1', events: [{ type, data: 1 }] });
    }
    await expect.poll(() => page.locator('.event-type').allTextContents()).toEqual(['two', 'one']);
    await page.getByRole('button', { name: 'Stop following' }).click();
    await page.getByRole('button', { name: 'Older' }).waitFor();
  });

  test('channels are listed with their rates; one has a tail by topic that pauses, and a form to publish', async () => {
    const { page, go } = dashboard;
    await go('#/channels');
    expect(await page.getByRole('row').count()).toBe(11);
    await page.getByRole('link', { name: 'system' }).click();
    await page.getByRole('heading', { name: 'system' }).waitFor();
    const tail = page.getByRole('region', { name: 'Live tail' });
    await tail.getByLabel('Topic').fill('deploys.*');
    await tail.getByRole('button', { name: 'Listen' }).click();
    await page.waitForURL((url) => url.hash.includes('deploys'));
    const publish = page.getByRole('region', { name: 'Publish' });
    const send = async (topic: string): Promise<void> => {
      await publish.getByLabel('Topic').fill(topic);
      await publish.getByLabel('Message (JSON)').fill('{ "version": "1.2.0" }');
      await publish.getByRole('button', { name: 'Publish' }).click();
      await publish.getByText(/^Published/).waitFor();
    };
    await expect
      .poll(
        async () =>
          (await client.channelInfo({})).channels.find(({ name }) => name === 'system')?.subscribers,
      )
      .toBe(1);
    await send('other.topic');
    await send('deploys.done');
    await tail.getByRole('button', { name: /deploys\.done/ }).waitFor();
    expect(await tail.locator('.message-topic').allTextContents()).toEqual(['deploys.done']);
    await tail.getByRole('button', { name: /deploys\.done/ }).click();
    await tail.getByRole('group', { name: 'Message', exact: true }).getByText('"1.2.0"').waitFor();
    await tail.getByRole('button', { name: 'Pause' }).click();
    await client.publish({ channel: 'system', topic: 'deploys.later', message: 1 });
    await tail.getByText('1 since the pause').waitFor();
    expect(await tail.locator('.message-topic').allTextContents()).toEqual(['deploys.done']);
    await tail.getByRole('button', { name: 'Go on' }).click();
    await expect
      .poll(() => tail.locator('.message-topic').allTextContents())
      .toEqual(['deploys.later', 'deploys.done']);
  });

  test('a channel that requires signatures says how to publish on it', async () => {
    const { page, go } = dashboard;
    await go('#/channels/alerts');
    await page.getByText('esdb-gater publish alerts').waitFor();
    expect(await page.getByRole('button', { name: 'Publish' }).count()).toBe(0);
  });

  test('a topic that is not a pattern is refused in words', async () => {
    const { page, go } = dashboard;
    await go('#/channels/system?topic=a..b');
    await page.getByRole('alert').getByText('invalid_argument').waitFor();
  });

  test('a subscription has its lag, consumers and parked events, which are retried and skipped', async () => {
    const { page, go } = dashboard;
    const name = 'billing';
    const params = { storeId, name, type: 'event_type', selector: 'paid' } as const;
    const events = Array.from({ length: 3 }, (_, data) => ({ type: 'paid', data }));
    await client.appendEvents({ storeId, streamId: 'payments', events });
    const consumer = await client.saveSubscription(params);
    let parked = 0;
    for await (const { nack } of consumer) {
      await nack({ action: 'park', reason: 'the bank is closed' });
      if (++parked === 3) break;
    }
    await consumer.unsubscribe();
    await go('#/subscriptions/default');
    const row = page.getByRole('row', { name: /billing/ });
    await row.getByText('has parked events').waitFor();
    await row.getByRole('link', { name }).click();
    const list = page.getByRole('region', { name: 'Parked events' });
    await expect.poll(() => list.locator('.parked-row').count()).toBe(3);
    expect(await list.innerText()).toContain('the bank is closed');

    await list.getByRole('checkbox').first().check();
    await list.getByRole('button', { name: 'Skip chosen' }).click();
    await list.getByText('Skipped 1 event.').waitFor();
    await expect.poll(() => list.locator('.parked-row').count()).toBe(2);
    await expect.poll(async () => (await client.listParked({ storeId, name })).events.length).toBe(2);

    const again = await client.saveSubscription(params);
    await expect.poll(() => list.getByRole('button', { name: 'Skip chosen' }).isDisabled()).toBe(true);
    await list.getByRole('button', { name: 'Retry all' }).click();
    const versions: number[] = [];
    for await (const { event, ack } of again) {
      versions.push(event.version);
      await ack();
      if (versions.length === 2) break;
    }
    expect(versions.sort()).toEqual([1, 2]);
    await again.unsubscribe();
    await list.getByText('Nothing is parked').waitFor();
  });

  test('a subscription is started anew and removed only after a second question', async () => {
    const { page, go } = dashboard;
    const name = 'manage me';
    const subscription = await client.saveSubscription({
      storeId,
      name,
      type: 'stream',
      selector: '$all',
      startFrom: 'latest',
    });
    await subscription.unsubscribe();
    await go(`#/subscriptions/default/${encodeURIComponent(name)}`);
    const manage = page.getByRole('region', { name: 'Manage' });
    await manage.getByRole('button', { name: 'Start anew…' }).click();
    await manage.getByRole('button', { name: 'Start anew', exact: true }).click();
    const found = async () =>
      (await client.getSubscriptions({ storeId })).subscriptions.find((one) => one.name === name);
    await expect.poll(async () => (await found())?.checkpoint).toBe(0);
    await manage.getByRole('button', { name: 'Remove…' }).click();
    expect(await found()).toBeDefined();
    await manage.getByRole('button', { name: 'Remove', exact: true }).click();
    await expect.poll(found).toBeUndefined();
    await page.getByRole('heading', { name: 'Subscriptions', level: 1 }).waitFor();
  });

  test('an unknown page and an unknown store say so', async () => {
    const { page, go } = dashboard;
    await go('#/nowhere');
    await page.getByText('There is no such page').waitFor();
    await go('#/streams/nowhere');
    await page.getByText('The gateway does not know this store.').waitFor();
  });

  test('the theme is switched and remembered', async () => {
    const { page } = await openDashboard(browser, gateway.http);
    const background = (): Promise<string> =>
      page.evaluate('getComputedStyle(document.body).backgroundColor') as Promise<string>;
    const light = await background();
    await page.getByRole('button', { name: /Switch to light/ }).click();
    await page.getByRole('button', { name: /Switch to dark/ }).click();
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.reload();
    await connected(page);
    expect(await background()).toBe(dark);
    await page.context().close();
  });

  test('there was no error, warning or violation of the policy of the page', () => {
    expect(dashboard.complaints).toEqual([]);
    expect(new Set(dashboard.requested.map((url) => new URL(url).origin))).toEqual(new Set([gateway.http]));
  });
});
