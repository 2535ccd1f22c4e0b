import { connect } from '@esdb-gater/client';
import { createRevocation, createToken, type Grant, Identity, tokenId } from '@esdb-gater/security';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../../support/in-process.ts';
import { describeInChromium, startChromium } from '../chromium.ts';
import { connected, expectAccessible, openDashboard } from './open-dashboard.ts';

const root = Identity.generate();
const ALL: readonly Grant[] = [{ with: '*', can: '*' }];
const READER: readonly Grant[] = [
  { with: 'esdb://default/stream/default/user-*', can: 'stream/read' },
  { with: 'esdb://default/channel/system/*', can: 'channel/subscribe' },
];

describeInChromium('the dashboard of a gateway that requires tokens', () => {
  let browser: Browser;
  let gateway: TestGateway;

  const tokenFor = (att: readonly Grant[]): string =>
    createToken({ issuer: root, audience: gateway.did, att: [...att] });

  beforeAll(async () => {
    gateway = await startTestGateway({
      'security-capabilities': 'required',
      'security-trusted-issuers': root.did,
      'limits-authenticate-ms': '200',
      stores: '{"default":{"engine":"memory"}}',
    });
    await using client = await connect(gateway.url, { token: tokenFor(ALL) });
    for (const streamId of ['user-1', 'order-1']) {
      await client.appendEvents({ storeId: 'default', streamId, events: [{ type: 't', data: 1 }] });
    }
    browser = await startChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.close();
  });

  test('asks for a token, refuses a wrong one in words, and shows the accepted one in readable form', async () => {
    const { page, complaints, requested } = await openDashboard(browser, gateway.http);
    await page.getByText('This gateway wants a token from everybody. Present yours below.').waitFor();
    await expectAccessible(page, 'the question for a token');
    const field = page.getByLabel('Token', { exact: true });
    const use = page.getByRole('button', { name: 'Use this token' });
    await field.fill('not a token');
    await page.getByText(/^This text is not a token/).waitFor();
    expect(await use.isDisabled()).toBe(true);

    await field.fill(createToken({ issuer: Identity.generate(), audience: gateway.did, att: [...ALL] }));
    await use.click();
    await page.getByText('The gateway does not trust the issuer of the token.').waitFor();

    const token = tokenFor(ALL);
    await field.fill(token);
    await use.click();
    await connected(page);
    await page.evaluate("location.hash = '#/access'");
    const card = page.getByRole('region', { name: 'Your token' });
    await card.getByText(root.did).waitFor();
    expect(await card.innerText()).toContain(gateway.did);
    expect(await card.innerText()).toContain('* (everything)');
    await card.getByText(/in 15 min/).waitFor();
    await expectAccessible(page, 'the token');
    expect(await page.evaluate('JSON.stringify(localStorage)')).toBe('{}');
    expect(requested.filter((url) => url.includes(token))).toEqual([]);

    await page.reload();
    await connected(page);
    await page.evaluate("location.hash = '#/access'");
    await page.getByRole('button', { name: 'Forget this token' }).click();
    await page.getByText('This gateway wants a token from everybody.').waitFor();
    expect(await page.evaluate('JSON.stringify(sessionStorage)')).toBe('{}');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('a token that allows little shows what it allows, and says what it does not', async () => {
    const { page, go, complaints } = await openDashboard(browser, gateway.http);
    await page.getByLabel('Token', { exact: true }).fill(tokenFor(READER));
    await page.getByRole('button', { name: 'Use this token' }).click();
    await connected(page);
    await go('#/streams/default');
    await page.getByText('1 stream', { exact: true }).waitFor();
    await go('#/events/default?stream=user-1');
    await page.locator('.event-row').waitFor();
    await go('#/events/default');
    await page.getByText('The token does not allow this.').first().waitFor();
    expect(await page.getByText('unauthorized/insufficient_permissions').count()).toBe(1);
    await go('#/append/default?stream=user-1');
    await page.getByText(/^Your token does not allow/).waitFor();
    expect(await page.getByRole('button', { name: 'Append', exact: true }).isDisabled()).toBe(true);
    await go('#/channels');
    expect(await page.getByRole('row').count()).toBe(2);
    await go('#/');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('a token that is revoked ends the page in words', async () => {
    const { page } = await openDashboard(browser, gateway.http);
    const token = tokenFor(ALL);
    await page.getByLabel('Token', { exact: true }).fill(token);
    await page.getByRole('button', { name: 'Use this token' }).click();
    await connected(page);
    await using client = await connect(gateway.url, { token: tokenFor(ALL) });
    await client.revokeToken(createRevocation(root, { cid: tokenId(token) }));
    await page.getByText('The token was revoked.').waitFor();
    await page.context().close();
  });
});
