import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Link } from '@backstage/ui';
import { Plan } from '@dead-letter/backstage-plugin-dead-letter-common';
import { ServiceText } from '../../components/ServiceText';
import { Time } from '../../components/Time';
import { useOperationPath } from '../../hooks/useOperationPath';
import { deadLetterTranslationRef } from '../../translation';
import { sayNumber } from '../operations/say';

type PlanWarning = Plan['warnings'][number];

/** What may go wrong, from its data where there is some: with ages instead of times. Else in the words of the service. */
export function Warning({ warning }: { warning: PlanWarning }) {
  const operationPath = useOperationPath();
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <>
      <Said warning={warning} />
      {warning.operation && (
        <>
          {' '}
          <Link href={operationPath(warning.operation)}>
            {t('acting.warning.operation')}
          </Link>
        </>
      )}
    </>
  );
}

function Said({ warning }: { warning: PlanWarning }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { code, service, errorType, lastSeen, queue, ready, severity } =
    warning;
  const count = warning.count === null ? undefined : sayNumber(warning.count);
  if (code === 'still_failing' && service && lastSeen) {
    return (
      <>
        {t('acting.warning.stillFailing', {
          service,
          error: errorType ?? t('acting.warning.noErrorType'),
          age: <Time at={lastSeen} ago />,
        })}
      </>
    );
  }
  if (queue) {
    switch (code) {
      case 'queue_missing':
        return <>{t('acting.warning.queueMissing', { queue })}</>;
      case 'no_consumers':
        return <>{t('acting.warning.noConsumers', { queue })}</>;
      case 'will_wait':
        if (count === undefined) break;
        return <>{t('acting.warning.willWait', { queue, held: count })}</>;
      case 'queue_crowded':
        if (typeof ready !== 'number') break;
        return (
          <>
            {t('acting.warning.queueCrowded', {
              queue,
              ready: sayNumber(ready),
            })}
          </>
        );
      default:
    }
  }
  if (severity === 'note' && count !== undefined) {
    switch (code) {
      case 'routing_key_changes':
        return <>{t('acting.warning.routingKeyChanges', { number: count })}</>;
      case 'origin_claimed':
        return <>{t('acting.warning.originClaimed', { number: count })}</>;
      default:
    }
  }
  return <ServiceText text={warning.message} />;
}
