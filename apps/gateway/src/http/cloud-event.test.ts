import { uuidV5 } from '@esdb-gater/primitives';
import { describe, expect, test } from 'vitest';
import { cloudEventToEvent } from './cloud-event.ts';

const minimal = { specversion: '1.0', id: 'A234', source: '/mycontext', type: 'com.example.someevent' };

describe('a CloudEvent', () => {
  test('keeps its id when that is a UUID', () => {
    const id = '018F5E2C-0000-7000-8000-00000000000A';
    expect(cloudEventToEvent({ ...minimal, id })).toMatchObject({ id: id.toLowerCase() });
  });

  test('gets the UUIDv5 of its source and id when it is not a UUID, and keeps that id in its metadata', () => {
    const event = cloudEventToEvent(minimal);
    expect(event.id).toBe(uuidV5('/mycontext\nA234'));
    expect(event.metadata).toEqual({
      cloudevent: { specversion: '1.0', source: '/mycontext', id: 'A234' },
    });
  });

  test('keeps all other attributes, extensions too, in its metadata', () => {
    const { metadata } = cloudEventToEvent({
      ...minimal,
      subject: 's',
      time: '2026-01-01T00:00:00Z',
      comexample: true,
    });
    expect(metadata).toMatchObject({
      cloudevent: { subject: 's', time: '2026-01-01T00:00:00Z', comexample: true },
    });
  });

  test('without data has null as its data', () => {
    expect(cloudEventToEvent(minimal).data).toBeNull();
  });

  test('with bytes becomes an event with their content type', () => {
    const image = { ...minimal, data_base64: 'iVBORw==', datacontenttype: 'image/png' };
    const event = cloudEventToEvent(image);
    expect(event).toMatchObject({ dataBase64: 'iVBORw==', contentType: 'image/png' });
    expect(event).not.toHaveProperty('data');
    expect(event.metadata).toMatchObject({ cloudevent: { datacontenttype: 'image/png' } });
    const untyped = cloudEventToEvent({ ...minimal, data: null, data_base64: '' });
    expect(untyped).toMatchObject({ dataBase64: '', contentType: 'application/octet-stream' });
  });

  test.each([
    ['specversion', { ...minimal, specversion: '0.3' }],
    ['data_base64', { ...minimal, data: 1, data_base64: 'AA==' }],
    ['data_base64', { ...minimal, data_base64: 'AA' }],
    ['data_base64', { ...minimal, data_base64: 1 }],
    ['datacontenttype', { ...minimal, data_base64: 'AA==', datacontenttype: 'png' }],
    ['source', { specversion: '1.0', id: 'a', type: 't' }],
    ['attribute', { ...minimal, 'Not-Lower': 'x' }],
    ['extension', { ...minimal, extension: { nested: true } }],
  ])('is refused for its %s', (what, value) => {
    expect(() => cloudEventToEvent(value)).toThrow(new RegExp(what, 'i'));
  });
});

describe('a CloudEvent of other senders', () => {
  test('has no attribute where the value is null [R30]', () => {
    const event = cloudEventToEvent({
      ...minimal,
      subject: null,
      traceparent: null,
      data_base64: null,
      data: null,
    });
    expect(event.data).toBeNull();
    expect(event.metadata).toEqual(cloudEventToEvent(minimal).metadata);
    for (const name of ['id', 'source', 'type', 'specversion']) {
      expect(() => cloudEventToEvent({ ...minimal, [name]: null })).toThrow(
        `\`${name}\` of a CloudEvent must be`,
      );
    }
  });

  test.each(['subject', 'dataschema', 'datacontenttype', 'time', 'source', 'id'])(
    'with an empty %s is refused, and the message names it [R30]',
    (name) => {
      expect(() => cloudEventToEvent({ ...minimal, [name]: '' }, '[3]')).toThrow(
        `\`[3].${name}\` of a CloudEvent must be a string that is not empty, got ""`,
      );
    },
  );

  test('may have an empty extension attribute', () => {
    expect(cloudEventToEvent({ ...minimal, extension: '' }).metadata).toMatchObject({
      cloudevent: { extension: '' },
    });
  });
});

describe('uuidV5', () => {
  test('makes the UUIDs that other languages make', () => {
    // Python: uuid.uuid5(uuid.NAMESPACE_URL, 'http://www.example.com')
    expect(uuidV5('http://www.example.com')).toBe('2d32a3f1-fac2-52a6-ac52-fe9e87e628ea');
  });
});
