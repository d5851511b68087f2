import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { MessageProperties } from '@dead-letter/backstage-plugin-dead-letter-common';
import { Time } from '../../../components/Time';
import { deadLetterTranslationRef } from '../../../translation';
import { Facts } from './Facts';
import { Section } from './Section';
import styles from './drawer.module.css';

/** In this order; those that a message does not have are left out. */
const NAMES = [
  'contentType',
  'contentEncoding',
  'deliveryMode',
  'priority',
  'type',
  'appId',
  'userId',
  'clusterId',
  'timestamp',
  'expiration',
  'messageId',
  'correlationId',
  'replyTo',
] as const;

/** What AMQP says of a message besides its headers. */
export function Properties({ properties }: { properties: MessageProperties }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const facts = NAMES.flatMap(name => {
    const value = properties[name];
    if (value === undefined || value === null) return [];
    return {
      name: t(`message.properties.${name}`),
      value: <Property name={name} value={value} />,
    };
  });
  return (
    <Section title={t('message.properties.title')}>
      {facts.length > 0 ? (
        <Facts facts={facts} />
      ) : (
        <p className={styles.quiet}>{t('message.properties.none')}</p>
      )}
    </Section>
  );
}

interface PropertyProps {
  name: (typeof NAMES)[number];
  value: string | number;
}

const PERSISTENT = 2;

function Property({ name, value }: PropertyProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (name === 'deliveryMode') {
    const mode = String(value);
    return (
      <>
        {value === PERSISTENT
          ? t('message.properties.persistent', { mode })
          : t('message.properties.transient', { mode })}
      </>
    );
  }
  if (name === 'timestamp') {
    const at = new Date(Number(value) * 1_000);
    // It may be any number of 64 bits, and not all are a time.
    if (!Number.isNaN(at.getTime())) return <Time at={at.toISOString()} />;
  }
  return <span className={styles.name}>{value}</span>;
}
