import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { ButtonLink, Text } from '@backstage/ui';
import { DeadLetteredMessageDetails } from '@dead-letter/backstage-plugin-dead-letter-common';
import { RiExternalLinkLine } from '@remixicon/react';
import { CopyButton } from '../../../components/CopyButton';
import { deadLetterTranslationRef } from '../../../translation';
import { Code } from './Code';
import { Section } from './Section';
import { StatusBadge } from './StatusBadge';
import styles from './drawer.module.css';

interface FailureProps {
  message: DeadLetteredMessageDetails;
}

/** What went wrong, as its consumer said it. */
export function Failure({ message }: FailureProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { errorType, errorMessage, errorStack, logLink, traceLink } = message;
  const error = [errorType, errorMessage].filter(Boolean).join(': ');
  const copied = errorStack ?? error;
  return (
    <Section
      title={t('message.failure.title')}
      aside={<StatusBadge status={message.status} />}
      actions={
        <>
          {copied && (
            <CopyButton what={t('message.failure.error')} text={copied} />
          )}
          {logLink && <Out href={logLink} text={t('message.failure.logs')} />}
          {traceLink && (
            <Out href={traceLink} text={t('message.failure.trace')} />
          )}
        </>
      }
    >
      <div className={styles.failure}>
        {error ? (
          <>
            {errorType && <div className={styles.errorType}>{errorType}</div>}
            {errorMessage && (
              <div className={styles.errorMessage}>{errorMessage}</div>
            )}
          </>
        ) : (
          <Unknown message={message} />
        )}
      </div>
      {errorStack && (
        <Code label={t('message.failure.stack')} text={errorStack} />
      )}
    </Section>
  );
}

/** Leads to what another system knows of it. */
function Out({ href, text }: { href: string; text: string }) {
  return (
    <ButtonLink
      size="small"
      variant="secondary"
      href={href}
      target="_blank"
      rel="noreferrer"
      iconEnd={<RiExternalLinkLine />}
    >
      {text}
    </ButtonLink>
  );
}

/** Of these the broker itself is the cause: no consumer's logs know more. */
const BECAUSE = { expired: true, maxlen: true, delivery_limit: true };

function Unknown({ message: { reason, service } }: FailureProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <>
      <Text as="p" variant="body-medium" weight="bold">
        {t('message.failure.unknown')}
      </Text>
      <Text as="p" variant="body-medium">
        {reason && `${t('message.failure.reason', { reason })} `}
        {reason && reason in BECAUSE
          ? t(`message.failure.because.${reason as keyof typeof BECAUSE}`)
          : t('message.failure.unknownDetail', { service })}
      </Text>
    </>
  );
}
