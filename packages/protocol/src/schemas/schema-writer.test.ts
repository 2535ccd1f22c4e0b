import { describe, expect, test } from 'vitest';
import { METHOD_SCHEMAS } from './method-schemas.ts';
import { createSchemaWriter } from './schema-writer.ts';

const didOf = (text: string): boolean => {
  const { properties } = createSchemaWriter().members(METHOD_SCHEMAS.revokeToken.params);
  return new RegExp(String(properties['by']?.['pattern']), 'u').test(text);
};

describe('a writer of schemas', () => {
  test('writes what has a title once, and refers to it', () => {
    const writer = createSchemaWriter();
    expect(writer.write(METHOD_SCHEMAS.getEvents.result)).toEqual({
      $ref: '#/components/schemas/StreamPage',
    });
    expect(writer.components['StreamPage']).toMatchObject({
      type: 'object',
      properties: { events: { type: 'array', items: { $ref: '#/components/schemas/RecordedEvent' } } },
      required: ['events', 'version'],
    });
  });

  test('writes the forms of an object as alternatives, each with its own members', () => {
    const writer = createSchemaWriter();
    writer.write(METHOD_SCHEMAS.appendEvents.params);
    const forms = ['NewJsonEvent', 'NewBytesEvent'];
    expect(writer.components['NewEvent']?.['anyOf']).toEqual(
      forms.map((name) => ({ $ref: `#/components/schemas/${name}` })),
    );
    const members = forms.map((name) => Object.keys(Object(writer.components[name]?.['properties'])));
    expect(members).toEqual([
      ['type', 'data', 'id', 'metadata', 'tags'],
      ['type', 'dataBase64', 'contentType', 'id', 'metadata', 'tags'],
    ]);
    expect(writer.components['NewBytesEvent']).toMatchObject({
      required: ['type', 'dataBase64', 'contentType'],
      additionalProperties: false,
    });
  });

  test('leaves out members that stand elsewhere, such as in a path', () => {
    const writer = createSchemaWriter();
    const forms = writer.variants(METHOD_SCHEMAS.saveSubscription.params, ['storeId', 'name']);
    expect(forms).toHaveLength(5);
    expect(writer.components['TagSubscription']).toMatchObject({ required: ['type', 'selector'] });
    expect(writer.components['TagSubscription']?.['properties']).not.toHaveProperty('storeId');
  });

  test('shows the known values of a text that only another check refuses', () => {
    const { properties } = createSchemaWriter().members(METHOD_SCHEMAS.publish.params);
    expect(properties['channel']?.['enum']).toContain('events');
  });
});

test('the pattern of a DID takes keys near the smallest and the greatest, and neither of what is beyond them', () => {
  expect(didOf('did:key:z6MkeTG3cFFSLYVU7VqhgZxqr6YzpaGrQtFMh1uvqGy1vDnP')).toBe(true);
  expect(didOf('did:key:z6MkwgaR5z138bEEgad7uk993KMX54vBA6KTB4sFhCPnSB2e')).toBe(true);
  expect(didOf('did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH')).toBe(true);
  expect(didOf('did:key:z6MkeTG3aFFSLYVU7VqhgZxqr6YzpaGrQtFMh1uvqGy1vDnP')).toBe(false);
  expect(didOf('did:key:z6MkwgaR73138bEEgad7uk993KMX54vBA6KTB4sFhCPnSB2e')).toBe(false);
});
