import { screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { FakeService } from '../../testing/FakeService';
import { violations } from '../../testing/axe';
import { exampleOf } from '../../testing/document';
import { show } from '../../testing/render';
import { ShiftLogPage } from './ShiftLogPage';

const service = FakeService.forTests();
const LOG = 'GET /shift-log';
const log: any = exampleOf({ $ref: '#/components/schemas/ShiftLog' } as any);

describe('ShiftLogPage', () => {
  it('shows what happened, each with a link, and copies it as Markdown', async () => {
    const user = userEvent.setup();
    await show(<ShiftLogPage />, { at: '/?env=demo' });
    expect(
      await screen.findByRole('heading', { name: /dead letters arrived/ }),
    ).toBeInTheDocument();
    const { query } = service.askedFor(LOG)[0];
    expect(Date.now() - Date.parse(query.since)).toBeGreaterThan(
      11.9 * 3_600_000,
    );
    expect(query.offset).toMatch(/^[+-]\d\d:\d\d$/);
    expect(await violations()).toEqual([]);
    const written = jest.spyOn(navigator.clipboard, 'writeText');
    await user.click(
      await screen.findByRole('button', { name: 'Copy as Markdown' }),
    );
    expect(written).toHaveBeenCalledWith(log.markdown);
    expect(
      await screen.findByRole('button', { name: 'Copied' }),
    ).toBeInTheDocument();
  });

  // Permissions are remembered by entity: this is another.
  it('hides what is of services that one may not read', async () => {
    const [group] = log.newGroups;
    service.answer(LOG, {
      ...log,
      newGroups: [{ ...group, service: 'secret' }],
      regressedGroups: [],
      triage: [],
      operations: [],
    });
    await show(<ShiftLogPage />, {
      at: '/?env=demo',
      denied: ['dead-letter.message.read'],
    });
    expect(
      await screen.findByText(/you do not have access to are hidden/),
    ).toBeInTheDocument();
    expect(screen.queryByText('secret')).toBeNull();
    expect(
      screen.queryByRole('button', { name: 'Copy as Markdown' }),
    ).toBeNull();
  });

  it('takes the time and the squad from the address, and puts them there', async () => {
    service.answer(LOG, {
      ...log,
      newGroups: [],
      regressedGroups: [],
      triage: [],
      operations: [],
      truncated: true,
    });
    await show(<ShiftLogPage />, {
      at: '/?env=demo&since=2026-11-28T22:00:00Z&squad=checkout',
    });
    expect(
      await screen.findByText('This log is not complete'),
    ).toBeInTheDocument();
    expect(service.askedFor(LOG)[0].query).toMatchObject({
      since: '2026-11-28T22:00:00.000Z',
      squad: 'checkout',
    });
    const field = screen.getByRole('textbox', { name: 'Squad' });
    await userEvent.clear(field);
    await userEvent.type(field, 'finance{Enter}');
    await waitFor(() =>
      expect(service.askedFor(LOG).at(-1)!.query.squad).toBe('finance'),
    );
  });
});
