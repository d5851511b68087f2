import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { FakeService, Refusal } from '../../testing/FakeService';
import { violations } from '../../testing/axe';
import { exampleOf, openApi } from '../../testing/document';
import { Shown, component, show } from '../../testing/render';
import { anErrorGroup } from '../../testing/examples';
import { anOperation } from '../operations/examples';
import { GroupPage } from './GroupPage';

const service = FakeService.forTests();
const ONE = 'GET /dead-letters/error-groups/{id}';
const CHANGE = 'PATCH /dead-letters/error-groups/{id}';
const SEARCH = 'GET /dead-letters';
const ID = '03bfd559-2582-81db-9da5-e2566c3c3179';

const example: any = exampleOf(openApi.components.schemas.DeadLetteredMessage);

function details(more = {}) {
  return {
    id: ID,
    service: 'webshop',
    squad: 'checkout',
    state: 'regressed',
    reason: 'rejected',
    errorType: 'PaymentDeclined',
    title: 'card issuer timed out',
    firstSeen: new Date(Date.now() - 3_600_000).toISOString(),
    lastSeen: new Date().toISOString(),
    arrived: 40,
    firstVersion: '1.42.0',
    resolvedAt: '2026-11-24T03:00:00Z',
    resolvedIn: null,
    mutedUntil: null,
    mutedUpTo: null,
    assignee: null,
    ticket: null,
    merged: [],
    events: [
      {
        at: '2026-11-24T03:00:00Z',
        by: 'user:default/ada',
        action: 'resolve',
        note: 'fixed in 42',
        mutedUntil: null,
        mutedCount: null,
        assignee: null,
        ticket: null,
        groups: [],
        version: '1.43.0',
      },
    ],
    ...more,
  };
}

function has(count: number) {
  service.answer(SEARCH, ({ query }: any) => ({
    messages: count > 0 ? [{ ...example, service: 'webshop' }] : [],
    total: {
      value: query.status === 'any' ? count + 1 : count,
      relation: 'eq',
    },
    nextCursor: null,
    prevCursor: null,
  }));
}

function page(more: Shown = {}) {
  return show(<GroupPage />, {
    at: `/?env=demo&id=${ID}`,
    catalog: [component('webshop')],
    ...more,
  });
}

describe('GroupPage', () => {
  beforeEach(() => {
    service.answer(ONE, details());
    const { edit, events, returns, ...operation } = anOperation({
      state: 'completed',
      remaining: 0,
    });
    service.answer('GET /operations', ({ query }: any) => ({
      operations: query.state ? [] : [operation],
      nextCursor: null,
    }));
    has(3);
  });

  it('has an address, and shows all that is known of a group', async () => {
    await page();
    expect(
      await screen.findByRole('heading', {
        name: 'PaymentDeclined: card issuer timed out',
      }),
    ).toBeInTheDocument();
    expect(screen.getByText('Regressed')).toBeInTheDocument();
    expect(await screen.findByText('3 dead letters')).toBeInTheDocument();
    expect(await screen.findByText('fixed in 42')).toBeInTheDocument();
    expect(screen.getByText('1.42.0')).toBeInTheDocument();
    expect(
      screen.getByText(/resolved the group in version 1.43.0/),
    ).toBeInTheDocument();
    expect(
      await screen.findByRole('link', { name: 'Show all messages' }),
    ).toHaveAttribute(
      'href',
      `/catalog/default/component/webshop/dead-letters?env=demo&errorGroup=${ID}&status=any`,
    );
    await waitFor(() =>
      expect(
        service.askedFor('GET /dead-letters/histogram')[0].query,
      ).toMatchObject({ errorGroup: ID, service: 'webshop', status: 'any' }),
    );
    const { from } = service.askedFor('GET /dead-letters/histogram')[0].query;
    expect(Date.now() - Date.parse(from)).toBeLessThan(2 * 3_600_000);
    // Its operations, whoever began them.
    await waitFor(() =>
      expect(
        service
          .askedFor('GET /operations')
          .map(({ query }) => query)
          .filter(({ errorGroup }) => errorGroup === ID),
      ).not.toHaveLength(0),
    );
    expect(await screen.findByText('issuer is up again')).toBeInTheDocument();
    expect(
      screen.getByRole('link', { name: 'All operations' }),
    ).toHaveAttribute(
      'href',
      `/dead-letter/operations?env=demo&errorGroup=${ID}`,
    );
    expect(await violations()).toEqual([]);
  });

  it('redelivers all of it', async () => {
    await page();
    await userEvent.click(
      await screen.findByRole('button', { name: 'Redeliver' }),
    );
    await waitFor(() =>
      expect(service.askedFor('POST /operations/plan')[0].body).toMatchObject({
        kind: 'redeliver',
        filter: { service: 'webshop', errorGroup: ID },
      }),
    );
  });

  it('offers nothing to redeliver where none is dead', async () => {
    has(0);
    await page();
    expect(
      await screen.findByText(
        'No dead letters of this error group are waiting.',
      ),
    ).toBeInTheDocument();
    expect(screen.getByRole('button', { name: 'Redeliver' })).toBeDisabled();
  });

  it('resolves with a reason, and mutes', async () => {
    service.answer(CHANGE, details({ state: 'resolved' }));
    await page();
    await userEvent.click(
      await screen.findByRole('button', { name: 'Resolve …' }),
    );
    const dialog = await screen.findByRole('dialog');
    await userEvent.type(
      within(dialog).getByRole('textbox', { name: 'Reason' }),
      'fixed in 43',
    );
    await userEvent.click(
      within(dialog).getByRole('button', { name: 'Resolve' }),
    );
    await waitFor(() =>
      expect(service.askedFor(CHANGE)[0].body).toEqual({
        action: 'resolve',
        note: 'fixed in 43',
      }),
    );
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    await userEvent.click(screen.getByRole('button', { name: 'Mute …' }));
    await userEvent.click(
      await screen.findByRole('menuitem', { name: 'Mute for 8 hours' }),
    );
    await userEvent.click(await screen.findByRole('button', { name: 'Mute' }));
    await waitFor(() =>
      expect(service.askedFor(CHANGE)[1].body).toMatchObject({
        action: 'mute',
      }),
    );
  });

  it('assigns, and links to a ticket', async () => {
    service.answer(CHANGE, details({ assignee: 'user:default/ada' }));
    await page();
    await userEvent.click(
      await screen.findByRole('button', { name: 'Assign …' }),
    );
    await userEvent.click(
      await screen.findByRole('button', { name: 'Assign to me' }),
    );
    await waitFor(() =>
      expect(service.askedFor(CHANGE)[0].body).toEqual({
        action: 'assign',
        assignee: 'me',
      }),
    );
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    await userEvent.click(screen.getByRole('button', { name: 'Ticket …' }));
    const dialog = within(await screen.findByRole('dialog'));
    await userEvent.type(
      dialog.getByRole('textbox', { name: 'Key' }),
      'SHOP-1',
    );
    await userEvent.type(
      dialog.getByRole('textbox', { name: 'Address of the ticket' }),
      'https://t.example/1',
    );
    await userEvent.click(dialog.getByRole('button', { name: 'Save' }));
    await waitFor(() =>
      expect(service.askedFor(CHANGE)[1].body).toEqual({
        action: 'link',
        ticketUrl: 'https://t.example/1',
        ticketKey: 'SHOP-1',
      }),
    );
  });

  it('shows the ticket as a link, but none that is no web address', async () => {
    const ticket = { url: 'https://t.example/1', key: 'SHOP-1' };
    service.answer(ONE, details({ assignee: 'user:default/ada', ticket }));
    const shown = await page();
    expect(await screen.findByRole('link', { name: /SHOP-1/ })).toHaveAttribute(
      'href',
      ticket.url,
    );
    expect(screen.getByText('user:default/ada')).toBeInTheDocument();
    shown.unmount();
    const odd = { url: 'ftp://t.example/2', key: 'SHOP-2' };
    service.answer(ONE, details({ ticket: odd }));
    await page();
    expect(await screen.findByText('SHOP-2')).toBeInTheDocument();
    expect(screen.queryByRole('link', { name: /SHOP-2/ })).toBeNull();
  });

  it('merges groups of the same service, and splits them again', async () => {
    const other = '13bfd559-2582-81db-9da5-e2566c3c3179';
    service.answer('GET /dead-letters/error-groups', {
      groups: [
        anErrorGroup({ id: ID, service: 'webshop' }),
        anErrorGroup({
          id: other,
          service: 'webshop',
          errorType: 'Timeout',
          title: 'too late',
          count: 7,
        }),
      ],
      total: 2,
      messages: 17,
    });
    service.answer(CHANGE, details());
    service.answer(
      ONE,
      details({
        merged: [
          {
            id: other,
            reason: 'rejected',
            errorType: 'Refused',
            title: 'no',
            firstSeen: '2026-11-24T03:00:00Z',
          },
        ],
      }),
    );
    await page();
    await userEvent.click(
      await screen.findByRole('button', { name: 'Merge …' }),
    );
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.getByRole('button', { name: 'Merge' })).toBeDisabled();
    await userEvent.click(
      await dialog.findByRole('checkbox', { name: 'Timeout: too late (7)' }),
    );
    expect(dialog.getAllByRole('checkbox')).toHaveLength(1);
    expect(await violations()).toEqual([]);
    await userEvent.click(dialog.getByRole('button', { name: 'Merge' }));
    await waitFor(() =>
      expect(service.askedFor(CHANGE)[0].body).toEqual({
        action: 'merge',
        groups: [other],
      }),
    );
    const parts = within(
      await screen.findByRole('list', {
        name: 'Merged into this error group',
      }),
    );
    expect(parts.getByText(/Refused: no/)).toBeInTheDocument();
    await userEvent.click(parts.getByRole('button', { name: 'Split off' }));
    await waitFor(() =>
      expect(service.askedFor(CHANGE)[1].body).toEqual({
        action: 'split',
        groups: [other],
      }),
    );
  });

  it('resolves in a version, and says whether it is deployed', async () => {
    service.answer(CHANGE, details({ state: 'resolved' }));
    service.answer(
      ONE,
      details({ resolvedIn: { version: null, after: '1.42.0', since: null } }),
    );
    await page();
    expect(
      await screen.findByText('the next one after 1.42.0 (not deployed yet)'),
    ).toBeInTheDocument();
    for (const [choice, version, change] of [
      ['The next version', '', { inNextVersion: true }],
      ['A version', '1.44.0', { inVersion: '1.44.0' }],
    ] as const) {
      await userEvent.click(
        await screen.findByRole('button', { name: 'Resolve …' }),
      );
      const dialog = within(await screen.findByRole('dialog'));
      await userEvent.click(dialog.getByRole('radio', { name: choice }));
      if (version) {
        await userEvent.type(
          dialog.getByRole('textbox', { name: /^Version/ }),
          version,
        );
      }
      expect(await violations()).toEqual([]);
      await userEvent.click(dialog.getByRole('button', { name: 'Resolve' }));
      await waitFor(() =>
        expect(service.askedFor(CHANGE).pop()?.body).toEqual({
          action: 'resolve',
          ...change,
        }),
      );
      await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    }
  });

  it('says that there is none with this id', async () => {
    service.answer(ONE, () => {
      throw new Refusal(404, 'NotFoundError', 'no such group');
    });
    await page();
    expect(
      await screen.findByText('Error group not found'),
    ).toBeInTheDocument();
    expect(await violations()).toEqual([]);
  });

  // Permissions are remembered by entity: this is another.
  it('shows nothing to who may not read its service', async () => {
    service.answer(ONE, details({ service: 'secret' }));
    await page({
      catalog: [component('secret')],
      denied: ['dead-letter.message.read'],
    });
    expect(
      await screen.findByText('You do not have access to these dead letters'),
    ).toBeInTheDocument();
    expect(service.askedFor(SEARCH)).toEqual([]);
  });
});
