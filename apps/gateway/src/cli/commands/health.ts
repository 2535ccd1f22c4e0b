import { type CommonOptions, connectGateway, outputOf, type Terminal } from '../context.ts';
import { EXIT } from '../exit.ts';

/** `health`: prints the state of a gateway. Exit code 1 when it is unhealthy. */
export async function health(options: CommonOptions, terminal: Terminal): Promise<number> {
  await using client = await connectGateway(options, terminal);
  const state = await client.health({}, { signal: terminal.interrupted });
  const output = outputOf(options, terminal);
  if (options.json === true) {
    await output.result(state, '');
  } else {
    await output.result(state, state.status);
    for (const { component, code, message } of state.reasons)
      await output.result({}, `  ${component}: ${code}: ${message}`);
    for (const [storeId, store] of Object.entries(state.stores)) {
      const workers = store.workers.map(({ workerId, nodeId }) => `${workerId}@${nodeId}`).join(', ');
      await output.result({}, `store ${storeId}: ${store.status}, workers: ${workers || 'none'}`);
    }
    for (const { nodeId, url, status } of state.nodes)
      await output.result({}, `node ${nodeId}: ${status}, ${url}`);
  }
  return state.status === 'unhealthy' ? EXIT.failed : EXIT.ok;
}
