import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert } from '@backstage/ui';
import {
  PreviewMessage,
  PreviewSample,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { Scrolled } from '../../../components/Scrolled';
import { deadLetterTranslationRef } from '../../../translation';
import tableStyles from '../../operations/OutcomeList.module.css';
import { Code } from '../drawer/Code';
import { TypedValue } from '../drawer/amqpType';

/** A message as it is stored, and as it would be sent. */
export function Previewed({ sample }: { sample: PreviewSample }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { before, after, error } = sample;
  if (!after) {
    return (
      <Alert
        role="alert"
        status="danger"
        icon
        title={t('send.refused')}
        description={error}
      />
    );
  }
  const exchange = (message: PreviewMessage) =>
    message.exchange === ''
      ? t('send.defaultExchange')
      : message.exchange ?? t('send.unknown');
  const rows = [
    ['exchange', t('send.exchangeOf'), exchange],
    [
      'routingKey',
      t('send.routingKeyOf'),
      (message: PreviewMessage) => message.routingKey ?? t('send.unknown'),
    ],
    [
      'headers',
      t('send.headersOf'),
      (message: PreviewMessage) => (
        <Code
          small
          wrap
          label={t('send.headersOf')}
          text={sayHeaders(message)}
        />
      ),
    ],
    [
      'body',
      t('send.bodyOf'),
      (message: PreviewMessage) => (
        <Code small wrap label={t('send.bodyOf')} text={message.body.content} />
      ),
    ],
  ] as const;
  return (
    <Scrolled least="32rem">
      <table className={tableStyles.table}>
        <thead>
          <tr>
            <td />
            <th scope="col">{t('send.before')}</th>
            <th scope="col">{t('send.after')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, label, say]) => (
            <tr key={name}>
              <th scope="row">{label}</th>
              <td>{say(before)}</td>
              <td>{say(after)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolled>
  );
}

/** One to a line, without the types. */
function sayHeaders({ headers }: PreviewMessage): string {
  return (Object.entries(headers) as [string, TypedValue][])
    .map(
      ([name, { v }]) =>
        `${name}: ${typeof v === 'string' ? v : JSON.stringify(v)}`,
    )
    .join('\n');
}
