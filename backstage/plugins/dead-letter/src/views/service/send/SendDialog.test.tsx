import { screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { DeadLetteredMessageDetails } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Answers } from '../../../components/Answers';
import { FakeService, Refusal } from '../../../testing/FakeService';
import { violations } from '../../../testing/axe';
import { exampleOf, openApi } from '../../../testing/document';
import { show } from '../../../testing/render';
import { SendDialog } from './SendDialog';
import { Sending, requestOf } from './request';

const service = FakeService.forTests();
const PREVIEW = 'POST /operations/preview';

const example = exampleOf(
  openApi.components.schemas.DeadLetteredMessageDetails,
) as DeadLetteredMessageDetails;
const message = {
  ...example,
  body: {
    ...example.body,
    encoding: 'text',
    content: '{"currency":"?"}',
    truncated: false,
    decodedFrom: null,
  },
} as DeadLetteredMessageDetails;

function send(sending: Sending, onBegun = jest.fn()) {
  return show(
    <Answers>
      <SendDialog
        sending={sending}
        message={message}
        onClose={jest.fn()}
        onBegun={onBegun}
      />
    </Answers>,
  );
}

const button = (name: string) => screen.getByRole('button', { name });

describe('SendDialog', () => {
  it('shows what would be sent before it is, and sends that', async () => {
    const onBegun = jest.fn();
    await send('edit', onBegun);
    const run = () => button('Redeliver the edited message');
    expect(button('Preview')).toBeDisabled();
    expect(run()).toBeDisabled();
    const body = screen.getByRole('textbox', { name: 'Body' });
    await userEvent.clear(body);
    await userEvent.type(body, 'EUR');
    await userEvent.type(
      screen.getByRole('textbox', { name: 'Headers to remove' }),
      'x-trace, x-old',
    );
    await userEvent.click(button('Preview'));
    expect(await screen.findByText('Would be sent')).toBeInTheDocument();
    expect(await violations()).toEqual([]);
    const asked = {
      kind: 'redeliver',
      ids: [message.id],
      edit: {
        body: { text: 'EUR' },
        headers: { set: {}, remove: ['x-trace', 'x-old'] },
      },
    };
    expect(service.askedFor(PREVIEW)[0].body).toEqual(asked);
    // What has been changed since must be looked at again.
    await userEvent.type(body, '!');
    expect(run()).toBeDisabled();
    await userEvent.type(body, '{Backspace}');
    expect(run()).toBeEnabled();
    await userEvent.click(run());
    await waitFor(() => expect(onBegun).toHaveBeenCalled());
    expect(service.askedFor('POST /operations/plan')[0].body).toEqual(asked);
    expect(service.askedFor('POST /operations')).toHaveLength(1);
  });

  it('copies to a queue that is named', async () => {
    await send('copy');
    expect(screen.getByText('Name a queue first.')).toBeInTheDocument();
    await userEvent.type(
      screen.getByRole('textbox', { name: 'Queue or routing key' }),
      'test',
    );
    await userEvent.click(button('Preview'));
    await waitFor(() =>
      expect(service.askedFor(PREVIEW)[0].body).toEqual({
        kind: 'redeliver',
        ids: [message.id],
        copy: true,
        to: { exchange: '', routingKey: 'test' },
      }),
    );
  });

  it('says what the service refuses, and sends nothing then', async () => {
    service.answer(PREVIEW, () => {
      throw new Refusal(
        403,
        'NotAllowedError',
        'This needs the permission edit',
      );
    });
    await send('copy');
    await userEvent.type(
      screen.getByRole('textbox', { name: 'Queue or routing key' }),
      'test',
    );
    await userEvent.click(button('Preview'));
    const alert = await screen.findByRole('alert');
    expect(within(alert).getByText(/permission edit/)).toBeInTheDocument();
    expect(button('Send the copy')).toBeDisabled();
  });

  it('takes no headers that are no object', () => {
    const typed = {
      exchange: '',
      routingKey: '',
      body: message.body.content,
      setHeaders: '',
      removeHeaders: '',
    };
    const edit = (setHeaders: string) =>
      requestOf('edit', message, { ...typed, setHeaders });
    expect(edit('')).toBe('unchanged');
    expect(edit('[1]')).toBe('wrongHeaders');
    expect(edit('{')).toBe('wrongHeaders');
    expect(edit('{"a":1}')).toMatchObject({
      edit: { headers: { set: { a: 1 }, remove: [] } },
    });
  });
});
