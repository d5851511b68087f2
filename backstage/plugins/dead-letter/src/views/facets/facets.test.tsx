import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Answers } from '../../components/Answers';
import { may } from '../../testing/FakeService';
import { violations } from '../../testing/axe';
import { component, show } from '../../testing/render';
import { has, pages, service, tab } from '../../testing/serviceTab';
import { Distinctions } from './Distinctions';

const FACETS = 'GET /dead-letters/facets';
const APART = 'GET /dead-letters/error-groups/{id}/distinctions';
const ID = '03bfd559-2582-81db-9da5-e2566c3c3179';

const facet = (by: string, name: string | null, ...values: string[]) => ({
  by,
  name,
  values: values.map((value, place) => ({
    value,
    label: by === 'errorGroup' ? 'PaymentDeclined' : null,
    count: 10 - place,
    share: (10 - place) / 20,
  })),
  others: 3,
  missing: 0,
});

const sample = (choice: string, messages: number, value: number) => ({
  choice,
  messages,
  total: { value, relation: 'eq' },
});

describe('the break-down of a service', () => {
  beforeEach(() => {
    has(2);
    service.answer(FACETS, {
      facets: [
        facet('type', null, 'OrderPlaced', 'OrderSent'),
        facet('errorGroup', null, ID),
        facet('hour', null, '2026-11-24T03:00:00Z'),
        facet('header', 'tenant', 'acme'),
      ],
      sample: sample('random', 5_000, 43_695),
    });
  });

  const open = async () =>
    userEvent.click(await screen.findByRole('button', { name: 'Break down' }));

  it('is asked for when somebody looks, and each value is a filter', async () => {
    await tab();
    await screen.findByText('m-0');
    expect(service.askedFor(FACETS)).toEqual([]);
    await open();
    const types = await screen.findByRole('list', { name: 'Type: values' });
    expect(within(types).getByText('50% · 10')).toBeInTheDocument();
    expect(
      screen.getByText(
        'Estimated from 5,000 of 43,695 dead letters, chosen at random.',
      ),
    ).toBeInTheDocument();
    expect(await violations()).toEqual([]);
    await userEvent.click(
      screen.getByRole('button', { name: 'Show only Type OrderSent' }),
    );
    await waitFor(() => expect(pages().at(-1)!.type).toBe('OrderSent'));
    await userEvent.click(
      screen.getByRole('button', { name: 'Show only Header tenant acme' }),
    );
    await waitFor(() =>
      expect(pages().at(-1)).toMatchObject({ 'header.tenant': 'acme' }),
    );
    expect(service.askedFor(FACETS).at(-1)!.query).toMatchObject({
      type: 'OrderSent',
      'header.tenant': 'acme',
    });
  });

  it('does without payloads where they may not be read', async () => {
    service.answer('GET /me', may({ 'read-payload': ['other'] }));
    await tab();
    await open();
    expect(
      await screen.findByText(/Publisher, headers and bodies are not shown/),
    ).toBeInTheDocument();
    await screen.findByRole('list', { name: 'Type: values' });
    // The last of the repeated ones.
    expect(service.askedFor(FACETS)[0].query.by).toBe('attempts');
  });
});

describe('what sets an error group apart', () => {
  const is = (attribute: string, name: string | null, value: string) => ({
    attribute,
    name,
    test: 'is',
    value,
    from: null,
    to: null,
  });
  const told = (more = {}) => ({
    comparedWith: 'service',
    inside: sample('all', 40, 40),
    outside: sample('random', 1_000, 4_000),
    payload: true,
    unreadBodies: 0,
    tooFew: false,
    distinctions: [
      {
        conditions: [is('header', 'tenant', 'acme'), is('type', null, 'Paid')],
        inside: { count: 40, share: 1 },
        outside: { count: 5, share: 0.005 },
        together: [{ ...is('body', 'a.b', ''), test: 'missing', value: null }],
      },
      {
        conditions: [
          {
            ...is('body', 'total', ''),
            test: 'between',
            value: null,
            from: '900',
          },
        ],
        inside: { count: 38, share: 0.95 },
        outside: { count: 300, share: 0.3 },
        together: [],
      },
    ],
    ...more,
  });

  const section = async () => {
    const rendered = await show(
      <Answers>
        <Distinctions
          id={ID}
          service="webshop"
          placeOf={(_, parameters) => ({
            path: `/there?${new URLSearchParams(parameters)}`,
            resourceRef: 'component:default/webshop',
            isMissing: false,
          })}
        />
      </Answers>,
      { catalog: [component('webshop')] },
    );
    expect(service.askedFor(APART)).toEqual([]);
    await userEvent.click(
      screen.getByRole('button', {
        name: 'Compare with the other dead letters',
      }),
    );
    return rendered;
  };

  it('is told in words, and leads to the messages', async () => {
    service.answer(APART, told());
    await section();
    expect(
      await screen.findByText('Header tenant is acme, and Type is Paid'),
    ).toBeInTheDocument();
    expect(
      screen.getByText('100% of these, 0.5% of the others'),
    ).toBeInTheDocument();
    expect(
      screen.getByText('The same dead letters: Body a.b is missing'),
    ).toBeInTheDocument();
    expect(screen.getByText('Body total is 900 or more')).toBeInTheDocument();
    const links = screen.getAllByRole('link', { name: 'Show the messages' });
    expect(links).toHaveLength(1);
    expect(links[0]).toHaveAttribute(
      'href',
      `/there?errorGroup=${ID}&header.tenant=acme&type=Paid`,
    );
    expect(await violations()).toEqual([]);
  });

  it('says where there is nothing to compare with, and nothing to tell', async () => {
    service.answer(APART, told({ comparedWith: 'nothing', payload: false }));
    await section();
    expect(
      await screen.findByText(/webshop has no other dead letters/),
    ).toBeInTheDocument();
    expect(screen.getByText('100% of these')).toBeInTheDocument();
    expect(
      screen.getByText(/needs the permission dead-letter.message.read-payload/),
    ).toBeInTheDocument();
  });

  it('says where there are too few', async () => {
    service.answer(APART, told({ distinctions: [], tooFew: true }));
    await section();
    expect(await screen.findByText(/too few dead letters/)).toBeInTheDocument();
  });
});
