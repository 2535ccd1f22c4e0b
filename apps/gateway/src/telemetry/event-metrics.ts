import { attach, detach, type HandlerArguments } from '@esdb-gater/telemetry';
import type { MetricRegistry } from './metric-registry.ts';

/** Upper bounds in seconds: from what memory answers to the deadline of a store call. */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Looking up a worker takes microseconds. */
const LOOKUP_SECONDS = [1e-6, 5e-6, 1e-5, 5e-5, 1e-4, 1e-3, 1e-2];

let attachments = 0;

/** Adds what the eleven telemetry events tell. Returns what ends it. */
export function addEventMetrics(metrics: MetricRegistry): () => void {
  const requests = metrics.counter('esdb_gater_requests_total', 'Store calls, by method and outcome.');
  const seconds = metrics.histogram(
    'esdb_gater_request_duration_seconds',
    'How long store calls took.',
    SECONDS,
  );
  const retries = metrics.counter('esdb_gater_retries_total', 'Attempts that failed and were made again.');
  const exhausted = metrics.counter(
    'esdb_gater_retries_exhausted_total',
    'Calls whose attempts were used up.',
  );
  const lookups = metrics.histogram(
    'esdb_gater_worker_lookup_duration_seconds',
    'How long it took to pick a worker.',
    LOOKUP_SECONDS,
  );
  const registrations = metrics.counter(
    'esdb_gater_worker_registrations_total',
    'Workers that came and went.',
  );
  let inFlight = 0;
  metrics.gauge('esdb_gater_requests_in_flight', 'Store calls under way.', () => [[{}, inFlight]]);
  let nodes: number | undefined;
  metrics.gauge('esdb_gater_cluster_nodes', 'Nodes of the cluster, once one came or went.', () =>
    nodes === undefined ? [] : [[{}, nodes]],
  );
  const broadcasts = metrics.counter('esdb_gater_broadcasts_total', 'Messages that reached subscribers.');
  const recipients = metrics.counter(
    'esdb_gater_deliveries_total',
    'Messages times the subscribers they reached.',
  );

  // Series by what tells them apart: looking one up costs a map, making its labels costs far more.
  const ofRequest = remembered((key) => {
    const [store_id = '', request_type = '', result = ''] = key.split(' ');
    return {
      count: requests.series({ store_id, request_type, result }),
      seconds: seconds.series({ request_type }),
    };
  });
  const ofLookup = remembered((store_id) => lookups.series({ store_id }));
  const ofChannel = remembered((channel) => ({
    broadcasts: broadcasts.series({ channel }),
    recipients: recipients.series({ channel }),
  }));

  const observe = (...[event, measurements, metadata]: HandlerArguments<undefined>): void => {
    switch (event) {
      case 'esdb_gater.worker.lookup':
        ofLookup(metadata.store_id).observe(measurements.duration / 1_000);
        break;
      case 'esdb_gater.worker.registered':
      case 'esdb_gater.worker.unregistered': {
        const change = event === 'esdb_gater.worker.registered' ? 'registered' : 'unregistered';
        registrations.series({ store_id: metadata.store_id, change }).add(1);
        break;
      }
      case 'esdb_gater.request.start':
        inFlight++;
        break;
      case 'esdb_gater.cluster.node.up':
      case 'esdb_gater.cluster.node.down':
        nodes = metadata.member_count;
        break;
      case 'esdb_gater.request.stop':
      case 'esdb_gater.request.error': {
        // Not those that began before somebody counted.
        if (inFlight > 0) inFlight--;
        const { store_id, request_type } = metadata;
        const result = event === 'esdb_gater.request.stop' ? 'ok' : metadata.reason;
        // None of the three has a blank.
        const series = ofRequest(`${store_id} ${request_type} ${result}`);
        series.count.add(1);
        series.seconds.observe(measurements.duration / 1_000);
        break;
      }
      case 'esdb_gater.retry.attempt':
        retries.series({ store_id: metadata.store_id, reason: metadata.reason }).add(1);
        break;
      case 'esdb_gater.retry.exhausted':
        exhausted.series({ store_id: metadata.store_id, reason: metadata.reason }).add(1);
        break;
      case 'esdb_gater.channel.broadcast': {
        if (measurements.recipient_count === 0) break;
        const series = ofChannel(metadata.channel);
        series.broadcasts.add(1);
        series.recipients.add(measurements.recipient_count);
      }
    }
  };
  const id = `esdb_gater.metrics.${++attachments}`;
  attach(id, observe);
  return () => void detach(id);
}

/** Most keys that are remembered at once. */
const MAX_REMEMBERED = 2_000;

function remembered<Made>(make: (key: string) => Made): (key: string) => Made {
  const known = new Map<string, Made>();
  return (key) => {
    let made = known.get(key);
    if (made === undefined) {
      made = make(key);
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(key, made);
    }
    return made;
  };
}
