import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

/** A frame as it passed, with the side that sent it. */
export interface RecordedFrame {
  readonly from: 'client' | 'gateway';
  readonly text: string;
}

/** Passes WebSocket frames between clients and a gateway, and records them. */
export async function startRecordingRelay(gatewayUrl: string): Promise<{
  readonly url: string;
  readonly frames: readonly RecordedFrame[];
  close(): void;
}> {
  const frames: RecordedFrame[] = [];
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  server.on('connection', (client, request) => {
    const gateway = new WebSocket(gatewayUrl, request.headers['sec-websocket-protocol']);
    const early: string[] = [];
    client.on('message', (data) => {
      const text = String(data);
      frames.push({ from: 'client', text });
      if (gateway.readyState === WebSocket.OPEN) gateway.send(text);
      else early.push(text);
    });
    gateway.on('open', () => {
      for (const text of early) gateway.send(text);
    });
    gateway.on('message', (data) => {
      const text = String(data);
      frames.push({ from: 'gateway', text });
      client.send(text);
    });
    client.on('close', () => gateway.close());
    gateway.on('close', () => client.close());
  });
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/ws`,
    frames,
    close() {
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}
