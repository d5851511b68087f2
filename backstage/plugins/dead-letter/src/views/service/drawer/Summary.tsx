import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Link } from '@backstage/ui';
import { DeadLetteredMessageDetails } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Time } from '../../../components/Time';
import { useGroupPath } from '../../../hooks/useGroupPath';
import { FIND_PARAMETER, useSearchPath } from '../../../hooks/useMessagePath';
import { deadLetterTranslationRef } from '../../../translation';
import { Fact, Facts } from './Facts';
import { Section } from './Section';
import styles from './drawer.module.css';

/** Where and when it died, and what it is called. */
export function Summary({ message }: { message: DeadLetteredMessageDetails }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const groupPath = useGroupPath();
  const toSearch = useSearchPath();
  const none = <span className={styles.quiet}>{t('message.none')}</span>;
  const time = (at: string | null) => (at ? <Time at={at} /> : none);
  const plain = (
    name:
      | 'service'
      | 'squad'
      | 'reason'
      | 'type'
      | 'convention'
      | 'source'
      | 'broker'
      | 'vhost',
  ): Fact => ({
    name: t(`message.summary.${name}`),
    value: message[name] || none,
  });
  const named = (
    name: 'queue' | 'routingKey' | 'messageId' | 'correlationId' | 'id',
  ): Fact => ({
    name: t(`message.summary.${name}`),
    value: message[name] ? (
      <span className={styles.name}>{message[name]}</span>
    ) : (
      none
    ),
    copied: message[name],
  });
  const exchange: Fact = {
    name: t('message.summary.exchange'),
    // Its name is empty, and that is not the same as not known.
    value:
      message.exchange === '' ? (
        t('message.summary.defaultExchange')
      ) : (
        <span className={styles.name}>{message.exchange ?? none}</span>
      ),
    copied: message.exchange,
  };
  const correlation: Fact = {
    ...named('correlationId'),
    value: message.correlationId ? (
      <>
        <span className={styles.name}>{message.correlationId}</span>{' '}
        <Link href={toSearch({ [FIND_PARAMETER]: message.correlationId })}>
          {t('message.summary.sameCorrelation')}
        </Link>
      </>
    ) : (
      none
    ),
  };
  return (
    <Section title={t('message.summary.title')}>
      <Facts
        facts={[
          plain('service'),
          plain('squad'),
          named('queue'),
          plain('broker'),
          plain('vhost'),
          {
            name: t('message.summary.originToldBy'),
            value: message.originToldBy
              ? t(`message.summary.toldBy.${message.originToldBy as 'broker'}`)
              : none,
          },
          exchange,
          named('routingKey'),
          plain('type'),
          {
            name: t('message.summary.diedAt'),
            value: time(message.diedAt),
          },
          {
            name: t('message.summary.receivedAt'),
            value: time(message.receivedAt),
          },
          {
            name: t('message.summary.attempts'),
            value: message.attempts.toLocaleString(),
          },
          plain('reason'),
          {
            name: t('message.summary.errorGroup'),
            value: message.errorGroup ? (
              <Link href={groupPath(message.errorGroup)}>
                {t('message.summary.openGroup')}
              </Link>
            ) : (
              none
            ),
            copied: message.errorGroup,
          },
          plain('convention'),
          plain('source'),
          named('messageId'),
          correlation,
          named('id'),
        ]}
      />
    </Section>
  );
}
