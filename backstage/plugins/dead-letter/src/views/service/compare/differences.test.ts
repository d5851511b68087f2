import { DeadLetteredMessageDetails } from '@dead-letter/backstage-plugin-dead-letter-common';
import { exampleOf, openApi } from '../../../testing/document';
import { compare } from './differences';

const example = exampleOf(
  openApi.components.schemas.DeadLetteredMessageDetails,
) as DeadLetteredMessageDetails;

function message(
  content: string,
  headers: Record<string, unknown> = {},
  properties = {},
) {
  return {
    ...example,
    headers,
    properties: { ...example.properties, ...properties },
    body: { ...example.body, encoding: 'text', content, truncated: false },
  } as DeadLetteredMessageDetails;
}

const differing = (list: { path: string; isSame: boolean }[]) =>
  list.filter(({ isSame }) => !isSame);

describe('compare', () => {
  it('tells what differs in bodies, by its path', () => {
    const { body, headers } = compare(
      message('{"id":1,"items":[{"sku":"a"},{"sku":"b"}],"to":null}'),
      message('{"items":[{"sku":"a"},{"sku":"c"}],"id":1,"more":[]}'),
    );
    expect(differing(body)).toEqual([
      { path: 'items[1].sku', values: ['b', 'c'], isSame: false },
      { path: 'to', values: ['null', undefined], isSame: false },
      { path: 'more', values: [undefined, '[]'], isSame: false },
    ]);
    expect(body.find(({ path }) => path === 'id')!.isSame).toBe(true);
    expect(headers).toEqual([]);
  });

  it('tells what differs in headers and properties', () => {
    const { headers, properties } = compare(
      message('x', { tenant: 'acme', deep: { n: 1 } }, { messageId: 'a' }),
      message('x', { tenant: 'umbra', deep: { n: 1 } }, { messageId: 'b' }),
    );
    expect(differing(headers)).toEqual([
      { path: 'tenant', values: ['acme', 'umbra'], isSame: false },
    ]);
    expect(differing(properties).map(({ path }) => path)).toEqual([
      'messageId',
    ]);
  });

  it('compares what is no JSON as a whole', () => {
    const { body } = compare(message('one'), message('{"a":1}'));
    expect(differing(body)).toEqual([
      { path: '', values: ['one', undefined], isSame: false },
      { path: 'a', values: [undefined, '1'], isSame: false },
    ]);
  });
});
