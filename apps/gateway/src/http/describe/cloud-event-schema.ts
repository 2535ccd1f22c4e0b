import type { JsonSchema } from './operation.ts';

const text = { type: ['string', 'null'], minLength: 1 } as const;

const attributes = {
  specversion: { const: '1.0' },
  id: { type: 'string', minLength: 1, description: 'a UUID becomes the id of the event' },
  source: { type: 'string', minLength: 1 },
  type: {
    type: 'string',
    minLength: 1,
    maxLength: 255,
    pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]+$',
    description: 'becomes the type of the event',
  },
  subject: text,
  time: text,
  dataschema: text,
} as const;

const required = ['specversion', 'id', 'source', 'type'] as const;

/** Extension attributes. */
const extensions = {
  patternProperties: {
    '^[a-z0-9]+$': { type: ['string', 'number', 'boolean', 'null'] },
  },
  additionalProperties: false,
} as const;

/** The schema of a CloudEvent in the JSON format, as `cloudEventToEvent` accepts it. */
export const CLOUD_EVENT_SCHEMA: JsonSchema = {
  title: 'CloudEvent',
  description: 'a CloudEvent 1.0; its attributes beyond `id` and `type` go into `metadata.cloudevent`',
  anyOf: [
    {
      title: 'JsonCloudEvent',
      type: 'object',
      properties: {
        ...attributes,
        datacontenttype: text,
        data: { title: 'JsonValue' },
        data_base64: { type: 'null' },
      },
      required,
      ...extensions,
    },
    {
      title: 'BytesCloudEvent',
      type: 'object',
      properties: {
        ...attributes,
        data: { type: 'null' },
        datacontenttype: {
          type: ['string', 'null'],
          pattern: '^[A-Za-z0-9]+/[A-Za-z0-9.+-]+$',
          maxLength: 255,
        },
        data_base64: {
          type: 'string',
          contentEncoding: 'base64',
          pattern: '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$',
        },
      },
      required: [...required, 'data_base64'],
      ...extensions,
    },
  ],
};

export const CLOUD_EVENT_EXAMPLE: JsonSchema = {
  specversion: '1.0',
  id: '018f5e2c-0000-7000-8000-000000000001',
  source: '/shop',
  type: 'OrderPlaced',
  data: { total: 42 },
};
