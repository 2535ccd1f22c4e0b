import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { DiscardBudget } from '../access/discard-budget.ts';

/**
 * Bounds what arrives of a body after its request has been answered, such as one that was refused for its token or its
 * size, and keeps the connection open meanwhile. By itself Node.js reads all of it at full speed to reuse the connection,
 * or, when the connection is not to be reused, closes it at once: then a client that still sends may lose the answer.
 */
export function discardUnreadBodies(server: Server, budget: DiscardBudget): void {
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.complete) return;
    // Before the listener of Node.js, which leaves a body alone that somebody has begun to read.
    response.prependOnceListener('finish', () => {
      if (!request.complete && !request.destroyed) discard(request, budget);
    });
  });
}

function discard(request: IncomingMessage, budget: DiscardBudget): void {
  const { socket } = request;
  const discards = budget.open({ pause: () => request.pause(), destroy: () => socket.destroy() });
  request.on('data', (chunk: Buffer) => discards.add(chunk.length));
  request.once('close', () => discards.close());
  request.read(0);
  // Node.js calls this method after the last response of a connection.
  const destroySoon = socket.destroySoon;
  socket.destroySoon = () => {
    socket.end();
    request.once('end', () => socket.destroy());
  };
  request.once('end', () => {
    socket.destroySoon = destroySoon;
  });
}
