import type { BatchObservableResult, Meter, Observable } from '@opentelemetry/api';
import { type InstrumentSink, presentLabels, type Series } from './instrument-sink.ts';
import type { Instrument } from './instruments.ts';

/** Creates a sink that records to the OpenTelemetry API. */
export function createMeterSink(meter: Meter): InstrumentSink {
  const recorders = new Map<string, Recorder>();
  const recorderOf = (instrument: Instrument): Recorder => {
    let recorder = recorders.get(instrument.name);
    if (recorder === undefined) {
      recorder = createRecorder(meter, instrument);
      recorders.set(instrument.name, recorder);
    }
    return recorder;
  };
  return {
    series(instrument, labels): Series {
      const record = recorderOf(instrument);
      const attributes = presentLabels(labels);
      return (value) => record(value, attributes);
    },
    observe(instruments, read) {
      const observables = new Map(instruments.map((one) => [one.name, createObservable(meter, one)]));
      const report = (result: BatchObservableResult): void =>
        read((instrument, value, labels) => {
          const observable = observables.get(instrument.name);
          if (observable !== undefined) result.observe(observable, value, presentLabels(labels));
        });
      const all = [...observables.values()];
      meter.addBatchObservableCallback(report, all);
      return () => meter.removeBatchObservableCallback(report, all);
    },
  };
}

type Recorder = (value: number, attributes: Record<string, string>) => void;

function createRecorder(meter: Meter, { kind, name, unit, description, bounds }: Instrument): Recorder {
  const options = { unit, description };
  switch (kind) {
    case 'counter': {
      const counter = meter.createCounter(name, options);
      return (value, attributes) => counter.add(value, attributes);
    }
    case 'upDownCounter': {
      const counter = meter.createUpDownCounter(name, options);
      return (value, attributes) => counter.add(value, attributes);
    }
    case 'gauge': {
      const gauge = meter.createGauge(name, options);
      return (value, attributes) => gauge.record(value, attributes);
    }
    case 'histogram': {
      const advice = bounds === undefined ? {} : { advice: { explicitBucketBoundaries: [...bounds] } };
      const histogram = meter.createHistogram(name, { ...options, ...advice });
      return (value, attributes) => histogram.record(value, attributes);
    }
  }
}

function createObservable(meter: Meter, { kind, name, unit, description }: Instrument): Observable {
  const options = { unit, description };
  switch (kind) {
    case 'counter':
      return meter.createObservableCounter(name, options);
    case 'upDownCounter':
      return meter.createObservableUpDownCounter(name, options);
    case 'gauge':
      return meter.createObservableGauge(name, options);
    case 'histogram':
      throw new TypeError(`${name} must be a counter or a gauge to be observed, got a histogram`);
  }
}
