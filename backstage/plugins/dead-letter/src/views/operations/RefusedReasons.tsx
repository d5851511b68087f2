import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert } from '@backstage/ui';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import { ServiceText } from '../../components/ServiceText';
import { useAnswer } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import { sayId, sayNumber } from './say';

/** So many reasons are enough to see what is wrong. */
const SHOWN = 5;

/** Why the first of those that were refused were: they are still dead. */
export function RefusedReasons({ operation }: { operation: Operation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { refused } = operation.outcomes;
  const { data } = useAnswer(
    ['operation', operation.id, 'refused', Math.min(refused, SHOWN)],
    (client, signal) =>
      client.operationItems(
        operation.id,
        { outcome: 'refused', limit: SHOWN },
        signal,
      ),
    { enabled: refused > 0 },
  );
  if (refused === 0 || !data) return null;
  const more = refused - data.items.length;
  return (
    <Alert
      status="warning"
      icon
      title={t('operations.reasons')}
      description={
        <ul>
          {data.items.map(item => (
            <li key={item.deadLetterId}>
              {sayId(item.deadLetterId)}:{' '}
              <ServiceText text={item.detail ?? ''} />
            </li>
          ))}
          {more > 0 && (
            <li>{t('operations.moreReasons', { number: sayNumber(more) })}</li>
          )}
        </ul>
      }
    />
  );
}
