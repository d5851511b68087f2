import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { readFileSync } from 'fs';
import { resolve } from 'path';

/** A schema, as far as examples are made from it. */
interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  example?: unknown;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  items?: Schema;
  minItems?: number;
  allOf?: Schema[];
  oneOf?: Schema[];
}

interface Content {
  schema: Schema;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}

interface Body {
  content?: Record<string, Content>;
}

export interface Endpoint {
  parameters?: { name: string; in: string }[];
  requestBody?: Body;
  responses: Record<string, Body>;
}

interface OpenApi {
  paths: Record<string, Record<string, Endpoint>>;
  components: {
    schemas: Record<string, Schema>;
    responses: Record<string, Body>;
  };
}

/** The service's own OpenAPI document. */
export const openApi: OpenApi = JSON.parse(
  readFileSync(
    resolve(__dirname, '../../../../../openapi/openapi.json'),
    'utf8',
  ),
);

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema(openApi, 'openapi.json');

/** Throws where a value is not what the document says. */
export function check(schema: Schema, value: unknown, what: string): void {
  const whole = JSON.parse(
    JSON.stringify(schema).replaceAll('"#/', '"openapi.json#/'),
  );
  if (!ajv.validate(whole, value)) {
    throw new Error(`${what}: ${ajv.errorsText()}`);
  }
}

/** The schema of a body in JSON. */
export function schemaOf(body: Body | undefined): Schema | undefined {
  return body?.content?.['application/json']?.schema;
}

/** The first answer of those that mean success. */
export function success(endpoint: Endpoint): [number, Schema | undefined] {
  const [status, body] = Object.entries(endpoint.responses).find(([code]) =>
    code.startsWith('2'),
  )!;
  return [Number(status), schemaOf(body)];
}

/** A value as the document's examples have it; null where a value may be missing and has no example. */
export function exampleOf(schema: Schema): unknown {
  if (schema.example !== undefined) return schema.example;
  if (schema.$ref) {
    const name = schema.$ref.split('/').pop()!;
    return exampleOf(openApi.components.schemas[name]);
  }
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map(exampleOf));
  if (schema.oneOf) return exampleOf(schema.oneOf[0]);
  if (schema.enum) return schema.enum[0];
  const type = Array.isArray(schema.type) ? schema.type : [schema.type];
  if (type.includes('null')) return null;
  switch (type[0]) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, property]) => [
          name,
          exampleOf(property),
        ]),
      );
    case 'array':
      return schema.items
        ? Array(schema.minItems ?? 1).fill(exampleOf(schema.items))
        : [];
    case 'integer':
    case 'number':
      return 1;
    case 'boolean':
      return false;
    case 'string':
      return exampleOfText(schema.format);
    default:
      return null;
  }
}

function exampleOfText(format: string | undefined): string {
  switch (format) {
    case 'uuid':
      return '01938c2e-7b1a-7c3e-9d5f-2a4b6c8d0e1f';
    case 'date-time':
      return '2026-11-24T03:12:45Z';
    default:
      return 'text';
  }
}
