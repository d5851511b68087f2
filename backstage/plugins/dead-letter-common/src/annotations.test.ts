import { readFileSync } from 'fs';
import { join } from 'path';
import { SERVICE_ANNOTATION, servicesOf } from './annotations';

/** dead-letter's own tests have the same cases. */
const CASES = '../../../../src/ownership/catalog/annotations.json';
const cases: { annotation: string | null; services: string[] }[] = JSON.parse(
  readFileSync(join(__dirname, CASES), 'utf8'),
);

describe('servicesOf', () => {
  it.each(cases)('reads $annotation', ({ annotation, services }) => {
    const annotations: Record<string, string> =
      annotation === null ? {} : { [SERVICE_ANNOTATION]: annotation };
    expect(servicesOf({ metadata: { name: 'webshop', annotations } })).toEqual(
      services,
    );
  });
});
