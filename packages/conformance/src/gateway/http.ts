import assert from 'node:assert/strict';
import { fresh, type GatewayCase, type GatewayTrial, newEvent } from './harness.ts';

function ask({ http, token }: GatewayTrial, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = {
    ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(init.headers as Record<string, string> | undefined),
  };
  return fetch(http + path, { ...init, headers });
}

/** The promises about HTTP. */
export const http: readonly GatewayCase[] = [
  {
    title: 'serves liveness, readiness and the refusal of a WebSocket path without an upgrade',
    async body(trial) {
      assert.equal((await ask(trial, '/livez')).status, 200);
      assert.ok([200, 503].includes((await ask(trial, '/readyz')).status));
      assert.equal((await ask(trial, '/v1/ws')).status, 426);
      assert.equal((await ask(trial, '/nowhere')).status, 404);
    },
  },
  {
    title: 'appends with 201 and reads what the WebSocket reads',
    async body(trial) {
      const { storeId, connect } = trial;
      const streamId = fresh('s');
      const path = `/v1/stores/${storeId}/streams/${streamId}/events`;
      const appended = await ask(trial, path, {
        method: 'POST',
        body: JSON.stringify({ events: [newEvent({ n: 1 })] }),
      });
      assert.equal(appended.status, 201);
      const read = (await (await ask(trial, path)).json()) as object;
      assert.deepEqual(read, await (await connect()).result('getEvents', { storeId, streamId }));
    },
  },
  {
    title: 'answers errors as problem documents with their status and members',
    async body(trial) {
      const path = `/v1/stores/${trial.storeId}/streams/${fresh('s')}/events`;
      const missing = await ask(trial, path);
      assert.equal(missing.status, 404);
      assert.match(missing.headers.get('content-type') ?? '', /^application\/problem\+json/);
      const problem = (await missing.json()) as Record<string, unknown>;
      assert.deepEqual(
        [problem['type'], problem['code']],
        ['urn:esdb-gater:error:stream_not_found', 'stream_not_found'],
      );
      const post = (body: string) => ask(trial, path, { method: 'POST', body });
      assert.equal((await post('{')).status, 400);
      assert.equal((await post('{"events":[]}')).status, 422);
      const stale = JSON.stringify({ events: [newEvent()], expectedVersion: 7 });
      assert.equal((await post(stale)).status, 409);
      const wrong = await ask(trial, path, { method: 'PATCH', body: '{}' });
      assert.equal(wrong.status, 405);
      assert.match(wrong.headers.get('allow') ?? '', /POST/);
    },
  },
  {
    title: 'takes a CloudEvent, whose repetition is a duplicate',
    async body(trial) {
      const path = `/v1/stores/${trial.storeId}/streams/${fresh('s')}/events`;
      const event = { specversion: '1.0', id: fresh('e'), source: '/suite', type: 'tested', data: { n: 1 } };
      const headers = { 'content-type': 'application/cloudevents+json' };
      const post = () => ask(trial, path, { method: 'POST', body: JSON.stringify(event), headers });
      assert.equal((await post()).status, 201);
      assert.equal(((await (await post()).json()) as { duplicate: boolean }).duplicate, true);
    },
  },
];
