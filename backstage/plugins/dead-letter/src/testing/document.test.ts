import { check, openApi } from './document';

/** Every answer of success in JSON, by route and status. */
const answers = Object.entries(openApi.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { responses }]) =>
    Object.entries(responses)
      .filter(([status]) => status.startsWith('2'))
      .flatMap(([status, { content }]) => {
        const json = content?.['application/json'];
        const name = `${method.toUpperCase()} ${path} ${status}`;
        return json ? ([[name, json]] as const) : [];
      }),
  ),
);

/** Every error of the document, by the kind of it. */
const errors = Object.values(openApi.components.responses).flatMap(
  ({ content }) =>
    Object.entries(content!['application/problem+json'].examples!).map(
      ([type, { value }]) => [type, value] as const,
    ),
);

describe('the OpenAPI document', () => {
  it.each(answers)('has an example for %s', (name, { schema, example }) => {
    expect(example).toBeDefined();
    check(schema, example, name);
  });

  it.each(errors)('has an example for the error %s', (type, value) => {
    const schema = { $ref: '#/components/schemas/ErrorViewModel' };
    check(schema, value, type);
    expect(value).toMatchObject({ type });
  });
});
